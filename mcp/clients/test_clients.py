"""The official Python client against the tools, over HTTP and stdio, with initialize and without.

Run by `python3 -m unittest` in an environment of requirements.txt.
"""

import asyncio
import json
import os
import sys
import unittest

import httpx2
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from servers import ROOT, TARGET, WithServers

TOOLS = ["request_human_approval", "wait_for_approval", "get_approval", "cancel_approval", "verify_receipt"]


class Clients(WithServers):
    def stdio(self):
        environment = self.environment(self.said["person"], self.said["trust_file"] + ".memory")
        return StdioServerParameters(command=str(TARGET / "countersign"), args=["mcp"], env=environment)

    async def over_http(self, mode):
        headers = {"X-Api-Key": self.said["api_key"]}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            transport = streamable_http_client(self.said["person"] + "/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                await self.story(client, f"http {mode}")

    async def over_stdio(self, mode):
        async with Client(self.stdio(), mode=mode) as client:
            await self.story(client, f"stdio {mode}")

    async def test_http_with_initialize(self):
        await self.over_http("legacy")

    async def test_http_without_initialize(self):
        await self.over_http("2026-07-28")

    async def test_stdio_with_initialize(self):
        await self.over_stdio("legacy")

    async def test_stdio_without_initialize(self):
        await self.over_stdio("2026-07-28")

    async def test_the_example(self):
        settings = self.stdio().env | {"PATH": f"{TARGET}{os.pathsep}{os.environ['PATH']}"}
        example = ROOT / "examples" / "mcp" / "ask.py"
        ran = await asyncio.create_subprocess_exec(
            sys.executable, example, env=settings, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, error = await ran.communicate()
        self.assertEqual(ran.returncode, 0, error)
        self.assertIn("approved: {'backup': 'none', 'database': 'staging'}", out.decode())

    async def story(self, client, run):
        listed = await client.list_tools()
        self.assertEqual([tool.name for tool in listed.tools], TOOLS)

        payload = {"amount": "12.50", "run": run}
        asked = {"action": "Pay the invoice", "approver_username": "alex", "payload": payload}
        heard = []

        async def progress(done, total, message):
            heard.append(message)

        approved = await self.call(client, "request_human_approval", asked, progress)
        self.assertEqual((approved["approved"], approved["status"]), (True, "approved"))
        self.assertIn("compare code", heard[0])
        stated = {"receipt": approved["receipt"], "payload": payload, "action": "Pay the invoice"}
        verified = await self.call(client, "verify_receipt", stated)
        self.assertEqual((verified["verdict"], verified["asExpected"]), ("approved", True))

        rejected = await self.call(client, "request_human_approval", asked | {"action": "reject this"})
        self.assertEqual((rejected["approved"], rejected["reason"]), (False, "rejected"))

        later = asked | {"action": "never decide this", "wait_seconds": 0}
        pending = await self.call(client, "request_human_approval", later)
        self.assertEqual(pending["status"], "pending")
        again = await self.call(client, "request_human_approval", later)
        self.assertEqual(again["id"], pending["id"])
        waited = await self.call(client, "wait_for_approval", {"id": pending["id"], "wait_seconds": 1})
        self.assertEqual((waited["approved"], waited["status"]), (False, "pending"))
        cancelled = await self.call(client, "cancel_approval", {"id": pending["id"]})
        self.assertEqual(cancelled["status"], "cancelled")

        wrong = await client.call_tool("get_approval", {"id": "cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa"})
        self.assertTrue(wrong.is_error)

    async def call(self, client, name, arguments, progress=None):
        result = await client.call_tool(name, arguments, progress_callback=progress)
        self.assertFalse(result.is_error, result.content)
        self.assertEqual(json.loads(result.content[0].text), result.structured_content)
        return result.structured_content


if __name__ == "__main__":
    unittest.main()
