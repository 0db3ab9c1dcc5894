"""The official Python client before a server that stands behind `countersign mcp-proxy`, with initialize and without."""

import json
import pathlib
import tempfile
import unittest

from mcp import StdioServerParameters
from mcp.client import Client
from servers import MISBEHAVING, TARGET, WithServers


class Proxy(WithServers):
    async def call(self, case, mode):
        """The answer to one call, and what reached the server."""
        with tempfile.TemporaryDirectory() as folder:
            calls = pathlib.Path(folder, "calls")
            environment = self.environment(self.said["cases"][case], pathlib.Path(folder, "memory.json"))
            arguments = ["mcp-proxy", "--approver", "alex", "--", str(MISBEHAVING), "--tools", str(calls)]
            server = StdioServerParameters(command=str(TARGET / "countersign"), args=arguments, env=environment)
            async with Client(server, mode=mode) as client:
                self.assertEqual(len((await client.list_tools()).tools), 4)
                result = await client.call_tool("note", {"text": f"{case} {mode}"})
            lines = calls.read_text().splitlines() if calls.exists() else []
            return result, [json.loads(line)["arguments"] for line in lines]

    async def story(self, mode):
        result, ran = await self.call("approves", mode)
        self.assertFalse(result.is_error, result.content)
        self.assertEqual(ran, [{"text": f"approves {mode}"}])
        result, ran = await self.call("rejects", mode)
        self.assertTrue(result.is_error)
        self.assertIn("(rejected)", result.content[0].text)
        self.assertEqual(result.meta["countersign/code"], "rejected")
        self.assertEqual(ran, [])

    async def test_with_initialize(self):
        await self.story("legacy")

    async def test_without_initialize(self):
        await self.story("2026-07-28")


if __name__ == "__main__":
    unittest.main()
