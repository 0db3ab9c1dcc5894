// What a call of requestApproval comes back with, and what it does on the way.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { QUESTION, StandIn, problem } from './stand-in.js';

test('an approval comes back with its evidence, and is consumed once', async () => {
  const server = await StandIn.make();
  const pending = /** @type {any[]} */ ([]);
  server.whileWaiting = (record) => server.approve(record);
  const decision = await server.client().requestApproval({ ...QUESTION, onPending: (one) => pending.push(one) });
  assert.equal(decision.status, 'approved');
  assert.equal(decision.trust, 'pinned');
  assert.equal(decision.receipt, await server.receipt(server.record()));
  assert.equal(decision.report?.verdict, 'approved');
  assert.deepEqual(decision.rawAssertion, { id: 'x' });
  assert.deepEqual(decision.payload, QUESTION.payload);
  assert.ok(Object.isFrozen(decision.payload));
  assert.deepEqual(pending.map(({ id, url, compareCode }) => ({ id, url, compareCode })), [
    { id: decision.id, url: decision.url, compareCode: decision.compareCode },
  ]);
  assert.match(decision.compareCode, /^([a-z2-7]{4}-){3}[a-z2-7]{4}$/);
  const withKey = /** @type {any} */ ({ idempotencyKey: 'again' });
  await assert.rejects(decision.consume(withKey), TypeError, 'a key that could be used again would let two act');
  assert.equal((await decision.consume()).logIndex, 2);
  await assert.rejects(decision.consume(), { code: 'already_consumed' });
});

test('no, no answer and a cancellation are statuses, and errors for who would act', async () => {
  const cases = /** @type {const} */ ([
    ['rejected', (/** @type {StandIn} */ server) => server.reject(server.record(), 'not today')],
    ['expired', () => {}],
    ['cancelled', (/** @type {StandIn} */ server) => void (server.record().status = 'cancelled')],
  ]);
  for (const [status, happens] of cases) {
    const server = await StandIn.make();
    server.whileWaiting = () => happens(server);
    const decision = await server.client().requestApproval(QUESTION);
    assert.equal(decision.status, status);
    assert.equal(decision.note, status === 'rejected' ? 'not today' : undefined);
    await assert.rejects(decision.consume(), { code: status });
    assert.throws(() => decision.orThrow(), { code: status, id: decision.id });
  }
});

test('the own timeout cancels the request', async () => {
  const server = await StandIn.make();
  const decision = await server.client().requestApproval({ ...QUESTION, timeout: 60 });
  assert.equal(decision.status, 'timed_out');
  assert.equal(server.record().status, 'cancelled');
});

test('a yes that comes after the timeout is ignored', async () => {
  const server = await StandIn.make();
  server.instead = async (call, answer) => {
    // The approver is faster than the cancellation, which is refused.
    if (call.path.endsWith('/cancel')) await server.approve();
    return answer();
  };
  const decision = await server.client().requestApproval({ ...QUESTION, timeout: 60 });
  assert.equal(server.record().status, 'approved');
  assert.equal(decision.status, 'timed_out');
  await assert.rejects(decision.consume(), { code: 'timed_out' });
});

test('a yes that is on its way when the time runs out is too late', async () => {
  const server = await StandIn.make();
  server.whileWaiting = async (record) => {
    await server.approve(record);
    server.clock.advance(61);
  };
  const decision = await server.client().requestApproval({ ...QUESTION, timeout: 60 });
  assert.equal(decision.status, 'timed_out');
});

test('the signal ends the wait and takes the request back', async () => {
  const server = await StandIn.make();
  const controller = new AbortController();
  server.whileWaiting = () => controller.abort(new Error('the user left'));
  const asked = server.client().requestApproval({ ...QUESTION, signal: controller.signal });
  await assert.rejects(asked, (/** @type {any} */ error) => error.code === 'aborted' && error.cause.message === 'the user left');
  assert.equal(server.record().status, 'cancelled');
});

test('a signal that is aborted already asks nothing', async () => {
  const server = await StandIn.make();
  await assert.rejects(server.client().requestApproval({ ...QUESTION, signal: AbortSignal.abort() }), { code: 'aborted' });
  assert.equal(server.calls.length, 0);
});

