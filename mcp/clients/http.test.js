// What no client shows: the door itself. Keys, Host and Origin, methods, sizes, and the two ways to speak.
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";

import { startServer } from "./servers.js";

let server;
before(async () => { server = await startServer(); });
after(() => server?.close());

const modernMeta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "tests", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
const list = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };

/** One request, with a Host of one's own, which fetch does not allow. */
function send(method, headers, body) {
  const { hostname, port } = new URL(server.url);
  const all = { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers };
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path: "/mcp", method, headers: all }, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode, headers: response.headers, text });
    });
    sent.on("error", reject);
    sent.end(typeof body === "string" ? body : JSON.stringify(body));
  });
}

const key = () => ({ "x-api-key": server.apiKey });

test("a key with either header, and none without", async () => {
  for (const headers of [key(), { authorization: `Bearer ${server.apiKey}` }]) {
    const { status, text } = await send("POST", headers, list);
    assert.equal(status, 200, text);
    assert.equal(JSON.parse(text).result.tools.length, 5);
  }
  for (const headers of [{}, { "x-api-key": "csk_wrong" }, { authorization: "Basic x" }]) {
    const { status, headers: answered, text } = await send("POST", headers, "this is not even JSON");
    assert.equal(status, 401);
    assert.equal(answered["www-authenticate"], "Bearer");
    assert.equal(JSON.parse(text).type, "urn:countersign:problem:no-key");
  }
});

test("Host and Origin must be ours or this machine's", async () => {
  for (const headers of [{ host: "evil.example" }, { origin: "https://evil.example" }, { origin: "null" }]) {
    const { status } = await send("POST", { ...key(), ...headers }, list);
    assert.equal(status, 403, JSON.stringify(headers));
  }
  for (const headers of [{ host: "localhost:8080" }, { origin: "http://localhost:8080" }, { origin: "http://127.0.0.1:5173" }]) {
    const { status } = await send("POST", { ...key(), ...headers }, list);
    assert.equal(status, 200, JSON.stringify(headers));
  }
});

test("there is nothing to GET and no session to DELETE", async () => {
  for (const method of ["GET", "DELETE"]) assert.equal((await send(method, key(), "")).status, 405, method);
});

test("initialize makes no session, and what follows needs none", async () => {
  const initialize = { jsonrpc: "2.0", id: 0, method: "initialize", params: {
    protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "tests", version: "1" } } };
  const { status, headers, text } = await send("POST", key(), initialize);
  assert.equal(status, 200, text);
  assert.equal(headers["mcp-session-id"], undefined);
  assert.equal(JSON.parse(text).result.protocolVersion, "2025-06-18");
  const ready = await send("POST", key(), { jsonrpc: "2.0", method: "notifications/initialized" });
  assert.equal(ready.status, 202);
  const listed = await send("POST", { ...key(), "mcp-protocol-version": "2025-06-18" }, list);
  assert.equal(listed.status, 200, listed.text);
  const invented = await send("POST", { ...key(), "mcp-session-id": "of-an-earlier-server" }, list);
  assert.equal(invented.status, 200, invented.text);
});

test("a stateless call stands for itself, and its headers must fit the body", async () => {
  const params = { name: "get_approval", arguments: { id: "cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa" }, _meta: modernMeta };
  const call = { jsonrpc: "2.0", id: 7, method: "tools/call", params };
  const headers = { ...key(), "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "get_approval" };
  const { status, text } = await send("POST", headers, call);
  assert.equal(status, 200, text);
  assert.equal(JSON.parse(text).result.isError, true);
  assert.equal((await send("POST", { ...headers, "mcp-name": "cancel_approval" }, call)).status, 400);
  assert.equal((await send("POST", { ...headers, "mcp-method": "tools/list" }, call)).status, 400);
});

test("bodies have a limit", async () => {
  const { status, text } = await send("POST", key(), { ...list, params: { padding: "x".repeat(1 << 20) } });
  assert.equal(status, 413, text);
});
