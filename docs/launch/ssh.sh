#!/usr/bin/env bash
# Trains one run on several machines over ssh: docs/launch/ssh.sh first.example,second.example --data /shared/faces ...
# Call it from the top folder of a checkout that has the same path on all machines, with its .venv.
set -euo pipefail

IFS=, read -ra HOSTS <<<"$1"
shift
PORT=${PORT:-22222}
WORKERS=$(printf '"%s:'"$PORT"'",' "${HOSTS[@]}")
ARGUMENTS=$([ $# -eq 0 ] || printf ' %q' "$@")
FOLDER=$(printf '%q' "$PWD")

PROCESSES=()
trap 'kill "${PROCESSES[@]}" 2>/dev/null || true' INT TERM EXIT
for INDEX in "${!HOSTS[@]}"; do
    CONFIG="{\"cluster\": {\"worker\": [${WORKERS%,}]}, \"task\": {\"type\": \"worker\", \"index\": $INDEX}}"
    # -tt: when ssh ends, the worker gets a hang-up and ends, too.
    ssh -tt "${HOSTS[INDEX]}" "cd $FOLDER && TF_CONFIG=$(printf '%q' "$CONFIG") exec .venv/bin/python train.py --distribute multiworker$ARGUMENTS" &
    PROCESSES+=($!)
done

STATUS=0
for PROCESS in "${PROCESSES[@]}"; do
    wait "$PROCESS" || STATUS=$?
done
exit "$STATUS"
