// Every way in: the two generations of the official client, over HTTP and over stdio. `connect(server)` gives a client whose
// `callTool(params, options)` is the client's own.
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from "@modelcontextprotocol/client";
import { StdioClientTransport as ModernStdio } from "@modelcontextprotocol/client/stdio";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js";

import { stdioCommand } from "./servers.js";

const info = { name: "tests", version: "1" };
const endpoint = ({ url }) => new URL("/mcp", url);
const headers = ({ apiKey }) => ({ requestInit: { headers: { "X-Api-Key": apiKey } } });

/** A client of SDK 1, which begins with initialize. */
async function session(transport) {
  const client = new Client(info);
  await client.connect(transport);
  return {
    listTools: () => client.listTools(),
    callTool: (params, options) => client.callTool(params, CallToolResultSchema, options),
    close: () => client.close(),
  };
}

/** A client of SDK 2; pinned to 2026-07-28 it sends no initialize. */
async function modern(transport, mode) {
  const client = new ModernClient(info, { versionNegotiation: { mode } });
  await client.connect(transport);
  return {
    listTools: () => client.listTools(),
    callTool: (params, options) => client.callTool(params, options),
    close: () => client.close(),
  };
}

const pinned = { pin: "2026-07-28" };

export const doors = {
  "SDK 1 over HTTP": (server) => session(new StreamableHTTPClientTransport(endpoint(server), headers(server))),
  "SDK 1 over stdio": (server) => session(new StdioClientTransport(stdioCommand(server))),
  "SDK 2 over HTTP": (server) => modern(new ModernHttp(endpoint(server), headers(server)), pinned),
  "SDK 2 over HTTP, as before": (server) => modern(new ModernHttp(endpoint(server), headers(server)), "legacy"),
  "SDK 2 over stdio": (server) => modern(new ModernStdio(stdioCommand(server)), pinned),
};
