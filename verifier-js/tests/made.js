// Receipts made for a test, in which everything that depends on a changed part is made anew.

import { EMPTY_ROOT, leafHash, nodeHash } from '../merkle.js';
import { base64, base64url, concat, sha256, utf8 } from '../encoding.js';
import { labelOf } from '../names.js';

const { subtle } = globalThis.crypto;

export const LOG = 'approvals.example.com/log';
export const RP_ID = 'approvals.example.com';
export const WEB_ORIGIN = 'https://approvals.example.com';
export const NONCE = new Uint8Array(32).fill(10);

/**
 * An approver's key that signs as an authenticator does.
 *
 * @param {'ES256' | 'RS256'} alg
 * @param {number} [bits]  of an RSA key
 */
export async function makeKey(alg, bits = 2048) {
  const parameters = alg === 'ES256'
    ? { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    : { name: 'RSASSA-PKCS1-v1_5', modulusLength: bits, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' };
  const pair = /** @type {CryptoKeyPair} */ (await subtle.generateKey(parameters, true, ['sign', 'verify']));
  const spki = new Uint8Array(await subtle.exportKey('spki', pair.publicKey));
  const sign = async (/** @type {Uint8Array} */ message) => {
    const raw = new Uint8Array(await subtle.sign(parameters, pair.privateKey, new Uint8Array(message)));
    return alg === 'ES256' ? rawToDer(raw) : raw;
  };
  return { alg, spki, credential: base64url(await sha256(spki)), sign };
}

/** @typedef {Awaited<ReturnType<typeof makeKey>>} Key */

/** A key that signs notes. @param {string} name @param {number} kind */
export async function makeNoteKey(name, kind = 1) {
  const pair = /** @type {CryptoKeyPair} */ (await subtle.generateKey('Ed25519', true, ['sign', 'verify']));
  const publicKey = new Uint8Array(await subtle.exportKey('raw', pair.publicKey));
  const blob = concat(Uint8Array.of(kind), publicKey);
  const id = (await sha256(concat(utf8(`${name}\n`), blob))).subarray(0, 4);
  const sign = async (/** @type {string} */ text) => {
    return new Uint8Array(await subtle.sign('Ed25519', pair.privateKey, new Uint8Array(utf8(text))));
  };
  const line = (/** @type {Uint8Array} */ signature) => `— ${name} ${base64(concat(id, signature))}\n`;
  return {
    text: `${name}+${Buffer.from(id).toString('hex')}+${base64(blob)}`,
    sign: async (/** @type {string} */ text) => line(await sign(text)),
    cosign: async (/** @type {string} */ text, /** @type {bigint} */ time) => {
      const stamp = new Uint8Array(8);
      new DataView(stamp.buffer).setBigUint64(0, time);
      return line(concat(stamp, await sign(`cosignature/v1\ntime ${time}\n${text}`)));
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof makeNoteKey>>} NoteKey */

/**
 * What a test may change.
 *
 * @typedef {object} Changes
 * @property {(document: Record<string, any>) => object} [document]
 * @property {(clientData: Record<string, any>) => object | string} [clientData]
 * @property {(authenticatorData: Uint8Array) => Uint8Array} [authenticatorData]
 * @property {(signature: Uint8Array) => Uint8Array} [signature]
 * @property {(enrolment: Record<string, any>) => object} [enrolment]
 * @property {(decision: Record<string, any>) => object} [decision]
 * @property {(note: string, text: string) => Promise<string>} [note]
 */

/**
 * A receipt of one decision by alex, with its trust file.
 *
 * @param {Key} key
 * @param {Changes} [changes]
 */
export async function makeReceipt(key, changes = {}) {
  const logKey = await makeNoteKey(LOG);
  const document = canonical((changes.document ?? same)(DOCUMENT));
  const challenge = concat(NONCE, await sha256(document));
  const label = await labelOf('alex', LOG);
  const enrolment = `countersign/credential/v1\n${canonical((changes.enrolment ?? same)({
    alg: key.alg, approver: label, authorised_by: { invite: base64url(NONCE) }, backup_eligible: true,
    enrolled_at: '2026-01-01T09:00:00Z', public_key: base64url(key.spki), rp_id: RP_ID,
  }))}`;
  const decision = `countersign/decision/v1\n${canonical((changes.decision ?? same)({
    approver: label, credential: key.credential, decided_at: '2026-03-01T12:00:30Z', decision: 'approve',
    ...(await makeAssertion(key, challenge, changes)),
  }))}`;
  const [first, second] = [await leafHash(utf8(enrolment)), await leafHash(utf8(decision))];
  const text = `${LOG}\n2\n${base64(await nodeHash(first, second))}\n`;
  const note = await (changes.note ?? (async (it) => it))(`${text}\n${await logKey.sign(text)}`, text);
  const receipt = {
    checkpoint: note,
    decisions: [{ document, entry: decision, hashes: [base64url(first)], index: 1 }],
    enrolments: [{ entry: enrolment, hashes: [base64url(second)], index: 0 }],
    type: 'countersign/receipt/v1',
  };
  const trust = { logs: [logKey.text], rp_id: RP_ID, type: 'countersign/trust/v1', web_origins: [WEB_ORIGIN] };
  return { receipt: utf8(canonical(receipt)), trust };
}

/**
 * @param {Key} key
 * @param {Uint8Array} challenge
 * @param {Changes} [changes]
 */
export async function makeAssertion(key, challenge, changes = {}) {
  const fields = { type: 'webauthn.get', challenge: base64url(challenge), origin: WEB_ORIGIN, crossOrigin: false };
  const made = (changes.clientData ?? same)(fields);
  const clientData = utf8(typeof made === 'string' ? made : JSON.stringify(made));
  const plain = concat(await sha256(RP_ID), Uint8Array.of(0x05, 0, 0, 0, 1));
  const authenticatorData = (changes.authenticatorData ?? same)(plain);
  const signature = await key.sign(concat(authenticatorData, await sha256(clientData)));
  return {
    authenticator_data: base64url(authenticatorData),
    client_data_json: base64url(clientData),
    signature: base64url((changes.signature ?? same)(signature)),
  };
}

/** The fields of a document that is acceptable. */
export const DOCUMENT = {
  action: 'Deploy api-gateway to production', approver: 'alex', approvers: ['alex'], decision: 'approve',
  expires_at: '2026-03-01T12:05:00Z', id: 'cnf_4k2m6p3q7a5b2c4d6e3f5g7h2j', issued_at: '2026-03-01T12:00:00Z', log: LOG,
  nonce: base64url(NONCE), payload: { env: 'production', replicas: 3 }, quorum: 1, requester: 'deploy-bot', reveal: false,
  salt: base64url(EMPTY_ROOT), type: 'countersign/document/v1', use_by: '2026-03-01T13:05:00Z',
};

/**
 * Canonical JSON of plain values with plain keys.
 *
 * @param {any} value
 * @returns {string}
 */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}

/**
 * @param {Uint8Array} raw  r ‖ s
 * @returns {Uint8Array}
 */
export function rawToDer(raw) {
  const integer = (/** @type {Uint8Array} */ bytes) => {
    const start = bytes.findIndex((byte) => byte !== 0);
    const content = bytes[start] >= 0x80 ? concat(Uint8Array.of(0), bytes.subarray(start)) : bytes.subarray(start);
    return concat(Uint8Array.of(0x02, content.length), content);
  };
  const content = concat(integer(raw.subarray(0, 32)), integer(raw.subarray(32)));
  return concat(Uint8Array.of(0x30, content.length), content);
}

/**
 * @template T
 * @param {T} value
 * @returns {T}
 */
function same(value) {
  return value;
}
