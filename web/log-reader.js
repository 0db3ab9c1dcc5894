// Reading this server's log without believing it: the checkpoint's signature is verified with the key of the trust file, and
// every entry is hashed and proven here before it is shown.

import { parseCheckpoint } from '/verifier/checkpoint.js';
import { base64, fromBase64, sameBytes, utf8 } from '/verifier/encoding.js';
import { leafHash, verifyInclusion } from '/verifier/merkle.js';
import { isSignedBy, parseNote } from '/verifier/note.js';
import { parseTrust } from '/verifier/trust.js';

/** What the log answers does not hold, or no answer came. */
export class LogError extends Error {
  /**
   * @param {string} reason
   * @param {boolean} isOffence  whether the log says what cannot be true
   */
  constructor(reason, isOffence = false) {
    super(reason);
    this.name = 'LogError';
    this.isOffence = isOffence;
  }
}

/** The most entries of one answer. */
export const BATCH = 256n;

/**
 * @typedef {object} View  the log as it was signed at one moment
 * @property {string} logOrigin
 * @property {bigint} size
 * @property {Uint8Array} root
 * @property {string} key  the verifier key
 * @property {string} note  the checkpoint's text with its signatures
 */

/** @typedef {{index: bigint, bytes: Uint8Array}} Entry */
/** @typedef {{leaf: Uint8Array, hashes: Uint8Array[]}} Proof */

/** The verified checkpoint. @returns {Promise<View>} @throws {LogError} */
export async function openLog() {
  const [trustText, note] = await Promise.all([read('/trust.json'), read('/log/checkpoint')]);
  const logOrigin = `${location.host}/log`;
  return offence('The checkpoint', async () => {
    const trust = await parseTrust(utf8(trustText));
    const at = trust.logs.findIndex(({ name }) => name === logOrigin);
    if (at < 0) throw new Error(`the trust file of this server has no key for ${logOrigin}`);
    const parsed = parseNote(utf8(note));
    if (!(await isSignedBy(parsed, trust.logs[at]))) throw new Error('it is not signed by the key of the trust file');
    const checkpoint = parseCheckpoint(parsed.text);
    if (checkpoint.logOrigin !== logOrigin) throw new Error(`it is of another log: ${checkpoint.logOrigin}`);
    return { ...checkpoint, key: JSON.parse(trustText).logs[at], note };
  });
}

/**
 * Entries from `start` to before `end`, at most {@link BATCH}, hashed here but not proven yet.
 *
 * @param {bigint} start
 * @param {bigint} end
 * @returns {Promise<Entry[]>} ascending
 */
export async function readEntries(start, end) {
  if (start >= end) return [];
  const text = await read(`/log/entries?start=${start}&end=${end}`);
  return offence('The list of entries', async () => {
    const { entries } = JSON.parse(text);
    if (BigInt(entries.length) !== end - start) throw new Error(`it has ${entries.length} entries, not ${end - start}`);
    return entries.map(({ entry, index }, i) => {
      if (BigInt(index) !== start + BigInt(i)) throw new Error('it is out of order');
      return { index: start + BigInt(i), bytes: bytesOf(entry) };
    });
  });
}

/**
 * Proves that an entry stands in the log where it claims to.
 *
 * @param {View} view
 * @param {Entry} entry
 * @returns {Promise<Proof>}
 * @throws {LogError}
 */
export async function prove(view, { index, bytes }) {
  const text = await read(`/log/proof/inclusion?index=${index}&size=${view.size}`);
  return offence(`Entry ${index}`, async () => {
    const hashes = JSON.parse(text).hashes.map(bytesOf);
    const leaf = await leafHash(bytes);
    await verifyInclusion(leaf, index, view.size, hashes, view.root);
    return { leaf, hashes };
  });
}

/**
 * The entry with a leaf hash; undefined if there is none. That there is none is the server's word.
 *
 * @param {View} view
 * @param {Uint8Array} leaf
 * @returns {Promise<Entry | undefined>}
 * @throws {LogError}
 */
export async function findLeaf(view, leaf) {
  const text = await read(`/log/proof/inclusion?leaf_hash=${encodeURIComponent(base64(leaf))}&size=${view.size}`, [404]);
  if (text === undefined) return undefined;
  const index = await offence('The answer', async () => BigInt(JSON.parse(text).index));
  const [entry] = await readEntries(index, index + 1n);
  if (!sameBytes(await leafHash(entry.bytes), leaf)) throw new LogError(`Entry ${index} has another leaf hash.`, true);
  return entry;
}

async function read(path, absent = []) {
  let response;
  try {
    response = await fetch(path, { cache: 'no-store', redirect: 'error' });
    if (response.ok) return await response.text();
  } catch {
    throw new LogError('No answer from the server. Is this device online?');
  }
  if (absent.includes(response.status)) return undefined;
  throw new LogError(`The server answered with status ${response.status}.`);
}

async function offence(what, check) {
  try {
    return await check();
  } catch (error) {
    throw new LogError(`${what} does not hold: ${error.message}.`, true);
  }
}

function bytesOf(text) {
  const bytes = typeof text === 'string' ? fromBase64(text) : undefined;
  if (!bytes) throw new Error('something in it is not base64');
  return bytes;
}
