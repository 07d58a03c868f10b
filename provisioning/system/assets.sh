#!/usr/bin/env bash
# Builds the front-end files of the portal from portal/web/front and from npm packages.
#
#   assets.sh build    write portal/web/static/built and portal/web/static/vendor
#   assets.sh check    fail when what is checked in differs from what would be built
#
# Packages come by the lock file into .cache/assets/<sum of the lock>, without running any script of
# theirs; once they are there, no network is needed. Exit code 3: Node.js or the packages cannot be
# had here. The built files are checked in, so nobody needs Node.js to run the portal.
set -euo pipefail

verb=${1:?build or check}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
web=$root/portal/web

missing() {
  printf 'Front-end files were not built or checked: %s\n' "$1" >&2
  printf 'The portal runs with those that are checked in. To build them, install Node.js 20 or newer (Debian: nodejs npm).\n' >&2
  exit 3
}

command -v node >/dev/null || missing 'Node.js is not installed.'
command -v npm >/dev/null || missing 'npm is not installed.'
[ "$(node -p 'parseInt(process.versions.node)')" -ge 20 ] || missing "Node.js $(node --version) is too old."

sum=$(sha256sum "$web/package-lock.json" | cut -c1-16)
folder=$root/.cache/assets/$sum
if [ ! -d "$folder/node_modules" ]; then
  fresh=$folder.new.$$
  trap 'rm -rf "$fresh"' EXIT
  mkdir -p "$fresh"
  cp "$web/package.json" "$web/package-lock.json" "$fresh/"
  (cd "$fresh" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
    missing 'the packages of portal/web/package-lock.json could not be fetched.'
  mv "$fresh" "$folder" 2>/dev/null || [ -d "$folder/node_modules" ]
fi

export LINLI_NODE_MODULES=$folder/node_modules
case $verb in
  build) node "$web/build.mjs" && node "$web/vendor.mjs" ;;
  check) node "$web/build.mjs" --check && node "$web/vendor.mjs" --check ;;
  *) printf 'assets.sh build|check\n' >&2 && exit 2 ;;
esac
