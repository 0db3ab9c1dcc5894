// Strict JSON (RFC 8259) and its canonical form (RFC 8785).
//
// One text, one meaning: a key that stands twice (compared after unescaping), a lone surrogate, a byte order mark or a
// number that the canonical form would change are errors that name the place as a JSON pointer (RFC 6901). `JSON.parse`
// sees none of them, so it is not used. There is no Unicode normalisation. Size and nesting are capped.

import { fromUtf8, utf8 } from './encoding.js';
import { canonicalNumber } from './number.js';
import { quoted } from './names.js';
import { Refusal } from './refusal.js';

/**
 * A JSON value.
 *
 * @typedef {null | boolean | string | JsonNumber | JsonArray | JsonObject} JsonValue
 */

/**
 * What a text may be at most.
 *
 * @typedef {object} Limits
 * @property {number} maxBytes  its size in bytes
 * @property {number} maxDepth  arrays and objects inside each other, the outermost counted as 1
 * @property {boolean} [anyNumber]  accept every number literal and keep it as it stands; otherwise only exact ones
 */

/**
 * An array. It has a name of its own because a JSDoc type cannot refer to itself.
 *
 * @extends {Array<JsonValue>}
 */
export class JsonArray extends Array {}

/**
 * An object: its members ascending by the UTF-16 code units of their keys. A map, so that no key (`__proto__` for one) means
 * anything but itself.
 *
 * @extends {Map<string, JsonValue>}
 */
export class JsonObject extends Map {}

/** A number, kept as its RFC 8785 text; with `anyNumber` as the literal that was written. */
export class JsonNumber {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

/** A text that is not acceptable JSON. */
export class JsonError extends Refusal {
  /**
   * @param {string} kind  one of a few words, for tests and callers that tell errors apart
   * @param {string} reason
   * @param {string} [path]  the place as a JSON pointer; empty for the whole text
   */
  constructor(kind, reason, path = '') {
    super(`${path === '' ? 'the top level' : path}: ${reason}`);
    this.name = 'JsonError';
    this.kind = kind;
    this.reason = reason;
    this.path = path;
  }
}

/**
 * Parses one JSON text strictly.
 *
 * @param {Uint8Array} bytes
 * @param {Limits} limits
 * @returns {JsonValue}
 * @throws {JsonError}
 */
export function parseJson(bytes, limits) {
  return new Scanner(textOf(bytes, limits), limits).whole();
}

/**
 * Parses a text that must already be canonical: parses it, writes it again and compares.
 *
 * @param {Uint8Array} bytes
 * @param {Limits} limits
 * @returns {JsonValue}
 * @throws {JsonError}
 */
export function parseCanonical(bytes, limits) {
  const text = textOf(bytes, limits);
  const value = new Scanner(text, limits).whole();
  if (toCanonical(value) !== text) throw new JsonError('not canonical', 'not in canonical form (RFC 8785)');
  return value;
}

/**
 * The canonical text of RFC 8785.
 *
 * @param {JsonValue} value
 * @returns {string}
 */
export function toCanonical(value) {
  if (value instanceof JsonNumber) return value.text;
  if (value instanceof JsonObject) {
    return `{${Array.from(value, ([key, member]) => `${JSON.stringify(key)}:${toCanonical(member)}`).join(',')}}`;
  }
  if (Array.isArray(value)) return `[${Array.from(value, toCanonical).join(',')}]`;
  // For null, booleans and strings without lone surrogates, ECMAScript writes what RFC 8785 §3.2.2 asks for.
  return JSON.stringify(value);
}

/**
 * An object from members in any order.
 *
 * @param {Iterable<[string, JsonValue]>} members
 * @returns {JsonObject}
 */
export function jsonObject(members) {
  const all = [...members].sort(byKey);
  const repeated = all.find(([key], i) => i > 0 && all[i - 1][0] === key);
  if (repeated) throw new JsonError('repeated key', `the key ${quoted(repeated[0])} stands twice`);
  return new JsonObject(all);
}

const MAX_NUMBER = 64;
/** What a caller may ask for at most: the scanner recurses once for each level. */
const MAX_DEPTH = 64;

/**
 * @param {Uint8Array} bytes
 * @param {Limits} limits
 */
function textOf(bytes, limits) {
  if (bytes.length > limits.maxBytes) {
    throw new JsonError('too large', `${bytes.length} bytes, at most ${limits.maxBytes} are allowed`);
  }
  const text = fromUtf8(bytes);
  if (text === undefined) throw new JsonError('not utf-8', `not UTF-8 at byte ${validUpTo(bytes)}`);
  return text;
}

/**
 * Where the first malformed UTF-8 sequence begins.
 *
 * @param {Uint8Array} bytes  not UTF-8
 */
function validUpTo(bytes) {
  const accepted = (/** @type {number} */ length) => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    try {
      return utf8(decoder.decode(bytes.subarray(0, length), { stream: true })).length;
    } catch {
      return undefined;
    }
  };
  let [good, bad] = [0, bytes.length + 1];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (accepted(middle) === undefined) bad = middle;
    else good = middle;
  }
  return accepted(good) ?? 0;
}

