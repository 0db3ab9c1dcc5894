// The options of a client, with what the environment says where an option is left out (in Node, Deno and Bun).

import { systemClock } from './clock.js';
import { inProcessMemory } from './memory.js';
import { refuseUnknown } from './request.js';

/**
 * @typedef {object} ClientOptions
 * @property {string} [apiKey]  else COUNTERSIGN_API_KEY, or the content of the file COUNTERSIGN_API_KEY_FILE
 * @property {string} [baseUrl]  scheme, host and port of the server; else COUNTERSIGN_URL
 * @property {string | Uint8Array | object} [trust]  the trust file: its path (not in browsers) or its content; else the file
 *   COUNTERSIGN_TRUST; else what the server says at first use
 * @property {import('./memory.js').Memory} [memory]  where checkpoints are kept; in this process if left out
 * @property {typeof globalThis.fetch} [fetch]
 * @property {number} [requestTimeout]  seconds for one HTTP request, beside the time that the server was asked to wait; 10
 * @property {boolean} [allowHttp]  accept http for other hosts than this machine
 * @property {import('./clock.js').Clock} [clock]  for tests
 * @property {() => number} [random]  for tests: from 0 to 1, for the pauses between retries
 */

/**
 * @typedef {object} Settings
 * @property {string} apiKey
 * @property {string} baseUrl  without a slash at the end
 * @property {Uint8Array | undefined} trust  the trust file's bytes, if one is pinned
 * @property {import('./memory.js').Memory} memory
 * @property {typeof globalThis.fetch} fetch
 * @property {number} requestTimeout
 * @property {import('./clock.js').Clock} clock
 * @property {() => number} random
 */

const OPTIONS = new Set([
  'apiKey', 'baseUrl', 'trust', 'memory', 'fetch', 'requestTimeout', 'allowHttp', 'clock', 'random',
]);
const THIS_MACHINE = ['localhost', '127.0.0.1', '[::1]'];

/**
 * @param {ClientOptions} options
 * @returns {Settings}
 * @throws {TypeError}
 */
export function readSettings(options) {
  refuseUnknown(options, OPTIONS);
  const env = environment();
  const { requestTimeout = 10, memory = inProcessMemory, clock = systemClock, random = Math.random } = options;
  if (!(requestTimeout > 0)) throw new TypeError('requestTimeout must be a number of seconds');
  return {
    apiKey: readApiKey(options.apiKey ?? env.COUNTERSIGN_API_KEY, env.COUNTERSIGN_API_KEY_FILE),
    baseUrl: readBaseUrl(options.baseUrl ?? env.COUNTERSIGN_URL, options.allowHttp === true),
    trust: readTrust(options.trust ?? env.COUNTERSIGN_TRUST),
    memory,
    // A browser's fetch wants to be called on nothing else than the window.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    requestTimeout,
    clock,
    random,
  };
}

/**
 * Node's file system, where there is one. Not imported, because a browser could not load the module then.
 *
 * @param {string} what  needs it
 * @returns {any}
 * @throws {TypeError}
 */
export function fileSystem(what) {
  const fs = /** @type {any} */ (globalThis).process?.getBuiltinModule?.('node:fs');
  if (!fs) throw new TypeError(`${what} needs Node 20.16 or later`);
  return fs;
}

/** @returns {Record<string, string | undefined>} */
function environment() {
  return /** @type {any} */ (globalThis).process?.env ?? {};
}

/**
 * The key is in no error, so its form is checked here, before anything else can complain about it.
 *
 * @param {string | undefined} given
 * @param {string | undefined} file
 */
function readApiKey(given, file) {
  const key = given ?? (file === undefined ? undefined : fileSystem('an API key file').readFileSync(file, 'utf8').trim());
  if (key === undefined) throw new TypeError('give apiKey, or set COUNTERSIGN_API_KEY or COUNTERSIGN_API_KEY_FILE');
  const isGood = typeof key === 'string' && /^[\x21-\x7e]+$/.test(key);
  if (!isGood) throw new TypeError('the API key is not one line of visible ASCII');
  return key;
}

/**
 * @param {string | undefined} given
 * @param {boolean} allowHttp
 */
function readBaseUrl(given, allowHttp) {
  if (given === undefined) throw new TypeError('give baseUrl, or set COUNTERSIGN_URL');
  /** @type {URL} */
  let url;
  try {
    url = new URL(given);
  } catch {
    throw new TypeError('baseUrl is not a URL');
  }
  if (url.username || url.password || url.search || url.hash) throw new TypeError('baseUrl is scheme, host and port alone');
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && (allowHttp || THIS_MACHINE.includes(url.hostname)));
  if (!isSafe) throw new TypeError('baseUrl must be https, or http for this machine alone, because the API key goes there');
  return url.href.replace(/\/+$/, '');
}

/** @param {string | Uint8Array | object | undefined} given */
function readTrust(given) {
  if (given === undefined || given instanceof Uint8Array) return given;
  if (typeof given !== 'string') return new TextEncoder().encode(JSON.stringify(given));
  if (given.trimStart().startsWith('{')) return new TextEncoder().encode(given);
  return new Uint8Array(fileSystem('a trust file').readFileSync(given));
}
