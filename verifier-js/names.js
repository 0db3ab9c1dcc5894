// The short texts that people read before they sign: usernames, the action's title, the requester's name.
//
// Such a text must look like what it is, so it holds no control, bidirectional or invisible character. Server and verifiers
// apply the same rules: a hostile server may break them.

import { base64url, sha256 } from './encoding.js';
import { Refusal } from './refusal.js';

/** The most Unicode scalar values of an action's title. */
export const MAX_ACTION = 300;
/** The most Unicode scalar values of a requester's name. */
export const MAX_REQUESTER = 64;

/** An approver's name. Upper case is refused, never folded. */
const USERNAME = /^[a-z0-9._@-]{1,64}$/;

/**
 * Checks an approver's name.
 *
 * @param {string} text
 * @returns {string} the name
 * @throws {Refusal}
 */
export function checkUsername(text) {
  if (!isUsername(text)) throw new Refusal('a username is 1 to 64 of a-z 0-9 . _ - @');
  return text;
}

/**
 * Whether a text is an approver's name.
 *
 * @param {string} text
 * @returns {boolean}
 */
export function isUsername(text) {
  return USERNAME.test(text);
}

/**
 * Checks a text that is shown: from one character to the limit, none of them hidden.
 *
 * @param {string} text
 * @param {number} limit  in Unicode scalar values
 * @throws {Refusal}
 */
export function checkShown(text, limit) {
  const characters = [...text];
  if (characters.length < 1 || characters.length > limit) {
    throw new Refusal(`${characters.length} characters, 1 to ${limit} are allowed`);
  }
  const hidden = characters.find(isHidden);
  if (hidden !== undefined) {
    throw new Refusal(`${codePoint(hidden)} is a control, bidirectional or invisible character`);
  }
  if (text.trim() === '') throw new Refusal('nothing but white space');
}

/**
 * The name as it stands in the public log of a given log origin, as base64url.
 *
 * @param {string} username
 * @param {string} logOrigin
 * @returns {Promise<string>}
 */
export async function labelOf(username, logOrigin) {
  return base64url(await sha256(`countersign/approver/v1\n${logOrigin}\n${username}`));
}

/**
 * Whether a character is a control, changes the direction of text, or cannot be seen. The ranges are written out, so that
 * every verifier has the same table. The last two code points of every plane are noncharacters too.
 *
 * @param {string} character  one Unicode scalar value
 * @returns {boolean}
 */
export function isHidden(character) {
  const point = character.codePointAt(0) ?? 0;
  return (point & 0xfffe) === 0xfffe || HIDDEN.some(([first, last]) => first <= point && point <= last);
}

/**
 * Text from outside for a terminal or a page: what cannot be seen is written out.
 *
 * @param {string} text
 * @returns {string}
 */
export function visible(text) {
  return Array.from(text, (character) => (isHidden(character) ? `[${codePoint(character)}]` : character)).join('');
}

/**
 * A text in double quotes: quotes and backslashes with a backslash before them, hidden characters as `[U+XXXX]`, the rest as
 * it is. No table but our own counts, so that the words do not depend on the engine's version of Unicode.
 *
 * @param {string} text
 * @returns {string}
 */
export function quoted(text) {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return '"' + visible(escaped) + '"';
}

/**
 * Several texts in quotes.
 *
 * @param {readonly string[]} texts
 * @returns {string}
 */
export function quotedList(texts) {
  return `[${texts.map(quoted).join(', ')}]`;
}

/** @param {string} character */
function codePoint(character) {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** @type {[number, number][]} */
const HIDDEN = [
  [0x0000, 0x001f], // C0 controls
  [0x007f, 0x009f], // delete and C1 controls
  [0x00ad, 0x00ad], // soft hyphen
  [0x034f, 0x034f], // combining grapheme joiner
  [0x061c, 0x061c], // Arabic letter mark
  [0x115f, 0x1160], // Hangul fillers
  [0x17b4, 0x17b5], // Khmer inherent vowels
  [0x180b, 0x180f], // Mongolian variation selectors and vowel separator
  [0x200b, 0x200f], // zero width space, joiners, direction marks
  [0x2028, 0x202e], // line and paragraph separator, directional embeddings and overrides
  [0x2060, 0x206f], // word joiner, invisible operators, directional isolates, deprecated formats
  [0x2800, 0x2800], // Braille blank
  [0x3164, 0x3164], // Hangul filler
  [0xfdd0, 0xfdef], // noncharacters
  [0xfe00, 0xfe0f], // variation selectors
  [0xfeff, 0xfeff], // zero width no-break space
  [0xffa0, 0xffa0], // half-width Hangul filler
  [0xfff0, 0xfffb], // unassigned and interlinear annotation
  [0x13430, 0x1345f], // Egyptian hieroglyph format controls
  [0x1bca0, 0x1bca3], // shorthand format controls
  [0x1d173, 0x1d17a], // musical format controls
  [0xe0000, 0xe0fff], // tags and supplementary variation selectors
];
