#!/usr/bin/env bash
# Runs the load suite: every scenario at its own size, two of them with a thousand users, and the capacity search.
# Each leaves a report under load-reports/; the exit status is that of the worst run.
#
#   scripts/load.sh [FOLDER]
set -uo pipefail
cd "$(dirname "$0")/.."
folder=${1:-load-reports/$(date -u +%Y%m%dT%H%M%SZ)}
worst=0

run() { # NAME ARGUMENT...
    local name=$1
    shift
    printf '\n== %s\n' "$name"
    .venv/bin/simplestchat load "$@" --quiet --report "$folder/$name" || { status=$?; [ $status -gt $worst ] && worst=$status; }
}

for name in conference webinar audio gallery spotlight codecs adaptive churn unstable chat-storm reconnect-herd; do
    run "$name" "scenarios/$name.toml"
done
run webinar-1000 scenarios/webinar.toml --clients 1000
run audio-1000 scenarios/audio.toml --clients 1000
run capacity scenarios/capacity.toml
printf '\nreports: %s\n' "$folder"
exit $worst
