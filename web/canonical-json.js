// RFC 8785 canonical JSON, as far as a reader of it needs: parse a text, and accept it only if it is the canonical one.

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Parses a text that must be canonical JSON. Repeated keys, white space, other escapes, inexact numbers and lone
 * surrogates do not come back as the same text, so they are refused here without a parser of our own.
 *
 * @param {string} text
 * @returns {any}
 * @throws {Error} when it is anything else
 */
export function parseCanonical(text) {
  if (typeof text !== 'string') throw new Error('not a text');
  const value = JSON.parse(text);
  if (serialize(value) !== text) throw new Error('not canonical JSON');
  return value;
}

/**
 * The canonical text of a value: members in the order of their keys' UTF-16 code units, numbers and strings as
 * ECMAScript writes them.
 *
 * @param {any} value
 * @returns {string}
 * @throws {Error} when a key or string holds half of a character
 */
export function serialize(value) {
  if (Array.isArray(value)) return `[${value.map(serialize).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    // Without an argument, sort compares UTF-16 code units.
    const keys = Object.keys(value).sort();
    return `{${keys.map((key) => `${serialize(key)}:${serialize(value[key])}`).join(',')}}`;
  }
  if (typeof value === 'string' && LONE_SURROGATE.test(value)) throw new Error('contains half of a character');
  return JSON.stringify(value);
}
