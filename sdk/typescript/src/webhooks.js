// Webhooks of a server: is it from the server, is it new, and does the receipt in it show what it says?
//
// The signature (Standard Webhooks) says who calls. It does not say that anybody approved: the receipt does, and it is
// verified here by the same offline verifier.

import { CountersignError, MismatchError, NotVerifiedError } from './errors.js';
import { parseTrust, utf8, verify, verifyEd25519 } from './verifier.js';

/** How many seconds the time of a webhook may differ from ours. */
const TOLERANCE = 300;
/** The statuses that a request can end with, and what people decided then. */
const DECIDED = new Map([['approved', 'approve'], ['rejected', 'reject'], ['expired', null], ['cancelled', null]]);

/** A webhook that is not from the server, or too old. */
export class NotSignedError extends CountersignError {
  /** @param {string} reason */
  constructor(reason) {
    super('not_verified', reason);
  }
}

/**
 * @typedef {object} WebhookEvent
 * @property {string} id  the same whenever it comes again: remember it, and do nothing twice
 * @property {'approved' | 'rejected' | 'expired' | 'cancelled'} status  act on `approved` alone, after you have consumed it
 * @property {any} confirmation  what the server says, as `GET /api/confirmations/{id}` does
 * @property {import('./verifier.js').Report | null} report  the verified receipt of a decision; null if nobody decided
 */

/**
 * @typedef {object} WebhookOptions
 * @property {string} trust  the text of the trust file
 * @property {string} [secret]  `whsec_…`
 * @property {string} [publicKey]  `whpk_…`; each of the two that is given must hold, and one must be given
 * @property {string | null | ((id: string) => string | null | undefined | Promise<string | null | undefined>)} core  the one
 *   that you remembered when you made the request, or how to find it by the confirmation's id; null to compare none: the
 *   receipt shows then that something was approved, and not that it was what you asked for
 * @property {number} [toleranceSeconds]
 * @property {number} [now]  in seconds since 1970
 */

/**
 * Checks the signature, the time and then the receipt.
 *
 * @param {Uint8Array | string} body  as it came
 * @param {Headers | Record<string, string | string[] | undefined>} headers
 * @param {WebhookOptions} options
 * @returns {Promise<WebhookEvent>}
 * @throws {CountersignError}
 */
export async function verifyWebhook(body, headers, { trust, secret, publicKey, core, toleranceSeconds = TOLERANCE, now }) {
  if (secret === undefined && publicKey === undefined) throw new TypeError('give the secret, the public key, or both');
  if (core !== null && typeof core !== 'string' && typeof core !== 'function') throw new TypeError('give the core that you remembered, how to find it, or null');
  const bytes = typeof body === 'string' ? utf8(body) : body;
  const [id, sent, signatures] = ['id', 'timestamp', 'signature'].map((name) => header(headers, `webhook-${name}`));
  if (!/^[!-~]+$/.test(id) || !/^[0-9]{1,12}$/.test(sent)) throw new NotSignedError('the headers webhook-id and webhook-timestamp are missing or malformed');
  const start = utf8(`${id}.${sent}.`);
  const signed = new Uint8Array(start.length + bytes.length);
  signed.set(start);
  signed.set(bytes, start.length);
  if (secret !== undefined && !(await isAuthentic(keyOf(secret, 'whsec_'), signed, signatures))) {
    throw new NotSignedError('no signature v1 of the header webhook-signature is by this secret');
  }
  if (publicKey !== undefined && !(await isSigned(keyOf(publicKey, 'whpk_'), signed, signatures))) {
    throw new NotSignedError('no signature v1a of the header webhook-signature is by this key');
  }
  // The comparison is false for NaN, which must not open.
  if (!(Math.abs((now ?? Date.now() / 1000) - Number(sent)) <= toleranceSeconds)) {
    throw new NotSignedError(`its time differs from ours by more than ${toleranceSeconds} seconds`);
  }
  return read(id, bytes, trust, core);
}

/** @returns {Promise<WebhookEvent>} */
async function read(/** @type {string} */ id, /** @type {Uint8Array} */ bytes, /** @type {string} */ trust, /** @type {WebhookOptions['core']} */ core) {
  let event;
  try {
    event = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new MismatchError('webhook', 'the webhook is not JSON');
  }
  const { type, data } = event ?? {};
  const decision = DECIDED.get(data?.status);
  if (decision === undefined || type !== `confirmation.${data.status}` || typeof data.core !== 'string' || typeof data.id !== 'string') {
    throw new MismatchError('webhook', 'the webhook is of a kind that this SDK does not know');
  }
  if (idOf(data.core) !== data.id) throw new MismatchError('id', 'the core of the webhook is of another request than it says');
  const remembered = typeof core === 'function' ? await core(data.id) ?? '' : core;
  if (remembered !== null && data.core !== remembered) {
    throw new MismatchError('core', 'the webhook is about another request than the one that was remembered');
  }
  /** @type {import('./verifier.js').Report | null} */
  let report = null;
  if (decision !== null) {
    if (typeof data.receipt !== 'string') throw new NotVerifiedError('receipt', 'there is no receipt', { id: data.id });
    report = await verify(utf8(data.receipt), await parseTrust(utf8(trust)), { decision: /** @type {'approve' | 'reject'} */ (decision), core: data.core });
    if (!report.asExpected) {
      const step = report.steps.find((one) => one.id === report?.failedStep);
      throw new NotVerifiedError(step?.id ?? 'receipt', step?.detail ?? report.verdict, { id: data.id, report });
    }
  }
  return { id, status: data.status, confirmation: data, report };
}

/** @param {string} core @returns {unknown} */
function idOf(core) {
  try {
    return JSON.parse(core)?.id;
  } catch {
    return undefined;
  }
}

/** @param {any} headers @param {string} name @returns {string} */
function header(headers, name) {
  if (typeof headers.get === 'function') return headers.get(name) ?? '';
  const key = Object.keys(headers).find((one) => one.toLowerCase() === name);
  const value = key === undefined ? '' : headers[key];
  return typeof value === 'string' ? value : '';
}

/** @param {Uint8Array<ArrayBuffer>} secret @param {Uint8Array<ArrayBuffer>} signed @param {string} signatures */
async function isAuthentic(secret, signed, signatures) {
  const { subtle } = globalThis.crypto;
  const key = await subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  const found = await Promise.all(ofKind(signatures, 'v1').map((given) => subtle.verify('HMAC', key, given, signed)));
  return found.includes(true);
}

/** @param {Uint8Array<ArrayBuffer>} key @param {Uint8Array<ArrayBuffer>} signed @param {string} signatures */
async function isSigned(key, signed, signatures) {
  const found = await Promise.all(ofKind(signatures, 'v1a').map((given) => verifyEd25519(key, signed, given)));
  return found.includes(true);
}

/** @param {string} signatures @param {string} kind */
function ofKind(signatures, kind) {
  const pairs = signatures.split(' ').slice(0, 16).map((one) => one.split(','));
  return pairs.flatMap(([name, encoded]) => (name === kind && encoded ? [bytesOf(encoded)] : [])).filter((bytes) => bytes !== null);
}

/** @param {string} text @param {string} prefix */
function keyOf(text, prefix) {
  const bytes = text.startsWith(prefix) ? bytesOf(text.slice(prefix.length)) : null;
  if (bytes === null || bytes.length < 24) throw new TypeError(`a key that begins with ${prefix} is needed`);
  return bytes;
}

/** @param {string} base64 @returns {Uint8Array<ArrayBuffer> | null} */
function bytesOf(base64) {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}
