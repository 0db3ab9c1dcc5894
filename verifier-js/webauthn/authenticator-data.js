// Authenticator data: what the authenticator says about an assertion (WebAuthn Level 3 §6.1).
//
//   rpIdHash (32)  flags (1)  signCount (4, big-endian)
//   if ED:  one CBOR map of extension outputs
//
// Nothing may follow the last part: trailing bytes are signed, so they are no forgery, but verifiers that read them
// differently would disagree. Extension outputs are ignored, and so is the counter, which is a signal and never a reason.

import { sameBytes, sha256 } from '../encoding.js';
import { quoted } from '../names.js';
import { Refusal } from '../refusal.js';
import { CborMap, decodeCbor } from './cbor.js';

/**
 * @typedef {object} AuthenticatorData  its form is right; whether it is acceptable says the check
 * @property {Uint8Array} rpIdHash
 * @property {number} flags
 * @property {number} signCount
 */

/** Largest authenticator data of an assertion, in bytes. */
export const MAX_AUTHENTICATOR_DATA = 1024;

const UP = 0x01;
const UV = 0x04;
const BE = 0x08;
const BS = 0x10;
const AT = 0x40;
const ED = 0x80;
const HEADER = 37;

/**
 * Reads the authenticator data of an assertion.
 *
 * @param {Uint8Array} bytes
 * @returns {AuthenticatorData}
 * @throws {Refusal}
 */
export function parseAuthenticatorData(bytes) {
  if (bytes.length > MAX_AUTHENTICATOR_DATA) {
    throw refusal(`is ${bytes.length} bytes, at most ${MAX_AUTHENTICATOR_DATA} are accepted`, 'A14');
  }
  if (bytes.length < HEADER) throw refusal('ends inside its header of 37 bytes', 'A14');
  const flags = bytes[32];
  if (flags & AT) throw refusal('of an assertion has the flag AT', 'A14');
  skipExtensions(flags, bytes.subarray(HEADER));
  const signCount = new DataView(bytes.buffer, bytes.byteOffset, HEADER).getUint32(33);
  return { rpIdHash: bytes.subarray(0, 32), flags, signCount };
}

/**
 * Checks that it is for this relying party, that the user was present and verified, and that the backup flags are not
 * contradictory.
 *
 * @param {AuthenticatorData} data
 * @param {string} rpId
 * @returns {Promise<void>}
 * @throws {Refusal}
 */
export async function checkAuthenticatorData(data, rpId) {
  if (!sameBytes(data.rpIdHash, await sha256(rpId))) {
    throw refusal(`rpIdHash is not that of the relying party id ${quoted(rpId)}`, 'A9');
  }
  const flags = `flags are 0x${data.flags.toString(16).padStart(2, '0')}:`;
  if (!(data.flags & UP)) throw refusal(`${flags} no user presence (UP)`, 'A10');
  if (!(data.flags & UV)) throw refusal(`${flags} no user verification (UV)`, 'A11');
  if (data.flags & BS && !(data.flags & BE)) {
    throw refusal(`${flags} backed up (BS) but not eligible for it (BE)`, 'A12');
  }
}

/**
 * @param {number} flags
 * @param {Uint8Array} rest
 */
function skipExtensions(flags, rest) {
  if (!(flags & ED)) {
    if (rest.length > 0) throw new Refusal(`${rest.length} bytes follow the authenticator data`, 'A14');
    return;
  }
  if (!(decodeExtensions(rest) instanceof CborMap)) throw refusal('extensions are not a CBOR map', 'A14');
}

/** @param {Uint8Array} bytes */
function decodeExtensions(bytes) {
  try {
    return decodeCbor(bytes);
  } catch (error) {
    throw error instanceof Refusal ? refusal(`extensions: ${error.message}`, 'A14') : error;
  }
}

/**
 * @param {string} what
 * @param {string} code
 */
function refusal(what, code) {
  return new Refusal(`authenticator data ${what}`, code);
}
