// The servers that the tests talk to: those of the crate `misbehaving`. Paths of the binaries come from COUNTERSIGN_TARGET, the
// folder that cargo builds into.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";

export const target = process.env.COUNTERSIGN_TARGET ?? path.resolve(import.meta.dirname, "../../target/debug");
export const misbehaving = path.join(target, "misbehaving");

/** Starts them: `cases` has their URLs, and `close` ends them. */
export async function startCases() {
  if (!existsSync(misbehaving)) throw new Error(`${misbehaving} is not there: cargo build --workspace --bins --tests`);
  const child = spawn(misbehaving, [], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, "line"), once(child, "exit").then(([code]) => {
    throw new Error(`the servers ended with ${code}`);
  })]);
  const close = async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, "exit");
  };
  return { ...JSON.parse(line), close };
}

/** Starts them, and gives the one that misbehaves in nothing and whose approver reads what is asked. */
export async function startServer() {
  const { person: url, api_key: apiKey, trust_file: trustFile, close } = await startCases();
  return { url, apiKey, trustFile, close };
}

/** How a host starts the tools over stdio. */
export function stdioCommand({ url, apiKey, trustFile }) {
  return {
    command: path.join(target, "countersign"),
    args: ["mcp"],
    env: { COUNTERSIGN_URL: url, COUNTERSIGN_API_KEY: apiKey, COUNTERSIGN_TRUST: trustFile, COUNTERSIGN_MEMORY: `${trustFile}.memory` },
  };
}
