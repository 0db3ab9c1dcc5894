// Documents, entries, receipts and trust files.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_PAYLOAD, parseDocument, parsePayload } from '../document.js';
import { base64url, utf8 } from '../encoding.js';
import { parseEntry } from '../entry.js';
import { parseReceipt } from '../receipt.js';
import { checkWebOrigin, parseTrust } from '../trust.js';
import { DOCUMENT, canonical } from './made.js';
import { readCase } from './testdata.js';

const HASH = base64url(new Uint8Array(32).fill(9));

/** @param {Record<string, any>} changes  undefined takes a field out */
function document(changes) {
  const all = Object.entries({ ...DOCUMENT, ...changes }).filter(([, value]) => value !== undefined);
  return canonical(Object.fromEntries(all));
}

test('a document is read, and its core is what is left without the approver', () => {
  const { core, approver, decision } = parseDocument(document({}));
  assert.deepEqual([approver, decision, core.quorum, core.useBy], ['alex', 'approve', 1, '2026-03-01T13:05:00Z']);
  assert.equal(core.text, document({ approver: undefined, decision: undefined, salt: undefined }));
});

test('a broken rule of a document is named', () => {
  for (const [changes, words] of /** @type {[Record<string, any>, RegExp][]} */ ([
    [{ quorum: 2 }, /quorum must be/], [{ quorum: 0 }, /quorum must be/], [{ quorum: 2 ** 40 }, /quorum must be 1 to 32/],
    [{ quorum: '1' }, /whole number/], [{ approvers: ['alex', 'alex'] }, /ascending/],
    [{ approvers: ['sam', 'alex'] }, /ascending/], [{ approvers: ['alex', 'Sam'] }, /the field approvers: a username/],
    [{ approvers: ['sam'] }, /one of approvers/], [{ approvers: [] }, /1 to 32/], [{ approvers: [1] }, /array of strings/],
    [{ approver: 'Alex' }, /the field approver: a username/], [{ approver: 1 }, /the field approver must be a string/],
    [{ expires_at: '2026-03-01T12:00:04Z' }, /expires_at must be 5 seconds/],
    [{ issued_at: '2026-02-26T12:04:59Z' }, /expires_at must be 5 seconds/],
    [{ issued_at: '2026-03-01T12:06:00Z' }, /expires_at must be 5 seconds/],
    [{ use_by: '2026-03-01T12:05:00Z' }, /use_by must be/], [{ use_by: '2026-03-01 12:35:00Z' }, /the field use_by must be a time/],
    [{ action: 'Deploy\u202eapi' }, /the field action: U\+202E/], [{ action: '' }, /0 characters/],
    [{ requester: 'a\u200bb' }, /the field requester: U\+200B/], [{ requester: 'x'.repeat(65) }, /65 characters/],
    [{ decision: 'approved' }, /decision must be approve or reject/], [{ reveal: 0 }, /reveal must be true or false/],
    [{ id: 'cnf_4k2M6p3q7a5b2c4d6e3f5g7h2j' }, /the field id/], [{ id: 'cnf_4k2m' }, /the field id/],
    [{ type: 'countersign/document/v2' }, /type must be countersign\/document\/v1/], [{ log: '' }, /log must not be empty/],
    [{ salt: 'AQ' }, /salt must be base64url of 32 bytes/], [{ nonce: `${HASH}=` }, /nonce must be base64url/],
    [{ other: 1 }, /unknown field "other"/], [{ reveal: undefined }, /the field reveal is missing/],
    [{ payload: [] }, /payload must be an object/], [{ payload: { a: 'x'.repeat(MAX_PAYLOAD) } }, /at most 262144/],
  ])) {
    assert.throws(() => parseDocument(document(changes)), words, JSON.stringify(changes).slice(0, 80));
  }
  assert.throws(() => parseDocument(` ${document({})}`), /not in canonical form/);
});

