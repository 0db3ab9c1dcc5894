// How a host starts the proxy before a small server.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";

import { misbehaving, target } from "./servers.js";

/** The proxy's command for one case, with `calls()`: what reached the server behind it. */
export function proxy({ api_key: apiKey, trust_file: trustFile, cases }, name) {
  const folder = mkdtempSync(path.join(os.tmpdir(), "countersign-proxy-"));
  const file = path.join(folder, "calls");
  const calls = () => (existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line)) : []);
  const command = {
    command: path.join(target, "countersign"),
    args: ["mcp-proxy", "--approver", "alex", "--tool", "note", "--", misbehaving, "--tools", file],
    env: {
      PATH: process.env.PATH, COUNTERSIGN_URL: cases[name], COUNTERSIGN_API_KEY: apiKey, COUNTERSIGN_TRUST: trustFile,
      COUNTERSIGN_MEMORY: path.join(folder, "memory.json"),
    },
  };
  return { command, calls, remove: () => rmSync(folder, { recursive: true }) };
}
