// Answers that are about something else than what was asked, and approvals that do not verify.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { canonical } from '../../../verifier-js/tests/made.js';
import { QUESTION, StandIn } from './stand-in.js';

const TWO = { ...QUESTION, username: undefined, approvers: ['alex', 'blair'], quorum: 2 };
delete TWO.username;

/** What a server may change in a core, and the field that the client names. */
const CHANGES = /** @type {[string, any][]} */ ([
  ['action', { action: 'Deploy something else' }],
  ['payload', { payload: { env: 'production', replicas: 4 } }],
  ['approvers', { approvers: ['mallory'] }],
  ['approvers', { approvers: ['alex', 'mallory'] }],
  ['quorum', { quorum: 2, approvers: ['alex'] }],
  ['reveal', { reveal: true }],
  ['log', { log: 'other.example.com/log' }],
  ['expiresIn', { expires_at: '2026-11-21T22:36:00Z' }],
  ['useWithin', { use_by: '2026-11-22T22:35:00Z' }],
  ['requester', { requester: 'somebody' }],
  ['id', { id: 'cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa' }],
  ['core', { type: 'countersign/document/v2' }],
  ['core', { id: '../../etc' }],
  ['issuedAt', { issued_at: '2026-11-21T22:20:00Z', expires_at: '2026-11-21T22:25:00Z', use_by: '2026-11-21T23:25:00Z' }],
]);

for (const [field, changes] of CHANGES) {
  test(`a core with another ${field} is refused: ${JSON.stringify(changes)}`, async () => {
    const server = await StandIn.make();
    server.instead = async (call, answer) => {
      const given = await answer();
      return call.method === 'POST' ? { ...given, core: canonical({ ...JSON.parse(given.core), ...changes }) } : given;
    };
    await assert.rejects(server.client().requestApproval({ ...QUESTION, requester: 'deploy-bot' }), { code: 'mismatch', field });
  });
}

test('a weaker quorum is refused', async () => {
  const server = await StandIn.make();
  server.instead = async (_, answer) => {
    const given = await answer();
    return { ...given, core: canonical({ ...JSON.parse(given.core), quorum: 1 }) };
  };
  await assert.rejects(server.client().requestApproval(TWO), { code: 'mismatch', field: 'quorum' });
});

test('an answer about another confirmation is refused while waiting', async () => {
  for (const [field, changed] of /** @type {[string, any][]} */ ([['id', { id: 'cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa' }], ['core', { core: '{}' }]])) {
    const server = await StandIn.make();
    server.instead = async (call, answer) => (call.method === 'GET' ? { ...(await answer()), ...changed } : answer());
    await assert.rejects(server.client().requestApproval(QUESTION), { code: 'mismatch', field });
  }
});

test('approved without a receipt, or with another one, is not approved', async () => {
  const cases = /** @type {[string, any][]} */ ([
    ['receipt', () => undefined],
    ['receipt', () => 'nothing'],
    ['receipt', (/** @type {string} */ receipt) => ` ${receipt}`],
    ['expectation', async (/** @type {string} */ _, /** @type {StandIn} */ server) => {
      const other = await server.client().createConfirmation(QUESTION);
      await server.approve(server.record(other.id));
      return server.receipt(server.record(other.id));
    }],
  ]);
  for (const [step, change] of cases) {
    const server = await StandIn.make();
    let asked = '';
    server.instead = async (call, answer) => {
      const given = await answer();
      if (call.method === 'POST' || given.id !== asked) return given;
      return { ...given, receipt: await change(given.receipt, server) };
    };
    server.whileWaiting = (record) => server.approve(record);
    const approval = server.client().requestApproval({ ...QUESTION, onPending: ({ id }) => (asked = id) });
    await assert.rejects(approval, { code: 'not_verified', step });
  }
});

test('an approval of another payload, by another person, or too late does not verify', async () => {
  const cases = /** @type {[string, any][]} */ ([
    ['expectation', { payload: { env: 'production', replicas: 4 } }],
    ['document', { approver: 'mallory' }],
    ['entry', { decidedAt: '2026-11-21T22:36:00Z' }],
  ]);
  for (const [step, changes] of cases) {
    const server = await StandIn.make();
    server.whileWaiting = (record) => server.approve(record, changes);
    await assert.rejects(server.client().requestApproval(QUESTION), { code: 'not_verified', step });
  }
});

test('a rejection that is called an approval is not one', async () => {
  const server = await StandIn.make();
  server.whileWaiting = async (record) => {
    await server.reject(record, 'no');
    record.status = 'approved';
  };
  await assert.rejects(server.client().requestApproval(QUESTION), { code: 'not_verified', step: 'expectation' });
});

test('a status that nobody knows opens nothing', async () => {
  const server = await StandIn.make();
  server.whileWaiting = (record) => void (record.status = 'APPROVED');
  await assert.rejects(server.client().requestApproval(QUESTION), { code: 'unreachable' });
});

test('an approval that can be used no more is too late', async () => {
  const server = await StandIn.make();
  const question = { ...QUESTION, idempotencyKey: 'again' };
  await server.client().createConfirmation(question);
  await server.approve();
  server.clock.advance(3901);
  await assert.rejects(server.client().requestApproval(question), { code: 'too_late', useBy: server.record().core.use_by });
});
