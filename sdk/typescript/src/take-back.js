// Taking back what nobody waits for any more, so that nobody is asked for an answer on which nobody will act.

import { Patience } from './clock.js';
import { MismatchError } from './errors.js';
import { ask, inTime } from './retry.js';

/** Seconds that it may take when a caller gives up. */
const TIMEOUT = 5;

/**
 * Takes a request back.
 *
 * @param {import('./link.js').Link} link
 * @param {string} id
 * @param {Patience} patience
 * @param {number} [tries]
 */
export async function cancel(link, id, patience, tries = 5) {
  const path = `/api/confirmations/${encodeURIComponent(id)}/cancel`;
  await ask(link, { method: 'POST', path }, patience, { id, tries });
}

/**
 * Does it for a caller that gives up, as well as it can be done in a short time.
 *
 * @param {import('./link.js').Link} link
 * @param {string | import('./http.js').Call} asked  the request's id; or, where its answer never came, what asked for it
 */
export async function takeBack(link, asked) {
  const patience = new Patience(link.clock, link.clock.moment() + TIMEOUT * 1000);
  try {
    const id = typeof asked === 'string' ? asked : await idOf(link, asked, patience);
    await inTime(() => cancel(link, id, patience, 3));
  } catch {
    // Decided meanwhile, or not to be reached: this call does not act either way, and the request ends by itself.
  } finally {
    patience.end();
  }
}

/**
 * The same question under the same key finds the request. Where the first one never arrived this makes it, to be cancelled at
 * once: nobody can tell the two apart from here.
 *
 * @param {import('./link.js').Link} link
 * @param {import('./http.js').Call} call
 * @param {Patience} patience
 * @returns {Promise<string>}
 */
async function idOf(link, call, patience) {
  const { value } = await ask(link, call, patience, { tries: 1 });
  const { id } = Object(value);
  if (typeof id !== 'string' || !/^cnf_[a-z2-7]{26}$/.test(id)) throw new MismatchError('id', 'it has no id of a confirmation');
  return id;
}
