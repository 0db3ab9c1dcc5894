// Log entries of ours: a type line and canonical JSON, `countersign/decision/v1\n{…}`. No optional fields, no null.

import { utf8 } from './encoding.js';
import { readDecision } from './document.js';
import { Fields, wrong } from './fields.js';
import { parseCanonical } from './json.js';
import { Refusal } from './refusal.js';

/**
 * @typedef {import('./json.js').JsonValue} JsonValue
 * @typedef {import('./time.js').Time} Time
 */

/**
 * @typedef {object} Assertion  one signature by an enrolled key, as received
 * @property {Uint8Array} authenticatorData
 * @property {Uint8Array} clientDataJson
 * @property {Uint8Array} signature
 */

/**
 * @typedef {object} CredentialEntry  a key was enrolled for an approver
 * @property {'credential'} kind
 * @property {string} approver  the label
 * @property {string} alg
 * @property {Uint8Array} publicKey  SPKI DER
 * @property {string} rpId
 * @property {boolean} backupEligible
 * @property {Time} enrolledAt
 * @property {Authorisation} authorisedBy
 */

/**
 * Who allowed an enrolment: an invite, or an earlier key of the same approver, which signed the new one.
 *
 * @typedef {{invite: string} | {credential: string, assertion: Assertion}} Authorisation
 */

/**
 * @typedef {object} DecisionEntry  an approver decided
 * @property {'decision'} kind
 * @property {string} approver  the label
 * @property {string} credential  base64url of SHA-256 of the key's SPKI DER
 * @property {Time} decidedAt
 * @property {import('./document.js').Decision} decision
 * @property {Assertion} assertion
 */

/** @typedef {{kind: 'revocation', approver: string, credential: string, reason: string, revokedAt: Time}} RevocationEntry */
/** @typedef {{kind: 'consumption', nonce: string, consumedAt: Time}} ConsumptionEntry */
/** @typedef {CredentialEntry | RevocationEntry | DecisionEntry | ConsumptionEntry} Entry */

/** The largest entry that a log's bundle can hold, in bytes. */
export const MAX_ENTRY = 65_535;

const REASONS = ['lost', 'stolen', 'left', 'replaced', 'other'];
const ASSERTION_FIELDS = ['authenticator_data', 'client_data_json', 'signature'];

/**
 * Parses an entry: a type line, then canonical JSON with exactly the fields of that type.
 *
 * @param {string} text
 * @returns {Entry}
 * @throws {Refusal}
 */
export function parseEntry(text) {
  const size = utf8(text).length;
  if (size > MAX_ENTRY) throw new Refusal(`an entry of ${size} bytes, at most ${MAX_ENTRY} are allowed`);
  const end = text.indexOf('\n');
  const read = end < 0 ? undefined : READERS.get(text.slice(0, end));
  if (!read) throw new Refusal('no type line of a known entry');
  return read(parseCanonical(utf8(text.slice(end + 1)), { maxBytes: MAX_ENTRY, maxDepth: 2 }));
}

/** @type {Map<string, (value: JsonValue) => Entry>} */
const READERS = new Map([
  ['countersign/credential/v1', readCredential],
  ['countersign/revocation/v1', readRevocation],
  ['countersign/decision/v1', readDecisionEntry],
  ['countersign/consumption/v1', readConsumption],
]);

/**
 * @param {JsonValue} value
 * @returns {Entry}
 */
function readCredential(value) {
  const fields = Fields.exactly(value, [
    'alg', 'approver', 'authorised_by', 'backup_eligible', 'enrolled_at', 'public_key', 'rp_id',
  ]);
  return {
    kind: 'credential',
    approver: fields.hashText('approver'),
    alg: fields.string('alg'),
    publicKey: fields.bytes('public_key'),
    rpId: fields.string('rp_id'),
    backupEligible: fields.boolean('backup_eligible'),
    enrolledAt: fields.time('enrolled_at'),
    authorisedBy: readAuthorisation(fields.value('authorised_by')),
  };
}

/**
 * @param {JsonValue} value
 * @returns {Authorisation}
 */
function readAuthorisation(value) {
  if (value instanceof Map && value.has('invite')) {
    return { invite: Fields.exactly(value, ['invite']).hashText('invite') };
  }
  const fields = Fields.exactly(value, ['authenticator_data', 'client_data_json', 'credential', 'signature']);
  return { credential: fields.hashText('credential'), assertion: readAssertion(fields) };
}

/**
 * @param {JsonValue} value
 * @returns {Entry}
 */
function readRevocation(value) {
  const fields = Fields.exactly(value, ['approver', 'credential', 'reason', 'revoked_at']);
  return {
    kind: 'revocation',
    approver: fields.hashText('approver'),
    credential: fields.hashText('credential'),
    reason: readReason(fields.string('reason')),
    revokedAt: fields.time('revoked_at'),
  };
}

/** @param {string} text */
function readReason(text) {
  return REASONS.includes(text) ? text : wrong('reason', 'lost, stolen, left, replaced or other');
}

/**
 * @param {JsonValue} value
 * @returns {Entry}
 */
function readDecisionEntry(value) {
  const fields = Fields.exactly(value, [
    'approver', 'authenticator_data', 'client_data_json', 'credential', 'decided_at', 'decision', 'signature',
  ]);
  return {
    kind: 'decision',
    approver: fields.hashText('approver'),
    credential: fields.hashText('credential'),
    decision: readDecision(fields),
    decidedAt: fields.time('decided_at'),
    assertion: readAssertion(fields),
  };
}

/**
 * @param {JsonValue} value
 * @returns {Entry}
 */
function readConsumption(value) {
  const fields = Fields.exactly(value, ['consumed_at', 'nonce']);
  return { kind: 'consumption', nonce: fields.hashText('nonce'), consumedAt: fields.time('consumed_at') };
}

/**
 * @param {Fields} fields
 * @returns {Assertion}
 */
function readAssertion(fields) {
  const [authenticatorData, clientDataJson, signature] = ASSERTION_FIELDS.map((field) => fields.bytes(field));
  return { authenticatorData, clientDataJson, signature };
}