/**
 * RFC 8785 §3.2.3: by UTF-16 code units, which is how ECMAScript compares.
 *
 * @param {[string, JsonValue]} a
 * @param {[string, JsonValue]} b
 */
function byKey([a], [b]) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** @type {Record<string, string>} */
const ESCAPES = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

class Scanner {
  /**
   * @param {string} text
   * @param {Limits} limits
   */
  constructor(text, limits) {
    this.text = text;
    this.limits = limits;
    this.at = 0;
    /** @type {(string | number)[]} */
    this.path = [];
  }

  /** @returns {JsonValue} */
  whole() {
    this.skipWhiteSpace();
    const value = this.value(0);
    this.skipWhiteSpace();
    if (this.at < this.text.length) throw this.expected('the end of the text');
    return value;
  }

  /**
   * @param {number} depth
   * @returns {JsonValue}
   */
  value(depth) {
    switch (this.text[this.at]) {
      case '{': return this.object(this.deeper(depth));
      case '[': return this.array(this.deeper(depth));
      case '"': return this.string();
      case 't': return this.word('true', true);
      case 'f': return this.word('false', false);
      case 'n': return this.word('null', null);
      default:
        if (this.peeks(/[-0-9]/)) return this.number();
        throw this.expected('a value');
    }
  }

  /** @param {number} depth */
  deeper(depth) {
    const limit = Math.min(this.limits.maxDepth, MAX_DEPTH);
    if (depth >= limit) throw this.error('too deep', `nested deeper than ${limit} levels`);
    return depth + 1;
  }

  /**
   * @param {number} depth
   * @returns {JsonObject}
   */
  object(depth) {
    /** @type {[string, JsonValue][]} */
    const members = [];
    this.at += 1;
    this.skipWhiteSpace();
    if (this.take('}')) return new JsonObject();
    for (;;) {
      if (this.text[this.at] !== '"') throw this.expected('a key in quotes');
      const key = this.string();
      this.skipWhiteSpace();
      this.require(':', 'a colon');
      this.skipWhiteSpace();
      this.path.push(key);
      members.push([key, this.value(depth)]);
      this.path.pop();
      this.skipWhiteSpace();
      if (this.take('}')) return this.distinct(members);
      this.require(',', 'a comma or the end of the object');
      this.skipWhiteSpace();
    }
  }

  /** @param {[string, JsonValue][]} members */
  distinct(members) {
    try {
      return jsonObject(members);
    } catch (error) {
      throw error instanceof JsonError ? this.error(error.kind, error.reason) : error;
    }
  }

  /**
   * @param {number} depth
   * @returns {JsonArray}
   */
  array(depth) {
    const elements = new JsonArray();
    this.at += 1;
    this.skipWhiteSpace();
    if (this.take(']')) return elements;
    for (;;) {
      this.path.push(elements.length);
      elements.push(this.value(depth));
      this.path.pop();
      this.skipWhiteSpace();
      if (this.take(']')) return elements;
      this.require(',', 'a comma or the end of the array');
      this.skipWhiteSpace();
    }
  }

