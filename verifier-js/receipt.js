// Receipts: one canonical JSON file with everything that a stranger needs to check a decision, except the trust anchors.
//
//   {"checkpoint": "<signed note>",
//    "decisions": [{"document": "<text>", "entry": "<text>", "hashes": ["…"], "index": 7}],
//    "enrolments": [{"entry": "<text>", "hashes": ["…"], "index": 3}],
//    "type": "countersign/receipt/v1"}
//
// All proofs are against the one checkpoint. Decisions and enrolments stand in the order of the log.

import { hashFromBase64url, utf8 } from './encoding.js';
import { Fields, wrong } from './fields.js';
import { parseCanonical } from './json.js';
import { MAX_NOTE } from './note.js';
import { Refusal } from './refusal.js';

/**
 * @typedef {object} LoggedEntry  an entry with its proof
 * @property {string} entry  type line and JSON
 * @property {Uint8Array[]} hashes  the inclusion proof
 * @property {bigint} index  where in the log
 */

/** @typedef {LoggedEntry & {document: string}} DecisionPart  the exact document that was signed, and its entry */

/**
 * @typedef {object} Receipt  parsed, nothing in it verified yet
 * @property {string} checkpoint
 * @property {DecisionPart[]} decisions  ascending by index
 * @property {LoggedEntry[]} enrolments  ascending by index
 */

/** The largest receipt, in bytes. */
export const MAX_RECEIPT = 32 * 1024 * 1024;
const MAX_DECISIONS = 32;
/** Eight for each decision: the key that signed it, and the keys that authorised keys. */
const MAX_ENROLMENTS = 256;
/** The longest inclusion proof of a tree of fewer than 2^63 entries. */
const MAX_HASHES = 63;

/**
 * Parses a receipt; one newline may follow it.
 *
 * @param {Uint8Array} bytes
 * @returns {Receipt}
 * @throws {Refusal}
 */
export function parseReceipt(bytes) {
  const text = bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
  const value = parseCanonical(text, { maxBytes: MAX_RECEIPT, maxDepth: 5 });
  const fields = Fields.exactly(value, ['checkpoint', 'decisions', 'enrolments', 'type']);
  fields.requireType('countersign/receipt/v1');
  const [decisions, enrolments] = [fields.array('decisions'), fields.array('enrolments')];
  if (!isCount(decisions, MAX_DECISIONS) || !isCount(enrolments, MAX_ENROLMENTS)) {
    throw new Refusal('a receipt has 1 to 32 decisions and 1 to 256 enrolments');
  }
  const receipt = {
    checkpoint: fields.string('checkpoint'),
    decisions: Array.from(decisions, readDecisionPart),
    enrolments: Array.from(enrolments, (part) => readLogged(Fields.exactly(part, ['entry', 'hashes', 'index']))),
  };
  if (utf8(receipt.checkpoint).length > MAX_NOTE) throw new Refusal('the checkpoint is larger than 16384 bytes');
  if (!isAscending(receipt.decisions) || !isAscending(receipt.enrolments)) {
    throw new Refusal('decisions and enrolments must be ascending by index');
  }
  return receipt;
}

/**
 * @param {import('./json.js').JsonValue} value
 * @returns {DecisionPart}
 */
function readDecisionPart(value) {
  const fields = Fields.exactly(value, ['document', 'entry', 'hashes', 'index']);
  return { document: fields.string('document'), ...readLogged(fields) };
}

/**
 * @param {Fields} fields
 * @returns {LoggedEntry}
 */
function readLogged(fields) {
  const hashes = fields.strings('hashes');
  if (hashes.length > MAX_HASHES) throw new Refusal('a proof has at most 63 hashes');
  return {
    entry: fields.string('entry'),
    hashes: hashes.map((text) => hashFromBase64url(text) ?? wrong('hashes', 'an array of base64url of 32 bytes')),
    index: fields.integer('index'),
  };
}

/**
 * @param {unknown[]} items
 * @param {number} limit
 */
function isCount(items, limit) {
  return items.length >= 1 && items.length <= limit;
}

/** @param {LoggedEntry[]} parts */
function isAscending(parts) {
  return parts.every((part, i) => i === 0 || parts[i - 1].index < part.index);
}
