// Starts the real server on a free port with a data directory of its own, and runs the real offline verifier.

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

// Far more than it takes: a busy machine is no failure.
const START_MILLISECONDS = 300_000;
const STOP_MILLISECONDS = 120_000;

const here = dirname(fileURLToPath(import.meta.url));
// As cargo does at the root of the repository, from where the tests are started.
const targetDir = resolve(here, '../..', process.env.CARGO_TARGET_DIR ?? 'target');
const serverBinary = resolve(process.env.COUNTERSIGN_BIN ?? join(targetDir, 'debug/countersign'));
const verifierBinary = join(dirname(serverBinary), 'countersign-verify');

/**
 * Starts a server. With `publicPort` browsers reach it there, through something that stands in front of it.
 * `config` is the text of its configuration file, `environment` what stands in its environment too. Without one, what was
 * rejected can be asked again at once, and one key may have more pending: most requests of a file of tests have one title and one key.
 *
 * @param {{publicPort?: number, config?: string, environment?: Record<string, string>}} [options]
 * @returns {Promise<{url: string, port: number, adminKey: string, verify: typeof verify, stop: () => Promise<void>}>}
 */
export async function startServer({ publicPort, config = '[limits]\ncool_down_seconds = 0\npending_per_key_and_approver = 100\n', environment = {} } = {}) {
  for (const binary of [serverBinary, verifierBinary]) {
    if (!existsSync(binary)) throw new Error(`${binary} is missing: run cargo build --bins, or set COUNTERSIGN_BIN`);
  }
  const dir = await mkdtemp(join(tmpdir(), 'countersign-web-'));
  const port = await freePort();
  const url = `http://localhost:${publicPort ?? port}`;
  const file = join(dir, 'countersign.toml');
  await writeFile(file, config);
  const process = launch(dir, port, url, ['--config', file], environment);
  try {
    await ready(process, `http://127.0.0.1:${port}`);
    const adminKey = (await readFile(join(dir, 'data/admin.key'), 'utf8')).trim();
    return {
      url,
      port,
      adminKey,
      verify: (receipt, ...args) => verify(dir, url, receipt, args),
      stop: () => stop(process, dir),
    };
  } catch (error) {
    await stop(process, dir);
    throw error;
  }
}

function launch(dir, port, url, more, environment) {
  const args = ['serve', '--data-dir', join(dir, 'data'), '--anchor', join(dir, 'anchor'), ...more];
  const env = { ...globalThis.process.env, ...environment };
  const child = spawn(serverBinary, [...args, '--listen', `127.0.0.1:${port}`, '--public-url', url], { env });
  child.output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (child.output += data));
  child.ended = new Promise((done) => {
    child.once('exit', (code, signal) => done(`ended with ${code ?? signal}`));
    child.once('error', (error) => done(`did not start: ${error.message}`));
  });
  return child;
}

async function ready(child, url) {
  const deadline = Date.now() + START_MILLISECONDS;
  let ended = '';
  child.ended.then((how) => (ended = how));
  while (!(await answersReady(url))) {
    if (ended) throw new Error(`the server ${ended}:\n${child.output}`);
    if (Date.now() > deadline) throw new Error(`the server was not ready in time:\n${child.output}`);
    await new Promise((next) => setTimeout(next, 50));
  }
}

async function answersReady(url) {
  try {
    return (await fetch(`${url}/readyz`)).status === 200;
  } catch {
    return false;
  }
}

async function stop(child, dir) {
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS);
  await child.ended;
  clearTimeout(kill);
  await rm(dir, { recursive: true, force: true });
}

/** Runs `countersign-verify` over a receipt's text, or several, with the trust file that the server hands out. */
async function verify(dir, url, receipts, args) {
  const trust = join(dir, 'trust.json');
  await writeFile(trust, await (await fetch(`${url}/trust.json`)).text());
  const files = [receipts].flat().map((text, i) => [join(dir, `${i}.receipt.json`), text]);
  for (const [file, text] of files) await writeFile(file, text);
  return new Promise((done, failed) => {
    execFile(verifierBinary, [...files.map(([file]) => file), '--trust', trust, ...args], (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') failed(error);
      else done({ code: error ? error.code : 0, output: stdout + stderr });
    });
  });
}

/** A port that nobody listens on. @returns {Promise<number>} */
export function freePort() {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}
