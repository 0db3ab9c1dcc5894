// What became of a confirmation. `approved` stands here only after the receipt was verified for exactly what was asked.

import { consume } from './consume.js';
import {
  AlreadyConsumedError, CancelledError, ExpiredError, RejectedError, TimedOutError,
} from './errors.js';
import { idempotencyKey, refuseUnknown } from './request.js';
import { base64url, sha256 } from './verifier.js';

/**
 * `timed_out` is this client's own: its timeout passed, it has cancelled the request, and it ignores a later yes.
 *
 * @typedef {'approved' | 'rejected' | 'expired' | 'cancelled' | 'timed_out' | 'pending'} Status
 */

/**
 * A WebAuthn assertion as JSON, as the server gave it.
 *
 * @typedef {{id: string, rawId: string, type: string, response: Record<string, string | null>}} RawAssertion
 */

/**
 * @typedef {object} Evidence  beside the status, what the answer held
 * @property {string} [receipt]  the receipt's exact text: write it into a file as it is. Verified if the status is approved
 * @property {import('./verifier.js').Report} [report]  how it was verified
 * @property {any} [answer]  the server's
 */

const CONSUME_OPTIONS = new Set(['timeout', 'signal']);

/** One outcome. Its type {@link Decision} tells them apart by `status`. */
export class Outcome {
  #link;
  #confirmation;
  #answered;
  /** @type {import('./consume.js').Use | undefined} */
  #use;
  #isConsumed = false;

  /**
   * @param {import('./link.js').Link} link
   * @param {import('./confirmation.js').Confirmation} confirmation
   * @param {Status} status
   * @param {Evidence} [evidence]
   */
  constructor(link, confirmation, status, { receipt, report, answer } = {}) {
    const { decisions, rawAssertion, decidedAt, consumedAt, metadata } = Object(answer);
    this.#link = link;
    this.#confirmation = confirmation;
    this.#answered = { now: link.clock.now(), moment: link.clock.moment() };
    this.status = status;
    this.id = confirmation.id;
    this.url = confirmation.url;
    this.compareCode = confirmation.compareCode;
    this.action = confirmation.action;
    /** Exactly what was asked about, and nothing can change it: act on this. @type {any} */
    this.payload = confirmation.payload;
    this.expiresAt = confirmation.expiresAt;
    this.useBy = confirmation.useBy;
    this.idempotencyKey = confirmation.idempotencyKey;
    /** Whether the trust file was pinned, or is the server's own word at first use. */
    this.trust = confirmation.trust;
    this.receipt = receipt;
    this.report = report;
    /** The assertion, if one decision ended it. @type {RawAssertion | undefined} */
    this.rawAssertion = rawAssertion;
    /** Who decided what, as the server says. @type {any[]} */
    this.decisions = Array.isArray(decisions) ? decisions : [];
    /** What who rejected wrote: not signed, text from outside. @type {string | undefined} */
    this.note = this.decisions.map((one) => Object(one).note).find((note) => typeof note === 'string');
    /** @type {string | undefined} */
    this.decidedAt = decidedAt;
    /** When the approval was used, if it was used before. @type {string | undefined} */
    this.consumedAt = consumedAt;
    /** @type {unknown} */
    this.metadata = metadata;
    Object.freeze(this);
  }

  /**
   * This decision if it is an approval; otherwise the error of its status.
   *
   * @returns {ApprovedDecision}
   * @throws {import('./errors.js').CountersignError}
   */
  orThrow() {
    switch (this.status) {
      case 'approved': return /** @type {ApprovedDecision} */ (/** @type {unknown} */ (this));
      case 'rejected': throw new RejectedError(this.id, this.note);
      case 'expired': throw new ExpiredError(this.id);
      case 'cancelled': throw new CancelledError(this.id);
      case 'timed_out': throw new TimedOutError(this.id);
      default: throw new TypeError('the confirmation is pending: wait for the decision');
    }
  }

  /**
   * Uses the approval, once, right before acting. Only after an `unreachable` may it be called again. The key that it is
   * asked with is this decision's own, and nobody can choose it: a request can be found again, a use never.
   *
   * @param {{timeout?: number, signal?: AbortSignal}} [options]
   * @returns {Promise<import('./consume.js').Consumption>}
   * @throws {import('./errors.js').CountersignError} and then the action must not run
   */
  async consume(options = {}) {
    refuseUnknown(options, CONSUME_OPTIONS);
    this.orThrow();
    if (this.#isConsumed) throw new AlreadyConsumedError(this.id);
    this.#isConsumed = true;
    // Of the request's key and of this decision alone: two processes that wait for one request, or one that was started
    // again after the use, must not both act.
    this.#use ??= { key: await derivedKey(this.idempotencyKey), answered: this.#answered };
    try {
      return await consume(this.#link, this.#confirmation.core, this.#use, options);
    } catch (error) {
      this.#isConsumed = Object(error).code !== 'unreachable';
      throw error;
    }
  }
}

/**
 * @typedef {Outcome & {status: 'approved', receipt: string, report: import('./verifier.js').Report}} ApprovedDecision
 * @typedef {Outcome & {status: Exclude<Status, 'approved' | 'pending'>}} OtherDecision
 * @typedef {ApprovedDecision | OtherDecision} Decision
 * @typedef {Decision | (Outcome & {status: 'pending'})} Snapshot
 */

/** @param {string} key  of the request */
async function derivedKey(key) {
  return base64url(await sha256(`countersign/consume/v1\n${key}\n${idempotencyKey()}`));
}
