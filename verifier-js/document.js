// Documents and cores: what an approver signs, and what all documents of one confirmation share.
//
//   document  = RFC 8785 canonical JSON with exactly the fields below
//   challenge = nonce (32 bytes) ‖ SHA-256(document)
//   core      = the document without approver, decision and salt

import { concat, isBase32, sha256, utf8 } from './encoding.js';
import { Fields, wrong } from './fields.js';
import { JsonError, JsonObject, parseCanonical, parseJson, toCanonical } from './json.js';
import { MAX_ACTION, MAX_REQUESTER, checkShown, checkUsername } from './names.js';
import { Refusal } from './refusal.js';
import { secondsOf } from './time.js';

/** @typedef {import('./time.js').Time} Time */

/** @typedef {'approve' | 'reject'} Decision */

/**
 * @typedef {object} Core  what all documents of one confirmation share
 * @property {string} text  the core as exact text
 * @property {string} action  the title, in the requester's words
 * @property {string[]} approvers  who is asked, ascending and without repeats
 * @property {Time} expiresAt  the last moment for a decision
 * @property {string} id  the confirmation's id
 * @property {Time} issuedAt  when it was asked
 * @property {string} log  the log origin
 * @property {string} nonce  base64url of 32 random bytes, public, one for each confirmation
 * @property {JsonObject} payload  the exact payload
 * @property {number} quorum  how many of the approvers must approve
 * @property {string} requester  the name of who asks
 * @property {boolean} reveal  whether the receipt will be public
 * @property {Time} useBy  the last moment for using an approval
 */

/**
 * @typedef {object} Document  what one approver signs
 * @property {Core} core
 * @property {string} approver  one of the core's approvers
 * @property {Decision} decision
 * @property {string} salt  base64url of 32 secret random bytes, one for each approver
 */

/** The largest canonical payload, in bytes. */
export const MAX_PAYLOAD = 256 * 1024;
/** The deepest payload, itself counted as 1. */
export const MAX_PAYLOAD_DEPTH = 32;

const MAX_DOCUMENT = MAX_PAYLOAD + 16 * 1024;
const MAX_APPROVERS = 32;
/** The shortest and the longest time for a decision, and again for using it, in seconds. */
const WINDOW = [5, 72 * 3600];
const TYPE = 'countersign/document/v1';
const CORE_FIELDS = [
  'action', 'approvers', 'expires_at', 'id', 'issued_at', 'log', 'nonce', 'payload', 'quorum', 'requester', 'reveal',
  'type', 'use_by',
];
const OWN_FIELDS = ['approver', 'decision', 'salt'];

/**
 * Parses a document's canonical text and checks every rule.
 *
 * @param {string} text
 * @returns {Document}
 * @throws {Refusal}
 */
export function parseDocument(text) {
  const limits = { maxBytes: MAX_DOCUMENT, maxDepth: MAX_PAYLOAD_DEPTH + 1 };
  const fields = Fields.exactly(parseCanonical(utf8(text), limits), [...CORE_FIELDS, ...OWN_FIELDS]);
  const document = {
    core: readCore(fields),
    approver: username('approver', fields.string('approver')),
    decision: readDecision(fields),
    salt: fields.hashText('salt'),
  };
  if (!document.core.approvers.includes(document.approver)) {
    throw new Refusal('approver must be one of approvers');
  }
  return document;
}

/**
 * Parses a payload strictly, in any layout: an object of at most 256 KiB in canonical form and 32 levels, with exact
 * numbers.
 *
 * @param {Uint8Array} bytes
 * @returns {JsonObject}
 * @throws {JsonError}
 */
export function parsePayload(bytes) {
  // White space and escapes may make the text longer than its canonical form, which is what the limit is about.
  const value = parseJson(bytes, { maxBytes: 4 * MAX_PAYLOAD, maxDepth: MAX_PAYLOAD_DEPTH });
  const given = utf8(toCanonical(value)).length;
  if (given > MAX_PAYLOAD) throw new JsonError('too large', `${given} bytes, at most ${MAX_PAYLOAD} are allowed`);
  if (!(value instanceof JsonObject)) throw new JsonError('syntax', 'not JSON at byte 0: expected an object');
  return value;
}

