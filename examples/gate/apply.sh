#!/bin/sh
# Applies a plan, but only once alex has approved exactly this command on exactly this plan.
# COUNTERSIGN_URL, COUNTERSIGN_API_KEY and COUNTERSIGN_TRUST say which server and which log are believed.
set -eu
[ -e plan.out ] || echo 'create 2, destroy 0' > plan.out

code=0
countersign gate --approver alex --action 'Apply the plan to production' --bind plan.out \
  --timeout 600 --status-file status.json -- sh -c 'echo "applying: $(cat plan.out)"' || code=$?

# The command's own exit code may be any number, so gate's verdict is asked for by itself.
case $(grep -o '"verdict": "[a-z]*"' status.json) in
  *approved*) echo "it ran and ended with $code" ;;
  *) echo "nothing was applied: $(grep '"detail"' status.json)" >&2 ;;
esac
exit "$code"
