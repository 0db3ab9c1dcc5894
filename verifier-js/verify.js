// The offline verification of a receipt: twelve steps in a fixed order, each passed, failed or not reached.
//
// It is one function over values: a receipt's bytes, the trust file, and what the caller expects. It reads no clock and no
// file and asks nobody. The step ids, their order and the verdicts are the same in every language's verifier.

import { Refusal } from './refusal.js';
import { Trust } from './trust.js';
import { checkExpectation, checkForm, onlyDecisionDiffers } from './verify/expectation.js';
import { takeSteps } from './verify/steps.js';

/**
 * @typedef {object} Step
 * @property {string} id  one of {@link STEPS}
 * @property {'passed' | 'failed' | 'not reached'} status
 * @property {string} detail  in words, what was found, or why it does not hold; may hold text from outside
 */

/** @typedef {'approved' | 'rejected' | 'not verified'} Verdict */

/**
 * @typedef {object} Report
 * @property {Step[]} steps  all twelve, in order
 * @property {Verdict} verdict  what the receipt proves
 * @property {import('./verify/facts.js').Facts | null} facts  null unless every step up to the quorum holds
 * @property {boolean} asExpected  whether the expected decision was reached and verified
 * @property {string | null} failedStep  the id of the step that failed
 */

/** The ids of the steps, in the order in which they are taken. */
export const STEPS = Object.freeze([
  'receipt', 'checkpoint', 'document', 'entry', 'challenge', 'client-data', 'authenticator-data', 'enrolment', 'signature',
  'inclusion', 'quorum', 'expectation',
]);

/**
 * Verifies a receipt.
 *
 * @param {Uint8Array} receipt  the file's bytes; no bytes make this throw
 * @param {Trust} trust  from `parseTrust`
 * @param {import('./verify/expectation.js').Expectation} [expectation]  what is left out is not checked
 * @returns {Promise<Report>}
 * @throws {TypeError} if the call itself is wrong: an expectation that is misspelt would otherwise not be checked
 */
export async function verify(receipt, trust, expectation = {}) {
  if (!(receipt instanceof Uint8Array)) throw new TypeError('the receipt must be a Uint8Array');
  if (!(trust instanceof Trust)) throw new TypeError('the trust must come from parseTrust');
  checkForm(expectation);
  const progress = new Progress();
  const facts = await unlessStopped(() => takeSteps(receipt, trust, progress));
  const expected = facts && (await unlessStopped(() => {
    return progress.take('expectation', async () => [true, await checkExpectation(expectation, facts)]);
  }));
  const asExpected = expected === true;
  // Only the decision may differ from what is expected without making the rest worthless: a genuine rejection is a
  // rejection, whatever the caller hoped for.
  const counts = facts !== undefined && (asExpected || (await onlyDecisionDiffers(expectation, facts)));
  const steps = progress.finish();
  return {
    steps,
    verdict: counts ? VERDICTS[facts.decision] : 'not verified',
    facts: facts ?? null,
    asExpected,
    failedStep: steps.find((step) => step.status === 'failed')?.id ?? null,
  };
}

/** @type {Record<import('./document.js').Decision, Verdict>} */
const VERDICTS = { approve: 'approved', reject: 'rejected' };

/** A step did not hold; the reason is recorded. */
class Stopped extends Error {}

/**
 * @template T
 * @param {() => Promise<T>} run
 * @returns {Promise<T | undefined>}
 */
async function unlessStopped(run) {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Stopped) return undefined;
    throw error;
  }
}

/** The steps taken so far. */
class Progress {
  /** @type {Step[]} */
  #steps = [];

  /**
   * Takes the next step and records how it went.
   *
   * @template T
   * @param {string} id
   * @param {() => Promise<[T, string]>} check  what it found, with words for the report; or a refusal
   * @returns {Promise<T>}
   */
  async take(id, check) {
    if (STEPS[this.#steps.length] !== id) throw new Error(`the step ${id} is taken out of order`);
    try {
      const [found, detail] = await check();
      this.#steps.push({ id, status: 'passed', detail });
      return found;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#steps.push({ id, status: 'failed', detail: error.message });
      throw new Stopped();
    }
  }

  /** @returns {Step[]} */
  finish() {
    const rest = STEPS.slice(this.#steps.length);
    return [...this.#steps, ...rest.map((id) => ({ id, status: /** @type {const} */ ('not reached'), detail: '' }))];
  }
}
