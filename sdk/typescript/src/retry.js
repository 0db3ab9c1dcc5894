// Asking until there is a usable answer: again after network errors and 5xx, and where the server says when to come back, with
// exponential back-off and full jitter; not again where it refuses.

import { RefusedError, UnreachableError } from './errors.js';
import { Unusable } from './http.js';

/** The time was up, and nothing had gone wrong until then. Never leaves the SDK. */
export class Late extends Error {}

/** Milliseconds: the n-th pause is a random part of FIRST · 2^n, of LONGEST at most. */
const FIRST = 500;
const LONGEST = 8_000;
/** A longer wish of the server, in seconds, is handed to the caller. */
const LONGEST_WISH = 30;

/**
 * Asks until there is an answer of success.
 *
 * @param {import('./link.js').Link} link
 * @param {import('./http.js').Call | (() => import('./http.js').Call)} call
 * @param {import('./clock.js').Patience} patience
 * @param {{id?: string, tries?: number}} [about]  tries: as many as the patience allows if left out
 * @returns {Promise<import('./http.js').Answer>}
 * @throws {import('./errors.js').CountersignError | Late}  refused, unreachable, aborted
 */
export async function ask({ http, random }, call, patience, { id, tries = Infinity } = {}) {
  /** @type {Unusable | undefined} */
  let last;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    patience.checkAborted(id);
    if (patience.isOver) break;
    try {
      return success(await http.once(typeof call === 'function' ? call() : call, patience.signal), id);
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      patience.checkAborted(id);
      // What the deadline cut off says nothing about the server.
      if (patience.isOver) break;
      last = error;
    }
    const wish = last.retryAfter ?? 0;
    if (last.final || wish > LONGEST_WISH || attempt + 1 >= tries) break;
    await patience.sleep(Math.max(wish * 1000, random() * Math.min(LONGEST, FIRST * 2 ** attempt)));
  }
  patience.checkAborted(id);
  if (last) throw new UnreachableError(last.message, { id, cause: last.cause, status: last.status });
  throw new Late();
}

/**
 * Runs where being late has no meaning of its own: it is an answer that did not come.
 *
 * @template T
 * @param {() => Promise<T>} run
 * @param {string} [id]
 * @returns {Promise<T>}
 */
export async function inTime(run, id) {
  try {
    return await run();
  } catch (error) {
    throw error instanceof Late ? new UnreachableError('no answer within the timeout', { id }) : error;
  }
}

/**
 * @param {import('./http.js').Answer} answer
 * @param {string} [id]
 * @throws {Unusable | RefusedError}
 */
function success(answer, id) {
  const { status, retryAfter } = answer;
  if (status >= 200 && status < 300) return answer;
  const problem = problemOf(answer);
  const again = status >= 500 || (status === 429 && retryAfter !== undefined && retryAfter <= LONGEST_WISH);
  if (again) throw new Unusable(`status ${status}${problem.detail ? `: ${problem.detail}` : ''}`, { status, retryAfter });
  throw new RefusedError({ status, retryAfter, id, ...problem });
}

/** The members of a problem document (RFC 9457) that are texts. @param {import('./http.js').Answer} answer */
function problemOf({ value }) {
  const { type, detail, field } = Object(value);
  const text = (/** @type {unknown} */ it) => (typeof it === 'string' ? it.slice(0, 2000) : undefined);
  return { type: text(type), detail: text(detail), field: text(field) };
}