test('limits of a payload', () => {
  const nested = (/** @type {number} */ depth) => utf8(`${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`);
  assert.ok(parsePayload(nested(32)));
  assert.throws(() => parsePayload(nested(33)), /nested deeper than 32 levels/);
  const sized = (/** @type {number} */ bytes) => utf8(`{"a":"${'é'.repeat((bytes - 8) / 2)}"}`);
  assert.ok(parsePayload(sized(MAX_PAYLOAD)));
  assert.throws(() => parsePayload(sized(MAX_PAYLOAD + 2)), /262146 bytes, at most 262144/);
  assert.ok(parsePayload(utf8(`{"a": ${' '.repeat(MAX_PAYLOAD)}1}`)));
  assert.throws(() => parsePayload(utf8('[]')), /expected an object/);
});

test('entries of all four types are read', () => {
  const assertion = { authenticator_data: 'AQ', client_data_json: 'e30', signature: 'Ag' };
  const enrolment = {
    alg: 'ES256', approver: HASH, authorised_by: { invite: HASH }, backup_eligible: true,
    enrolled_at: '2026-01-01T09:00:00Z', public_key: 'BAQ', rp_id: 'localhost',
  };
  const good = [
    ['credential', enrolment],
    ['credential', { ...enrolment, authorised_by: { credential: HASH, ...assertion } }],
    ['revocation', { approver: HASH, credential: HASH, reason: 'stolen', revoked_at: '2026-01-01T09:00:00Z' }],
    ['decision', { approver: HASH, credential: HASH, decided_at: '2026-01-01T09:00:00Z', decision: 'reject', ...assertion }],
    ['consumption', { consumed_at: '2026-01-01T09:00:00Z', nonce: HASH }],
  ];
  for (const [kind, fields] of good) {
    const text = `countersign/${kind}/v1\n${canonical(fields)}`;
    assert.equal(parseEntry(text).kind, kind);
    for (const other of [`${text}\n`, text.slice(0, -1), text.replace('\n', '\n '), text.replace('{', '{"":1,')]) {
      assert.throws(() => parseEntry(other), /^(Refusal|JsonError): /);
    }
  }
  assert.throws(() => parseEntry(`countersign/credential/v1\n${canonical({ ...enrolment, authorised_by: null })}`), /not an object/);
  assert.throws(() => parseEntry('countersign/consumption/v1\n{}'), { message: 'the field consumed_at is missing' });
});

test('foreign bytes are not entries', () => {
  for (const text of ['', 'countersign/', 'countersign/decision/v1', 'countersign/decision/v2\n{}', 'x\n{}', '__proto__\n{}']) {
    assert.throws(() => parseEntry(text), { message: 'no type line of a known entry' }, text);
  }
  // The form is looked at before the kind, so a malformed revocation is refused for its form.
  assert.throws(() => parseEntry('countersign/revocation/v1\n{}'), { message: 'the field approver is missing' });
  assert.throws(() => parseEntry('é'.repeat(32_768)), { message: 'an entry of 65536 bytes, at most 65535 are allowed' });
});

test('a receipt has one form', () => {
  const text = Buffer.from(readCase('genuine/approved').receipt).toString();
  const receipt = JSON.parse(text);
  const parse = (/** @type {any} */ value) => parseReceipt(utf8(typeof value === 'string' ? value : canonical(value)));
  assert.equal(parse(receipt).decisions[0].index, 1n);
  assert.ok(parse(`${text}\n`));
  const enrolments = (/** @type {number} */ count) => {
    return { ...receipt, enrolments: Array.from({ length: count }, (_, index) => ({ ...receipt.enrolments[0], index })) };
  };
  assert.equal(parse(enrolments(256)).enrolments.length, 256);
  assert.throws(() => parse(enrolments(257)), /1 to 256 enrolments/);
  const [decision] = receipt.decisions;
  for (const [value, words] of /** @type {[any, RegExp][]} */ ([
    ['', /expected a value/], [`${text}\n\n`, /not in canonical form/], [`\ufeff${text}`, /byte 0/], [` ${text}`, /canonical/],
    [{ ...receipt, extra: 1 }, /unknown field "extra"/], [{ ...receipt, type: 'x' }, /type must be/],
    [{ ...receipt, decisions: [] }, /1 to 32 decisions/], [{ ...receipt, enrolments: [] }, /1 to 256 enrolments/],
    [{ ...receipt, decisions: Array(33).fill(decision) }, /1 to 32 decisions/],
    [{ ...receipt, decisions: [decision, decision] }, /ascending by index/],
    [{ ...receipt, decisions: [{ ...decision, index: 1.5 }] }, /index must be a whole number/],
    [{ ...receipt, decisions: [{ ...decision, index: '1' }] }, /index must be a whole number/],
    [{ ...receipt, decisions: [{ ...decision, index: 2 ** 53 + 2 }] }, /index must be a whole number/],
    [{ ...receipt, decisions: [{ ...decision, hashes: Array(64).fill(HASH) }] }, /at most 63 hashes/],
    [{ ...receipt, decisions: [{ ...decision, hashes: ['AA'] }] }, /hashes must be an array of base64url/],
    [{ ...receipt, checkpoint: 'é'.repeat(8193) }, /larger than 16384 bytes/],
  ])) {
    assert.throws(() => parse(value), words);
  }
  assert.throws(() => parseReceipt(new Uint8Array(32 * 1024 * 1024 + 1)), /at most 33554432/);
});