/**
 * The `decision` field of a document or an entry.
 *
 * @param {Fields} fields
 * @returns {Decision}
 * @throws {Refusal}
 */
export function readDecision(fields) {
  const text = fields.string('decision');
  return text === 'approve' || text === 'reject' ? text : wrong('decision', 'approve or reject');
}

/**
 * nonce ‖ SHA-256(text)
 *
 * @param {Uint8Array} nonce
 * @param {string} text
 * @returns {Promise<Uint8Array>}
 */
export async function challengeOf(nonce, text) {
  return concat(nonce, await sha256(text));
}

/**
 * @param {Fields} fields  their names checked
 * @returns {Core}
 */
function readCore(fields) {
  fields.requireType(TYPE);
  const core = {
    text: toCanonical(new JsonObject([...fields.object].filter(([name]) => !OWN_FIELDS.includes(name)))),
    action: fields.string('action'),
    approvers: fields.strings('approvers').map((name) => username('approvers', name)),
    expiresAt: fields.time('expires_at'),
    id: readId(fields),
    issuedAt: fields.time('issued_at'),
    log: fields.string('log'),
    nonce: fields.hashText('nonce'),
    payload: fields.members('payload'),
    quorum: readQuorum(fields),
    requester: fields.string('requester'),
    reveal: fields.boolean('reveal'),
    useBy: fields.time('use_by'),
  };
  checkCore(core);
  // The document's own limits leave room around the payload, so the payload is measured by itself.
  parsePayload(utf8(toCanonical(core.payload)));
  return core;
}

/**
 * Every rule that the types do not say: names, counts, order, windows.
 *
 * @param {Core} core
 */
function checkCore(core) {
  named('action', () => checkShown(core.action, MAX_ACTION));
  named('requester', () => checkShown(core.requester, MAX_REQUESTER));
  const { length } = core.approvers;
  if (length < 1 || length > MAX_APPROVERS) throw new Refusal('approvers must be 1 to 32 usernames');
  if (core.approvers.some((name, i) => i > 0 && core.approvers[i - 1] >= name)) {
    throw new Refusal('approvers must be ascending, without repeats');
  }
  if (core.quorum === 0 || core.quorum > length) throw new Refusal('quorum must be 1 to the number of approvers');
  if (core.log === '') throw new Refusal('log must not be empty');
  if (!isWindow(core.issuedAt, core.expiresAt)) {
    throw new Refusal('expires_at must be 5 seconds to 72 hours after issued_at');
  }
  if (!isWindow(core.expiresAt, core.useBy)) {
    throw new Refusal('use_by must be 5 seconds to 72 hours after expires_at');
  }
}

/**
 * @param {Time} from
 * @param {Time} to
 */
function isWindow(from, to) {
  const seconds = (secondsOf(to) ?? NaN) - (secondsOf(from) ?? NaN);
  return WINDOW[0] <= seconds && seconds <= WINDOW[1];
}

/**
 * @param {string} field
 * @param {string} text
 */
function username(field, text) {
  return named(field, () => checkUsername(text));
}

/** @param {Fields} fields */
function readId(fields) {
  const id = fields.string('id');
  const good = id.startsWith('cnf_') && id.length === 30 && isBase32(id.slice(4));
  return good ? id : wrong('id', 'cnf_ and 26 symbols of lower-case base32');
}

/** @param {Fields} fields */
function readQuorum(fields) {
  const quorum = fields.integer('quorum');
  return quorum < 2n ** 32n ? Number(quorum) : wrong('quorum', '1 to 32');
}

/**
 * Says which field a name or a title stands in that breaks a rule.
 *
 * @template T
 * @param {string} field
 * @param {() => T} check
 * @returns {T}
 */
function named(field, check) {
  try {
    return check();
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(`the field ${field}: ${error.message}`) : error;
  }
}
