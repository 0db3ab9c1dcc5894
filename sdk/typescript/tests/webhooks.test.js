// A webhook is from the server, new, and shows what it says; anything else is an error.

import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { verifyWebhook } from '../src/index.js';

const NOW = 1_800_000_000;
const SECRET = Buffer.alloc(32, 7);
const secret = `whsec_${SECRET.toString('base64')}`;
const { publicKey: PUBLIC, privateKey } = generateKeyPairSync('ed25519');
const publicKey = `whpk_${PUBLIC.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')}`;

/** @param {string} name */
function genuine(name) {
  const { receipt, trust } = JSON.parse(readFileSync(new URL(`../../../testdata/receipts/genuine/${name}.json`, import.meta.url), 'utf8'));
  const { approver, decision, salt, ...core } = JSON.parse(JSON.parse(receipt).decisions[0].document);
  return { receipt, trust: typeof trust === 'string' ? trust : JSON.stringify(trust), core: JSON.stringify(core) };
}

const { receipt, trust, core } = genuine('approved');
const ID = JSON.parse(core).id;

/** @param {any} changes @param {{id?: string, time?: number}} [sent] */
function webhook(changes = {}, { id = 'msg_1', time = NOW } = {}) {
  const data = { id: ID, status: 'approved', core, receipt, ...changes };
  const body = JSON.stringify({ type: `confirmation.${data.status}`, timestamp: '2026-11-22T10:00:00Z', data });
  const signed = Buffer.from(`${id}.${time}.${body}`);
  const hmac = createHmac('sha256', SECRET).update(signed).digest('base64');
  const signature = `v1,${hmac} v1a,${sign(null, signed, privateKey).toString('base64')}`;
  return { body, headers: { 'webhook-id': id, 'webhook-timestamp': String(time), 'webhook-signature': signature } };
}

/** @param {{body: string, headers: any}} sent @param {any} [options] */
const check = ({ body, headers }, options = {}) => verifyWebhook(body, headers, { trust, secret, publicKey, core: null, now: NOW, ...options });

test('a genuine one says what was decided', async () => {
  for (const headers of [webhook().headers, new Headers(webhook().headers), { 'Webhook-Id': 'msg_1', 'Webhook-Timestamp': String(NOW), 'Webhook-Signature': webhook().headers['webhook-signature'] }]) {
    const event = await check({ ...webhook(), headers }, { core });
    assert.deepEqual([event.id, event.status, event.report?.verdict], ['msg_1', 'approved', 'approved']);
  }
  for (const one of [{ publicKey: undefined }, { secret: undefined }]) assert.equal((await check(webhook(), one)).status, 'approved');
  assert.equal((await check(webhook(), { core: async (/** @type {string} */ id) => (id === ID ? core : null) })).status, 'approved');
  const expired = await check(webhook({ status: 'expired', receipt: undefined }));
  assert.deepEqual([expired.status, expired.report], ['expired', null]);
});

test('one that is forged, changed, old or from the future is not signed', async () => {
  const { body, headers } = webhook();
  const other = webhook({ id: 'cnf_2' });
  const wrong = [
    { body: `${body} `, headers },
    { body: other.body, headers },
    { body, headers: { ...headers, 'webhook-id': 'msg_2' } },
    { body, headers: { ...headers, 'webhook-timestamp': String(NOW + 1) } },
    { body, headers: { ...headers, 'webhook-signature': '' } },
    { body, headers: { ...headers, 'webhook-signature': headers['webhook-signature'].replace('v1,', 'v2,') } },
    { body, headers: { ...headers, 'webhook-signature': headers['webhook-signature'].replace('v1a,', 'v1b,') } },
    { body, headers: { ...headers, 'webhook-signature': 'v1,%%% v1a,%%%' } },
    { body, headers: {} },
    { body, headers: { ...headers, 'webhook-id': 'msg_\u0080' } },
    webhook({}, { time: NOW - 301 }),
    webhook({}, { time: NOW + 301 }),
  ];
  for (const options of [{ toleranceSeconds: NaN }, { now: NaN }]) await assert.rejects(check(webhook({}, { time: 0 }), options), { name: 'NotSignedError' });
  for (const sent of wrong) await assert.rejects(check(sent), { code: 'not_verified', name: 'NotSignedError' });
  await assert.rejects(check(webhook(), { secret: `whsec_${Buffer.alloc(32, 8).toString('base64')}` }), { name: 'NotSignedError' });
  await assert.rejects(check(webhook(), { secret: undefined, publicKey: undefined }), TypeError);
  await assert.rejects(check(webhook(), { secret: 'x' }), TypeError);
  await assert.rejects(check(webhook(), { core: undefined }), TypeError);
  assert.equal((await check(webhook({}, { time: NOW - 300 }))).status, 'approved');
});

test('a signed one whose receipt does not show it is refused', async () => {
  for (const changes of [{ receipt: undefined }, { receipt: '{}' }, { status: 'rejected' }, { core: core.replace('alex', 'sam') }]) {
    await assert.rejects(check(webhook(changes)), { code: 'not_verified', name: 'NotVerifiedError' });
  }
  for (const other of ['{}', '', () => undefined, async () => null]) await assert.rejects(check(webhook(), { core: other }), { code: 'mismatch' });
  await assert.rejects(check(webhook({ id: 'cnf_victim' })), { code: 'mismatch' });
  for (const status of ['pending', 'toString', 7]) await assert.rejects(check(webhook({ status })), { code: 'mismatch' });
});
