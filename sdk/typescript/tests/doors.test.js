// The table that every door of this repository runs: against each misbehaving server of testdata/doors.json, whether the
// guarded function runs, and the outcome's code.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Countersign, CountersignError } from '../src/index.js';
import { binary, root } from './real-server.js';

/**
 * @typedef {object} Row
 * @property {string} case
 * @property {string} what
 * @property {boolean} runs  whether the guarded function runs
 * @property {string | null} code
 * @property {object} request  what differs from the usual question
 * @property {number | null} timeout
 * @property {boolean} after_approval  with a client that has verified an approval before
 */

/** @type {Row[]} */
const table = JSON.parse(readFileSync(join(root, 'testdata/doors.json'), 'utf8'));

describe('doors', { concurrency: 8 }, () => {
  /** @type {import('node:child_process').ChildProcess} */
  let servers;
  /** @type {{api_key: string, trust_file: string, approver: string, requester: string, cases: Record<string, string>}} */
  let found;

  before(async () => {
    const program = binary('misbehaving', process.env.COUNTERSIGN_MISBEHAVING);
    servers = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
    let line = '';
    for await (const data of /** @type {NodeJS.ReadableStream} */ (servers.stdout)) {
      line += data;
      if (line.endsWith('\n')) break;
    }
    found = JSON.parse(line);
    assert.deepEqual(Object.keys(found.cases).sort(), table.map((row) => row.case).sort());
  });
  after(async () => {
    servers.stdin?.end();
    await once(servers, 'exit');
  });

  for (const row of table) {
    test(`${row.case}: ${row.what}`, async () => {
      const texts = new Map();
      /** @type {import('../src/memory.js').Memory} */
      const memory = { get: (key) => texts.get(key), set: (key, text) => void texts.set(key, text) };
      if (row.after_approval) assert.deepEqual(await act('approves', row.request, memory), { runs: 1, code: null });
      const outcome = await act(row.case, { ...row.request, timeout: row.timeout ?? undefined }, memory);
      assert.deepEqual(outcome, { runs: row.runs ? 1 : 0, code: row.code });
    });
  }

  test('the script without the SDK refuses what its guide says', async () => {
    const [, text] = readFileSync(join(root, 'docs/rest.md'), 'utf8').match(/They do not act(.*?)They act in all/s) ?? [];
    const refused = [...(text ?? '').matchAll(/`([a-z0-9_]+)`/g)].map(([, name]) => name);
    assert.ok(refused.length > 10);
    await Promise.all(refused.map(async (name) => {
      const env = { ...process.env, COUNTERSIGN_URL: found.cases[name], COUNTERSIGN_API_KEY: found.api_key };
      const script = spawn(process.execPath, [join(root, 'examples/rest-fetch/deploy.mjs')], { env, stdio: 'pipe' });
      let output = '';
      script.stdout.on('data', (data) => { output += data; });
      script.stderr.on('data', (data) => { output += data; });
      const [code] = await once(script, 'close');
      assert.ok(code !== 0 && !output.includes('deploying'), `${name}: ${output}`);
    }));
  });

  /** @param {string} name @param {any} request @param {import('../src/memory.js').Memory} memory */
  async function act(name, request, memory) {
    const client = new Countersign({
      baseUrl: found.cases[name], apiKey: found.api_key, trust: found.trust_file, memory,
    });
    const who = request.approvers ? {} : { username: found.approver };
    const payload = { service: 'api-gateway', commit: 'a1b2c3d' };
    let runs = 0;
    const guarded = client.guard((given) => {
      assert.deepEqual(given, payload);
      runs += 1;
    }, { ...who, action: 'Deploy api-gateway', requester: found.requester, ...request });
    try {
      await guarded(payload);
      return { runs, code: null };
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      assert.ok(!`${error.stack}`.includes(found.api_key));
      return { runs, code: error.code };
    }
  }
});
