#!/bin/sh
# Puts the hook into the settings of a project in this folder, and asks it as Claude Code would before it runs a command.
# COUNTERSIGN_URL, COUNTERSIGN_API_KEY and COUNTERSIGN_TRUST say which server and which log are believed.
set -eu
countersign hook claude-code install --approver alex --matcher Bash --settings .claude/settings.json

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
