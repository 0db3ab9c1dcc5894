// The subset of CBOR (RFC 8949) that authenticators write: integers, byte strings, text, arrays, maps, booleans, null.
//
// Strict, so that two readers cannot see two values: definite lengths, shortest integers, no repeated map key, nothing
// after the item. The order of map keys is free. Floats, tags and other simple values are refused.

import { bigEndian, fromUtf8 } from '../encoding.js';
import { Refusal } from '../refusal.js';

/** @typedef {bigint | string | boolean | null | Uint8Array | unknown[] | CborMap} CborValue */

/**
 * A map, in the order of the input.
 *
 * @extends {Map<bigint | string, CborValue>}
 */
export class CborMap extends Map {}

/** Deepest nesting; the outermost item is level 1. */
const MAX_DEPTH = 8;

/**
 * Decodes one item that is the whole input.
 *
 * @param {Uint8Array} bytes
 * @returns {CborValue}
 * @throws {Refusal}
 */
export function decodeCbor(bytes) {
  const reader = new Reader(bytes);
  const value = reader.item(1);
  const extra = bytes.length - reader.at;
  if (extra > 0) throw new Refusal(`${extra} bytes follow the CBOR item`);
  return value;
}

class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  /**
   * @param {number} depth
   * @returns {CborValue}
   */
  item(depth) {
    const { at } = this;
    if (depth > MAX_DEPTH) throw new Refusal(`CBOR nested deeper than ${MAX_DEPTH} levels at byte ${at}`);
    const [initial] = this.take(1n);
    switch (initial >> 5) {
      case 0: return this.argument(at, initial);
      case 1: return -1n - this.argument(at, initial);
      case 2: return this.take(this.argument(at, initial));
      case 3: return this.text(at, this.argument(at, initial));
      case 4: return this.array(this.argument(at, initial), depth);
      case 5: return this.map(this.argument(at, initial), depth);
      default: return simple(at, initial);
    }
  }

  /**
   * @param {number} at
   * @param {bigint} length
   */
  text(at, length) {
    const text = fromUtf8(this.take(length));
    if (text === undefined) throw new Refusal(`CBOR text at byte ${at} is not UTF-8`);
    return text;
  }

  /**
   * No room is reserved for a claimed length: each element takes at least one byte, so a lie ends at the input's end.
   *
   * @param {bigint} length
   * @param {number} depth
   */
  array(length, depth) {
    const items = [];
    for (let i = 0n; i < length; i += 1n) items.push(this.item(depth + 1));
    return items;
  }

  /**
   * @param {bigint} length
   * @param {number} depth
   */
  map(length, depth) {
    const entries = new CborMap();
    for (let i = 0n; i < length; i += 1n) {
      const { at } = this;
      const key = this.item(depth + 1);
      if (typeof key !== 'bigint' && typeof key !== 'string') {
        throw new Refusal(`CBOR map key at byte ${at} is neither an integer nor text`);
      }
      if (entries.has(key)) throw new Refusal(`CBOR map key at byte ${at} is repeated`);
      entries.set(key, this.item(depth + 1));
    }
    return entries;
  }

  /**
   * The argument of an item's head: a value or a length, in the low five bits or in the 1, 2, 4 or 8 bytes after.
   *
   * @param {number} at
   * @param {number} initial
   */
  argument(at, initial) {
    const low = initial & 0x1f;
    if (low < 24) return BigInt(low);
    if (low === 31) throw new Refusal(`CBOR of indefinite length at byte ${at}`);
    if (low > 27) throw unsupported(at, initial);
    const width = 2n ** BigInt(low - 24);
    const value = bigEndian(this.take(width));
    const least = width === 1n ? 24n : 2n ** (4n * width);
    if (value < least) throw new Refusal(`CBOR integer at byte ${at} is not in its shortest form`);
    return value;
  }

  /** @param {bigint} length */
  take(length) {
    if (length > BigInt(this.bytes.length - this.at)) {
      throw new Refusal(`CBOR ends inside an item at byte ${this.bytes.length}`);
    }
    const taken = this.bytes.subarray(this.at, this.at + Number(length));
    this.at += taken.length;
    return taken;
  }
}

/**
 * @param {number} at
 * @param {number} initial
 */
function simple(at, initial) {
  switch (initial) {
    case 0xf4: return false;
    case 0xf5: return true;
    case 0xf6: return null;
    default: throw unsupported(at, initial);
  }
}

/**
 * @param {number} at
 * @param {number} initial
 */
function unsupported(at, initial) {
  return new Refusal(`CBOR item of unsupported type 0x${initial.toString(16).padStart(2, '0')} at byte ${at}`);
}
