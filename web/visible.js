// Text that shows what is in it: every character that a reader could not see, or that moves others about, becomes a
// named box, and so do words that are not what they look like, where a page says how to find them (look-alikes.js). Nothing
// is left out, so what is shown is what is signed.

import { element } from './dom.js';

/** Names of the characters one meets; any other is shown by its code point alone. */
const NAMES = new Map([
  [0x0000, 'NULL'], [0x0009, 'TAB'], [0x000a, 'LINE FEED'], [0x000d, 'CARRIAGE RETURN'], [0x001b, 'ESCAPE'],
  [0x0020, 'SPACE'], [0x007f, 'DELETE'], [0x00a0, 'NO-BREAK SPACE'], [0x00ad, 'SOFT HYPHEN'], [0x061c, 'ARABIC LETTER MARK'],
  [0x200b, 'ZERO WIDTH SPACE'], [0x200c, 'ZERO WIDTH NON-JOINER'], [0x200d, 'ZERO WIDTH JOINER'],
  [0x200e, 'LEFT-TO-RIGHT MARK'], [0x200f, 'RIGHT-TO-LEFT MARK'], [0x2028, 'LINE SEPARATOR'],
  [0x2029, 'PARAGRAPH SEPARATOR'], [0x202a, 'LEFT-TO-RIGHT EMBEDDING'], [0x202b, 'RIGHT-TO-LEFT EMBEDDING'],
  [0x202c, 'POP DIRECTIONAL FORMATTING'], [0x202d, 'LEFT-TO-RIGHT OVERRIDE'], [0x202e, 'RIGHT-TO-LEFT OVERRIDE'],
  [0x2060, 'WORD JOINER'], [0x2066, 'LEFT-TO-RIGHT ISOLATE'], [0x2067, 'RIGHT-TO-LEFT ISOLATE'],
  [0x2068, 'FIRST STRONG ISOLATE'], [0x2069, 'POP DIRECTIONAL ISOLATE'], [0x2800, 'BRAILLE PATTERN BLANK'],
  [0x3164, 'HANGUL FILLER'], [0xfeff, 'ZERO WIDTH NO-BREAK SPACE'],
]);

// Controls, formats, separators, private, unassigned and default-ignorable characters; the blanks that are letters or
// symbols by their category; white space at either end, which a reader would not notice; and very much of it in a row.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800\u{13430}-\u{1345f}]|(?! )\p{Zs}|^ | $|(?<=[^ \n]) {8,}/gu;

/** Letters that are written from right to left, with what stands between two of them. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\u{10800}-\u{10fff}\u{1e800}-\u{1efff}](?:[\p{M} ]*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\u{10800}-\u{10fff}\u{1e800}-\u{1efff}\p{M}])*/gu;

/** The ends of lines as one writes them: one or two in a row, inside a text. They are boxes too, and no reason for a warning. */
const LINE_ENDS = /(?<=[^\n])\n\n?(?=[^\n])/g;

/** What finds the words that are not what they look like; nothing, on a page that did not say what. @type {typeof import('./look-alikes.js').lookAlikes} */
let marked = () => [];

/** Gives look-alikes a box from here on, too. @param {typeof marked} find */
export function markWith(find) {
  marked = find;
}

/**
 * Splits a text into plain runs and hidden characters.
 *
 * @param {string} text
 * @returns {{text: string, hidden: boolean, breaks: boolean, usual?: boolean}[]} a hidden one's text is its name in brackets
 */
export function split(text) {
  const usual = new Set([...text.matchAll(LINE_ENDS)].flatMap(({ 0: { length }, index }) => [index, index + length - 1]));
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > end) parts.push({ text: text.slice(end, match.index), hidden: false, breaks: false });
    const isUsual = usual.has(match.index);
    parts.push({ text: isUsual ? '↵' : nameOf(match[0]), hidden: true, breaks: match[0] === '\n', usual: isUsual });
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), hidden: false, breaks: false });
  return parts;
}

/**
 * The text as nodes, apart from the direction of what stands around it. Where letters of both directions meet, what is written
 * from right to left is set apart and all goes from left to right, in the order that is signed: the browser would otherwise
 * move the numbers and names beside it.
 *
 * @param {string} text
 * @returns {HTMLElement}
 */
export function visible(text) {
  const others = text.replace(RIGHT_TO_LEFT, '');
  const meet = others !== text && /\p{L}/u.test(others);
  const nodes = split(text).flatMap((one) => part(one, text));
  return element('bdi', { dir: meet ? 'ltr' : 'auto' }, ...(meet ? nodes.flatMap(apart) : nodes));
}

/** What a reader should be warned of: the keys of sentences. @param {string} text @returns {string[]} */
export function warningsOf(text) {
  return split(text).flatMap((one) => (one.usual ? [] : one.hidden ? ['warnHidden'] : marked(one.text, text).map(({ warning }) => warning)));
}

/** A box that stands in a text and is none of it. @param {string} words */
export function box(words) {
  return element('span', { class: 'hidden-character' }, words);
}

function part({ text, hidden, breaks }, whole) {
  if (!hidden) return words(text, whole);
  return breaks ? [box(text), element('br')] : [box(text)];
}

/** Plain text with each run from right to left apart; any other node as it is. @param {string | HTMLElement} node */
function apart(node) {
  if (typeof node !== 'string') return [node];
  const runs = [...node.matchAll(RIGHT_TO_LEFT)];
  let end = 0;
  const nodes = runs.flatMap(({ 0: run, index }) => {
    const before = node.slice(end, index);
    end = index + run.length;
    return [before, element('bdi', { dir: 'rtl' }, run)];
  });
  return [...nodes, node.slice(end)];
}

/** Plain text, with a box behind each word that is not what it looks like. */
function words(text, whole) {
  const nodes = [];
  let end = 0;
  for (const { index, text: word, box: name } of marked(text, whole)) {
    nodes.push(text.slice(end, index), element('span', { class: 'mixed-word' }, word), box(name));
    end = index + word.length;
  }
  return [...nodes, text.slice(end)];
}

/** @param {string} character */
export function codePoint(character) {
  return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function nameOf(character) {
  const code = character.codePointAt(0);
  if (character.length > 2) return `[${character.length} × SPACE]`;
  return NAMES.has(code) ? `[${codePoint(character)} ${NAMES.get(code)}]` : `[${codePoint(character)}]`;
}
