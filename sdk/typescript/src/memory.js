// What a client remembers about logs: the largest checkpoint that it verified, and the trust file of a server at first use.

/**
 * Texts by key. Get must give what the last set wrote, and may be asked by several clients.
 *
 * @typedef {object} Memory
 * @property {(key: string) => string | undefined | Promise<string | undefined>} get
 * @property {(key: string, value: string) => void | Promise<void>} set
 */

/** @type {Map<string, string>} */
const texts = new Map();

/**
 * The memory of all clients of this process that were given no other.
 *
 * @type {Memory}
 */
export const inProcessMemory = {
  get: (key) => texts.get(key),
  set: (key, value) => void texts.set(key, value),
};
