// The guarded function runs with exactly what was approved, after it was consumed, or not at all.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PayloadError } from '../src/index.js';
import { StandIn, problem } from './stand-in.js';

const OPTIONS = { username: 'alex', action: 'Deploy' };

test('it runs with a frozen copy of what was approved, and gives its result', async () => {
  const server = await StandIn.make();
  const deploy = server.client().guard(async (/** @type {{replicas: number}} */ payload, decision) => {
    assert.ok(Object.isFrozen(payload));
    assert.ok(server.record(decision.id).consumedBy, 'consumed before it runs');
    return payload.replicas * 2;
  }, { ...OPTIONS, action: ({ replicas }) => `Deploy ${replicas} replicas` });
  const payload = { replicas: 3 };
  server.whileWaiting = (record) => {
    // Whoever holds the object changes it while a person decides.
    payload.replicas = 300;
    return server.approve(record);
  };
  assert.equal(await deploy(payload), 6);
  assert.equal(server.record().core.action, 'Deploy 3 replicas');
});

test('what the function throws comes through', async () => {
  const server = await StandIn.make();
  server.whileWaiting = (record) => server.approve(record);
  const deploy = server.client().guard(() => { throw new RangeError('no such replica'); }, OPTIONS);
  await assert.rejects(deploy({}), RangeError);
});

/** @type {[string, (server: StandIn) => any][]} */
const CASES = [
  ['rejected', (server) => server.reject(server.record(), 'no')],
  ['expired', () => {}],
  ['cancelled', (server) => void (server.record().status = 'cancelled')],
  ['timed_out', (server) => server.clock.advance(500)],
  ['not_verified', (server) => void (server.record().status = 'approved')],
  ['unreachable', (server) => void (server.record().status = 'yes')],
];

for (const [code, happens] of CASES) {
  test(`${code}: it throws and does not run`, async () => {
    const server = await StandIn.make();
    server.whileWaiting = () => happens(server);
    let runs = 0;
    const timeout = code === 'timed_out' ? 100 : undefined;
    const deploy = server.client().guard(() => { runs += 1; }, { ...OPTIONS, timeout });
    await assert.rejects(deploy({}), { code });
    assert.equal(runs, 0);
  });
}

/** What a server may do with a consumption. @type {[string, (server: StandIn, answer: () => Promise<any>) => any][]} */
const CONSUMPTIONS = [
  ['already_consumed', () => problem(409, 'conflict')],
  ['refused', () => problem(404, 'not-found')],
  ['unreachable', () => problem(500, 'bug')],
  ['unreachable', (server) => {
    setImmediate(() => server.clock.advance(11));
    return new Promise(() => {});
  }],
  ['mismatch', async (_, answer) => ({ ...(await answer()), id: 'cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa' })],
  ['not_verified', () => ({ consumedAt: '2026-11-21T22:30:00Z', logIndex: 2 })],
  ['not_verified', async (_, answer) => ({ ...(await answer()), logIndex: 1 })],
  ['not_verified', async (_, answer) => ({ ...(await answer()), consumedAt: '2026-11-21T22:30:01Z' })],
  ['not_verified', async (_, answer) => ({ ...(await answer()), consumedAt: 'now' })],
  ['not_verified', async (_, answer) => {
    const given = await answer();
    return { ...given, proof: { ...given.proof, checkpoint: given.proof.checkpoint.replace('\n3\n', '\n4\n') } };
  }],
  ['too_late', async (server, answer) => {
    const given = await answer();
    server.clock.advance(30);
    return given;
  }],
  ['too_late', (server) => {
    server.clock.advance(30);
    return problem(409, 'conflict');
  }],
];

for (const [i, [code, instead]] of CONSUMPTIONS.entries()) {
  test(`a consumption that is ${code} (${i}): it throws and does not run`, async () => {
    const server = await StandIn.make();
    server.whileWaiting = (record) => server.approve(record);
    server.instead = (call, answer) => (call.path.endsWith('/consume') ? instead(server, answer) : answer());
    let runs = 0;
    // A request may take longer than the approval can be used, so that it is not the timeout that ends it.
    const client = server.client({ requestTimeout: code === 'too_late' ? 50 : 10 });
    const deploy = client.guard(() => { runs += 1; }, code === 'too_late' ? { ...OPTIONS, expiresIn: 5, useWithin: 5 } : OPTIONS);
    await assert.rejects(deploy({}), { code });
    assert.equal(runs, 0);
  });
}

test('a consumption whose answer got lost is asked for again with the same key', async () => {
  const server = await StandIn.make();
  server.whileWaiting = (record) => server.approve(record);
  let lost = 0;
  server.instead = async (call, answer) => {
    const given = await answer();
    if (call.path.endsWith('/consume') && lost++ < 7) throw new TypeError('fetch failed');
    return given;
  };
  const decision = await server.client().requestApproval({ ...OPTIONS, payload: {} });
  await assert.rejects(decision.consume(), { code: 'unreachable' });
  assert.equal((await decision.consume()).logIndex, 2);
  assert.equal(new Set(server.calls.filter(({ path }) => path.endsWith('/consume')).map(({ key }) => key)).size, 1);
});

test('the timeout is for the consumption too', async () => {
  const server = await StandIn.make();
  server.whileWaiting = async (record) => {
    server.clock.advance(20);
    await server.approve(record);
  };
  server.instead = async (call, answer) => {
    const given = await answer();
    if (call.path.endsWith('/consume')) server.clock.advance(5);
    return given;
  };
  let runs = 0;
  const deploy = server.client().guard(() => { runs += 1; }, OPTIONS);
  await assert.rejects(deploy({}, { timeout: 24 }), { code: 'unreachable' });
  assert.equal(runs, 0);
  await deploy({}, { timeout: 26 });
  assert.equal(runs, 1);
});

test('the signal of a call ends the consumption', async () => {
  const server = await StandIn.make();
  const controller = new AbortController();
  server.whileWaiting = (record) => server.approve(record);
  server.instead = (call, answer) => {
    if (call.path.endsWith('/consume')) controller.abort();
    return answer();
  };
  let runs = 0;
  const deploy = server.client().guard(() => { runs += 1; }, OPTIONS);
  await assert.rejects(deploy({}, { signal: controller.signal }), { code: 'aborted' });
  assert.equal(runs, 0);
});

test('an argument that cannot be approved asks nothing', async () => {
  const server = await StandIn.make();
  const deploy = server.client().guard((/** @type {object} */ payload) => payload, OPTIONS);
  await assert.rejects(deploy({ at: new Date() }), PayloadError);
  assert.equal(server.calls.length, 0);
});

test('a call that says what only the guard may say, or what nobody knows, asks nothing', async () => {
  const server = await StandIn.make();
  const deploy = server.client().guard((/** @type {object} */ payload) => payload, OPTIONS);
  for (const call of [{ username: 'kim' }, { timeouts: 3 }, { action: 'Other' }]) {
    await assert.rejects(deploy({}, /** @type {any} */ (call)), TypeError);
  }
  assert.equal(server.calls.length, 0);
});
