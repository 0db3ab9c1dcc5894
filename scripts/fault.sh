#!/usr/bin/env bash
# Runs every fault: kills, failing system calls, losses of power, damaged files, full and slow disks, jumping clocks, copied
# folders, signals. Closes with a table that is made of what the tests report; exits 1 if one of them failed.
#
#   scripts/fault.sh                           as root
#   KILLS=20 IMAGES=10 EVERY=9 scripts/fault.sh    fewer kills and images, and only every ninth system call
#
# All of it runs in name spaces of its own for mounts and processes: when they end, in whatever way, every mount, loop
# device and process of a test is gone with them.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

if [ "$(id -u)" -ne 0 ]; then
  printf 'fault: the faults mount file systems and trace processes; run make fault as root\n' >&2
  exit 1
fi
for tool in cargo strace mkfs.ext4 mkfs.xfs mount unshare faketime; do
  if ! command -v "$tool" >/dev/null 2>&1; then
    printf 'fault: %s is missing; scripts/setup.sh --fault installs what the faults need\n' "$tool" >&2
    exit 1
  fi
done

# All of the workspace, so that every dependency has the features that other tests have built already.
tests=(--workspace --locked --test crash --test start --test damage --test fault)
cargo test "${tests[@]}" --no-run || exit 1

report=$(mktemp) || exit
trap 'rm -f "$report"' EXIT
export COUNTERSIGN_FAULT_REPORT=$report
export COUNTERSIGN_FAULT_KILLS=${KILLS:-200} COUNTERSIGN_FAULT_IMAGES=${IMAGES:-40} COUNTERSIGN_FAULT_EVERY=${EVERY:-1}
SECONDS=0
unshare --mount --pid --fork --kill-child --mount-proc \
  cargo test "${tests[@]}" --no-fail-fast -- --include-ignored --test-threads=1
failed=$?

printf '\n'
{
  printf 'fault\truns\tlost entries\tinconsistent checkpoints\trefusals\tseconds\toutcome\n'
  cat "$report"
} | awk -F '\t' '{ printf "%-46s %5s  %-14s %-24s %8s %7s  %s\n", $1, $2, $3, $4, $5, $6, $7 }'
printf '%-46s %76s\n' all "$SECONDS s"
if [ "$failed" -ne 0 ] || [ ! -s "$report" ] || grep -q FAILED "$report"; then
  printf 'FAILED\n'
  exit 1
fi
printf 'no acknowledged entry is lost, and no signed checkpoint is inconsistent with another\n'
