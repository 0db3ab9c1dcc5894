// A clock that stands still until a test moves it.

import { bothClocks } from '../src/clock.js';

/** @typedef {import('../src/clock.js').Clock} Clock */

/** @implements {Clock} */
export class FakeClock {
  /** @type {{at: number, then: () => void}[]} */
  #timers = [];
  /** What was waited for, in milliseconds. @type {number[]} */
  waited = [];
  /** How far the wall clock was set, in milliseconds. */
  #set = 0;
  #now = Date.UTC(2026, 10, 21, 22, 30);

  now = () => this.#now + this.#set;

  moment = bothClocks(this.now, () => this.#now);

  /** @param {number} milliseconds @param {() => void} then */
  after = (milliseconds, then) => {
    this.waited.push(milliseconds);
    if (milliseconds <= 0) {
      const immediate = setImmediate(then);
      return () => clearImmediate(immediate);
    }
    const timer = { at: this.#now + milliseconds, then };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** @param {number} seconds */
  advance(seconds) {
    const until = this.#now + seconds * 1000;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = next.at;
      next.then();
    }
    this.#now = until;
  }

  /**
   * Sets the wall clock forward or back, in seconds. A machine that slept finds it forward, and its timers where they were.
   *
   * @param {number} seconds
   */
  set(seconds) {
    this.#set += seconds * 1000;
  }

  /** The time in the form of documents. */
  get time() {
    return timeAt(this.now());
  }
}

/** @param {number} milliseconds */
export function timeAt(milliseconds) {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
