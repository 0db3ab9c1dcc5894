// The core of an answer: what all documents of a confirmation share (docs/protocol.md section 7), compared with what was asked.
// The client remembers it, and from then on believes a receipt for exactly this text alone.

import { MismatchError } from './errors.js';
import { Fields, Refusal, parseCanonical, secondsOf, sha256, toCanonical, utf8 } from './verifier.js';

/**
 * @typedef {object} Core
 * @property {string} text  the exact text
 * @property {string} id
 * @property {string} action
 * @property {string} payload  canonical text
 * @property {string[]} approvers
 * @property {number} quorum
 * @property {string} requester
 * @property {string} log  the log origin
 * @property {string} nonce  base64url
 * @property {boolean} reveal
 * @property {string} issuedAt
 * @property {string} expiresAt
 * @property {string} useBy
 */

const NAMES = [
  'action', 'approvers', 'expires_at', 'id', 'issued_at', 'log', 'nonce', 'payload', 'quorum', 'requester', 'reveal', 'type',
  'use_by',
];
/** A payload of 256 KiB and what stands around it. */
const LIMITS = { maxBytes: 272 * 1024, maxDepth: 33 };
/** How far the clocks of client and server may be apart, in seconds, where an older request or use would be somebody else's. */
export const FRESH = 120;

/**
 * Reads the core of an answer and compares it with what was asked.
 *
 * @param {unknown} answer  the server's
 * @param {import('./request.js').Asked} asked
 * @param {{logs: string[], freshAt?: number}} now  the log origins that are trusted; and, unless an older request is as good,
 *   when this one was made, in seconds since 1970
 * @returns {Core}
 * @throws {MismatchError}
 */
export function coreOf(answer, asked, { logs, freshAt }) {
  const { id, core: text } = Object(answer);
  const core = readCore(text);
  const differs = (/** @type {string} */ field, /** @type {string} */ words) => new MismatchError(field, words, core.id);
  if (id !== core.id) throw differs('id', `the answer's id is ${quoted(id)}, its core's ${quoted(core.id)}`);
  const expected = /** @type {const} */ (['action', 'payload', 'quorum', 'reveal', 'requester']);
  for (const field of expected) {
    if (asked[field] !== undefined && core[field] !== asked[field]) {
      throw differs(field, `the ${field} is ${quoted(core[field])}, asked was ${quoted(asked[field])}`);
    }
  }
  if (core.approvers.join() !== asked.approvers.join()) {
    throw differs('approvers', `the approvers are ${quoted(core.approvers)}, asked were ${quoted(asked.approvers)}`);
  }
  if (!logs.includes(core.log)) throw differs('log', `the log is ${quoted(core.log)}, trusted is ${quoted(logs)}`);
  checkTimes(core, asked, differs);
  if (freshAt !== undefined && Math.abs(seconds(core.issuedAt) - freshAt) > FRESH) {
    const words = `it was issued at ${core.issuedAt}, more than ${FRESH} seconds from this computer's time`;
    throw differs('issuedAt', `${words}: an older request, or a wrong clock`);
  }
  return core;
}

/**
 * Checks that an answer is about a confirmation that is known.
 *
 * @param {unknown} answer
 * @param {Core} core
 * @throws {MismatchError}
 */
export function checkSame(answer, core) {
  const { id, core: text } = Object(answer);
  if (id !== core.id) throw new MismatchError('id', `the answer's id is ${quoted(id)}, asked was ${quoted(core.id)}`, core.id);
  if (text !== core.text) throw new MismatchError('core', "the answer's core is not this request's", core.id);
}

/**
 * The code that approver and requester compare, computed here and not taken from the server.
 *
 * @param {Core} core
 * @returns {Promise<string>}
 */
export async function compareCodeOf(core) {
  const bytes = (await sha256(`countersign/compare/v1\n${core.text}`)).subarray(0, 10);
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const symbols = bits.match(/.{5}/g) ?? [];
  const text = symbols.map((symbol) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(symbol, 2)]).join('');
  return (text.match(/.{4}/g) ?? []).join('-');
}

/**
 * @param {unknown} text
 * @returns {Core}
 */
function readCore(text) {
  if (typeof text !== 'string') throw new MismatchError('core', 'it has no core');
  try {
    const fields = Fields.exactly(parseCanonical(utf8(text), LIMITS), NAMES);
    fields.requireType('countersign/document/v1');
    return {
      text,
      id: readId(fields.string('id')),
      action: fields.string('action'),
      payload: toCanonical(fields.members('payload')),
      approvers: fields.strings('approvers'),
      quorum: Number(fields.integer('quorum')),
      requester: fields.string('requester'),
      log: fields.string('log'),
      nonce: fields.hashText('nonce'),
      reveal: fields.boolean('reveal'),
      issuedAt: fields.time('issued_at'),
      expiresAt: fields.time('expires_at'),
      useBy: fields.time('use_by'),
    };
  } catch (error) {
    throw error instanceof Refusal ? new MismatchError('core', `its core is malformed: ${error.message}`) : error;
  }
}

/**
 * The id becomes part of a path.
 *
 * @param {string} id
 */
function readId(id) {
  if (!/^cnf_[a-z2-7]{26}$/.test(id)) throw new Refusal('the id is not cnf_ and 26 symbols of base32');
  return id;
}

/**
 * @param {Core} core
 * @param {import('./request.js').Asked} asked
 * @param {(field: string, words: string) => MismatchError} differs
 */
function checkTimes(core, asked, differs) {
  const windows = /** @type {const} */ ([
    ['expiresIn', seconds(core.expiresAt) - seconds(core.issuedAt)],
    ['useWithin', seconds(core.useBy) - seconds(core.expiresAt)],
  ]);
  for (const [field, given] of windows) {
    if (given !== asked[field]) throw differs(field, `${field} is ${given} seconds, asked were ${asked[field]}`);
  }
}

/** @param {string} time  checked before */
function seconds(time) {
  return secondsOf(time) ?? NaN;
}

/** @param {unknown} value */
function quoted(value) {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
