#!/usr/bin/env bash
# Debian packages that Linli uses: says what is missing, installs it, or unpacks it without root.
#
#   packages.sh status  run|test      list each package and whether it is there; 1 when one is missing
#   packages.sh install run|test      root: install what is missing; else unpack what can be, name the rest
#   packages.sh unpack  PACKAGE...    unpack packages with their libraries into the cache, no root needed
#   packages.sh offer   run           like unpack for what the group lacks, but never fails: all of it is
#                                     optional at run time and Linli says itself what it does without
#
# The cache is $LINLI_CACHE_DIR, else .cache in the project; a package lies in CACHE/system/PACKAGE,
# where mqtt/unpacked.py looks for it. Installing never starts a daemon and leaves no unit enabled.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
cache=${LINLI_CACHE_DIR:-$project/.cache}/system
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

say() { printf '%s\n' "$*"; }
complain() { printf '%s\n' "$*" >&2; }

# group: package, the probe that finds it (installed by any means), what it is for
table() {
  case $1 in
  run)
    cat <<'END'
mosquitto         command mosquitto         MQTT broker with a rule per device
libzbar0          library libzbar.so.0      decodes QR images in the simulator
END
    ;;
  test)
    table run
    cat <<'END'
chromium          command chromium          browser tests
fonts-wqy-zenhei  font    zh                Chinese text in screenshots
postgresql        command initdb            the domain tests on PostgreSQL
influxdb          command influxd           telemetry tests, InfluxQL
victoria-metrics  command victoria-metrics  telemetry tests, v2 writes
redis-server      command redis-server      rate limits of several web processes
END
    ;;
  *)
    complain "no such group: $1 (there are: run, test)"
    exit 2
    ;;
  esac
}

# Where each kind of thing may lie besides PATH.
found() {
  local kind=$1 name=$2 folder
  case $kind in
  command)
    command -v "$name" >/dev/null && return
    for folder in /usr/sbin /usr/local/sbin /usr/lib/postgresql/*/bin "$cache"/*/usr/sbin "$cache"/*/usr/bin; do
      [ -x "$folder/$name" ] && return
    done
    return 1
    ;;
  library)
    for folder in /usr/lib /usr/lib64 /usr/local/lib /usr/lib/*-linux-* "$cache"/*/usr/lib/*-linux-* "$cache"/*/usr/lib; do
      [ -e "$folder/$name" ] && return
    done
    return 1
    ;;
  font)
    if command -v fc-list >/dev/null; then
      [ -n "$(fc-list ":lang=$name" family)" ]
    else
      compgen -G '/usr/share/fonts/*/*/wqy-*' >/dev/null || compgen -G '/usr/share/fonts/*/*/Noto*CJK*' >/dev/null
    fi
    ;;
  esac
}

missing() {
  local package kind name purpose
  while read -r package kind name purpose; do
    found "$kind" "$name" || say "$package"
  done < <(table "$1")
}

have_apt() { command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; }

status() {
  local package kind name purpose state=0
  while read -r package kind name purpose; do
    if found "$kind" "$name"; then
      printf '%-17s there    %s\n' "$package" "$purpose"
    else
      printf '%-17s MISSING  %s\n' "$package" "$purpose"
      state=1
    fi
  done < <(table "$1")
  return $state
}

# --- with root -------------------------------------------------------------------------------

policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.d
undo=()

restore() {
  local step
  for step in "${undo[@]}"; do eval "$step"; done
  undo=()
}

# Daemons stay down while packages are set up: Debian asks policy-rc.d before starting one, and
# postgresql-common asks createcluster.d before making a cluster. Both are put back afterwards.
keep_daemons_down() {
  trap restore EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  if [ -e "$policy" ] || [ -L "$policy" ]; then
    mv "$policy" "$policy.linli-kept"
    undo+=("mv '$policy.linli-kept' '$policy'")
  else
    undo+=("rm -f '$policy'")
  fi
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  if [ ! -d "$clusters" ]; then
    mkdir -p "$clusters"
    undo=("rmdir '$clusters' 2>/dev/null || true" "${undo[@]}")
  fi
  printf 'create_main_cluster = false\n' >"$clusters/linli.conf"
  undo=("rm -f '$clusters/linli.conf'" "${undo[@]}")
}

disable_units() {
  command -v systemctl >/dev/null || return 0
  local package
  for package in "$@"; do
    case $package in
    mosquitto | postgresql | influxdb | victoria-metrics)
      systemctl --quiet disable "$package.service" >/dev/null 2>&1 || true
      ;;
    esac
  done
}

install_as_root() {
  local packages=("$@") lock=/var/lock/linli-packages
  exec 9>"$lock"
  flock 9
  keep_daemons_down
  say "installing: ${packages[*]}"
  apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update
  apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
    --no-install-recommends install "${packages[@]}" >"$cache/apt.log" 2>&1 || {
    complain "apt-get could not install: ${packages[*]}"
    tail -n 20 "$cache/apt.log" >&2
    exit 1
  }
  disable_units "${packages[@]}"
  restore
}

