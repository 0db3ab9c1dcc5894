// The signature of an assertion: what is signed (WebAuthn Level 3 §6.3.3), its accepted encoding, and WebCrypto, which
// checks it. WebCrypto takes ECDSA signatures as r ‖ s and cannot check DER, so the converter here is strict.

import { bigEndian, concat, plain, sha256 } from '../encoding.js';
import { Refusal } from '../refusal.js';

/** @typedef {import('./public-key.js').PublicKey} PublicKey */

/** The order of P-256's group. */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * Checks encoding and signature of one assertion.
 *
 * @param {PublicKey} key  the enrolled key, never one from a request
 * @param {import('../entry.js').Assertion} assertion
 * @returns {Promise<void>}
 * @throws {Refusal}
 */
export async function verifySignature(key, { authenticatorData, clientDataJson, signature }) {
  if (!rawSignature(key, signature)) {
    const { length } = signature;
    throw new Refusal(`signature of ${length} bytes is not in the strict encoding of ${key.algorithm}`, 'A16');
  }
  const message = concat(authenticatorData, await sha256(clientDataJson));
  if (!(await isSignatureOf(key, message, signature))) {
    const what = `the enrolled ${key.algorithm} key's over authenticator data and client data`;
    throw new Refusal(`signature is not ${what}`, 'A15');
  }
}

/**
 * Whether a signature in its strict encoding is the key's over a message.
 *
 * @param {PublicKey} key
 * @param {Uint8Array} message
 * @param {Uint8Array} signature  DER for ES256
 * @returns {Promise<boolean>}
 */
export async function isSignatureOf(key, message, signature) {
  const raw = rawSignature(key, signature);
  if (!raw) return false;
  const { subtle } = globalThis.crypto;
  const parameters = PARAMETERS[key.algorithm];
  try {
    const imported = await subtle.importKey('spki', plain(key.spki), parameters, false, ['verify']);
    return await subtle.verify(parameters, imported, plain(raw), plain(message));
  } catch {
    // A key that the platform cannot use has signed nothing that it can check.
    return false;
  }
}

const PARAMETERS = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
};

/**
 * The signature as WebCrypto takes it; undefined if it is not in the strict encoding.
 *
 * @param {PublicKey} key
 * @param {Uint8Array} signature
 * @returns {Uint8Array | undefined}
 */
function rawSignature(key, signature) {
  if (!key.modulus) return derToRaw(signature);
  const fits = signature.length === key.modulus.length && bigEndian(signature) < bigEndian(key.modulus);
  return fits ? signature : undefined;
}

/**
 * Strict DER, consumed to its end, with 1 <= r, s < n, becomes r ‖ s of 64 bytes. High-S is accepted: about half of all
 * authenticators' signatures have it.
 *
 * @param {Uint8Array} der
 * @returns {Uint8Array | undefined}
 */
export function derToRaw(der) {
  // The longest has two integers of 32 bytes with a leading zero each, so that every length takes one byte.
  if (der.length < 8 || der.length > 72 || der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
  const r = integerAt(der, 2);
  const s = r && integerAt(der, r.end);
  if (!s || s.end !== der.length) return undefined;
  return concat(r.scalar, s.scalar);
}

/**
 * The INTEGER at a place: positive, in its shortest form, from 1 to n - 1, filled up to 32 bytes.
 *
 * @param {Uint8Array} der
 * @param {number} at
 */
function integerAt(der, at) {
  const [tag, length] = [der[at], der[at + 1]];
  const end = at + 2 + length;
  // A length of 0x80 and above would be the long form; no integer of ours has more than 33 bytes.
  if (tag !== 0x02 || !(length >= 1 && length <= 33) || end > der.length) return undefined;
  const content = der.subarray(at + 2, end);
  if (content[0] >= 0x80) return undefined;
  if (content[0] === 0 && length > 1 && content[1] < 0x80) return undefined;
  const value = bigEndian(content);
  if (value === 0n || value >= N) return undefined;
  const magnitude = length === 33 ? content.subarray(1) : content;
  return { scalar: concat(new Uint8Array(32 - magnitude.length), magnitude), end };
}
