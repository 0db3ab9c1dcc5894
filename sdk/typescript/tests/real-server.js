// The real server on a free port, with alex enrolled and a key that may ask; and a way to run programs against it.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Passkey } from './passkey.js';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
const START_MILLISECONDS = 60_000;

/** A binary of ours; its absence is a failure. @param {string} name @param {string | undefined} given @returns {string} */
export function binary(name, given) {
  const path = resolve(root, given ?? join(process.env.CARGO_TARGET_DIR ?? 'target', 'debug', name));
  if (!existsSync(path)) throw new Error(`${path} is missing: run cargo build --workspace --bins --tests`);
  return path;
}

export async function startServer() {
  const program = binary('countersign', process.env.COUNTERSIGN_BIN);
  const folder = await mkdtemp(join(tmpdir(), 'countersign-sdk-'));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const folders = ['--data-dir', join(folder, 'data'), '--anchor', join(folder, 'anchor')];
  const child = spawn(program, ['serve', ...folders, '--listen', `127.0.0.1:${port}`, '--public-url', url]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const ended = new Promise((done) => child.once('exit', done));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(url, child, () => output);
    return { url, folder, stop, ...(await furnish(url, folder)) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Enrols alex, makes a key and fetches the trust file. @param {string} url @param {string} folder */
async function furnish(url, folder) {
  const adminKey = (await readFile(join(folder, 'data/admin.key'), 'utf8')).trim();
  const admin = async (/** @type {string} */ path, /** @type {object} */ body) => {
    const headers = { 'X-Api-Key': adminKey, 'Content-Type': 'application/json' };
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return /** @type {any} */ (await response.json());
  };
  const { code } = await admin('/api/invites', { note: 'Approve our deployments', maxUses: 1, username: 'alex' });
  const passkey = await Passkey.make(url);
  await passkey.enrol(code);
  const { key } = await admin('/api/keys', { name: 'deploy-bot', scopes: ['request'] });
  const trustFile = join(folder, 'trust.json');
  await writeFile(trustFile, await (await fetch(`${url}/trust.json`)).text());
  return {
    passkey,
    key,
    /** What a program finds in its environment. */
    env: { ...process.env, COUNTERSIGN_URL: url, COUNTERSIGN_API_KEY: key, COUNTERSIGN_TRUST: trustFile },
    /** Ids of what waits for a decision. */
    pending: async () => {
      const response = await fetch(`${url}/api/confirmations?status=pending`, { headers: { 'X-Api-Key': key } });
      const { confirmations } = /** @type {any} */ (await response.json());
      return /** @type {string[]} */ (confirmations.map((/** @type {any} */ one) => one.id));
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof startServer>>} Server */

/**
 * Runs a program while alex decides whatever it asks, as soon as it says where.
 *
 * @param {Server} server
 * @param {string} command
 * @param {string[]} args
 * @param {{cwd: string, decision?: 'approve' | 'reject', env?: object}} options
 * @returns {Promise<{code: number | null, output: string}>}
 */
export function run(server, command, args, { cwd, decision = 'approve', env = {} }) {
  return new Promise((done, failed) => {
    const child = spawn(command, args, { cwd, env: { ...server.env, ...env } });
    const decided = new Set();
    let output = '';
    const see = (/** @type {Buffer} */ data) => {
      output += data;
      for (const [id] of output.matchAll(/cnf_[a-z2-7]{26}/g)) {
        if (decided.has(id)) continue;
        decided.add(id);
        server.passkey.decide(id, decision).catch(failed);
      }
    };
    child.stdout.on('data', see);
    child.stderr.on('data', see);
    child.once('error', failed);
    child.once('close', (code) => done({ code, output }));
  });
}

/** @param {string} url @param {import('node:child_process').ChildProcess} child @param {() => string} output */
async function ready(url, child, output) {
  const deadline = Date.now() + START_MILLISECONDS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended:\n${output()}`);
    if (Date.now() > deadline) throw new Error(`the server was not ready in time:\n${output()}`);
    const response = await fetch(`${url}/readyz`).catch(() => undefined);
    if (response?.status === 200) return;
    await new Promise((next) => setTimeout(next, 50));
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
      probe.close(() => done(port));
    });
  });
}
