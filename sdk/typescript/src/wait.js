// Waiting for a decision by long-poll, on the client's own connection: until it is there, the time is up, or the caller aborts.

import { Smaller } from './checkpoints.js';
import { Patience } from './clock.js';
import { checkSame } from './core.js';
import { Outcome } from './decision.js';
import { AbortedError, UnreachableError } from './errors.js';
import { acceptApproval } from './evidence.js';
import { Late, ask } from './retry.js';
import { takeBack } from './take-back.js';

/**
 * @typedef {import('./confirmation.js').Confirmation} Confirmation
 * @typedef {import('./decision.js').Decision} Decision
 * @typedef {import('./decision.js').Snapshot} Snapshot
 * @typedef {import('./link.js').Link} Link
 */

/** Seconds that one request waits in the server. */
const WAIT = 25;
/** Milliseconds that an answer may be on its way. */
const TRAVEL = 500;
/** Milliseconds between two questions to a server that does not wait. */
const PAUSE = 1_000;

/**
 * @param {Link} link
 * @param {Confirmation} confirmation
 * @param {{until: number, signal?: AbortSignal}} options
 * @returns {Promise<Decision>}
 */
export async function waitForDecision(link, confirmation, { until, signal }) {
  const patience = new Patience(link.clock, until, signal);
  try {
    const decision = await poll(link, confirmation, patience);
    // What came while the time ran out is late too, whatever it is.
    if (patience.isOver && decision.status === 'approved') throw new Late();
    return decision;
  } catch (error) {
    const gaveUp = error instanceof Late;
    const isOver = gaveUp || error instanceof AbortedError || error instanceof UnreachableError;
    if (isOver) await takeBack(link, confirmation.id);
    if (gaveUp) return /** @type {Decision} */ (new Outcome(link, confirmation, 'timed_out'));
    throw error;
  } finally {
    patience.end();
  }
}

/**
 * Looks once, without waiting.
 *
 * @param {Link} link
 * @param {Confirmation} confirmation
 * @param {Patience} patience
 * @param {number} [wait]  seconds that the server may wait
 * @returns {Promise<Snapshot>}
 */
export async function look(link, confirmation, patience, wait = 0) {
  const answer = await fetchAnswer(link, confirmation, patience, wait);
  try {
    return await settle(link, confirmation, answer, patience);
  } catch (error) {
    if (!(error instanceof Smaller)) throw error;
    // A receipt that was made earlier than another one that overtook it is innocent: a new one is under a later checkpoint.
    return settle(link, confirmation, await fetchAnswer(link, confirmation, patience, 0), patience);
  }
}

/**
 * @param {Link} link
 * @param {Confirmation} confirmation
 * @param {Patience} patience
 * @returns {Promise<Decision>}
 */
async function poll(link, confirmation, patience) {
  for (;;) {
    const start = link.clock.moment();
    // So that the answer is here before the time is up.
    const wait = Math.max(0, Math.min(WAIT, Math.floor((patience.left - TRAVEL) / 1000)));
    const found = await look(link, confirmation, patience, wait);
    if (found.status !== 'pending') return /** @type {Decision} */ (found);
    await patience.sleep(Math.max(0, start + PAUSE - link.clock.moment()));
  }
}

/**
 * @param {Link} link
 * @param {Confirmation} confirmation
 * @param {Patience} patience
 * @param {number} wait
 */
async function fetchAnswer(link, { id, core }, patience, wait) {
  const path = `/api/confirmations/${id}${wait > 0 ? `?wait=${wait}` : ''}`;
  const { value } = await ask(link, { method: 'GET', path, wait }, patience, { id });
  checkSame(value, core);
  return value;
}

/**
 * @param {Link} link
 * @param {Confirmation} confirmation
 * @param {any} answer
 * @param {Patience} patience
 * @returns {Promise<Snapshot>}
 */
async function settle(link, confirmation, answer, patience) {
  const { status, receipt } = answer;
  switch (status) {
    case 'approved': {
      const report = await acceptApproval(link, confirmation.core, receipt, patience);
      return /** @type {Snapshot} */ (new Outcome(link, confirmation, status, { receipt, report, answer }));
    }
    case 'pending':
    case 'rejected':
    case 'expired':
    case 'cancelled': {
      const text = typeof receipt === 'string' ? receipt : undefined;
      return /** @type {Snapshot} */ (new Outcome(link, confirmation, status, { receipt: text, answer }));
    }
    default:
      throw new UnreachableError(`an unknown status ${JSON.stringify(status)}`, { id: confirmation.id });
  }
}
