// Makes anew what depends on a changed part of a receipt, as testdata's own maker does: challenge, signature, tree,
// checkpoint. Without that, every change would end at the first hash over it, and the later steps would see none.
//
// Every key of testdata/ but the RSA keys is one byte, 32 times, so trying all bytes finds it; what an RSA key signed stays
// as it was. Signatures hold no randomness, so that a seed gives the same mutants again.

import { createECDH, createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { canonical } from './json.mjs';

const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** SubjectPublicKeyInfo of a P-256 point up to the point, and PKCS #8 of an Ed25519 seed up to the seed. */
const SPKI = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** What may have been changed, in the order in which one depends on the other. */
export const LAYERS = /** @type {const} */ (['document', 'signed', 'signature', 'entry', 'tree', 'checkpoint']);

const scalars = new Map(bytes().map((scalar) => [sha256(SPKI, pointOf(scalar)).toString('base64url'), scalar]));
const seeds = new Map(bytes().map((seed) => [publicKeyOf(seed).toString('base64'), seed]));

/**
 * Renews everything above the changed layer. What is too broken for that stays as it is.
 *
 * @param {any} receipt  from `JSON.parse`; changed in place
 * @param {typeof LAYERS[number]} layer  the one that was changed
 * @param {string[]} logKeys  the trust file's
 */
export function repair(receipt, layer, logKeys) {
  const changed = LAYERS.indexOf(layer);
  const { decisions, enrolments } = receipt;
  if (!Array.isArray(decisions) || !Array.isArray(enrolments)) return;
  if (changed < LAYERS.indexOf('signature')) decisions.forEach((part) => signAgain(part, layer === 'document'));
  if (changed < LAYERS.indexOf('tree')) logAgain(receipt, [...enrolments, ...decisions]);
  receipt.checkpoint = signedNote(receipt.checkpoint, logKeys);
}

/** @param {any} part @param {boolean} renewChallenge */
function signAgain(part, renewChallenge) {
  const [line, json] = splitEntry(part?.entry);
  const fields = parsed(json);
  if (typeof fields?.client_data_json !== 'string' || typeof fields.authenticator_data !== 'string') return;
  let clientData = Buffer.from(fields.client_data_json, 'base64url');
  if (renewChallenge) {
    const document = parsed(part.document);
    const nonce = typeof document?.nonce === 'string' ? Buffer.from(document.nonce, 'base64url') : Buffer.alloc(32);
    const challenge = Buffer.concat([nonce, sha256(String(part.document))]).toString('base64url');
    // latin1 keeps every byte as it is.
    clientData = Buffer.from(clientData.toString('latin1').replace(/("challenge":")[\w-]*/, `$1${challenge}`), 'latin1');
  }
  fields.client_data_json = clientData.toString('base64url');
  const scalar = scalars.get(fields.credential);
  if (scalar !== undefined) {
    const message = Buffer.concat([Buffer.from(fields.authenticator_data, 'base64url'), sha256(clientData)]);
    fields.signature = ecdsa(scalar, message).toString('base64url');
  }
  part.entry = `${line}\n${canonical(fields)}`;
}

/** A log of these entries and nothing else. @param {any} receipt @param {any[]} parts */
function logAgain(receipt, parts) {
  const leaves = parts.map((part) => sha256(Buffer.of(0), String(part?.entry)));
  parts.forEach((part, index) => {
    if (part === null || typeof part !== 'object') return;
    part.index = index;
    part.hashes = proof(index, leaves).map((hash) => hash.toString('base64url'));
  });
  const [origin, , , , ...lines] = String(receipt.checkpoint).split('\n');
  receipt.checkpoint = [origin, leaves.length, root(leaves).toString('base64'), '', ...lines].join('\n');
}

/** The lines of others stay, which then do not sign this text. @param {unknown} note @param {string[]} logKeys */
function signedNote(note, logKeys) {
  if (typeof note !== 'string' || !note.includes('\n\n')) return note;
  const text = note.slice(0, note.indexOf('\n\n') + 1);
  const [origin] = text.split('\n');
  const others = note.slice(text.length + 1).split(/(?<=\n)/).filter((line) => !line.startsWith(`— ${origin} `));
  const logKey = logKeys.find((key) => key.startsWith(`${origin}+`)) ?? logKeys[0];
  const [name, id, blob] = logKey.split(/\+(.*?)\+(.*)/);
  const seed = seeds.get(Buffer.from(blob, 'base64').subarray(1).toString('base64'));
  if (seed === undefined) throw new Error(`no byte is the seed of ${logKey}`);
  const line = Buffer.concat([Buffer.from(id, 'hex'), sign(null, Buffer.from(text), privateKeyOf(seed))]);
  return `${text}\n— ${name} ${line.toString('base64')}\n${others.join('')}`;
}

/** RFC 6962 §2.1. @param {Buffer[]} leaves @returns {Buffer} */
function root(leaves) {
  if (leaves.length < 2) return leaves[0] ?? sha256('');
  const split = splitAt(leaves.length);
  return sha256(Buffer.of(1), root(leaves.slice(0, split)), root(leaves.slice(split)));
}

/** RFC 6962 §2.1.1. @param {number} index @param {Buffer[]} leaves @returns {Buffer[]} */
function proof(index, leaves) {
  if (leaves.length < 2) return [];
  const split = splitAt(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split ? [...proof(index, left), root(right)] : [...proof(index - split, right), root(left)];
}

/** @param {number} length */
function splitAt(length) {
  return 2 ** Math.floor(Math.log2(length - 1));
}

/** ECDSA whose nonce is a hash of key and message. @param {number} scalar @param {Buffer} message */
function ecdsa(scalar, message) {
  const d = numberOf(Buffer.alloc(32, scalar));
  const k = sha256(Buffer.alloc(32, scalar), message);
  const r = numberOf(pointOf(k).subarray(1, 33)) % N;
  const s = (power(numberOf(k), N - 2n) * (numberOf(sha256(message)) + r * d)) % N;
  const body = Buffer.concat([derInteger(r), derInteger(s)]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

/** @param {bigint} number */
function derInteger(number) {
  const hex = number.toString(16);
  const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  const body = bytes[0] & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
  return Buffer.concat([Buffer.of(2, body.length), body]);
}

/** @param {bigint} base @param {bigint} exponent */
function power(base, exponent) {
  let result = 1n;
  for (let square = base % N; exponent > 0n; exponent >>= 1n, square = (square * square) % N) {
    if (exponent & 1n) result = (result * square) % N;
  }
  return result;
}

/** @param {number | Buffer} scalar  a byte stands for 32 of it */
function pointOf(scalar) {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(typeof scalar === 'number' ? Buffer.alloc(32, scalar) : scalar);
  return curve.getPublicKey();
}

/** @param {number} seed */
function privateKeyOf(seed) {
  return createPrivateKey({ key: Buffer.concat([PKCS8, Buffer.alloc(32, seed)]), format: 'der', type: 'pkcs8' });
}

/** @param {number} seed */
function publicKeyOf(seed) {
  return createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' }).subarray(-32);
}

/** An entry's type line and the rest. @param {unknown} entry */
export function splitEntry(entry) {
  const text = typeof entry === 'string' ? entry : '';
  const end = text.indexOf('\n');
  return end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end + 1)];
}

/** An object from a text, if it is one. @param {unknown} text @returns {any} */
export function parsed(text) {
  try {
    const value = JSON.parse(String(text));
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** @param {(string | Uint8Array)[]} parts */
function sha256(...parts) {
  const hash = createHash('sha256');
  parts.forEach((part) => hash.update(part));
  return hash.digest();
}

/** @param {Buffer} bytes */
function numberOf(bytes) {
  return BigInt(`0x${bytes.toString('hex')}`);
}

/** 1 to 254: above that a byte, 32 times, is no P-256 scalar. */
function bytes() {
  return Array.from({ length: 254 }, (_, i) => i + 1);
}
