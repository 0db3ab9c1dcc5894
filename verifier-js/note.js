// Signed notes (C2SP signed-note v1.0.0) with Ed25519 keys: what a log signs and what a verifier pins.
//
//   text, ended by a newline
//                                            an empty line
//   — <key name> <base64(4-byte key id ‖ signature)>
//
// Lines of keys that the caller does not know are kept and ignored: anybody may add one.

import { isPoint, isStrongKey, verifyEd25519 } from './ed25519.js';
import { base64, bigEndian, concat, fromBase64, fromUtf8, hex, sameBytes, sha256, utf8 } from './encoding.js';
import { Refusal } from './refusal.js';

/** The most bytes of a note that are looked at. */
export const MAX_NOTE = 16 * 1024;
/** The most signature lines that are looked at. */
const MAX_SIGNATURES = 64;

/** The type byte of a log's Ed25519 signature. */
const ED25519 = 0x01;
/** The type byte of a witness's timestamped Ed25519 cosignature (C2SP tlog-cosignature). */
const COSIGNATURE_V1 = 0x04;

/**
 * @typedef {object} Note  parsed, nothing in it verified yet
 * @property {string} text  the signed text, its final newline included
 * @property {{name: string, keyId: Uint8Array, signature: Uint8Array}[]} signatures
 */

/**
 * @typedef {object} VerifierKey  a public key as a verifier pins it
 * @property {string} name  for a log, its log origin
 * @property {Uint8Array} id  the first 4 bytes of a hash of name, type and key
 * @property {Uint8Array} publicKey  32 bytes
 */

/**
 * Parses a note.
 *
 * @param {Uint8Array} bytes
 * @returns {Note}
 * @throws {Refusal}
 */
export function parseNote(bytes) {
  if (bytes.length > MAX_NOTE) throw malformed('more than 16384 bytes');
  const all = fromUtf8(bytes);
  if (all === undefined) throw malformed('not UTF-8');
  if (/[\u0000-\u0009\u000b-\u001f]/.test(all)) throw malformed('a control character');
  // The text may hold empty lines itself, so the last one separates.
  const split = all.lastIndexOf('\n\n');
  if (split < 0) throw malformed('no empty line before the signatures');
  const [text, lines] = [all.slice(0, split + 1), all.slice(split + 2)];
  if (!lines.endsWith('\n')) throw malformed('no newline at the end');
  const signatures = lines.slice(0, -1).split('\n');
  if (signatures.length > MAX_SIGNATURES) throw malformed('more than 64 signatures');
  return { text, signatures: signatures.map(parseSignature) };
}

/**
 * Whether the log's key signed the note. A line of a known name and id that fails spoils the note.
 *
 * @param {Note} note
 * @param {VerifierKey} key
 * @returns {Promise<boolean>} false if it has no line of this key
 * @throws {Refusal} if a line of this key does not verify
 */
export async function isSignedBy(note, key) {
  const lines = linesOf(note, key);
  for (const line of lines) {
    if (!(await verifyEd25519(key.publicKey, utf8(note.text), line.signature))) throw badSignature(key);
  }
  return lines.length > 0;
}

/**
 * When the witness's key cosigned the note (C2SP tlog-cosignature: `u64 time ‖ signature` over `cosignature/v1`, the time
 * and the note's text).
 *
 * @param {Note} note
 * @param {VerifierKey} key
 * @returns {Promise<bigint | undefined>} its earliest time, in seconds since 1970; undefined if it has no line of this key
 * @throws {Refusal} if a line of this key does not verify
 */
export async function cosignedAt(note, key) {
  let earliest;
  for (const line of linesOf(note, key)) {
    const time = bigEndian(line.signature.subarray(0, 8));
    const message = utf8(`cosignature/v1\ntime ${time}\n${note.text}`);
    const good = time < 2n ** 63n && (await verifyEd25519(key.publicKey, message, line.signature.subarray(8)));
    if (!good) throw badSignature(key);
    if (earliest === undefined || time < earliest) earliest = time;
  }
  return earliest;
}

/**
 * Reads a log's public key: `<name>+<8 hex digits of the key id>+<base64(0x01 ‖ key)>`.
 *
 * @param {string} text
 * @returns {Promise<VerifierKey>}
 * @throws {Refusal}
 */
export function parseLogKey(text) {
  return parseKey(text, ED25519);
}

/**
 * Reads a witness's public key: as a log's, with type 0x04.
 *
 * @param {string} text
 * @returns {Promise<VerifierKey>}
 * @throws {Refusal}
 */
export function parseWitnessKey(text) {
  return parseKey(text, COSIGNATURE_V1);
}

/**
 * The name of a key in reports: `<name>+<8 hex digits of the key id>`.
 *
 * @param {VerifierKey} key
 * @returns {string}
 */
export function keyName(key) {
  return `${key.name}+${hex(key.id)}`;
}

/**
 * @param {string} text
 * @param {number} kind
 * @returns {Promise<VerifierKey>}
 */
async function parseKey(text, kind) {
  const refusal = (/** @type {string} */ why) => new Refusal(`not an Ed25519 note key: ${why}`);
  const parts = /^([^+]*)\+([^+]*)\+(.*)$/su.exec(text);
  if (!parts) throw refusal('not name+id+key');
  const [, name, , encoded] = parts;
  if (!isKeyName(name)) throw refusal('an empty name, or a name with a space');
  const blob = fromBase64(encoded);
  if (blob?.length !== 33) throw refusal('not base64 of 33 bytes');
  if (blob[0] !== kind) throw refusal('another signature type');
  const publicKey = blob.subarray(1);
  if (!isPoint(publicKey)) throw refusal('not a point of the curve');
  if (!isStrongKey(publicKey)) throw refusal('not the one encoding of a point of large order');
  const id = (await sha256(concat(utf8(`${name}\n`), blob))).subarray(0, 4);
  const key = { name, id, publicKey };
  if (`${keyName(key)}+${base64(blob)}` !== text) throw refusal("the key id is another key's");
  return key;
}

/** @param {string} line */
function parseSignature(line) {
  const [, name, encoded] = /^— ([^ ]*) (.*)$/su.exec(line) ?? [];
  const bytes = encoded === undefined ? undefined : fromBase64(encoded);
  if (!bytes || bytes.length < 5 || !isKeyName(name)) {
    throw malformed('a signature line that is not `— name base64`');
  }
  return { name, keyId: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}

/**
 * C2SP signed-note: names are not empty and hold no Unicode space and no plus. The spaces are written out, so that they do not
 * depend on the engine's version of Unicode.
 *
 * @param {string} name
 */
function isKeyName(name) {
  // The space by its number: what makes scripts small for the browser takes a blank in a class for white space.
  return /^[^\t-\r\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000+]+$/u.test(name);
}

/**
 * @param {Note} note
 * @param {VerifierKey} key
 */
function linesOf(note, key) {
  return note.signatures.filter((line) => line.name === key.name && sameBytes(line.keyId, key.id));
}

/** @param {string} why */
function malformed(why) {
  return new Refusal(`malformed note: ${why}`);
}

/** @param {VerifierKey} key */
function badSignature(key) {
  return new Refusal(`the signature by ${key.name} does not verify`);
}
