// The last verified checkpoint of each log, kept in this browser. A log may only grow: next time it must prove that the old
// tree is the beginning of the new one. Two trees that do not fit together mean that the log shows different people different
// things, so the old one is then kept and the page says so.

import { verifyConsistency } from '/verifier/merkle.js';
import { base64, fromBase64, sameBytes } from '/verifier/encoding.js';
import { timeNow } from './local-time.js';

/** @typedef {{logOrigin: string, size: bigint, root: Uint8Array}} Checkpoint  verified by the caller */

/** Whether this page comes from the server of that log, which can then be asked. @param {string} logOrigin */
export function isOwnLog(logOrigin) {
  return location.protocol !== 'file:' && logOrigin === `${location.host}/log`;
}

/**
 * Compares a verified checkpoint with the remembered one, and remembers the larger of both if they fit together.
 *
 * @param {Checkpoint} checkpoint
 * @returns {Promise<{tone: 'good' | 'bad' | 'plain', text: string}>}
 */
export async function compareWithRemembered(checkpoint) {
  const { logOrigin, size } = checkpoint;
  const known = recall(logOrigin);
  // The empty tree is the beginning of every tree, so that nothing could be learnt from remembering it.
  if (size === 0n) return plain('A log without entries has nothing to prove yet.');
  if (!known) {
    remember(checkpoint);
    return plain(`This browser had no checkpoint of this log. It now remembers this one, of size ${size}.`);
  }
  if (known.size === size) {
    if (sameBytes(known.root, checkpoint.root)) return good(`It is the checkpoint that this browser remembers, of size ${size}.`);
    return bad(`The log has signed two different trees of size ${size}: one that this browser remembers, and this one.`);
  }
  if (!isOwnLog(logOrigin)) {
    const where = 'Only a page of the log’s own server can ask for the proof that both fit together.';
    return plain(`This browser remembers a checkpoint of size ${known.size}. ${where}`);
  }
  const [older, newer] = known.size < size ? [known, checkpoint] : [checkpoint, known];
  const { hashes, refused, silent } = await askForProof(older.size, newer.size);
  const both = `the trees of size ${older.size} and ${newer.size} fit together`;
  const one = 'one of which this browser remembers';
  if (silent) return plain(`The log has not proven that ${both}, ${one}: ${silent}. If it stays so, do not trust it.`);
  const failure = refused ?? (await inconsistency(older, newer, hashes));
  if (failure) return bad(`The log cannot prove that ${both}, ${one}: ${failure}.`);
  remember(newer);
  const grown = `The log has proven that the tree of size ${older.size} is the beginning of the tree of size ${newer.size}`;
  return good(`${grown}, ${one}.`);
}

/** A log that answers that it has no such tree has forgotten it; one that does not answer may only be out of reach. */
async function askForProof(from, to) {
  try {
    const response = await fetch(`/log/proof/consistency?from=${from}&to=${to}`, { cache: 'no-store' });
    if (response.status === 422) return { refused: 'it says that it has no tree of that size' };
    if (!response.ok) return { silent: `the server answered with status ${response.status}` };
    return { hashes: (await response.json()).hashes };
  } catch {
    return { silent: 'no answer' };
  }
}

/** Why two trees do not fit together; undefined if they do. */
async function inconsistency(older, newer, texts) {
  try {
    const hashes = texts.map((text) => fromBase64(text));
    if (hashes.some((hash) => hash?.length !== 32)) throw new Error('one of its hashes is none');
    await verifyConsistency(older.size, newer.size, older.root, newer.root, hashes);
    return undefined;
  } catch (error) {
    return error.message;
  }
}

/** @param {string} logOrigin @returns {Checkpoint & {since?: string} | undefined} */
export function recall(logOrigin) {
  try {
    const { size, root, since } = JSON.parse(localStorage.getItem(keyOf(logOrigin)));
    const hash = fromBase64(root);
    return hash?.length === 32 ? { logOrigin, size: BigInt(size), root: hash, since } : undefined;
  } catch {
    // Nothing remembered, nothing readable, or a browser that keeps nothing.
    return undefined;
  }
}

function remember({ logOrigin, size, root }) {
  try {
    localStorage.setItem(keyOf(logOrigin), JSON.stringify({ size: String(size), root: base64(root), since: timeNow() }));
  } catch {
    // A browser that keeps nothing has nothing to compare next time.
  }
}

/** @param {string} logOrigin */
export function forget(logOrigin) {
  localStorage.removeItem(keyOf(logOrigin));
}

function keyOf(logOrigin) {
  return `countersign.checkpoint.${logOrigin}`;
}

const good = (text) => ({ tone: 'good', text });
const bad = (text) => ({ tone: 'bad', text });
const plain = (text) => ({ tone: 'plain', text });
