// What a caller asks for, checked and put into the form in which the answer is compared with it (docs/api.md).

import { canonicalText, payloadText } from './payload.js';
import { base64url } from './verifier.js';

/**
 * What is asked. `username`, or `approvers` with `quorum`. All durations of this SDK are in seconds.
 *
 * @typedef {object} Question
 * @property {string} [username]  the one approver
 * @property {readonly string[]} [approvers]  who is asked
 * @property {number} [quorum]  how many of them must approve; 1 if left out
 * @property {string} action  the title that people read, 1 to 300 characters
 * @property {object} payload  exactly what will be done: a plain object of JSON values
 * @property {string} [notify]  how the approvers are told
 * @property {number} [expiresIn]  for the decision; 300 if left out
 * @property {number} [useWithin]  after that, for using an approval; 3600 if left out
 * @property {boolean} [reveal]  whether anyone may fetch the receipt; no if left out
 * @property {unknown} [metadata]  given back to the requester and shown to nobody
 * @property {string} [requester]  the name of the API key, if it is to be checked
 * @property {string} [idempotencyKey]  the same key finds the same request again; a random one if left out
 */

/**
 * A question in the form in which answers are compared with it.
 *
 * @typedef {object} Asked
 * @property {string} body  of the POST
 * @property {string} action
 * @property {string} payload  canonical text
 * @property {string[]} approvers  ascending
 * @property {number} quorum
 * @property {boolean} reveal
 * @property {number} expiresIn
 * @property {number} useWithin
 * @property {string} [requester]
 */

const EXPIRES_IN = 300;
const USE_WITHIN = 3600;

/** The fields of a {@link Question}; a misspelt one would otherwise be left out silently. */
const FIELDS = new Set([
  'username', 'approvers', 'quorum', 'action', 'payload', 'notify', 'expiresIn', 'useWithin', 'reveal', 'metadata', 'requester',
  'idempotencyKey',
]);

/**
 * @param {Question} question
 * @returns {Asked}
 * @throws {TypeError} if the call is wrong
 */
export function readQuestion(question) {
  refuseUnknown(question, FIELDS);
  const { username, approvers, quorum = 1, action, requester, reveal = false } = question;
  const { notify, expiresIn, useWithin, metadata } = question;
  const names = approvers ?? [username];
  const isList = Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === 'string');
  if (!isList || (username === undefined) === (approvers === undefined)) {
    throw new TypeError('give username, or approvers with quorum');
  }
  if (username !== undefined && quorum !== 1) throw new TypeError('a quorum goes with approvers');
  if (typeof action !== 'string') throw new TypeError('action must be a string');
  if (requester !== undefined && typeof requester !== 'string') throw new TypeError('requester must be a string');
  if (typeof reveal !== 'boolean') throw new TypeError('reveal must be true or false');
  for (const [name, value] of Object.entries({ quorum, expiresIn, useWithin })) {
    const isGood = value === undefined || (Number.isSafeInteger(value) && value > 0);
    if (!isGood) throw new TypeError(`${name} must be a whole number`);
  }
  const payload = payloadText(question.payload);
  const who = username === undefined ? { approvers: names, quorum } : { username };
  const rest = { ...who, action, notify, expiresIn, useWithin, reveal: reveal || undefined };
  const more = metadata === undefined ? '' : `,"metadata":${canonicalText(metadata)}`;
  return {
    body: `${JSON.stringify(rest).slice(0, -1)},"payload":${payload}${more}}`,
    action,
    payload,
    approvers: [.../** @type {string[]} */ (names)].sort(),
    quorum,
    reveal,
    expiresIn: expiresIn ?? EXPIRES_IN,
    useWithin: useWithin ?? USE_WITHIN,
    requester,
  };
}

/**
 * The caller's idempotency key, or a new one of 128 random bits.
 *
 * @param {string} [given]
 * @returns {string}
 */
export function idempotencyKey(given) {
  if (given === undefined) return base64url(crypto.getRandomValues(new Uint8Array(16)));
  if (typeof given !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(given)) {
    throw new TypeError('an idempotency key is 1 to 255 visible ASCII characters');
  }
  return given;
}

/**
 * @param {object} options
 * @param {ReadonlySet<string>} known
 * @throws {TypeError}
 */
export function refuseUnknown(options, known) {
  const unknown = Object.keys(options).find((name) => !known.has(name));
  if (unknown !== undefined) throw new TypeError(`there is no option ${JSON.stringify(unknown)}`);
}
