// Against the real server, with a software passkey that decides over the routes of the pages.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Countersign, fileMemory } from '../src/index.js';
import { startServer } from './real-server.js';

/** @type {import('./real-server.js').Server} */
let server;
before(async () => (server = await startServer()));
after(() => server?.stop());

const QUESTION = { username: 'alex', action: 'Deploy api-gateway', payload: { env: 'production', commit: 'a1b2c3d' } };

/** @param {import('../src/settings.js').ClientOptions} [options] */
function client(options) {
  const { COUNTERSIGN_URL: baseUrl, COUNTERSIGN_API_KEY: apiKey, COUNTERSIGN_TRUST: trust } = server.env;
  return new Countersign({ baseUrl, apiKey, trust, ...options });
}

test('approved, verified, consumed once', async () => {
  const memory = fileMemory(join(server.folder, 'memory.json'));
  for (const trust of ['pinned', 'first-use']) {
    const decision = await client(trust === 'pinned' ? { memory } : { memory, trust: undefined }).requestApproval({
      ...QUESTION, metadata: { run: 7 }, requester: 'deploy-bot', onPending: ({ id }) => void server.passkey.decide(id, 'approve'),
    });
    assert.equal(decision.status, 'approved');
    assert.equal(decision.trust, trust);
    assert.deepEqual(decision.metadata, { run: 7 });
    assert.equal(decision.rawAssertion?.type, 'public-key');
    assert.deepEqual(decision.payload, QUESTION.payload);
    const report = await client().verifyReceipt(String(decision.receipt), { action: QUESTION.action });
    assert.equal(report.verdict, 'approved');
    assert.ok((await decision.consume()).logIndex > 1);
    await assert.rejects(decision.consume(), { code: 'already_consumed' });
  }
});

test('the compare code is the one that the approver sees', async () => {
  const confirmation = await client().createConfirmation({ ...QUESTION, payload: { n: 1 } });
  const response = await fetch(`${server.url}/api/confirmations/${confirmation.id}`, { headers: { 'X-Api-Key': server.key } });
  assert.equal(confirmation.compareCode, /** @type {any} */ (await response.json()).compareCode);
  await client().cancel(confirmation);
  assert.equal((await client().waitForDecision(confirmation)).status, 'cancelled');
});

test('rejected with a note, and the same question again is refused for a while', async () => {
  // Under another title than elsewhere: what was rejected is not asked again at once, whatever the payload.
  const question = { ...QUESTION, action: 'Delete api-gateway' };
  const decision = await client().requestApproval({
    ...question, onPending: ({ id }) => void server.passkey.decide(id, 'reject', 'not\u202e today'),
  });
  assert.equal(decision.status, 'rejected');
  assert.equal(decision.note, 'not\u202e today');
  assert.throws(() => decision.orThrow(), { code: 'rejected', message: 'rejected: not[U+202E] today' });
  const again = { ...question, payload: { n: 2 } };
  await assert.rejects(client().requestApproval(again), { code: 'refused', status: 429 });
});

test('nobody decides: the own timeout, and the expiry', async () => {
  const timedOut = await client().requestApproval({ ...QUESTION, payload: { n: 3 }, timeout: 8 });
  assert.equal(timedOut.status, 'timed_out');
  assert.deepEqual(await server.pending(), []);
  const expired = await client().requestApproval({ ...QUESTION, payload: { n: 4 }, expiresIn: 5 });
  assert.equal(expired.status, 'expired');
});

test('what the server refuses says why', async () => {
  const refused = { code: 'refused', status: 422, field: 'approvers', message: /nobody is not enrolled/ };
  await assert.rejects(client().requestApproval({ ...QUESTION, username: 'nobody' }), refused);
  await assert.rejects(client({ apiKey: 'csk_nothing' }).requestApproval(QUESTION), { code: 'refused', status: 401 });
});

test('a client that is killed and started again finds the same request', async () => {
  const program = `
    import { Countersign } from ${JSON.stringify(new URL('../src/index.js', import.meta.url).href)};
    const deploy = new Countersign().guard(({ n }) => console.log('ran with', n), {
      username: 'alex', action: 'Deploy', idempotencyKey: ({ n }) => 'deploy-' + n,
      onPending: ({ id }) => console.log('pending', id),
    });
    await deploy({ n: 5 });`;
  const start = () => {
    return spawn(process.execPath, ['--input-type=module', '-e', program], { env: server.env, stdio: ['ignore', 'pipe', 'ignore'] });
  };
  const first = start();
  const [line] = await once(first.stdout, 'data');
  first.kill('SIGKILL');
  await once(first, 'close');
  const [, id] = String(line).trim().split(' ');
  assert.deepEqual(await server.pending(), [id]);
  await server.passkey.decide(id, 'approve');
  const second = start();
  let output = '';
  second.stdout.on('data', (data) => (output += data));
  await once(second, 'close');
  assert.equal(output, `pending ${id}\nran with 5\n`);
  // Used is used: a third start does not run again.
  const third = start();
  third.stdout.on('data', (data) => (output += data));
  const [code] = await once(third, 'close');
  assert.equal(code, 1);
  assert.equal(output.split('ran').length, 2);
});
