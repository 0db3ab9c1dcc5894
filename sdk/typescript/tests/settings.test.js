// Options, the environment, and calls that are wrong in themselves.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { Countersign, fileMemory } from '../src/index.js';
import { readSettings } from '../src/settings.js';
import { QUESTION, StandIn } from './stand-in.js';

const folder = mkdtempSync(join(tmpdir(), 'countersign-sdk-'));
after(() => rmSync(folder, { recursive: true }));

const GOOD = { apiKey: 'csk_test', baseUrl: 'https://approvals.example.com/' };

test('options win over the environment', () => {
  writeFileSync(join(folder, 'key'), 'csk_file\n');
  writeFileSync(join(folder, 'trust.json'), '{}');
  const names = ['COUNTERSIGN_URL', 'COUNTERSIGN_API_KEY', 'COUNTERSIGN_API_KEY_FILE', 'COUNTERSIGN_TRUST'];
  try {
    process.env.COUNTERSIGN_URL = 'http://localhost:8080';
    process.env.COUNTERSIGN_API_KEY_FILE = join(folder, 'key');
    process.env.COUNTERSIGN_TRUST = join(folder, 'trust.json');
    const found = readSettings({});
    assert.deepEqual([found.baseUrl, found.apiKey, found.trust?.length], ['http://localhost:8080', 'csk_file', 2]);
    process.env.COUNTERSIGN_API_KEY = 'csk_environment';
    assert.equal(readSettings({}).apiKey, 'csk_environment');
    assert.equal(readSettings(GOOD).apiKey, 'csk_test');
    assert.equal(readSettings(GOOD).baseUrl, 'https://approvals.example.com');
    // Set and empty is a mistake of whoever set it, and no reason to trust on first use.
    process.env.COUNTERSIGN_TRUST = '';
    assert.throws(() => readSettings(GOOD));
  } finally {
    for (const name of names) delete process.env[name];
  }
});

test('an address to which the key must not go is refused', () => {
  const bad = ['http://approvals.example.com', 'ftp://localhost', 'approvals.example.com', 'https://a:b@example.com', 'https://example.com?x'];
  for (const baseUrl of bad) assert.throws(() => new Countersign({ ...GOOD, baseUrl }), TypeError, baseUrl);
  for (const baseUrl of ['http://localhost:1', 'http://127.0.0.1:1', 'http://[::1]:1']) new Countersign({ ...GOOD, baseUrl });
  new Countersign({ ...GOOD, baseUrl: 'http://countersign:8080', allowHttp: true });
});

test('a bad API key is not in the error', () => {
  assert.throws(() => new Countersign({ ...GOOD, apiKey: 'csk_secret\nx' }), (/** @type {any} */ error) => {
    return error instanceof TypeError && !error.message.includes('csk_secret');
  });
  assert.throws(() => new Countersign({ baseUrl: GOOD.baseUrl }), /COUNTERSIGN_API_KEY/);
});

test('what is misspelt is refused, and nothing is asked', async () => {
  const server = await StandIn.make();
  const client = server.client();
  const wrong = /** @type {any[]} */ ([
    { ...QUESTION, expireIn: 5 }, { ...QUESTION, username: undefined }, { ...QUESTION, approvers: ['alex'] },
    { ...QUESTION, quorum: 2 }, { ...QUESTION, action: 1 }, { ...QUESTION, expiresIn: 1.5 }, { ...QUESTION, timeout: -1 },
    { ...QUESTION, idempotencyKey: 'two words' }, { ...QUESTION, payload: [] }, { ...QUESTION, metadata: { at: new Date() } },
  ]);
  for (const question of wrong) await assert.rejects(client.requestApproval(question), TypeError, JSON.stringify(question));
  assert.equal(server.calls.length, 0);
  assert.throws(() => new Countersign(/** @type {any} */ ({ ...GOOD, apikey: 'x' })), TypeError);
});

test('a trust file that is none is a wrong call', async () => {
  const server = await StandIn.make();
  await assert.rejects(server.client({ trust: { type: 'nothing' } }).requestApproval(QUESTION), TypeError);
});

test('a memory in a file survives, and is not begun anew when it is spoiled', async () => {
  const path = join(folder, 'memory.json');
  await fileMemory(path).set('a', 'b');
  await fileMemory(path).set('c', 'd');
  assert.equal(await fileMemory(path).get('a'), 'b');
  assert.equal(await fileMemory(path).get('nothing'), undefined);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith('.tmp')), []);
  for (const spoiled of ['', '{}', readFileSync(path, 'utf8').slice(0, -10)]) {
    writeFileSync(path, spoiled);
    assert.throws(() => fileMemory(path).get('a'), /is not a Countersign memory/);
    assert.throws(() => fileMemory(path).set('a', 'b'), /is not a Countersign memory/);
  }
});

test('a rollback is seen after a restart', async () => {
  const path = join(folder, 'checkpoints.json');
  const server = await StandIn.make();
  server.whileWaiting = (record) => server.approve(record);
  const before = server.log.fork();
  await server.client({ memory: fileMemory(path) }).requestApproval(QUESTION);
  server.log = before;
  await server.log.append('something else');
  await assert.rejects(server.client({ memory: fileMemory(path) }).requestApproval(QUESTION), { code: 'rolled_back' });
});

test('no module is loaded that a browser lacks', () => {
  for (const name of readdirSync(new URL('../src', import.meta.url))) {
    const text = readFileSync(new URL(`../src/${name}`, import.meta.url), 'utf8');
    for (const [, module] of text.matchAll(/from '([^']*)'|import\('([^']*)'\)\./g)) {
      assert.ok(module === undefined || module.startsWith('.'), `${name} imports ${module}`);
    }
    assert.doesNotMatch(text, /\bBuffer\b|\brequire\(|await import\(/, name);
  }
});
