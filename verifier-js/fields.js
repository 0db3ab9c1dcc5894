// Reading objects with a fixed set of fields: exactly these, each of its type, errors that name the field.

import { fromBase64url, hashFromBase64url } from './encoding.js';
import { JsonNumber, JsonObject } from './json.js';
import { quoted } from './names.js';
import { Refusal } from './refusal.js';
import { secondsOf } from './time.js';

/** @typedef {import('./json.js').JsonValue} JsonValue */

/** An object whose field names were checked. */
export class Fields {
  /** @param {JsonObject} object */
  constructor(object) {
    this.object = object;
  }

  /**
   * Accepts an object with exactly these fields.
   *
   * @param {JsonValue} value
   * @param {readonly string[]} names
   * @returns {Fields}
   * @throws {Refusal}
   */
  static exactly(value, names) {
    const fields = Fields.atMost(value, names);
    const missing = names.find((name) => !fields.object.has(name));
    if (missing !== undefined) throw new Refusal(`the field ${missing} is missing`);
    return fields;
  }

  /**
   * Accepts an object with some of these fields and no others.
   *
   * @param {JsonValue} value
   * @param {readonly string[]} names
   * @returns {Fields}
   * @throws {Refusal}
   */
  static atMost(value, names) {
    if (!(value instanceof JsonObject)) throw new Refusal('not an object');
    const unknown = [...value.keys()].find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Refusal(`unknown field ${quoted(unknown)}`);
    return new Fields(value);
  }

  /**
   * @param {string} field
   * @returns {boolean}
   */
  has(field) {
    return this.object.has(field);
  }

  /**
   * @param {string} field
   * @returns {JsonValue}
   */
  value(field) {
    const value = this.object.get(field);
    if (value === undefined) throw new Refusal(`the field ${field} is missing`);
    return value;
  }

  /**
   * @param {string} field
   * @returns {string}
   */
  string(field) {
    return this.typed(field, 'a string', asString);
  }

  /**
   * @param {string} field
   * @returns {boolean}
   */
  boolean(field) {
    return this.typed(field, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined));
  }

  /**
   * @param {string} field
   * @returns {bigint}
   */
  integer(field) {
    return this.typed(field, 'a whole number from 0 to 2^53', asInteger);
  }

  /**
   * @param {string} field
   * @returns {JsonValue[]}
   */
  array(field) {
    return this.typed(field, 'an array', (value) => (Array.isArray(value) ? value : undefined));
  }

  /**
   * @param {string} field
   * @returns {JsonObject}
   */
  members(field) {
    return this.typed(field, 'an object', (value) => (value instanceof JsonObject ? value : undefined));
  }

  /**
   * @param {string} field
   * @returns {string[]}
   */
  strings(field) {
    return Array.from(this.array(field), (value) => asString(value) ?? wrong(field, 'an array of strings'));
  }

  /**
   * A time's text.
   *
   * @param {string} field
   * @returns {import('./time.js').Time}
   */
  time(field) {
    return this.typed(field, 'a time as YYYY-MM-DDTHH:MM:SSZ', (value) => {
      return typeof value === 'string' && secondsOf(value) !== undefined ? value : undefined;
    });
  }

  /**
   * Bytes as base64url.
   *
   * @param {string} field
   * @returns {Uint8Array}
   */
  bytes(field) {
    return this.typed(field, 'base64url without padding', (value) => {
      return typeof value === 'string' ? fromBase64url(value) : undefined;
    });
  }

  /**
   * 32 bytes, left in their one text form: equal bytes have equal texts.
   *
   * @param {string} field
   * @returns {string}
   */
  hashText(field) {
    return this.typed(field, 'base64url of 32 bytes', (value) => {
      return typeof value === 'string' && hashFromBase64url(value) ? value : undefined;
    });
  }

  /**
   * The `type` field with the one text it must have.
   *
   * @param {string} expected
   */
  requireType(expected) {
    if (this.string('type') !== expected) wrong('type', expected);
  }

  /**
   * @template T
   * @param {string} field
   * @param {string} expected
   * @param {(value: JsonValue) => T | undefined} read
   * @returns {T}
   */
  typed(field, expected, read) {
    return read(this.value(field)) ?? wrong(field, expected);
  }
}

/**
 * Refuses a field of the wrong type or form.
 *
 * @param {string} field
 * @param {string} expected
 * @returns {never}
 * @throws {Refusal}
 */
export function wrong(field, expected) {
  throw new Refusal(`the field ${field} must be ${expected}`);
}

/**
 * The number as an unsigned integer, if it is one of at most 2^53, where doubles are exact.
 *
 * @param {JsonValue} value
 * @returns {bigint | undefined}
 */
export function asInteger(value) {
  if (!(value instanceof JsonNumber) || !/^\d+$/.test(value.text)) return undefined;
  const number = BigInt(value.text);
  return number <= 2n ** 53n ? number : undefined;
}

/**
 * @param {JsonValue} value
 * @returns {string | undefined}
 */
function asString(value) {
  return typeof value === 'string' ? value : undefined;
}
