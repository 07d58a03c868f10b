#!/usr/bin/env bash
# Runs one named step of a check, prints how long it took and passes its exit code on.
#
#   step.sh NAME COMMAND [ARGUMENT...]
#
# The command's output is shown as it comes; the closing line goes to standard error.
set -uo pipefail

name=${1:?name}
shift
printf '\n── %s\n' "$name" >&2
begun=$(date +%s%N)
"$@"
code=$?
took=$((($(date +%s%N) - begun) / 1000000))
word="done"
[ $code -eq 0 ] || word="FAILED with exit code $code"
printf '── %s: %s in %d.%03d s\n' "$name" "$word" $((took / 1000)) $((took % 1000)) >&2
exit $code
