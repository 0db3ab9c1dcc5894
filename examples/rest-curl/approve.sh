#!/bin/sh
# Approval over plain REST, with curl. COUNTERSIGN_URL and COUNTERSIGN_API_KEY say where. It believes the server.
set -eu
api="$COUNTERSIGN_URL/api/confirmations"
# From a file, so that the key is in no list of processes.
call() { printf 'header = "X-Api-Key: %s"\n' "$COUNTERSIGN_API_KEY" | curl -sS --fail-with-body --max-time 60 --config - "$@"; }
# A field of the answer, by its name and what it looks like. jq would be the better tool where there is one.
field() { printf '%s' "$answer" | sed -n "s/.*\"$1\": *\"\($2\)\".*/\1/p"; }

answer=$(call -H 'Content-Type: application/json' "$api" \
  -d '{"username": "alex", "action": "Wire money", "payload": {"amount": 12.5, "to": "ACME"}}')
id=$(field id 'cnf_[a-z2-7]*')
echo "alex, please decide: $(field url '[^"]*')"

status=pending
while [ "$status" = pending ]; do
  answer=$(call "$api/$id?wait=25")
  status=$(field status '[a-z]*')
done

[ "$status" = approved ] || { echo "not approved: $status" >&2; exit 1; }
# An approval serves once: a second use is 409, and stops here.
call -X POST "$api/$id/consume" >/dev/null
echo "wired 12.5 to ACME"