test('a client that was started again finds its request by the idempotency key', async () => {
  const server = await StandIn.make();
  const question = { ...QUESTION, idempotencyKey: 'deploy-a1b2c3d' };
  const first = await server.client().createConfirmation(question);
  server.clock.advance(200);
  server.whileWaiting = (record) => server.approve(record);
  const decision = await server.client().requestApproval(question);
  assert.equal(decision.id, first.id);
  assert.equal(decision.status, 'approved');
});

test('of two clients that found the same approval one acts', async () => {
  const server = await StandIn.make();
  server.whileWaiting = (record) => server.approve(record);
  const question = { ...QUESTION, idempotencyKey: 'deploy-a1b2c3d' };
  const [one, other] = [await server.client().requestApproval(question), await server.client().requestApproval(question)];
  await one.consume();
  await assert.rejects(other.consume(), { code: 'already_consumed' });
});

test('the proof of another use is none of this one', async () => {
  for (const passes of [60, 200]) {
    const server = await StandIn.make();
    server.whileWaiting = (record) => server.approve(record);
    server.instead = (call, answer) => {
      // Every use of an approval is answered as the first one was.
      if (call.path.endsWith('/consume')) call.key = server.record().consumedBy ?? call.key;
      return answer();
    };
    const question = { ...QUESTION, idempotencyKey: 'deploy-a1b2c3d' };
    const run = async () => (await server.client().requestApproval(question)).orThrow().consume();
    await run();
    server.clock.advance(passes);
    await assert.rejects(run(), { code: 'already_consumed' });
  }
});

test('a use at another time than now does not count', async () => {
  for (const [hours, code] of /** @type {const} */ ([[-1, 'already_consumed'], [1, 'not_verified'], [3, 'too_late']])) {
    const server = await StandIn.make();
    server.whileWaiting = (record) => server.approve(record);
    const decision = (await server.client().requestApproval(QUESTION)).orThrow();
    server.stamp = hours * 3600;
    await assert.rejects(decision.consume(), { code });
  }
});

test('a client that was started again finds its request by its id, and by what it asks', async () => {
  const server = await StandIn.make();
  const { id } = await server.client().createConfirmation(QUESTION);
  server.clock.advance(200);
  const client = server.client();
  const found = await client.resume(id, QUESTION);
  assert.equal((await client.getConfirmation(found)).status, 'pending');
  server.whileWaiting = (record) => server.approve(record);
  assert.equal((await client.waitForDecision(found)).status, 'approved');
  assert.equal((await client.getConfirmation(found)).status, 'approved');
  await assert.rejects(client.resume(id, { ...QUESTION, payload: {} }), { code: 'mismatch', field: 'payload' });
  await assert.rejects(client.getConfirmation(/** @type {any} */ (id)), TypeError);
});

test('a request can be taken back, but not once it is decided', async () => {
  const server = await StandIn.make();
  const client = server.client();
  const confirmation = await client.createConfirmation(QUESTION);
  await client.cancel(confirmation);
  assert.equal((await client.waitForDecision(confirmation)).status, 'cancelled');
  await assert.rejects(client.cancel(confirmation.id), { code: 'refused', status: 409 });
});

test('without a trust file the first answer is believed, and remembered', async () => {
  const server = await StandIn.make();
  server.whileWaiting = (record) => server.approve(record);
  const texts = new Map();
  /** @type {import('../src/index.js').Memory} */
  const memory = { get: (key) => texts.get(key), set: (key, value) => void texts.set(key, value) };
  const decision = await server.client({ trust: undefined, memory }).requestApproval(QUESTION);
  assert.equal(decision.trust, 'first-use');
  const other = await StandIn.make();
  other.whileWaiting = (record) => other.approve(record);
  const asked = other.client({ trust: undefined, memory }).requestApproval(QUESTION);
  await assert.rejects(asked, { code: 'not_verified', step: 'checkpoint' });
});

test('a refusal carries what the server said, and is not asked again', async () => {
  const server = await StandIn.make();
  server.instead = () => problem(422, 'invalid');
  const refused = { code: 'refused', status: 422, type: 'urn:countersign:problem:invalid', detail: 'this is invalid' };
  await assert.rejects(server.client().requestApproval(QUESTION), refused);
  assert.equal(server.calls.length, 1);
});

