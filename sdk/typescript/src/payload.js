// From a JavaScript value to the canonical text that people approve, and back to the value that runs.
//
// JSON.stringify drops or changes what JSON cannot say (undefined, NaN, a Date, a Map); what is approved has to be what runs,
// so such values are refused, with their place as a JSON pointer. Every property is read once.

import { JsonArray, JsonError, JsonNumber, jsonObject, parsePayload, toCanonical, utf8 } from './verifier.js';

/** @typedef {import('./verifier.js').JsonValue} JsonValue */

/** A value that JSON cannot say exactly. A wrong call, not an outcome: nothing was asked. */
export class PayloadError extends TypeError {
  /**
   * @param {string} path  a JSON pointer; empty for the whole value
   * @param {string} reason
   */
  constructor(path, reason) {
    super(`${path === '' ? 'the top level' : path}: ${reason}`);
    this.name = 'PayloadError';
    this.path = path;
  }
}

/**
 * The canonical text (RFC 8785) of a payload: an object of at most 256 KiB and 32 levels.
 *
 * @param {unknown} payload
 * @returns {string}
 * @throws {PayloadError}
 */
export function payloadText(payload) {
  const text = canonicalText(payload);
  try {
    return toCanonical(parsePayload(utf8(text)));
  } catch (error) {
    throw error instanceof JsonError ? new PayloadError(error.path, error.reason) : error;
  }
}

/**
 * The canonical text of any JSON value.
 *
 * @param {unknown} value
 * @returns {string}
 * @throws {PayloadError}
 */
export function canonicalText(value) {
  return toCanonical(convert(value, '', 1));
}

/**
 * A value that nothing can change any more, from canonical text. Each call makes its own.
 *
 * @param {string} text
 * @returns {any}
 */
export function frozenValue(text) {
  return JSON.parse(text, (_, value) => Object.freeze(value));
}

/** Deeper than any payload may be, so that a value that holds itself comes to an end. */
const TOO_DEEP = 64;

/**
 * @param {unknown} value
 * @param {string} path
 * @param {number} depth
 * @returns {JsonValue}
 */
function convert(value, path, depth) {
  if (depth > TOO_DEEP) throw new PayloadError(path, `nested deeper than ${TOO_DEEP} levels, or holds itself`);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return wellFormed(value, path);
  if (typeof value === 'number') return convertNumber(value, path);
  if (Array.isArray(value)) {
    const elements = new JsonArray();
    for (let i = 0; i < value.length; i += 1) elements.push(convert(value[i], `${path}/${i}`, depth + 1));
    return elements;
  }
  if (typeof value !== 'object') throw new PayloadError(path, `${nameOf(value)} is not JSON`);
  return convertObject(value, path, depth);
}

/**
 * @param {number} value
 * @param {string} path
 */
function convertNumber(value, path) {
  if (!Number.isFinite(value)) throw new PayloadError(path, `${value} is not JSON`);
  // As ECMAScript writes it, which is its canonical form; minus zero becomes zero, as in JSON.stringify.
  return new JsonNumber(String(value));
}

/**
 * @param {object} value
 * @param {string} path
 * @param {number} depth
 */
function convertObject(value, path, depth) {
  const prototype = Object.getPrototypeOf(value);
  // An object of another realm (a frame, a vm) has another Object.prototype, which has no prototype either.
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!isPlain || typeof (/** @type {any} */ (value).toJSON) === 'function') {
    throw new PayloadError(path, `${nameOf(value)} is not a plain object; convert it first`);
  }
  if (Object.getOwnPropertySymbols(value).length > 0) throw new PayloadError(path, 'a symbol as a key is not JSON');
  /** @type {[string, JsonValue][]} */
  const members = Object.entries(value).map(([key, member]) => {
    const place = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return [wellFormed(key, place), convert(member, place, depth + 1)];
  });
  return jsonObject(members);
}

/**
 * @param {string} text
 * @param {string} path
 */
function wellFormed(text, path) {
  if (/[\ud800-\udfff]/u.test(text)) throw new PayloadError(path, 'a lone surrogate, which no UTF-8 text can hold');
  return text;
}

/** @param {unknown} value */
function nameOf(value) {
  if (typeof value === 'object' && value !== null) return `a ${value.constructor?.name ?? 'foreign object'}`;
  return typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`;
}
