#!/usr/bin/env bash
# Builds or refreshes the virtual environment by the lock.
#
#   environment.sh FOLDER LOCK     the environment with what the lock names, and linli itself
#   environment.sh FOLDER          the bare environment with its installer
#
# Takes $PYTHON, else the first of python3, python3.14 … python3.11 that is new enough and can make
# virtual environments. Installs with uv (fetched into the environment), or with pip where uv has
# no build for the machine. What the lock does not name is left alone.
set -euo pipefail

folder=${1:?folder of the environment}
lock=${2:-}
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bootstrap=$project/provisioning/requirements/bootstrap.txt
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

stop() {
  printf '%s\n' "$@" >&2
  exit 1
}

answers() { "$1" -c "import sys; sys.exit(not ($2))" >/dev/null 2>&1; }

find_python() {
  local name seen=""
  for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    answers "$name" "True" || continue
    if answers "$name" "sys.version_info >= (3, 11)"; then
      printf '%s\n' "$name"
      return
    fi
    seen="$seen $name=$("$name" -c 'import platform; print(platform.python_version())')"
  done
  if [ -n "$seen" ]; then
    stop "Linli needs Python 3.11 or newer; found only:$seen." \
      "Install one (Debian 12 and Ubuntu 24.04 have it: apt-get install python3 python3-venv)," \
      "or name it:  make env PYTHON=/path/to/python3.12"
  fi
  stop "Linli needs Python 3.11 or newer; none found${PYTHON:+ at $PYTHON}." \
    "Debian and Ubuntu: apt-get install python3 python3-venv    Fedora: dnf install python3"
}

make_folder() {
  local python
  python=$(find_python)
  rm -rf "$folder"
  if "$python" -c "import ensurepip, venv" >/dev/null 2>&1; then
    "$python" -m venv "$folder"
  elif command -v uv >/dev/null; then
    uv venv --quiet --seed --python "$python" "$folder"
  else
    stop "$python cannot make virtual environments: its venv module is missing." \
      "Debian and Ubuntu: apt-get install python3-venv    (or install uv, which needs none)"
  fi
}

usable() {
  [ -x "$folder/bin/python" ] && answers "$folder/bin/python" "sys.version_info >= (3, 11)" &&
    "$folder/bin/python" -c "import pip" >/dev/null 2>&1
}

usable || make_folder

python=$folder/bin/python
"$python" -m pip install --quiet --only-binary=:all: "$(grep '^uv==' "$bootstrap")" >/dev/null 2>&1 || true
[ -n "$lock" ] || exit 0
if [ -x "$folder/bin/uv" ]; then
  install() { VIRTUAL_ENV="$folder" "$folder/bin/uv" pip install --quiet --python "$python" "$@"; }
  install --require-hashes -r "$lock"
  install --build-constraints "$bootstrap" --no-deps -e "$project"
  check() { "$folder/bin/uv" pip check --quiet --python "$python"; }
else
  "$python" -m pip install --quiet --require-hashes -r "$lock"
  PIP_CONSTRAINT=$bootstrap "$python" -m pip install --quiet --no-deps -e "$project"
  check() { "$python" -m pip check --quiet; }
fi
check || stop "The lock no longer fits pyproject.toml (see above). Renew it:  make lock"