  string() {
    const special = /["\\\u0000-\u001f]/g;
    let string = '';
    this.at += 1;
    for (;;) {
      special.lastIndex = this.at;
      const found = special.exec(this.text);
      if (!found) {
        this.at = this.text.length;
        throw this.expected('a closing quote');
      }
      string += this.text.slice(this.at, found.index);
      this.at = found.index;
      if (this.take('"')) return string;
      if (found[0] !== '\\') throw this.expected('an escape in place of a control character');
      string += this.escape();
    }
  }

  escape() {
    this.at += 1;
    const letter = this.text[this.at];
    if (letter === 'u') return this.unicodeEscape();
    if (letter === undefined || !Object.hasOwn(ESCAPES, letter)) throw this.expected('an escape');
    this.at += 1;
    return ESCAPES[letter];
  }

  unicodeEscape() {
    const first = this.codeUnit();
    if (first < 0xd800 || first > 0xdfff) return String.fromCharCode(first);
    const lone = () => this.error('lone surrogate', 'a lone surrogate, which no UTF-8 text can hold');
    if (first >= 0xdc00 || !this.text.startsWith('\\u', this.at)) throw lone();
    this.at += 1;
    const second = this.codeUnit();
    if (second < 0xdc00 || second > 0xdfff) throw lone();
    return String.fromCharCode(first, second);
  }

  /** The four hexadecimal digits after `u`, where the scanner stands. */
  codeUnit() {
    this.at += 1;
    const digits = this.text.slice(this.at, this.at + 4);
    if (!/^[0-9A-Fa-f]{4}$/.test(digits)) throw this.expected('four hexadecimal digits');
    this.at += 4;
    return Number.parseInt(digits, 16);
  }

  /** RFC 8259 §6: minus, an integer without leading zeros, a fraction, an exponent. */
  number() {
    const start = this.at;
    this.take('-');
    if (!this.take('0')) this.digits();
    if (this.take('.')) this.digits();
    if (this.take('e') || this.take('E')) {
      if (!this.take('+')) this.take('-');
      this.digits();
    }
    const literal = this.text.slice(start, this.at);
    if (this.limits.anyNumber) return new JsonNumber(literal);
    if (literal.length > MAX_NUMBER) {
      throw this.error('long number', `a number of ${literal.length} characters, at most ${MAX_NUMBER} are allowed`);
    }
    const text = canonicalNumber(literal);
    if (text === undefined) {
      throw this.error('inexact number', `the number ${literal} cannot be kept exactly; send it as a string`);
    }
    return new JsonNumber(text);
  }

  digits() {
    if (!this.peeks(/[0-9]/)) throw this.expected('a digit');
    while (this.peeks(/[0-9]/)) this.at += 1;
  }

  /**
   * @template T
   * @param {string} word
   * @param {T} value
   */
  word(word, value) {
    if (!this.text.startsWith(word, this.at)) throw this.expected(word);
    this.at += word.length;
    return value;
  }

  skipWhiteSpace() {
    while (this.peeks(/[ \t\n\r]/)) this.at += 1;
  }

  /** @param {RegExp} one  matches one character */
  peeks(one) {
    return this.at < this.text.length && one.test(this.text[this.at]);
  }

  /** @param {string} character */
  take(character) {
    const there = this.text[this.at] === character;
    if (there) this.at += 1;
    return there;
  }

  /**
   * @param {string} character
   * @param {string} expected
   */
  require(character, expected) {
    if (!this.take(character)) throw this.expected(expected);
  }

  /** @param {string} expected */
  expected(expected) {
    const offset = utf8(this.text.slice(0, this.at)).length;
    return this.error('syntax', `not JSON at byte ${offset}: expected ${expected}`);
  }

  /**
   * @param {string} kind
   * @param {string} reason
   */
  error(kind, reason) {
    const escaped = (/** @type {string | number} */ segment) => String(segment).replaceAll('~', '~0').replaceAll('/', '~1');
    return new JsonError(kind, reason, this.path.map((segment) => `/${escaped(segment)}`).join(''));
  }
}