# --- without root ----------------------------------------------------------------------------

# Functions here are called where the shell does not stop at an error, so each step says "or return".

# An apt of our own: it writes into the cache only. It reads the machine's package lists, or, once
# `refresh_lists` was called, newer ones of its own.
lists=/var/lib/apt/lists
own_apt() {
  local command=$1
  shift
  "$command" -o Dir::State::lists="$lists" -o Dir::Cache="$cache/apt/cache" \
    -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none \
    -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 "$@"
}

refresh_lists() {
  lists=$cache/apt/lists
  mkdir -p "$lists/partial" || return
  own_apt apt-get -qq update
}

# Downloads a package, with the libraries of it that this machine lacks, into a folder.
download() {
  local package=$1 folder=$2 closure
  mkdir -p "$cache/apt/cache/archives/partial" "$folder" || return
  closure=$(own_apt apt-get -s -qq --no-install-recommends install "$package") || return
  closure=$(awk '/^Inst/ {print $2}' <<<"$closure")
  # shellcheck disable=SC2086 # one word per package is meant
  (cd "$folder" && own_apt apt-get -qq download ${closure:-$package})
}

# Downloads and lays a package and those libraries into a folder, with unpacked.txt to name them.
lay() {
  local package=$1 work=$2 file
  if ! download "$package" "$work/debs" 2>/dev/null; then
    rm -rf "$work/debs"
    refresh_lists && download "$package" "$work/debs" || return
  fi
  for file in "$work"/debs/*.deb; do
    dpkg-deb -x "$file" "$work/root" || return
  done
  (cd "$work/debs" && printf '%s\n' *.deb) >"$work/root/unpacked.txt"
}

# The folder appears under its final name only when it is complete.
unpack() {
  local package=$1 target=$cache/$1 work state=0
  [ -e "$target/unpacked.txt" ] && return
  work=$(mktemp -d "$cache/$package.XXXXXX") || return
  lay "$package" "$work" && rm -rf "$target" && mv "$work/root" "$target" || state=1
  rm -rf "$work"
  [ $state -eq 0 ] || return $state
  say "unpacked $package into $target ($(wc -l <"$target/unpacked.txt") Debian packages)"
}

unpack_all() {
  local package state=0
  if ! have_apt; then
    complain "no apt on this machine: cannot unpack $*"
    return 1
  fi
  mkdir -p "$cache" || return
  exec 8>"$cache/lock" || return
  flock 8
  for package in "$@"; do
    unpack "$package" || {
      complain "could not unpack $package"
      state=1
    }
  done
  rm -rf "$cache/apt"
  return $state
}

# --- commands --------------------------------------------------------------------------------

install_group() {
  local lacking
  mapfile -t lacking < <(missing "$1")
  [ ${#lacking[@]} -eq 0 ] && return
  mkdir -p "$cache"
  if ! have_apt; then
    complain "Missing for '$1': ${lacking[*]}"
    complain "This is no Debian: install what your system calls these packages, then try again."
    exit 1
  fi
  if [ "$(id -u)" -eq 0 ]; then
    install_as_root "${lacking[@]}"
  else
    local package unpackable=()
    for package in "${lacking[@]}"; do
      case $package in
      mosquitto | libzbar0 | influxdb | victoria-metrics) unpackable+=("$package") ;;
      esac
    done
    unpack_all "${unpackable[@]}" || true
  fi
  mapfile -t lacking < <(missing "$1")
  [ ${#lacking[@]} -eq 0 ] && return
  complain "Missing for '$1': ${lacking[*]}"
  complain "They need root:  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${lacking[*]}"
  complain "or, without starting any daemon:  sudo $here/packages.sh install $1"
  exit 1
}

offer() {
  local lacking
  mapfile -t lacking < <(missing "$1")
  [ ${#lacking[@]} -eq 0 ] && return
  mkdir -p "$cache"
  if unpack_all "${lacking[@]}" >"$cache/offer.log" 2>&1; then
    cat "$cache/offer.log"
    return
  fi
  mapfile -t lacking < <(missing "$1")
  complain "Not on this machine and not to be unpacked: ${lacking[*]} (reason in $cache/offer.log)."
  complain "Linli runs without: the embedded broker stands in for mosquitto, zxing-cpp for libzbar0."
  complain "To have them: Debian and Ubuntu  sudo apt-get install ${lacking[*]}"
  complain "              Fedora  sudo dnf install mosquitto zbar    macOS  brew install mosquitto zbar"
}

case ${1:-} in
status | install | offer) table "${2:?group}" >/dev/null ;; # stops here when there is no such group
esac
case ${1:-} in
status) status "$2" ;;
install) install_group "$2" ;;
unpack)
  shift
  [ $# -gt 0 ] || set -- mosquitto libzbar0
  unpack_all "$@"
  ;;
offer) offer "$2" ;;
*)
  sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  exit 2
  ;;
esac
