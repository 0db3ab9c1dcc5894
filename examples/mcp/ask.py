"""Asks alex through the MCP tools, as an MCP host does for its model, and goes on only after a verified approval.

`countersign mcp` must be in PATH; COUNTERSIGN_URL, COUNTERSIGN_API_KEY and COUNTERSIGN_TRUST are its settings. Needs the package
`mcp`, 2.3 or later.
"""

import asyncio
import os

from mcp import StdioServerParameters
from mcp.client import Client

TOOL = StdioServerParameters(command="countersign", args=["mcp"], env=dict(os.environ))
QUESTION = {
    "action": "Delete the staging database",
    "approver_username": "alex",
    "payload": {"database": "staging", "backup": "none"},
}


async def main():
    async with Client(TOOL) as client:
        answer = (await client.call_tool("request_human_approval", QUESTION)).structured_content
        while answer["status"] == "pending":
            print(answer["next"])
            answer = (await client.call_tool("wait_for_approval", {"id": answer["id"]})).structured_content
        if not answer["approved"]:
            raise SystemExit(f"nothing was deleted: {answer['status']}")
        print("approved:", answer["payload"])


asyncio.run(main())
