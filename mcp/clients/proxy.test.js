// What a host with the official client sees of a server that stands behind `countersign mcp-proxy`.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Client as ModernClient } from "@modelcontextprotocol/client";
import { StdioClientTransport as ModernStdio } from "@modelcontextprotocol/client/stdio";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js";

import { proxy } from "./proxy.js";
import { startCases } from "./servers.js";

const info = { name: "tests", version: "1" };

async function connect(client, transport, ...schema) {
  await client.connect(transport);
  return {
    listTools: () => client.listTools(),
    callTool: (params, options) => client.callTool(params, ...schema, options),
    close: () => client.close(),
  };
}

const modern = (mode) => (command) => connect(new ModernClient(info, { versionNegotiation: { mode } }), new ModernStdio(command));
const doors = {
  "SDK 1": (command) => connect(new Client(info), new StdioClientTransport(command), CallToolResultSchema),
  "SDK 2": modern({ pin: "2026-07-28" }),
  "SDK 2, as before": modern("legacy"),
};

let cases;
before(async () => { cases = await startCases(); });
after(() => cases?.close());

for (const [door, open] of Object.entries(doors)) {
  test(door, async (t) => {
    const start = async (name) => {
      const { command, calls, remove } = proxy(cases, name);
      const client = await open(command);
      t.after(async () => {
        await client.close();
        remove();
      });
      return { client, calls };
    };
    const args = { text: `by ${door}`, n: [1, 2.5] };

    await t.test("a call runs with what was approved, and the host hears where", async () => {
      const { client, calls } = await start("approves");
      assert.equal((await client.listTools()).tools.length, 4);
      const heard = [];
      const result = await client.callTool({ name: "note", arguments: args }, { onprogress: ({ message }) => heard.push(message) });
      assert.ok(!result.isError, JSON.stringify(result));
      assert.match(heard[0], /waiting for alex at http.*compare code/);
      assert.deepEqual(calls(), [{ name: "note", arguments: args }]);
    });

    await t.test("a rejected call is a result that says so, and other tools pass", async () => {
      const { client, calls } = await start("rejects");
      const denied = await client.callTool({ name: "note", arguments: args });
      assert.equal(denied.isError, true);
      assert.equal(denied._meta["countersign/code"], "rejected");
      assert.match(denied.content[0].text, /^note was not called \(rejected\)/);
      assert.ok(!(await client.callTool({ name: "look", arguments: {} })).isError);
      assert.deepEqual(calls().map(({ name }) => name), ["look"]);
    });

    await t.test("a call that the host breaks off never runs", async () => {
      const { client, calls } = await start("never");
      const stop = new AbortController();
      const options = { signal: stop.signal, onprogress: () => stop.abort() };
      await assert.rejects(client.callTool({ name: "note", arguments: args }, options));
      assert.ok(!(await client.callTool({ name: "look", arguments: {} })).isError);
      assert.deepEqual(calls().map(({ name }) => name), ["look"]);
    });
  });
}
