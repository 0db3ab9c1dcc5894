"""A small MCP server with notes, of which rules.toml lets the reading pass and holds the rest:

    countersign mcp-proxy --rules rules.toml -- python3 notes.py
"""

import json
import sys

notes = ["buy milk"]


def call(name, arguments):
    if name == "delete_notes":
        notes.clear()
    elif name == "add_note":
        notes.append(arguments["text"])
    return {"content": [{"type": "text", "text": json.dumps(notes)}]}


def answer(method, params):
    if method == "initialize":
        info = {"name": "notes", "version": "1"}
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": info}
    if method == "tools/list":
        names = ["read_notes", "add_note", "delete_notes"]
        return {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in names]}
    if method == "tools/call":
        return call(params["name"], params.get("arguments", {}))
    return {}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message and "method" in message:
        result = answer(message["method"], message.get("params", {}))
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
