// Text forms of bytes, one accepted form each: base64url without padding (RFC 4648 §5) in documents, entries and receipts;
// standard base64 with padding (RFC 4648 §4) in notes; lower-case base32 in ids; UTF-8 everywhere.
//
// Decoding accepts only what encodes back to the same text: no white space, no other alphabet, spare bits zero.

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * Encodes as base64url without padding.
 *
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function base64url(bytes) {
  return encode(bytes, BASE64URL);
}

/**
 * Decodes base64url without padding; undefined for any other text.
 *
 * @param {string} text
 * @returns {Uint8Array | undefined}
 */
export function fromBase64url(text) {
  return decode(text, BASE64URL);
}

/**
 * Decodes base64url without padding into exactly 32 bytes; undefined for any other text.
 *
 * @param {string} text
 * @returns {Uint8Array | undefined}
 */
export function hashFromBase64url(text) {
  const bytes = fromBase64url(text);
  return bytes?.length === 32 ? bytes : undefined;
}

/**
 * Encodes as standard base64 with padding.
 *
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function base64(bytes) {
  const text = encode(bytes, BASE64);
  return text + '='.repeat((4 - (text.length % 4)) % 4);
}

/**
 * Decodes standard base64 with padding; undefined for any other text.
 *
 * @param {string} text
 * @returns {Uint8Array | undefined}
 */
export function fromBase64(text) {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return decode(text.slice(0, text.length - padding), BASE64);
}

/**
 * Whether a text consists of lower-case base32 symbols alone.
 *
 * @param {string} text
 * @returns {boolean}
 */
export function isBase32(text) {
  return /^[a-z2-7]*$/.test(text);
}

/**
 * Lower-case hexadecimal.
 *
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The number that bytes stand for, most significant byte first.
 *
 * @param {Uint8Array} bytes
 * @returns {bigint}
 */
export function bigEndian(bytes) {
  return bytes.length === 0 ? 0n : BigInt(`0x${hex(bytes)}`);
}

/**
 * Bytes end to end.
 *
 * @param {...Uint8Array} parts
 * @returns {Uint8Array}
 */
export function concat(...parts) {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * Whether two byte strings are the same. All of our inputs are public, so the time it takes may tell.
 *
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 * @returns {boolean}
 */
export function sameBytes(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/**
 * UTF-8.
 *
 * @param {string} text
 * @returns {Uint8Array}
 */
export function utf8(text) {
  return new TextEncoder().encode(text);
}

/**
 * The text of UTF-8 bytes, a byte order mark kept as the character it is; undefined if they are not UTF-8.
 *
 * @param {Uint8Array} bytes
 * @returns {string | undefined}
 */
export function fromUtf8(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * SHA-256.
 *
 * @param {Uint8Array | string} data  bytes, or a text as UTF-8
 * @returns {Promise<Uint8Array>}
 */
export async function sha256(data) {
  const bytes = typeof data === 'string' ? utf8(data) : data;
  return new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', plain(bytes)));
}

/**
 * The same bytes in the form that WebCrypto's types ask for.
 *
 * @param {Uint8Array} bytes
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function plain(bytes) {
  return new Uint8Array(bytes);
}

/**
 * @param {Uint8Array} bytes
 * @param {string} alphabet
 */
function encode(bytes, alphabet) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const chunk = bytes.subarray(at, at + 3);
    const bits = (chunk[0] << 16) | ((chunk[1] ?? 0) << 8) | (chunk[2] ?? 0);
    for (let i = 0; i <= chunk.length; i += 1) text += alphabet[(bits >> (18 - 6 * i)) & 63];
  }
  return text;
}

/**
 * @param {string} text
 * @param {string} alphabet
 */
function decode(text, alphabet) {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let [bits, held, at] = [0, 0, 0];
  for (const symbol of text) {
    const value = alphabet.indexOf(symbol);
    if (value < 0) return undefined;
    bits = ((bits << 6) | value) & 0xfff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at] = (bits >> held) & 0xff;
      at += 1;
    }
  }
  // The bits after the last byte must be zero, or several texts would stand for the same bytes.
  return (bits & ((1 << held) - 1)) === 0 ? bytes : undefined;
}