test('a trust file is read, and unknown, repeated and wrong fields are errors', async () => {
  const text = Buffer.from(readCase('genuine/approved').trust).toString();
  const pinned = text.replace('{', `{"approvers":{"alex":["${HASH}"]},"revoked":{"${HASH}":7},`);
  const trust = await parseTrust(utf8(pinned));
  assert.ok(trust.approvers?.get('alex')?.has(HASH));
  assert.equal(trust.revoked.get(HASH), 7n);
  for (const [from, to] of [
    ['{', '{"approver":{},'], ['{', '{"rp_id":"localhost",'], ['{', '{"approvers":{"Alex":[]},'], ['{', '{"approvers":[],'],
    ['{', '{"approvers":{"alex":["AA"]},'], ['{', '{"approvers":{"alex":[1]},'], ['{', '{"witness_quorum":1,'],
    ['{', '{"revoked":{"AA":1},'], ['{', `{"revoked":{"${HASH}":-1},`], ['{', '{"witnesses":["x"],"witness_quorum":1,'],
    ['trust/v1', 'trust/v2'], ['"rp_id":"a', '"rp_id":"b'], ['https://', 'http://'], ['.com"]', '.com/"]'], ['+', '+0'],
  ]) {
    assert.notEqual(text.replace(from, to), text);
    await assert.rejects(parseTrust(utf8(text.replace(from, to))), /^(Refusal|JsonError): /, `${from} -> ${to}`);
  }
  await assert.rejects(parseTrust(utf8(text.replace(/"logs":\[[^\]]*\]/, '"logs":[]'))), /must not be empty/);
});

test('web origins belong to the relying party', () => {
  for (const [webOrigin, rpId] of [
    ['https://approve.example.com', 'approve.example.com'], ['https://approve.example.com:8443', 'example.com'],
    ['http://localhost:8080', 'localhost'], ['http://app.localhost', 'app.localhost'], ['https://a.b:0', 'a.b'],
  ]) {
    checkWebOrigin(webOrigin, rpId);
  }
  for (const [webOrigin, rpId] of [
    ['http://approve.example.com', 'approve.example.com'], ['https://approve.example.com.', 'approve.example.com'],
    ['https://badexample.com', 'example.com'], ['https://example.com', 'approve.example.com'], ['https://Example.com', 'example.com'],
    ['https://example.com:443', 'example.com'], ['http://localhost:80', 'localhost'], ['https://example.com:08443', 'example.com'],
    ['https://example.com:65536', 'example.com'], ['https://example.com:', 'example.com'], ['https://u@example.com', 'example.com'],
    ['https://example.com/', 'example.com'], ['https://example.com\n', 'example.com'], ['https://example.com', ''],
    ['example.com', 'example.com'], ['ftp://example.com', 'example.com'], ['https://', ''],
  ]) {
    assert.throws(() => checkWebOrigin(webOrigin, rpId), /^Refusal: the web origin /, `${webOrigin} ${rpId}`);
  }
});
