#!/usr/bin/env bash
# Makes this checkout ready to run ("build"), to be tested ("test") or measured beside others ("bench"): Debian packages,
# .venv, the browser client and the native core. A step leaves a stamp, so that a second run does only what changed.
#
#   scripts/bootstrap.sh build|test|bench
#
# PYTHON chooses the interpreter that .venv is made with; SIMPLESTCHAT_BUILD chooses the mode of the native core.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

goal=${1:-build}
case $goal in
build) package=build extras= ;;
test | bench) package=test extras='[test,dev]' ;;
*) die "usage: scripts/bootstrap.sh build|test|bench" ;;
esac

mkdir -p build/stamps
exec 9>build/.lock
flock 9 # two makes in one checkout take turns

. scripts/packages.sh
. scripts/python.sh
. scripts/client.sh

if ! made "packages-$goal" scripts/packages.sh; then
    ensure_packages "$goal"
    stamp "packages-$goal"
fi
ensure_venv
ensure_client
ensure_package "$package" "$extras"
ensure_native
