// How a host starts the proxy before a small server, and the servers that misbehave. Paths of the binaries come from
// COUNTERSIGN_TARGET, the folder that cargo builds into.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

const target = process.env.COUNTERSIGN_TARGET ?? path.resolve(import.meta.dirname, "../../target/debug");
const misbehaving = path.join(target, "misbehaving");

/** Starts the servers that misbehave; `close` ends them. */
export async function startCases() {
  if (!existsSync(misbehaving)) throw new Error(`${misbehaving} is not there: cargo build --workspace --bins --tests`);
  const child = spawn(misbehaving, [], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const close = async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, "exit");
  };
  return { ...JSON.parse(line), close };
}

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
