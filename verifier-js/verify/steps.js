// The steps from a receipt's bytes to the facts that it proves. Each is a function of what the steps before it found.

import { parseCheckpoint } from '../checkpoint.js';
import { parseDocument } from '../document.js';
import { fromBase64url, hex, sameBytes, sha256, utf8 } from '../encoding.js';
import { parseEntry } from '../entry.js';
import { leafHash, verifyInclusion } from '../merkle.js';
import { labelOf, quoted } from '../names.js';
import { cosignedAt, isSignedBy, keyName, parseNote } from '../note.js';
import { parseReceipt } from '../receipt.js';
import { Refusal } from '../refusal.js';
import { timeOf } from '../time.js';
import { checkAuthenticatorData, parseAuthenticatorData } from '../webauthn/authenticator-data.js';
import { checkClientData, decodeClientData } from '../webauthn/client-data.js';
import { verifySignature } from '../webauthn/signature.js';
import { findKeys } from './enrolment.js';

/**
 * @typedef {import('../checkpoint.js').Checkpoint} Checkpoint
 * @typedef {import('../document.js').Decision} Decision
 * @typedef {import('../entry.js').DecisionEntry} DecisionEntry
 * @typedef {import('../note.js').Note} Note
 * @typedef {import('../receipt.js').Receipt} Receipt
 * @typedef {import('../trust.js').Trust} Trust
 * @typedef {import('../webauthn/client-data.js').ClientData} ClientData
 */

/**
 * @typedef {object} Vote  one decision of a receipt, as far as the steps have read it
 * @property {import('../receipt.js').DecisionPart} part
 * @property {import('../document.js').Document} document
 * @property {DecisionEntry} entry
 */

/**
 * What one step found, with words for the report.
 *
 * @template T
 * @typedef {Promise<[T, string]>} Found
 */

/**
 * Takes every step up to the quorum.
 *
 * @param {Uint8Array} bytes
 * @param {Trust} trust
 * @param {{take: <T>(id: string, check: () => Found<T>) => Promise<T>}} progress
 * @returns {Promise<import('./facts.js').Facts>}
 */
export async function takeSteps(bytes, trust, progress) {
  const receipt = await progress.take('receipt', () => readReceipt(bytes));
  const { checkpoint, witnessedAt } = await progress.take('checkpoint', () => openCheckpoint(receipt, trust));
  const documents = await progress.take('document', () => parseDocuments(receipt, checkpoint));
  const votes = await progress.take('entry', () => parseEntries(receipt, documents));
  const clientData = await progress.take('challenge', () => checkChallenges(votes));
  await progress.take('client-data', () => checkAllClientData(clientData, trust));
  await progress.take('authenticator-data', () => checkAllAuthenticatorData(votes, trust));
  const keys = await progress.take('enrolment', () => findKeys(receipt, votes, checkpoint, trust));
  await progress.take('signature', () => checkSignatures(votes, keys));
  await progress.take('inclusion', () => checkInclusion(receipt, checkpoint));
  const decision = await progress.take('quorum', () => checkQuorum(votes));
  const decisions = votes.map(({ part, document, entry }) => ({
    approver: document.approver,
    decision: document.decision,
    decidedAt: entry.decidedAt,
    index: part.index,
    credential: entry.credential,
  }));
  const keysPinned = trust.approvers !== undefined;
  return { decision, core: votes[0].document.core, decisions, checkpoint, keysPinned, witnessedAt };
}

/**
 * A number of things in words.
 *
 * @param {number} n
 * @param {string} what
 * @returns {string}
 */
