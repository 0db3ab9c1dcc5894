// Whom the client believes: the trust file that was pinned, or else what the server said about itself at first use.

import { NotVerifiedError } from './errors.js';
import { ask } from './retry.js';
import { Refusal, parseTrust, utf8 } from './verifier.js';

/**
 * @typedef {object} Trusted
 * @property {import('./verifier.js').Trust} trust
 * @property {string[]} logs  the log origins
 * @property {'pinned' | 'first-use'} kind
 */

/** Finds the trust once, when it is first needed. */
export class TrustSource {
  #settings;
  /** @type {Trusted | undefined} */
  #found;

  /** @param {import('./settings.js').Settings} settings */
  constructor(settings) {
    this.#settings = settings;
  }

  /**
   * @param {import('./link.js').Link} link
   * @param {import('./clock.js').Patience} patience
   * @returns {Promise<Trusted>}
   */
  async get(link, patience) {
    this.#found ??= await (this.#settings.trust ? pinned(this.#settings.trust) : firstUse(link, patience));
    return this.#found;
  }
}

/**
 * @param {Uint8Array} bytes
 * @returns {Promise<Trusted>}
 */
async function pinned(bytes) {
  try {
    return trusted(await parseTrust(bytes), 'pinned');
  } catch (error) {
    throw error instanceof Refusal ? new TypeError(`the trust file: ${error.message}`) : error;
  }
}

/**
 * First use ends with the memory: as long as it remembers a server's trust file, another one is not taken.
 *
 * @param {import('./link.js').Link} link
 * @param {import('./clock.js').Patience} patience
 * @returns {Promise<Trusted>}
 */
async function firstUse(link, patience) {
  const key = `trust ${link.baseUrl}`;
  const known = await link.memory.get(key);
  const text = known ?? (await ask(link, { method: 'GET', path: '/trust.json' }, patience, { tries: 5 })).text;
  try {
    const found = trusted(await parseTrust(utf8(text)), 'first-use');
    if (known === undefined) await link.memory.set(key, text);
    return found;
  } catch (error) {
    throw error instanceof Refusal ? new NotVerifiedError('trust', error.message) : error;
  }
}

/**
 * @param {import('./verifier.js').Trust} trust
 * @param {'pinned' | 'first-use'} kind
 */
function trusted(trust, kind) {
  return { trust, logs: trust.logs.map((key) => key.name), kind };
}
