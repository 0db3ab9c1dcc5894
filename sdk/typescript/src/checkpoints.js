// The largest checkpoint of each log that a client has verified: a log that shows less later, or another history, took
// something back. Both checkpoints are in the error, because the two signatures together are evidence.

import { AbortedError, CountersignError, RolledBackError } from './errors.js';
import { ask } from './retry.js';
import {
  Refusal, fromBase64, isSignedBy, keyName, parseCheckpoint, parseNote, sameBytes, utf8, verifyConsistency,
} from './verifier.js';

/** Thrown inside, where asking once more for a receipt can help. */
export class Smaller extends RolledBackError {}

/**
 * Checks a checkpoint that a receipt was verified under against the largest one known, and remembers it.
 *
 * @param {import('./link.js').Link} link
 * @param {string} note  the signed checkpoint
 * @param {import('./clock.js').Patience} patience
 * @param {string} id  the confirmation's
 * @param {{overtaken?: boolean}} [options]  whether it may be smaller, if the log proves that the known one continues it: what
 *   cannot be asked for once more may have been on its way while another call verified a later one
 * @throws {RolledBackError}
 */
export async function remember(link, note, patience, id, { overtaken = false } = {}) {
  const key = `checkpoint ${await signerOf(link, note, patience)}`;
  for (;;) {
    const known = await link.memory.get(key);
    const isLarger = known === undefined || openCheckpoint(note).size > openCheckpoint(known).size;
    if (known !== undefined) await checkGrowth(link, { known, given: note, id, overtaken }, patience);
    // Another call may have remembered a larger one while the log was asked.
    if ((await link.memory.get(key)) !== known) continue;
    if (isLarger) await link.memory.set(key, note);
    return;
  }
}

/**
 * How many entries of a log the client has seen proved.
 *
 * @param {import('./link.js').Link} link
 * @param {string} logOrigin
 * @param {import('./clock.js').Patience} patience
 * @returns {Promise<bigint>}
 */
export async function knownEntries(link, logOrigin, patience) {
  const { trust } = await link.trusted.get(link, patience);
  let most = 0n;
  for (const key of trust.logs.filter(({ name }) => name === logOrigin)) {
    const known = await link.memory.get(`checkpoint ${keyName(key)}`);
    const { size } = known === undefined ? { size: 0n } : openCheckpoint(known);
    if (size > most) most = size;
  }
  return most;
}

/**
 * Opens a signed checkpoint.
 *
 * @param {string} note
 * @returns {import('./verifier.js').Checkpoint}
 * @throws {Refusal}
 */
export function openCheckpoint(note) {
  return parseCheckpoint(parseNote(utf8(note)).text);
}

/**
 * The name of the trusted log key that signed a checkpoint.
 *
 * @param {import('./link.js').Link} link
 * @param {string} note
 * @param {import('./clock.js').Patience} patience
 * @returns {Promise<string>}
 * @throws {Refusal}
 */
export async function signerOf(link, note, patience) {
  const parsed = parseNote(utf8(note));
  const { logOrigin } = parseCheckpoint(parsed.text);
  const { trust } = await link.trusted.get(link, patience);
  for (const key of trust.logs) {
    if (key.name === logOrigin && (await isSignedBy(parsed, key))) return keyName(key);
  }
  throw new Refusal('no key of the trust file signed this checkpoint');
}

/**
 * @param {import('./link.js').Link} link
 * @param {{known: string, given: string, id: string, overtaken: boolean}} notes
 * @param {import('./clock.js').Patience} patience
 */
async function checkGrowth(link, { overtaken, ...notes }, patience) {
  const [known, given] = [openCheckpoint(notes.known), openCheckpoint(notes.given)];
  const isSmaller = given.size < known.size;
  if (isSmaller && !overtaken) throw new Smaller(`it had ${known.size} entries, and has ${given.size}`, notes);
  const [older, later] = isSmaller ? [given, known] : [known, given];
  if (older.size === later.size) {
    if (sameBytes(given.root, known.root)) return;
    throw new RolledBackError(`it shows two histories of ${known.size} entries`, notes);
  }
  try {
    const hashes = await askConsistency(link, older.size, later.size, patience, notes.id);
    await verifyConsistency(older.size, later.size, older.root, later.root, hashes);
  } catch (cause) {
    if (cause instanceof AbortedError || !(cause instanceof Refusal || cause instanceof CountersignError)) throw cause;
    throw new RolledBackError(`it does not prove that it only grew: ${cause.message}`, { ...notes, cause });
  }
}

/**
 * @param {import('./link.js').Link} link
 * @param {bigint} from
 * @param {bigint} to
 * @param {import('./clock.js').Patience} patience
 * @param {string} id
 * @returns {Promise<Uint8Array[]>}
 */
async function askConsistency(link, from, to, patience, id) {
  const path = `/log/proof/consistency?from=${from}&to=${to}`;
  const { value } = await ask(link, { method: 'GET', path }, patience, { id, tries: 3 });
  const { hashes } = Object(value);
  if (!Array.isArray(hashes) || hashes.length > 63) throw new Refusal('it answers with no consistency proof');
  return hashes.map((text) => {
    const hash = typeof text === 'string' ? fromBase64(text) : undefined;
    if (hash?.length !== 32) throw new Refusal('a hash of its consistency proof is not base64 of 32 bytes');
    return hash;
  });
}