export function count(n, what) {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

/**
 * The two halves of the challenge of a decision or an enrolment.
 *
 * @param {Uint8Array} challenge
 * @returns {{nonce: Uint8Array, hash: Uint8Array}}
 * @throws {Refusal}
 */
export function halvesOf(challenge) {
  if (challenge.length !== 64) {
    throw new Refusal(`a challenge of ${challenge.length} bytes, a decision's has 64`);
  }
  return { nonce: challenge.subarray(0, 32), hash: challenge.subarray(32) };
}

/**
 * @param {Uint8Array} bytes
 * @returns {Found<Receipt>}
 */
async function readReceipt(bytes) {
  const receipt = parseReceipt(bytes);
  const { decisions, enrolments } = receipt;
  return [receipt, `${count(decisions.length, 'decision')}, ${count(enrolments.length, 'enrolment')}`];
}

/**
 * The tree head, and the time by which as many witnesses as needed had cosigned it.
 *
 * @param {Receipt} receipt
 * @param {Trust} trust
 * @returns {Found<{checkpoint: Checkpoint, witnessedAt: import('../time.js').Time | null}>}
 */
async function openCheckpoint(receipt, trust) {
  const note = parseNote(utf8(receipt.checkpoint));
  const checkpoint = parseCheckpoint(note.text);
  const keys = trust.logs.filter((key) => key.name === checkpoint.logOrigin);
  if (keys.length === 0) throw new Refusal(`the log ${quoted(checkpoint.logOrigin)} is not in the trust file`);
  // Several keys may have the log's name: of each known key, a line that fails spoils the note.
  let signer;
  for (const key of keys) {
    if (await isSignedBy(note, key)) signer ??= key;
  }
  if (!signer) throw new Refusal(`no signature by a key of ${checkpoint.logOrigin} in the trust file`);
  const found = `tree of ${checkpoint.size} entries, signed by ${keyName(signer)}`;
  if (trust.witnessQuorum === 0n) return [{ checkpoint, witnessedAt: null }, found];
  const times = await witnessTimes(note, trust);
  const witnessedAt = timeOf(Number(times[Number(trust.witnessQuorum) - 1]));
  return [{ checkpoint, witnessedAt }, `${found} and ${count(times.length, 'witness key')}`];
}

/**
 * When each pinned witness key cosigned first, in ascending order; one key under two names counts once.
 *
 * @param {Note} note
 * @param {Trust} trust
 */
async function witnessTimes(note, trust) {
  /** @type {Map<string, bigint>} */
  const first = new Map();
  for (const witness of trust.witnesses) {
    const [key, time] = [hex(witness.publicKey), await cosignedAt(note, witness)];
    const before = first.get(key);
    if (time !== undefined && (before === undefined || time < before)) first.set(key, time);
  }
  if (BigInt(first.size) < trust.witnessQuorum) {
    throw new Refusal(`cosigned by ${first.size} of the ${trust.witnessQuorum} witnesses needed`);
  }
  return [...first.values()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/**
 * @param {Receipt} receipt
 * @param {Checkpoint} checkpoint
 * @returns {Found<import('../document.js').Document[]>}
 */
async function parseDocuments(receipt, checkpoint) {
  const documents = receipt.decisions.map((part) => {
    const document = parseDocument(part.document);
    const { log } = document.core;
    if (log !== checkpoint.logOrigin) {
      const needed = quoted(checkpoint.logOrigin);
      throw new Refusal(`the document names the log ${quoted(log)}, the checkpoint is of ${needed}`);
    }
    return document;
  });
  const { action, requester } = documents[0].core;
  return [documents, `“${action}”, asked by ${requester}`];
}

/**
 * @param {Receipt} receipt
 * @param {import('../document.js').Document[]} documents
 * @returns {Found<Vote[]>}
 */
async function parseEntries(receipt, documents) {
  const votes = [];
  for (const [i, document] of documents.entries()) {
    const part = receipt.decisions[i];
    const entry = parseEntry(part.entry);
    if (entry.kind !== 'decision') throw new Refusal('the entry is not a decision');
    const { log, issuedAt, expiresAt } = document.core;
    if (entry.approver !== (await labelOf(document.approver, log))) {
      throw new Refusal(`the entry's label is not ${document.approver}'s`);
    }
    if (entry.decision !== document.decision) {
      throw new Refusal(`the entry says ${entry.decision}, the document ${document.decision}`);
    }
    if (entry.decidedAt < issuedAt || entry.decidedAt > expiresAt) {
      throw new Refusal(`decided at ${entry.decidedAt}, outside of ${issuedAt} to ${expiresAt}`);
    }
    votes.push({ part, document, entry });
  }
  return [votes, votes.map(({ entry }) => `${entry.decision} at ${entry.decidedAt}`).join(', ')];
}

/**
 * @param {Vote[]} votes
 * @returns {Found<ClientData[]>}
 */
async function checkChallenges(votes) {
  const all = [];
  for (const { part, document, entry } of votes) {
    const clientData = decodeClientData(entry.assertion.clientDataJson);
    const { nonce, hash } = halvesOf(clientData.challenge);
    if (!sameBytes(nonce, fromBase64url(document.core.nonce) ?? new Uint8Array())) {
      throw new Refusal("the signed nonce is not the document's");
    }
    // Over the receipt's own text: nothing is serialised again between the bytes and the hash.
    if (!sameBytes(hash, await sha256(part.document))) throw new Refusal('the signature is over another document');
    all.push(clientData);
  }
  return [all, 'nonce and document hash are what was signed'];
}

/**
 * @param {ClientData[]} all
 * @param {Trust} trust
 * @returns {Found<void>}
 */
async function checkAllClientData(all, trust) {
  for (const clientData of all) checkClientData(clientData, trust.webOrigins);
  return [undefined, `signed on ${all[0].origin}`];
}

/**
 * @param {Vote[]} votes
 * @param {Trust} trust
 * @returns {Found<void>}
 */
async function checkAllAuthenticatorData(votes, trust) {
  for (const { entry } of votes) {
    await checkAuthenticatorData(parseAuthenticatorData(entry.assertion.authenticatorData), trust.rpId);
  }
  return [undefined, `user present and verified, for ${trust.rpId}, by the authenticator's word`];
}

/**
 * @param {Vote[]} votes
 * @param {import('../webauthn/public-key.js').PublicKey[]} keys  one for each vote
 * @returns {Found<void>}
 */
async function checkSignatures(votes, keys) {
  for (const [i, { entry }] of votes.entries()) await verifySignature(keys[i], entry.assertion);
  return [undefined, `${count(votes.length, 'good signature')} with the enrolled key`];
}

/**
 * @param {Receipt} receipt
 * @param {Checkpoint} checkpoint
 * @returns {Found<void>}
 */
async function checkInclusion(receipt, checkpoint) {
  const parts = [...receipt.decisions, ...receipt.enrolments];
  for (const { entry, index, hashes } of parts) {
    try {
      await verifyInclusion(await leafHash(utf8(entry)), index, checkpoint.size, hashes, checkpoint.root);
    } catch (error) {
      throw error instanceof Refusal ? new Refusal(`the entry at index ${index}: ${error.message}`) : error;
    }
  }
  return [undefined, `entries ${parts.map(({ index }) => index).join(', ')} are under the checkpoint's root`];
}

/**
 * @param {Vote[]} votes
 * @returns {Found<Decision>}
 */
async function checkQuorum(votes) {
  const { core } = votes[0].document;
  if (votes.some(({ document }) => document.core.text !== core.text)) {
    throw new Refusal('the documents are not of one confirmation');
  }
  const people = new Set(votes.map(({ document }) => document.approver));
  const keys = new Set(votes.map(({ entry }) => entry.credential));
  if (people.size < votes.length || keys.size < votes.length) {
    throw new Refusal('an approver or a key stands twice');
  }
  const rejection = votes.find(({ document }) => document.decision === 'reject');
  if (rejection) return ['reject', `${rejection.document.approver} rejected, and one rejection ends it`];
  if (votes.length < core.quorum) throw new Refusal(`${votes.length} of the ${core.quorum} approvals needed`);
  return ['approve', `${count(votes.length, 'approval')} of ${core.quorum} needed`];
}
