#!/bin/sh
# Puts the hook into a file of settings, and asks it as Claude Code would before it runs a command. Without --settings, or with
# --settings .claude/settings.json in a project, Claude Code would find it; here nothing stays.
# COUNTERSIGN_URL, COUNTERSIGN_API_KEY and COUNTERSIGN_TRUST say which server and which log are believed.
set -eu
settings=$(mktemp -d)
trap 'rm -r "$settings"' EXIT
countersign hook claude-code install --approver alex --matcher Bash --settings "$settings/settings.json"

# What the host runs is the command in the settings; here it is written out.
answer=$(countersign hook claude-code --approver alex << END
{"session_id": "example-$$", "hook_event_name": "PreToolUse", "cwd": "$PWD", "tool_use_id": "toolu_$(date +%s)",
 "tool_name": "Bash", "tool_input": {"command": "terraform apply plan.out"}}
END
)
echo "$answer"
case $answer in
  *'"permissionDecision":"allow"'*) echo "Claude Code would run it" ;;
  *) echo "Claude Code would not run it" >&2; exit 1 ;;
esac