test('a yes that a machine which slept hears too late does not count', async () => {
  const server = await StandIn.make();
  server.whileWaiting = async (record) => {
    await server.approve(record);
    server.clock.set(120);
  };
  const decision = await server.client().requestApproval({ ...QUESTION, timeout: 60 });
  assert.equal(decision.status, 'timed_out');
});

test('a clock that is set back makes no time longer', async () => {
  const server = await StandIn.make();
  server.whileWaiting = () => server.clock.set(-3600);
  const start = server.clock.moment();
  const decision = await server.client().requestApproval({ ...QUESTION, timeout: 60 });
  assert.equal(decision.status, 'timed_out');
  assert.ok(server.clock.moment() - start < 62_000, String(server.clock.moment() - start));
});

test('the last moment for the use is judged by both clocks', async () => {
  for (const pass of [
    (/** @type {StandIn} */ { clock }) => clock.set(4000),
    (/** @type {StandIn} */ { clock }) => {
      clock.advance(4000);
      clock.set(-4000);
    },
  ]) {
    const server = await StandIn.make();
    server.whileWaiting = (record) => server.approve(record);
    const decision = (await server.client().requestApproval(QUESTION)).orThrow();
    pass(server);
    await assert.rejects(decision.consume(), { code: 'too_late' });
    assert.ok(!server.calls.some(({ path }) => path.endsWith('/consume')));
  }
});

/** What of the answer to the first POST never comes, and what the caller does meanwhile. @param {StandIn} server @param {() => void} then */
function loseTheAnswer(server, then) {
  let posts = 0;
  server.instead = async (call, answer) => {
    const given = await answer();
    if (call.path !== '/api/confirmations' || posts++ > 0) return given;
    setImmediate(then);
    return new Promise(() => {});
  };
}

test('a request whose answer is on its way when the caller gives up is taken back', async () => {
  for (const timeout of [undefined, 5]) {
    const server = await StandIn.make();
    const controller = new AbortController();
    loseTheAnswer(server, () => (timeout ? server.clock.advance(timeout) : controller.abort()));
    const asked = server.client().requestApproval({ ...QUESTION, timeout, signal: controller.signal });
    await assert.rejects(asked, { code: timeout ? 'unreachable' : 'aborted' });
    assert.deepEqual([...server.records.values()].map(({ status }) => status), ['cancelled']);
  }
});

test('what createConfirmation asked is left where the caller has the key to find it by', async () => {
  for (const [idempotencyKey, status] of [[undefined, 'cancelled'], ['deploy-a1b2c3d', 'pending']]) {
    const server = await StandIn.make();
    const controller = new AbortController();
    loseTheAnswer(server, () => controller.abort());
    const asked = server.client().createConfirmation({ ...QUESTION, idempotencyKey, signal: controller.signal });
    await assert.rejects(asked, { code: 'aborted' });
    assert.equal(server.record().status, status);
  }
});

test('taking back has a time of its own', async () => {
  const server = await StandIn.make();
  const controller = new AbortController();
  let calls = 0;
  server.instead = () => {
    setImmediate(() => (calls++ === 0 ? controller.abort() : server.clock.advance(5)));
    return new Promise(() => {});
  };
  await assert.rejects(server.client().requestApproval({ ...QUESTION, signal: controller.signal }), { code: 'aborted' });
  assert.equal(calls, 2);
});

test('an onPending that fails, at once or later, takes the request back and is what the caller gets', async () => {
  /** @type {(() => unknown)[]} */
  const fails = [
    () => { throw new RangeError('no screen'); },
    async () => { throw new RangeError('no screen'); },
    () => new Promise((_, reject) => { setImmediate(() => reject(new RangeError('no screen'))); }),
  ];
  for (const onPending of fails) {
    const server = await StandIn.make();
    server.whileWaiting = () => new Promise(() => {});
    await assert.rejects(server.client().requestApproval({ ...QUESTION, onPending }), RangeError);
    assert.equal(server.record().status, 'cancelled');
  }
});

test('an onPending that never ends or fails too late changes nothing', async () => {
  const server = await StandIn.make();
  server.whileWaiting = (record) => server.approve(record);
  const decision = await server.client().requestApproval({ ...QUESTION, onPending: () => new Promise(() => {}) });
  assert.equal(decision.status, 'approved');
});
