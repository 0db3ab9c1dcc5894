// What an approver signs: read the two documents of a confirmation and check that they are what the page will show
// (docs/protocol.md §7).
//
//   document     = canonical JSON with exactly the fields below
//   challenge    = nonce (32 bytes) ‖ SHA-256(document)
//   core         = the document without approver, decision and salt
//   compare code = base32 of the first 10 bytes of SHA-256("countersign/compare/v1\n" ‖ core)
//
// Nothing that is hashed or shown comes from anywhere but the exact text of the documents.

import { decode } from './base64url.js';
import { parseCanonical, serialize } from './canonical-json.js';

const TYPE = 'countersign/document/v1';
const DECISIONS = ['approve', 'reject'];
const OWN_FIELDS = ['approver', 'decision', 'salt'];
const MAX_PAYLOAD_BYTES = 256 * 1024;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** What the server says does not fit together. Nothing may be signed. */
export class Mismatch extends Error {
  /** @param {string} reason */
  constructor(reason) {
    super(reason);
    this.name = 'Mismatch';
  }
}

/**
 * @typedef {object} Choice  one of the two documents, ready to be signed
 * @property {string} text  the exact document
 * @property {number} bytes  its size
 * @property {string} sha256  its hash in hexadecimal
 * @property {Uint8Array} challenge  what the authenticator signs
 */

/**
 * @typedef {object} Request
 * @property {Record<string, any>} fields  the parsed document, but for `decision`
 * @property {string} compareCode  computed here
 * @property {{approve: Choice, reject: Choice}} choices
 */

/**
 * Reads both documents, and refuses unless they are well formed, belong to this confirmation, this person and this log,
 * differ in `decision` alone, and have the compare code that the server gave.
 *
 * @param {{approve: string, reject: string}} documents  exact texts
 * @param {{id: string, approver: string, log: string, compareCode: string}} expected  `log` is the log origin
 * @returns {Promise<Request>}
 * @throws {Mismatch}
 */
export async function readRequest(documents, expected) {
  const [approve, reject] = DECISIONS.map((decision) => readDocument(documents?.[decision], decision));
  const fields = without(approve, ['decision']);
  if (serialize(fields) !== serialize(without(reject, ['decision']))) {
    throw new Mismatch('The documents for approving and rejecting are not about the same request.');
  }
  if (fields.id !== expected.id) throw new Mismatch('The document belongs to another request.');
  if (fields.approver !== expected.approver) throw new Mismatch('The document is made out to another person.');
  if (fields.log !== expected.log) throw new Mismatch('The document belongs to the log of another site.');
  const code = await compareCode(fields);
  if (code !== expected.compareCode) {
    throw new Mismatch(`The compare code of the document is ${code}, but the server gave another one.`);
  }
  return {
    fields,
    compareCode: code,
    choices: {
      approve: await choice(documents.approve, fields.nonce),
      reject: await choice(documents.reject, fields.nonce),
    },
  };
}

/**
 * The code that this page and the requester both show.
 *
 * @param {Record<string, any>} fields  a document, or its core
 */
export async function compareCode(fields) {
  const hash = await sha256(`countersign/compare/v1\n${serialize(without(fields, OWN_FIELDS))}`);
  return base32(hash.subarray(0, 10)).match(/.{4}/g).join('-');
}

function readDocument(text, decision) {
  let value;
  try {
    value = parseCanonical(text);
  } catch (error) {
    throw new Mismatch(`The document to ${decision} cannot be read: ${error.message}.`);
  }
  const wrong = wrongField(value);
  if (wrong) throw new Mismatch(`The document to ${decision} is not well formed: ${wrong}.`);
  if (value.decision !== decision) throw new Mismatch(`The document to ${decision} says something else.`);
  return value;
}

/** The rules that a document's fields obey by themselves. */
const RULES = {
  action: (action) => isText(action) && [...action].length <= 300,
  approver: (approver, { approvers }) => Array.isArray(approvers) && approvers.includes(approver),
  approvers: (names) =>
    Array.isArray(names) &&
    names.length >= 1 &&
    names.length <= 32 &&
    names.every((name, i) => typeof name === 'string' && isUsername(name) && (i === 0 || names[i - 1] < name)),
  decision: (decision) => DECISIONS.includes(decision),
  expires_at: (time, { issued_at }) => isTime(time) && time > issued_at,
  id: isText,
  issued_at: isTime,
  log: isText,
  nonce: is32Bytes,
  payload: (payload) => isObject(payload) && new TextEncoder().encode(serialize(payload)).length <= MAX_PAYLOAD_BYTES,
  quorum: (quorum, { approvers }) => Number.isInteger(quorum) && quorum >= 1 && quorum <= approvers.length,
  requester: isText,
  reveal: (reveal) => typeof reveal === 'boolean',
  salt: is32Bytes,
  type: (type) => type === TYPE,
  use_by: (time, { expires_at }) => isTime(time) && time > expires_at,
};

/** The first field that is missing, unknown or wrong. */
function wrongField(value) {
  if (!isObject(value)) return 'it is not an object';
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(RULES, name));
  if (unknown !== undefined) return `it has the unknown field ${JSON.stringify(unknown)}`;
  const missing = Object.keys(RULES).find((name) => !Object.hasOwn(value, name));
  if (missing) return `the field ${missing} is missing`;
  const wrong = Object.keys(RULES).find((name) => !RULES[name](value[name], value));
  return wrong && `the field ${wrong} is wrong`;
}

/** @param {string} name */
export function isUsername(name) {
  return /^[a-z0-9._@-]{1,64}$/.test(name);
}

function isText(value) {
  return typeof value === 'string' && value !== '';
}

function isObject(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function isTime(value) {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value)) return false;
  const date = new Date(value);
  return !Number.isNaN(date.getTime()) && date.toISOString() === value.replace('Z', '.000Z');
}

function is32Bytes(value) {
  try {
    return decode(value).length === 32;
  } catch {
    return false;
  }
}

async function choice(text, nonce) {
  const bytes = new TextEncoder().encode(text);
  const hash = await sha256(text);
  const challenge = new Uint8Array(64);
  challenge.set(decode(nonce), 0);
  challenge.set(hash, 32);
  return { text, bytes: bytes.length, sha256: hex(hash), challenge };
}

function without(object, names) {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

async function sha256(text) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

function hex(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function base32(bytes) {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.match(/.{5}/g).map((five) => BASE32[parseInt(five, 2)]).join('');
}
