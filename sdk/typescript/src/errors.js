// What can come instead of an approval: one class for each outcome, one base class, and a `code` that is the same in every
// language and door.
//
// Messages may hold text from the server or the approver; what cannot be seen in it is written out. The API key is in none.

import { visible } from './verifier.js';

/**
 * @typedef {'rejected' | 'expired' | 'cancelled' | 'timed_out' | 'aborted' | 'unreachable' | 'refused' | 'mismatch'
 *   | 'not_verified' | 'rolled_back' | 'already_consumed' | 'too_late'} Code
 */

/** The action does not run. */
export class CountersignError extends Error {
  /**
   * @param {Code} code
   * @param {string} message
   * @param {{id?: string, cause?: unknown}} [about]
   */
  constructor(code, message, { id, cause } = {}) {
    super(visible(message), cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    /** Which outcome it is; the same word in every language. */
    this.code = code;
    /** The confirmation's id, if there is one. */
    this.id = id;
  }
}

/** A person said no. */
export class RejectedError extends CountersignError {
  /**
   * @param {string} id
   * @param {string} [note]
   */
  constructor(id, note) {
    super('rejected', note ? `rejected: ${note}` : 'rejected', { id });
    /** What the approver wrote, not signed: text from outside, hidden characters and all. */
    this.note = note;
  }
}

/** Nobody decided in time. */
export class ExpiredError extends CountersignError {
  /** @param {string} id */
  constructor(id) {
    super('expired', 'nobody decided in time', { id });
  }
}

/** The request was cancelled, and not by this call. */
export class CancelledError extends CountersignError {
  /** @param {string} id */
  constructor(id) {
    super('cancelled', 'the request was cancelled', { id });
  }
}

/** The caller's own timeout passed; the request has been cancelled, and a later yes is ignored. */
export class TimedOutError extends CountersignError {
  /** @param {string} id */
  constructor(id) {
    super('timed_out', 'no decision within the timeout; the request was cancelled', { id });
  }
}

/** The caller's signal ended the call. */
export class AbortedError extends CountersignError {
  /**
   * @param {unknown} reason  the signal's
   * @param {string} [id]
   */
  constructor(reason, id) {
    super('aborted', 'aborted by the caller', { id, cause: reason });
  }
}

/** No usable answer from the server, retries included. */
export class UnreachableError extends CountersignError {
  /**
   * @param {string} why
   * @param {{id?: string, cause?: unknown, status?: number}} [about]
   */
  constructor(why, about = {}) {
    super('unreachable', `no usable answer from the server: ${why}`, about);
    /** The HTTP status of the last answer, if there was one. */
    this.status = about.status;
  }
}

/** The server refused what was asked: a 4xx answer. */
export class RefusedError extends CountersignError {
  /** @param {{status: number, type?: string, detail?: string, field?: string, retryAfter?: number, id?: string}} problem */
  constructor({ status, type, detail, field, retryAfter, id }) {
    super('refused', `the server refused with ${status}: ${detail ?? type ?? 'no reason given'}`, { id });
    this.status = status;
    /** `urn:countersign:problem:` and a name of docs/api.md. */
    this.type = type;
    this.detail = detail;
    this.field = field;
    /** After how many seconds the server would take it again. */
    this.retryAfter = retryAfter;
  }
}

/** The answer is about something else than what was asked. */
export class MismatchError extends CountersignError {
  /**
   * @param {string} field  what differs
   * @param {string} words  how
   * @param {string} [id]
   */
  constructor(field, words, id) {
    super('mismatch', `the answer is not about what was asked: ${words}`, { id });
    this.field = field;
  }
}

/** The status says approved, and the evidence does not. */
export class NotVerifiedError extends CountersignError {
  /**
   * @param {string} step  the verifier's step that failed; `receipt` if there is none, `consumption` for the proof of use
   * @param {string} detail  the step's sentence
   * @param {{id?: string, report?: import('./verifier.js').Report}} [about]
   */
  constructor(step, detail, { id, report } = {}) {
    super('not_verified', `the approval does not verify: ${step}: ${detail}`, { id });
    this.step = step;
    this.detail = detail;
    this.report = report;
  }
}

/** The log shows less than it did, or something else. Both checkpoints together are evidence against it. */
export class RolledBackError extends CountersignError {
  /**
   * @param {string} words
   * @param {{id?: string, known: string, given: string, cause?: unknown}} about
   */
  constructor(words, { id, known, given, cause }) {
    super('rolled_back', `the log is not the one that this client knows: ${words}`, { id, cause });
    /** The largest checkpoint that was verified before. */
    this.known = known;
    /** The checkpoint of this receipt. */
    this.given = given;
  }
}

/** The approval was used before. */
export class AlreadyConsumedError extends CountersignError {
  /**
   * @param {string} id
   * @param {string} [detail]
   */
  constructor(id, detail) {
    super('already_consumed', `the approval was used already${detail ? `: ${detail}` : ''}`, { id });
  }
}

/** The last moment for using the approval has passed. */
export class TooLateError extends CountersignError {
  /**
   * @param {string} id
   * @param {string} useBy
   */
  constructor(id, useBy) {
    super('too_late', `the approval could be used until ${useBy}`, { id });
    this.useBy = useBy;
  }
}
