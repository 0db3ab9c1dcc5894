// The server and the software person that the tests talk to: agent/examples/approvals.rs. Paths of the binaries come from
// COUNTERSIGN_TARGET, the folder that cargo builds into.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";

const target = process.env.COUNTERSIGN_TARGET ?? path.resolve(import.meta.dirname, "../../target/debug");
const approvals = path.join(target, "examples", "approvals");

/** Starts a server; `close` ends it. */
export async function startServer() {
  if (!existsSync(approvals)) throw new Error(`${approvals} is not there: cargo build --workspace --bins --tests --examples`);
  const child = spawn(approvals, [], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, "line"), once(child, "exit").then(([code]) => {
    throw new Error(`the server ended with ${code}`);
  })]);
  const { url, api_key: apiKey, trust_file: trustFile } = JSON.parse(line);
  const close = async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, "exit");
  };
  return { url, apiKey, trustFile, close };
}

/** How a host starts the tools over stdio. COUNTERSIGN_STDIO=approvals takes them without the rest of the command. */
export function stdioCommand({ url, apiKey, trustFile }) {
  const own = process.env.COUNTERSIGN_STDIO === "approvals";
  return {
    command: own ? approvals : path.join(target, "countersign"),
    args: own ? ["stdio"] : ["mcp"],
    env: { COUNTERSIGN_URL: url, COUNTERSIGN_API_KEY: apiKey, COUNTERSIGN_TRUST: trustFile, COUNTERSIGN_MEMORY: `${trustFile}.memory` },
  };
}
