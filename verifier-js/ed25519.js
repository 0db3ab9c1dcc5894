// Ed25519 (RFC 8032) as logs and witnesses use it: WebCrypto checks the signature, and keys and commitments of small order,
// with which one signature may fit many texts, are refused here.

import { plain } from './encoding.js';
import { Refusal } from './refusal.js';

/**
 * Whether 32 bytes are a point of the curve.
 *
 * @param {Uint8Array} bytes
 * @returns {boolean}
 */
export function isPoint(bytes) {
  if (bytes.length !== 32) return false;
  const square = modulo(coordinate(bytes) ** 2n);
  // x² = (y² - 1) / (d y² + 1); a quotient is a square if and only if the product is.
  const product = modulo((square - 1n) * (D * square + 1n));
  return product === 0n || power(product, (P - 1n) / 2n) === 1n;
}

/**
 * Whether 32 bytes that are a point of the curve may be a key: the one encoding of the point (RFC 8032 §5.1.3), and not of
 * small order.
 *
 * @param {Uint8Array} bytes
 * @returns {boolean}
 */
export function isStrongKey(bytes) {
  return littleEndian(bytes) % 2n ** 255n < P && !hasSmallOrder(bytes);
}

/**
 * Whether a signature by this key over a message is good.
 *
 * @param {Uint8Array} key  32 bytes, a point of the curve
 * @param {Uint8Array} message
 * @param {Uint8Array} signature
 * @returns {Promise<boolean>}
 * @throws {Refusal} where WebCrypto has no Ed25519
 */
export async function verifyEd25519(key, message, signature) {
  if (signature.length !== 64) return false;
  const commitment = signature.subarray(0, 32);
  if (!isPoint(commitment) || hasSmallOrder(commitment) || hasSmallOrder(key)) return false;
  try {
    const imported = await globalThis.crypto.subtle.importKey('raw', plain(key), 'Ed25519', false, ['verify']);
    return await globalThis.crypto.subtle.verify('Ed25519', imported, plain(signature), plain(message));
  } catch (error) {
    if (error instanceof Error && error.name === 'NotSupportedError') {
      throw new Refusal('this browser or runtime has no Ed25519 in WebCrypto, so nothing can be verified');
    }
    return false;
  }
}

/** The field of the curve, and its constant d = -121665 / 121666. */
const P = 2n ** 255n - 19n;
const D = modulo(-121_665n * power(121_666n, P - 2n));

/**
 * The eight points of small order are those that three doublings take to the neutral one: y is 0 or ±1, or it belongs to a
 * point whose double has y = 0, for which 2y² = 1 - d y⁴.
 *
 * @param {Uint8Array} bytes  a point
 */
function hasSmallOrder(bytes) {
  const square = modulo(coordinate(bytes) ** 2n);
  return square === 0n || square === 1n || modulo(2n * square + D * square * square - 1n) === 0n;
}

/** The y coordinate: little-endian, without the top bit, which is the sign of x. @param {Uint8Array} bytes */
function coordinate(bytes) {
  return modulo(littleEndian(bytes) % 2n ** 255n);
}

/** @param {Uint8Array} bytes */
function littleEndian(bytes) {
  return bytes.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);
}

/** @param {bigint} value */
function modulo(value) {
  return ((value % P) + P) % P;
}

/**
 * @param {bigint} base
 * @param {bigint} exponent
 */
function power(base, exponent) {
  let [result, square] = [1n, modulo(base)];
  for (let rest = exponent; rest > 0n; rest /= 2n) {
    if (rest % 2n === 1n) result = modulo(result * square);
    square = modulo(square * square);
  }
  return result;
}
