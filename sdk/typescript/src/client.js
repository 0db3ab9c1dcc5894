// The client: asks, waits, verifies, consumes (docs/typescript.md).

import { Confirmation, createConfirmation, resumeConfirmation, within } from './confirmation.js';
import { Outcome } from './decision.js';
import { guard } from './guard.js';
import { Http } from './http.js';
import { readSettings } from './settings.js';
import { cancel } from './take-back.js';
import { whileTelling } from './tell.js';
import { TrustSource } from './trust.js';
import { utf8, verify } from './verifier.js';
import { look, waitForDecision } from './wait.js';

/**
 * How long a call may take, in seconds, and what ends it.
 *
 * @typedef {object} CallOptions
 * @property {number} [timeout]
 * @property {AbortSignal} [signal]
 */

/** @typedef {import('./request.js').Question & CallOptions} CreateOptions */

/**
 * @typedef {CreateOptions & {onPending?: (pending: Confirmation) => unknown}} ApprovalRequest
 */

/** A client of one server, with one API key. */
export class Countersign {
  /** @type {import('./link.js').Link} */
  #link;

  /** @param {import('./settings.js').ClientOptions} [options] */
  constructor(options = {}) {
    const settings = readSettings(options);
    this.#link = { ...settings, http: new Http(settings), trusted: new TrustSource(settings) };
  }

  /**
   * Asks people to approve one exact action, and waits for their decision. A no, an expiry, a cancellation and the own
   * timeout come back as the decision's status; everything that speaks against the server or its evidence is thrown.
   *
   * The same `idempotencyKey` with the same question finds a request again that an earlier call made, in this process or not.
   *
   * @param {ApprovalRequest} request  `timeout` in seconds, for all of it; until 10 seconds after the expiry if left out
   * @returns {Promise<import('./decision.js').Decision>}
   * @throws {import('./errors.js').CountersignError}
   */
  async requestApproval({ onPending, timeout, signal, ...question }) {
    checkTimeout(timeout);
    const start = this.#link.clock.moment();
    const confirmation = await createConfirmation(this.#link, question, { timeout, signal });
    const until = timeout === undefined ? confirmation.until : start + timeout * 1000;
    const wait = (/** @type {AbortSignal} */ ended) => waitForDecision(this.#link, confirmation, { until, signal: ended });
    return whileTelling(() => onPending?.(confirmation), signal, wait);
  }

  /**
   * Asks, and does not wait. Where its time ends before the answer is here, the request is taken back, unless you gave it a key.
   *
   * @param {CreateOptions} options
   * @returns {Promise<Confirmation>}
   */
  async createConfirmation({ timeout, signal, ...question }) {
    checkTimeout(timeout);
    return createConfirmation(this.#link, question, { timeout, signal, keep: true });
  }

  /**
   * Finds a confirmation again by its id, after a restart. What is asked is given again, and compared: an id alone says
   * nothing about what people were asked.
   *
   * @param {string} id
   * @param {CreateOptions} options
   * @returns {Promise<Confirmation>}
   */
  async resume(id, { timeout, signal, ...question }) {
    checkTimeout(timeout);
    return resumeConfirmation(this.#link, id, question, { timeout, signal });
  }

  /**
   * How a confirmation stands now. `approved` is verified here too.
   *
   * @param {Confirmation} confirmation
   * @param {CallOptions} [options]
   * @returns {Promise<import('./decision.js').Snapshot>}
   */
  async getConfirmation(confirmation, { timeout = 60, signal } = {}) {
    checkTimeout(timeout);
    checkOwn(confirmation);
    return within(this.#link, timeout, signal, (patience) => look(this.#link, confirmation, patience));
  }

  /**
   * Waits for the decision on a confirmation; on its own timeout it cancels the request.
   *
   * @param {Confirmation} confirmation
   * @param {CallOptions} [options]  `timeout` until 10 seconds after the expiry if left out
   * @returns {Promise<import('./decision.js').Decision>}
   */
  async waitForDecision(confirmation, { timeout, signal } = {}) {
    checkTimeout(timeout);
    checkOwn(confirmation);
    const until = timeout === undefined ? confirmation.until : this.#link.clock.moment() + timeout * 1000;
    return waitForDecision(this.#link, confirmation, { until, signal });
  }

  /**
   * Takes a pending request back. One that is decided already is `refused` with status 409.
   *
   * @param {Confirmation | string} confirmation  or its id
   * @param {CallOptions} [options]
   * @returns {Promise<void>}
   */
  async cancel(confirmation, { timeout = 60, signal } = {}) {
    checkTimeout(timeout);
    const id = typeof confirmation === 'string' ? confirmation : confirmation.id;
    await within(this.#link, timeout, signal, (patience) => cancel(this.#link, id, patience));
  }

  /**
   * Uses an approval, once, right before acting: `decision.consume()`.
   *
   * @param {import('./decision.js').Outcome} decision
   * @param {CallOptions} [options]
   * @returns {Promise<import('./consume.js').Consumption>}
   */
  async consume(decision, options) {
    if (!(decision instanceof Outcome)) throw new TypeError('only a decision of this SDK can be consumed');
    return decision.consume(options);
  }

  /**
   * Verifies a receipt offline with this client's trust. Look at `verdict` and `asExpected` of the report, and state what
   * you expect: what is left out is not compared.
   *
   * @param {string | Uint8Array} receipt
   * @param {import('./verifier.js').Expectation} [expectation]
   * @returns {Promise<import('./verifier.js').Report>}
   */
  async verifyReceipt(receipt, expectation = {}) {
    const { trust } = await within(this.#link, 60, undefined, (patience) => this.#link.trusted.get(this.#link, patience));
    return verify(typeof receipt === 'string' ? utf8(receipt) : receipt, trust, expectation);
  }

  /**
   * A function that runs only with what people approved: see `guard`.
   *
   * @template {object} P
   * @template R
   * @param {(payload: Readonly<P>, decision: import('./decision.js').ApprovedDecision) => R | Promise<R>} run
   * @param {import('./guard.js').GuardOptions<P>} options
   * @returns {(payload: P, call?: import('./guard.js').CallOptions) => Promise<R>}
   */
  guard(run, options) {
    return guard(this, this.#link.clock, run, options);
  }
}

/** @param {number | undefined} timeout */
function checkTimeout(timeout) {
  const isGood = timeout === undefined || (typeof timeout === 'number' && timeout > 0);
  if (!isGood) throw new TypeError('timeout must be a number of seconds');
}

/** @param {unknown} confirmation */
function checkOwn(confirmation) {
  if (!(confirmation instanceof Confirmation)) {
    throw new TypeError('give what createConfirmation or resume gave: an id alone says nothing about what was asked');
  }
}
