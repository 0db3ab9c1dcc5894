// A log in memory with slow proofs straight from RFC 9162 section 2.1, signed by a key of its own.

import { base64, utf8 } from '../../../verifier-js/encoding.js';
import { leafHash, nodeHash } from '../../../verifier-js/merkle.js';
import { makeNoteKey } from '../../../verifier-js/tests/made.js';

export class StandInLog {
  /** @type {Uint8Array[]} */
  leaves = [];

  /** @param {string} origin */
  static async make(origin) {
    return new StandInLog(origin, await makeNoteKey(origin));
  }

  /** @param {string} origin @param {Awaited<ReturnType<typeof makeNoteKey>>} key */
  constructor(origin, key) {
    this.origin = origin;
    this.key = key;
  }

  /** Another history under the same key. */
  fork() {
    const fork = new StandInLog(this.origin, this.key);
    fork.leaves = [...this.leaves];
    return fork;
  }

  /** @param {string} entry @returns {Promise<number>} its index */
  async append(entry) {
    return this.leaves.push(await leafHash(utf8(entry))) - 1;
  }

  /** @param {number} [size] */
  async checkpoint(size = this.leaves.length) {
    const text = `${this.origin}\n${size}\n${base64(await root(this.leaves.slice(0, size)))}\n`;
    return `${text}\n${await this.key.sign(text)}`;
  }

  /** @param {number} index @param {number} [size] */
  inclusion(index, size = this.leaves.length) {
    return inclusion(index, this.leaves.slice(0, size));
  }

  /** @param {number} from @param {number} [size] */
  consistency(from, size = this.leaves.length) {
    return from === size ? Promise.resolve([]) : subproof(from, this.leaves.slice(0, size), true);
  }
}

/** @param {number} count  more than 1 */
function half(count) {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

/** @param {Uint8Array[]} leaves @returns {Promise<Uint8Array>} */
async function root(leaves) {
  if (leaves.length === 1) return leaves[0];
  const split = half(leaves.length);
  return nodeHash(await root(leaves.slice(0, split)), await root(leaves.slice(split)));
}

/** @param {number} index @param {Uint8Array[]} leaves @returns {Promise<Uint8Array[]>} */
async function inclusion(index, leaves) {
  if (leaves.length === 1) return [];
  const split = half(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...(await inclusion(index, left)), await root(right)]
    : [...(await inclusion(index - split, right)), await root(left)];
}

/** @param {number} from @param {Uint8Array[]} leaves @param {boolean} whole @returns {Promise<Uint8Array[]>} */
async function subproof(from, leaves, whole) {
  if (from === leaves.length) return whole ? [] : [await root(leaves)];
  const split = half(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return from <= split
    ? [...(await subproof(from, left, whole)), await root(right)]
    : [...(await subproof(from - split, right, false)), await root(left)];
}
