// Text that shows what is in it: every character that a reader could not see, or that moves others about, becomes a
// named box, and a word gets one that mixes alphabets, or is all in letters of another one that look like Latin letters. Nothing is left out, so what is shown is what is signed.

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
// symbols by their category; and white space at either end, which a reader would not notice.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800\u{13430}-\u{1345f}]|(?! )\p{Zs}|^ | $/gu;

const MIXED = /\p{L}[\p{L}\p{M}\p{N}]*/gu;
/** Alphabets with letters that look like one another's, the most usual here in front. */
const SCRIPTS = ['Latin', 'Cyrillic', 'Greek', 'Cherokee'].map((name) => [name, new RegExp(`\\p{Script=${name}}`, 'u')]);
/** Their letters that look like Latin ones: a whole word of these can pass for a Latin one. */
const LOOK_LATIN = /^[асԁеһіјӏорԛѕԝхуАВЕЅІЈКМНОРСТУХӀαγικνορυχωΑΒΕΖΗΙΚΜΝΟΡΤΥΧ]+$/u;


/**
 * Splits a text into plain runs and hidden characters.
 *
 * @param {string} text
 * @returns {{text: string, hidden: boolean, breaks: boolean}[]} a hidden one's text is its name in brackets
 */
export function split(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > end) parts.push({ text: text.slice(end, match.index), hidden: false, breaks: false });
    parts.push({ text: nameOf(match[0]), hidden: true, breaks: match[0] === '\n' });
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), hidden: false, breaks: false });
  return parts;
}

/**
 * The text as nodes, apart from the direction of what stands around it.
 *
 * @param {string} text
 * @returns {HTMLElement}
 */
export function visible(text) {
  return element('bdi', { dir: 'auto' }, ...split(text).flatMap((one) => part(one, text)));
}

/** @param {string} text */
export function hasHidden(text) {
  return split(text).some(({ hidden }) => hidden);
}

/** Whether a word mixes alphabets whose letters look alike. @param {string} text */
export function hasMixedScripts(text) {
  const words = text.match(MIXED) ?? [];
  return words.some((word) => SCRIPTS.filter(([, script]) => script.test(word)).length > 1);
}

/** Whether a word of another alphabet is written so that it could pass for a Latin one. @param {string} text */
export function hasLookAlikes(text) {
  return (text.match(MIXED) ?? []).some((word) => alphabetOf(word, text));
}

function part({ text, hidden, breaks }, whole) {
  if (!hidden) return words(text, whole);
  const box = element('span', { class: 'hidden-character' }, text);
  return breaks ? [box, element('br')] : [box];
}

/** Plain text, with a box behind each word that is not what it looks like: it names the letters, or the alphabet of all. */
function words(text, whole) {
  const nodes = [];
  let end = 0;
  for (const { 0: word, index } of text.matchAll(MIXED)) {
    const box = foreignLetters(word) ?? alphabetOf(word, whole) ?? decomposed(word);
    if (!box) continue;
    nodes.push(text.slice(end, index), element('span', { class: 'mixed-word' }, word), element('span', { class: 'hidden-character' }, box));
    end = index + word.length;
  }
  return [...nodes, text.slice(end)];
}

/** The letters of the rarer alphabets of a word, if it has several of which letters look alike. */
function foreignLetters(word) {
  const found = SCRIPTS.map(([name, script]) => [name, [...word].filter((letter) => script.test(letter))]);
  const [, ...rarer] = found.filter(([, letters]) => letters.length > 0).sort((a, b) => b[1].length - a[1].length);
  if (rarer.length === 0) return undefined;
  const names = rarer.map(([name, letters]) => `${name}: ${[...new Set(letters)].map(codePoint).join(' ')}`);
  return `[${names.join('; ')}]`;
}

/**
 * The alphabet of a word whose letters all look like Latin ones. Not in a text that is plainly written in that alphabet, so
 * that nobody who writes Russian or Greek is bothered: one with other letters of it, and with no Latin word to pass for.
 */
function alphabetOf(word, text) {
  const letters = word.replace(/[\p{M}\p{N}]/gu, '');
  if (!LOOK_LATIN.test(letters)) return undefined;
  const [name, script] = SCRIPTS.find(([, one]) => one.test(letters));
  const others = text.match(MIXED).filter((other) => other !== word);
  const plainly = others.some((other) => script.test(other) && !LOOK_LATIN.test(other));
  const latin = others.some((other) => /\p{Script=Latin}/u.test(other));
  return plainly && (!latin || letters.length === 1) ? undefined : `[all ${name}]`;
}

/** Whether a word that looks the same could be written in other characters (é in one or in two). */
function decomposed(word) {
  return word.normalize('NFC') === word ? undefined : '[not NFC]';
}

function codePoint(character) {
  return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function nameOf(character) {
  const code = character.codePointAt(0);
  return NAMES.has(code) ? `[${codePoint(character)} ${NAMES.get(code)}]` : `[${codePoint(character)}]`;
}
