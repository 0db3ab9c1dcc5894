// The largest checkpoint that a client verified, against a log that takes something back.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { StandInLog } from './stand-in-log.js';
import { QUESTION, StandIn, problem } from './stand-in.js';

/** A server of which a client has verified an approval already. */
async function known() {
  const server = await StandIn.make();
  server.whileWaiting = (record) => server.approve(record);
  const client = server.client();
  assert.equal((await client.requestApproval(QUESTION)).status, 'approved');
  return { server, client };
}

test('a log that grew proves it', async () => {
  const { server, client } = await known();
  for (let i = 0; i < 7; i += 1) {
    await server.log.append(`something else ${i}`);
    assert.equal((await client.requestApproval(QUESTION)).status, 'approved');
  }
  assert.equal(server.calls.filter(({ path }) => path === '/log/proof/consistency').length, 7);
});

test('the same checkpoint again needs no proof', async () => {
  const { server, client } = await known();
  const found = await client.resume(server.record().core.id, QUESTION);
  assert.equal((await client.getConfirmation(found)).status, 'approved');
  assert.equal(server.calls.filter(({ path }) => path === '/log/proof/consistency').length, 0);
});

test('a smaller checkpoint is refused, if it stays smaller', async () => {
  const { server, client } = await known();
  await server.log.append('something else');
  await client.requestApproval(QUESTION);
  const [first] = [...server.records.values()];
  const found = await client.resume(first.core.id, QUESTION);
  server.instead = async (call, answer) => {
    const given = await answer();
    return given.receipt ? { ...given, receipt: await server.receipt(first, server.log, 2) } : given;
  };
  await assert.rejects(client.getConfirmation(found), (/** @type {any} */ error) => {
    return error.code === 'rolled_back' && error.known.includes('\n4\n') && error.given.includes('\n2\n');
  });
});

test('a receipt that another one overtook is asked for again', async () => {
  const { server, client } = await known();
  await server.log.append('something else');
  await client.requestApproval(QUESTION);
  const [first] = [...server.records.values()];
  const found = await client.resume(first.core.id, QUESTION);
  const overtaken = await server.receipt(first, server.log, 2);
  let times = 0;
  server.instead = async (_, answer) => {
    const given = await answer();
    times += 1;
    return times === 1 ? { ...given, receipt: overtaken } : given;
  };
  assert.equal((await client.getConfirmation(found)).status, 'approved');
  assert.equal(times, 2);
});

test('two histories of one size are refused', async () => {
  const { server, client } = await known();
  const [record] = [...server.records.values()];
  const fork = server.log.fork();
  await server.log.append('one');
  await fork.append('other');
  const found = await client.resume(record.core.id, QUESTION);
  await client.getConfirmation(found);
  server.log = fork;
  await assert.rejects(client.getConfirmation(found), { code: 'rolled_back' });
});

test('another history, or a log that proves nothing, is refused', async () => {
  const cases = /** @type {any[]} */ ([
    () => problem(404, 'not-found'),
    () => problem(500, 'bug'),
    () => ({ hashes: 'none' }),
    () => ({ hashes: ['AAAA'] }),
    () => ({ hashes: [] }),
    async (/** @type {any} */ answer) => ({ hashes: (await answer()).hashes.reverse().concat('AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=') }),
  ]);
  for (const instead of cases) {
    const { server, client } = await known();
    server.instead = (call, answer) => (call.path === '/log/proof/consistency' ? instead(answer) : answer());
    await server.log.append('something else');
    await assert.rejects(client.requestApproval(QUESTION), { code: 'rolled_back' });
  }
});

test('many approvals at once do not take each other for a rollback', async () => {
  const { client } = await known();
  const decisions = await Promise.all(Array.from({ length: 8 }, (_, replicas) => {
    return client.requestApproval({ ...QUESTION, payload: { replicas } });
  }));
  assert.ok(decisions.every(({ status }) => status === 'approved'));
});

test('the log of a use must continue that of the receipt', async () => {
  const { server, client } = await known();
  const decision = (await client.requestApproval(QUESTION)).orThrow();
  const honest = server.log;
  server.instead = async (call, answer) => {
    if (!call.path.endsWith('/consume')) return answer();
    server.log = await StandInLog.make(honest.origin);
    server.log.key = honest.key;
    for (let i = 0; i < 9; i += 1) await server.log.append(`another history ${i}`);
    const given = await answer();
    server.log = honest;
    return given;
  };
  await assert.rejects(decision.consume(), { code: 'rolled_back' });
});

test('a use that another call overtook is fine, if the log proves that it only grew', async () => {
  const { server, client } = await known();
  const decision = (await client.requestApproval(QUESTION)).orThrow();
  let isFirst = true;
  server.instead = async (call, answer) => {
    const given = await answer();
    if (call.path.endsWith('/consume') && isFirst) {
      isFirst = false;
      await (await client.requestApproval(QUESTION)).orThrow().consume();
    }
    return given;
  };
  assert.ok((await decision.consume()).logIndex > 1);
});
