// What becomes of a call when the network, the server or the answer is bad.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { QUESTION, StandIn, problem } from './stand-in.js';

/** @param {StandIn} server @param {number} times @param {any} instead  what the first calls that create get */
function first(server, times, instead) {
  let count = 0;
  server.instead = (call, answer) => {
    const isCreate = call.method === 'POST' && call.path === '/api/confirmations';
    if (isCreate) count += 1;
    return isCreate && count <= times ? instead(call, answer) : answer();
  };
  server.whileWaiting = (record) => server.approve(record);
}

const FAILURES = /** @type {[string, any][]} */ ([
  ['the network', () => Promise.reject(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }))],
  ['500', () => problem(500, 'bug')],
  ['503', () => problem(503, 'busy', { 'Retry-After': '0' })],
  ['429 that says when', () => problem(429, 'too-many', { 'Retry-After': '0' })],
  ['an answer that is not JSON', () => new Response('<html>', { status: 200 })],
  ['an answer that ends early', () => new Response(new ReadableStream({
    pull: (controller) => controller.error(new Error('terminated')),
  }))],
]);

for (const [name, failure] of FAILURES) {
  test(`after ${name} it is asked again with the same key`, async () => {
    const server = await StandIn.make();
    first(server, 2, failure);
    assert.equal((await server.client().requestApproval(QUESTION)).status, 'approved');
    const keys = server.calls.filter(({ method }) => method === 'POST').map(({ key }) => key);
    assert.equal(keys.length, 3);
    assert.equal(new Set(keys).size, 1);
    assert.equal(server.records.size, 1);
  });

  test(`${name} for ever is unreachable`, async () => {
    const server = await StandIn.make();
    first(server, Infinity, failure);
    await assert.rejects(server.client().requestApproval(QUESTION), { code: 'unreachable' });
    assert.equal(server.calls.length, 5);
  });
}

test('an answer that was made and got lost makes no second request', async () => {
  const server = await StandIn.make();
  first(server, 1, async (/** @type {any} */ _, /** @type {any} */ answer) => {
    await answer();
    throw new TypeError('fetch failed');
  });
  assert.equal((await server.client().requestApproval(QUESTION)).status, 'approved');
  assert.equal(server.records.size, 1);
});

test('a server that hangs is asked again, and given up on', async () => {
  const server = await StandIn.make();
  server.instead = () => {
    setImmediate(() => server.clock.advance(11));
    return new Promise(() => {});
  };
  await assert.rejects(server.client().requestApproval(QUESTION), { code: 'unreachable' });
  assert.equal(server.calls.length, 5);
  assert.ok(server.calls.every(({ signal }) => signal.aborted));
});

test('a server that goes down while people decide is waited for', async () => {
  const server = await StandIn.make();
  let down = 12;
  server.instead = (call, answer) => {
    if (call.method === 'POST' || down === 0) return answer();
    down -= 1;
    throw new TypeError('fetch failed');
  };
  server.whileWaiting = (record) => server.approve(record);
  assert.equal((await server.client().requestApproval(QUESTION)).status, 'approved');
});

test('a server that does not come back while people decide is unreachable', async () => {
  const server = await StandIn.make();
  server.instead = (call, answer) => {
    if (call.method === 'POST') return answer();
    server.clock.advance(20);
    throw new TypeError('fetch failed');
  };
  await assert.rejects(server.client().requestApproval(QUESTION), { code: 'unreachable' });
  assert.equal(server.record().status, 'cancelled');
});

test('pauses grow up to a bound, are random, and keep to what the server says', async () => {
  const server = await StandIn.make();
  server.instead = () => problem(503, 'busy');
  const after = server.clock.after;
  const pauses = /** @type {number[]} */ ([]);
  server.clock.after = (milliseconds, then) => {
    if (milliseconds >= 10_000) return after(milliseconds, then);
    pauses.push(milliseconds);
    return after(0, then);
  };
  await assert.rejects(server.client({ random: () => 0.5 }).requestApproval(QUESTION), { code: 'unreachable', status: 503 });
  assert.deepEqual(pauses, [250, 500, 1000, 2000]);
  pauses.length = 0;
  server.instead = () => problem(503, 'busy', { 'Retry-After': '7' });
  await assert.rejects(server.client({ random: () => 0.5 }).requestApproval(QUESTION), { code: 'unreachable' });
  assert.deepEqual(pauses, [7000, 7000, 7000, 7000]);
});

test('a long wish to come back later is handed to the caller', async () => {
  const server = await StandIn.make();
  server.instead = () => problem(429, 'too-many', { 'Retry-After': '60' });
  await assert.rejects(server.client().requestApproval(QUESTION), { code: 'refused', status: 429, retryAfter: 60 });
  assert.equal(server.calls.length, 1);
});

test('a redirect is not followed', async () => {
  const server = await StandIn.make();
  server.instead = () => new Response(null, { status: 307, headers: { Location: 'https://elsewhere.example.com/' } });
  await assert.rejects(server.client().requestApproval(QUESTION), { code: 'unreachable', message: /redirects/ });
  assert.equal(server.calls.length, 1);
});

test('an answer without an end is not read to the end', async () => {
  const server = await StandIn.make();
  let sent = 0;
  server.instead = () => new Response(new ReadableStream({
    pull(controller) {
      sent += 1;
      controller.enqueue(new Uint8Array(1024 * 1024).fill(0x20));
    },
  }));
  await assert.rejects(server.client().requestApproval(QUESTION), { code: 'unreachable', message: /35651584 bytes/ });
  assert.ok(sent < 40);
});

test('the API key is in no error', async () => {
  const server = await StandIn.make();
  first(server, Infinity, () => Promise.reject(new TypeError('fetch failed')));
  await assert.rejects(server.client({ apiKey: 'csk_secret' }).requestApproval(QUESTION), (/** @type {any} */ error) => {
    return !`${error.stack}${JSON.stringify(error)}${error.cause?.stack}`.includes('csk_secret');
  });
});
