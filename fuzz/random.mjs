// Numbers from a seed: the same seed and name give the same numbers on every machine (mulberry32, keyed by SHA-256).

import { createHash } from 'node:crypto';

export class Random {
  #state;

  /** @param {string} name  what the numbers are for, the seed included */
  constructor(name) {
    this.#state = createHash('sha256').update(name).digest().readUInt32LE(0);
  }

  /** A whole number from 0 up to, and without, the limit. @param {number} limit */
  below(limit) {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  /** Whether something of this probability happens. @param {number} probability */
  chance(probability) {
    return this.below(1_000_000) < probability * 1_000_000;
  }

  /** @template T @param {readonly T[]} items @returns {T} */
  pick(items) {
    return items[this.below(items.length)];
  }
}
