// Time as an argument, so that tests need not wait, and how long a call may go on: by two clocks at once (docs/doors.md, "Clocks").

import { AbortedError } from './errors.js';

/**
 * @typedef {object} Clock
 * @property {() => number} now  milliseconds since 1970
 * @property {() => number} moment  milliseconds by both clocks, see {@link bothClocks}; every deadline is one of these
 * @property {(milliseconds: number, then: () => void) => () => void} after  calls back later; gives what takes that back
 */

/** The longest that a timer can be set for; beyond it, it would fire at once. */
const LONGEST = 2 ** 31 - 1;

/**
 * Milliseconds that go on, between two looks, by whichever clock went further, and never back. The monotonic clock of a machine
 * stands still while the machine sleeps, and its wall clock can be set back, so a time is over as soon as one of them says so.
 *
 * @param {() => number} wall
 * @param {() => number} monotonic
 * @returns {() => number}
 */
export function bothClocks(wall, monotonic) {
  let last = { wall: wall(), monotonic: monotonic() };
  let gone = 0;
  return () => {
    const now = { wall: wall(), monotonic: monotonic() };
    gone += Math.max(0, now.wall - last.wall, now.monotonic - last.monotonic);
    last = now;
    return gone;
  };
}

/** @type {Clock} */
export const systemClock = {
  now: () => Date.now(),
  moment: bothClocks(() => Date.now(), () => performance.now()),
  after(milliseconds, then) {
    const timer = setTimeout(then, Math.min(Math.max(milliseconds, 0), LONGEST));
    return () => clearTimeout(timer);
  },
};

/** How long a call may go on: until a moment, and until the caller aborts it. */
export class Patience {
  #clock;
  #caller;
  #controller = new AbortController();
  #abort = () => this.#controller.abort();
  /** @type {() => void} */
  #stop = () => {};

  /**
   * @param {Clock} clock
   * @param {number} until  a moment of the clock
   * @param {AbortSignal} [caller]
   */
  constructor(clock, until, caller) {
    this.#clock = clock;
    this.#caller = caller;
    this.until = until;
    if (caller?.aborted) this.#abort();
    caller?.addEventListener('abort', this.#abort);
    this.#stop = clock.after(until - clock.moment(), this.#abort);
  }

  /** Ends when the time is up or the caller aborts; what is under way then is dropped. */
  get signal() {
    return this.#controller.signal;
  }

  /** Milliseconds that are left. */
  get left() {
    return Math.max(0, this.until - this.#clock.moment());
  }

  /** Whether the time is up. By the clock, not by the timer: a machine that slept wakes up late. */
  get isOver() {
    return this.left === 0;
  }

  /**
   * @param {string} [id]  the confirmation's, for the error
   * @throws {AbortedError} if the caller aborted
   */
  checkAborted(id) {
    if (this.#caller?.aborted) throw new AbortedError(this.#caller.reason, id);
  }

  /** @param {number} milliseconds  at most what is left */
  async sleep(milliseconds) {
    await sleep(this.#clock, Math.min(milliseconds, this.left), this.signal);
  }

  /** Takes the timer and the listener back. */
  end() {
    this.#stop();
    this.#caller?.removeEventListener('abort', this.#abort);
  }
}

/**
 * Returns after so long, or earlier when the signal ends it.
 *
 * @param {Clock} clock
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function sleep(clock, milliseconds, signal) {
  return new Promise((done) => {
    if (signal.aborted) return done();
    const finish = () => {
      stop();
      signal.removeEventListener('abort', finish);
      done();
    };
    const stop = clock.after(milliseconds, finish);
    signal.addEventListener('abort', finish);
  });
}
