#!/bin/sh
# Stands for Claude Code's `claude mcp add`. A server over stdio it starts at once, in its own place, as Claude Code would
# later; of one over HTTP it prints the URL and the header.
set -eu
[ "$1 $2" = "mcp add" ]
shift 2
if [ "$1" = --transport ]; then
  [ "$2 $5 $#" = "http --header 6" ]
  printf '%s\n%s\n' "$4" "$6"
  exit
fi
shift
while [ "$1" = --env ]; do
  export "$2"
  shift 2
done
[ "$1" = -- ]
shift
exec "$@"
