// The enrolment step: from a receipt's enrolments to the keys of its decisions. Whose key it is, and whether it was allowed
// at that time.

import { challengeOf } from '../document.js';
import { base64url } from '../encoding.js';
import { parseEntry } from '../entry.js';
import { jsonObject, toCanonical } from '../json.js';
import { quoted } from '../names.js';
import { Refusal } from '../refusal.js';
import { verifyAssertion } from '../webauthn/assertion.js';
import { decodeClientData } from '../webauthn/client-data.js';
import { parsePublicKey } from '../webauthn/public-key.js';
import { count, halvesOf } from './steps.js';

/**
 * @typedef {import('../entry.js').CredentialEntry} CredentialEntry
 * @typedef {import('../trust.js').Trust} Trust
 * @typedef {import('../webauthn/public-key.js').PublicKey} PublicKey
 */

/**
 * @typedef {object} Enrolled  an enrolment as it stands in the log
 * @property {CredentialEntry} entry
 * @property {PublicKey} key
 * @property {bigint} index
 */

/**
 * The keys that decided, one for each vote.
 *
 * @param {import('../receipt.js').Receipt} receipt
 * @param {import('./steps.js').Vote[]} votes
 * @param {import('../checkpoint.js').Checkpoint} checkpoint
 * @param {Trust} trust
 * @returns {import('./steps.js').Found<PublicKey[]>}
 * @throws {Refusal}
 */
export async function findKeys(receipt, votes, checkpoint, trust) {
  /** @type {Map<string, Enrolled>} */
  const enrolled = new Map();
  const needed = new Set(votes.map(({ entry }) => entry.credential));
  for (const part of receipt.enrolments) {
    const enrolment = await parseEnrolment(part, trust);
    const { authorisedBy } = enrolment.entry;
    if ('credential' in authorisedBy) {
      const earlier = enrolled.get(authorisedBy.credential);
      await checkAuthorisation(enrolment, authorisedBy.assertion, earlier, checkpoint.logOrigin, trust);
      needed.add(authorisedBy.credential);
    }
    enrolled.set(enrolment.key.credential, enrolment);
  }
  const exactly = enrolled.size === needed.size && [...needed].every((credential) => enrolled.has(credential));
  if (enrolled.size !== receipt.enrolments.length || !exactly) {
    throw new Refusal('not exactly one enrolment for each key that signed');
  }
  const keys = votes.map((vote) => keyOf(vote, enrolled, trust));
  const how = trust.approvers ? 'pinned by the trust file' : 'logged, not pinned';
  return [keys, `${count(enrolled.size, 'key')} enrolled before the decision, ${how}`];
}

/**
 * @param {import('../receipt.js').LoggedEntry} part
 * @param {Trust} trust
 * @returns {Promise<Enrolled>}
 */
async function parseEnrolment(part, trust) {
  const entry = parseEntry(part.entry);
  if (entry.kind !== 'credential') throw new Refusal('the entry is not an enrolment');
  if (entry.rpId !== trust.rpId) {
    throw new Refusal(`the key was enrolled for ${quoted(entry.rpId)}, the trust file says ${quoted(trust.rpId)}`);
  }
  const key = await parsePublicKey(entry.publicKey);
  if (key.algorithm !== entry.alg) {
    throw new Refusal(`the key is of ${key.algorithm}, its enrolment says ${quoted(entry.alg)}`);
  }
  return { entry, key, index: part.index };
}

/**
 * A key that an earlier key of the same approver allowed: that key signed this one.
 *
 * @param {Enrolled} added
 * @param {import('../entry.js').Assertion} assertion
 * @param {Enrolled | undefined} earlier
 * @param {string} logOrigin
 * @param {Trust} trust
 */
async function checkAuthorisation(added, assertion, earlier, logOrigin, trust) {
  if (!earlier) throw new Refusal('the key that authorised an enrolment is not among the earlier enrolments');
  if (earlier.entry.approver !== added.entry.approver) {
    throw new Refusal("an enrolment was authorised by another approver's key");
  }
  checkRevoked(earlier.key.credential, added.index, trust);
  const { nonce } = halvesOf(decodeClientData(assertion.clientDataJson).challenge);
  const challenge = await challengeOf(nonce, enrolmentDocument(added.entry, logOrigin));
  try {
    await verifyAssertion(assertion, challenge, trust, earlier.key);
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(`the authorisation of an enrolment: ${error.message}`) : error;
  }
}

/**
 * What an earlier key signs to allow a new one (after a nonce).
 *
 * @param {CredentialEntry} entry
 * @param {string} logOrigin
 */
function enrolmentDocument(entry, logOrigin) {
  return toCanonical(jsonObject([
    ['approver', entry.approver],
    ['log', logOrigin],
    ['public_key', base64url(entry.publicKey)],
    ['rp_id', entry.rpId],
    ['type', 'countersign/enrolment/v1'],
  ]));
}

/**
 * @param {import('./steps.js').Vote} vote
 * @param {Map<string, Enrolled>} enrolled
 * @param {Trust} trust
 */
function keyOf({ part, document, entry }, enrolled, trust) {
  const enrolment = enrolled.get(entry.credential);
  if (!enrolment) throw new Error('every key that signed has its enrolment');
  if (enrolment.entry.approver !== entry.approver) {
    throw new Refusal(`the key was not enrolled for ${document.approver}`);
  }
  if (enrolment.index >= part.index) throw new Refusal('the key was enrolled after the decision');
  if (trust.approvers) {
    const keys = trust.approvers.get(document.approver);
    if (!keys) throw new Refusal(`${document.approver} is not in the trust file`);
    if (!keys.has(entry.credential)) {
      throw new Refusal(`the key ${entry.credential} of ${document.approver} is not in the trust file`);
    }
  }
  checkRevoked(entry.credential, part.index, trust);
  return enrolment.key;
}

/**
 * A key that the trust file lists as revoked signs nothing from that index on, neither decisions nor enrolments.
 *
 * @param {string} credential
 * @param {bigint} at
 * @param {Trust} trust
 */
function checkRevoked(credential, at, trust) {
  const from = trust.revoked.get(credential);
  if (from !== undefined && at >= from) throw new Refusal(`the key was revoked at index ${from}, it signed at ${at}`);
}
