// An approver's public key as the log holds it: SPKI DER in one encoding (docs/protocol.md; RFC 5480, RFC 3279 §2.3.1).
//
//   ES256, 91 bytes:  30 59  30 13  06 07 id-ecPublicKey  06 08 prime256v1  03 42 00  04 ‖ x (32) ‖ y (32)
//   RS256:            30 82 ‥ ‥  30 0d  06 09 rsaEncryption  05 00  03 82 ‥ ‥ 00  30 82 ‥ ‥  02 82 ‥ ‥ n  02 03 01 00 01

import { base64url, bigEndian, concat, sameBytes, sha256 } from '../encoding.js';
import { Refusal } from '../refusal.js';

/** @typedef {'ES256' | 'RS256'} Algorithm */

/**
 * @typedef {object} PublicKey  checked: one encoding; a point of the curve, or a modulus of an accepted size
 * @property {Algorithm} algorithm
 * @property {Uint8Array} spki  the one encoding, as in log entries
 * @property {string} credential  base64url of SHA-256 of it
 * @property {Uint8Array} [modulus]  of an RS256 key, without leading zeros
 */

/**
 * Reads SPKI DER in the one accepted encoding.
 *
 * @param {Uint8Array} spki
 * @returns {Promise<PublicKey>}
 * @throws {Refusal}
 */
export async function parsePublicKey(spki) {
  const modulus = spki.length === ES256_LENGTH ? undefined : readModulus(spki);
  if (!modulus) checkPoint(spki);
  const credential = base64url(await sha256(spki));
  return { algorithm: modulus ? 'RS256' : 'ES256', spki, credential, modulus };
}

const ES256_PREFIX = Uint8Array.of(
  0x30, 0x59, // SEQUENCE, 89 bytes
  0x30, 0x13, // SEQUENCE, 19 bytes: AlgorithmIdentifier
  0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, // 1.2.840.10045.2.1 id-ecPublicKey
  0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, // 1.2.840.10045.3.1.7 prime256v1
  0x03, 0x42, 0x00, // BIT STRING, 66 bytes, no unused bits
);
const ES256_LENGTH = 91;

/** The AlgorithmIdentifier of an RSA key: 1.2.840.113549.1.1.1 rsaEncryption, NULL. */
const RSA_ENCRYPTION = Uint8Array.of(
  0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
);
/** The public exponent 65537, as INTEGER. */
const EXPONENT = Uint8Array.of(0x02, 0x03, 0x01, 0x00, 0x01);
const MODULUS_BITS = [2048, 4096];
/** Where the modulus begins, with its zero byte if it has one: every accepted length takes two bytes. */
const MODULUS_AT = 4 + RSA_ENCRYPTION.length + 5 + 4 + 4;
/** The lengths of SPKI that moduli of these lengths lead to. */
const RS256_LENGTHS = [MODULUS_AT + 257 + EXPONENT.length, MODULUS_AT + 513 + EXPONENT.length];

/** The field and the constant b of P-256: y² = x³ - 3x + b. */
const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** @param {Uint8Array} spki  of the right length */
function checkPoint(spki) {
  if (!sameBytes(spki.subarray(0, ES256_PREFIX.length), ES256_PREFIX)) {
    throw refusal('public key does not begin as the SPKI of a P-256 key with an uncompressed point');
  }
  const point = spki.subarray(ES256_PREFIX.length);
  if (point[0] !== 0x04) throw refusal('public key is not an uncompressed point');
  const [x, y] = [bigEndian(point.subarray(1, 33)), bigEndian(point.subarray(33))];
  if (x >= P || y >= P || (y * y - (x * x * x - 3n * x + B)) % P !== 0n) throw refusal('public key is not a point of P-256');
}

/**
 * The modulus is cut out, the key is built anew from it and compared.
 *
 * @param {Uint8Array} spki
 */
function readModulus(spki) {
  const { length } = spki;
  const [least, most] = RS256_LENGTHS;
  if (length < least || length > most) {
    const expected = `${ES256_LENGTH} for ES256 or ${least} to ${most} for RS256`;
    throw refusal(`public key is ${length} bytes of SPKI, expected ${expected}`);
  }
  const integer = spki.subarray(MODULUS_AT, length - EXPONENT.length);
  const zeros = integer.findIndex((byte) => byte !== 0);
  const modulus = integer.subarray(zeros < 0 ? integer.length : zeros);
  if (modulus.length === 0 || !sameBytes(rsaSpki(modulus), spki)) {
    throw refusal('public key is not the SPKI of an RSA key with exponent 65537 in its one encoding');
  }
  checkModulus(modulus);
  return modulus;
}

/** @param {Uint8Array} modulus  without leading zeros */
function checkModulus(modulus) {
  const bits = modulus.length * 8 - (Math.clz32(modulus[0]) - 24);
  const [least, most] = MODULUS_BITS;
  if (bits < least || bits > most) {
    const expected = `${least} to ${most} bits with no zero byte before them`;
    throw refusal(`RSA modulus is ${bits} bits in ${modulus.length} bytes, expected ${expected}`);
  }
  if (modulus[modulus.length - 1] % 2 === 0) throw refusal('RSA modulus is even');
}

/** @param {Uint8Array} modulus  without leading zeros */
function rsaSpki(modulus) {
  const positive = modulus[0] >= 0x80 ? concat(Uint8Array.of(0), modulus) : modulus;
  const key = element(0x30, element(0x02, positive), EXPONENT);
  return element(0x30, RSA_ENCRYPTION, element(0x03, Uint8Array.of(0), key));
}

/**
 * A DER element whose length takes two bytes.
 *
 * @param {number} tag
 * @param {...Uint8Array} parts
 */
function element(tag, ...parts) {
  const content = concat(...parts);
  return concat(Uint8Array.of(tag, 0x82, content.length >> 8, content.length & 0xff), content);
}

/** @param {string} reason */
function refusal(reason) {
  return new Refusal(reason, 'R18');
}
