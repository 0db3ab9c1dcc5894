// Words and signs that are not what they look like, in the spirit of UTS #39. All of the rule is here. Marked are:
//
//   1. a word that mixes scripts of SCRIPTS, whose letters look alike;
//   2. a word all in letters of LOOK_LATIN, unless the text is plainly written in their script, with no Latin word beside;
//   3. a character of LIKE, and one whose compatibility form (NFKC) is other and ASCII: mathematical, fullwidth, ligatures,
//      U+2024 and many more. Not a raised or lowered digit and a few signs that everybody writes (USUAL); nor, where the
//      text has Chinese, Japanese or Korean letters, what belongs to their writing (WIDE) and stands among them;
//   4. a digit of another script that touches an ASCII letter or digit;
//   5. a mark that strikes through or encloses what stands before it;
//   6. a letter that carries the same mark twice in a row, or more than four;
//   7. a word that could be written alike in other characters (é in one or in two): one that is not in NFC.
//
// Not marked: letters of living alphabets that one can tell from plain ones (ı, ł, ø), quotation marks, and long dashes.

import { codePoint } from './visible.js';

/** A letter or a digit with what follows it, or any other character beyond ASCII. */
const PIECE = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*|[^\0-\x7f]/gu;

/** The most usual here in front: it is the others' letters that are named. */
const SCRIPTS = ['Latin', 'Cyrillic', 'Greek', 'Armenian', 'Cherokee', 'Coptic', 'Lisu'].map((name) => [name, new RegExp(`\\p{Script=${name}}`, 'u')]);
const LOOK_LATIN = /^[асԁеһіјӏорԛѕԝхуАВЕЅІЈКМНОРСТУХӀαγικνορυχωΑΒΕΖΗΙΚΜΝΟΡΤΥΧցհյոռսօզգաԼՍՏՕᎠᎡᎢᎥᎩᎪᎫᎬᎳᎷᎻᎽᏀᏂᏃᏎᏒᏔᏚᏞᏟᏢᏦᏴ]+$/u;

/** After each ASCII character those that look like it and have no NFKC of their own. */
const LIKE = new Map(
  ('aɑᴀ bʙƅ cᴄ dᴅ eᴇ fꜰꬵ gɡɢᶃ hʜ iɩɪ jȷᴊ kᴋ lǀʟꞁƖןוا mᴍ nɴ oᴏᴑꬽסهဝഠჿ pᴘ rʀ sꜱƽ tᴛ uᴜʋ vᴠ wᴡɯ yʏ zᴢ Oⵔ Iⵏ 2Ƨ 3ƷȜɜ 5Ƽ 8Ȣȣ !ǃ ' +
    '/∕⁄⧸╱ノ丿 \\∖⧵⧹ :꞉∶ː˸⁚։׃ .۔ ,٫ %٪ -‐‑−⁃˗一 ~∼ *∗⁎٭ |∣ _ˍ').split(' ').flatMap(([plain, ...others]) => others.map((one) => [one, plain])),
);
/** These look like ASCII only in its midst; elsewhere they are honest letters and signs of their own scripts. */
const OF_A_SCRIPT = /[^\p{Script=Latin}\p{Script=Common}]/u;
const USUAL = /[ª²³¹º⁰-₎…™№]/;
const WIDE = /[︐-﹫！-～]/;
/** Of these the brackets and the marks that end a sentence stand beside anything, and what is enclosed looks it. */
const AT_EASE = /[（）［］｛｝，！？；①-⓿㈀-㏿]/;
const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const PILED = /(\p{Mn})\1|\p{M}{5}/u;
const STRIKES = /[\p{Me}\u0334-\u0338\u20d2\u20d3\u20d8-\u20da\u20e5\u20e6\u20ea\u20eb]/u;

/**
 * What of a text is marked.
 *
 * @param {string} text
 * @param {string} [whole]  what it is a part of
 * @returns {{index: number, text: string, warning: string, box: string}[]} `warning` is the key of a sentence
 */
export function lookAlikes(text, whole = text) {
  if (/^[\0-\x7f]*$/.test(text)) return [];
  const about = aboutThe(whole);
  return [...text.matchAll(PIECE)].flatMap(({ 0: piece, index }) => {
    const [warning, box] = judge(piece, index, text, about);
    return box ? [{ index, text: piece, warning, box: `[${box}]` }] : [];
  });
}

/** What was last looked at, and what is known of it: one long text may come in very many parts. */
let last = { whole: '', cjk: false, scripts: new Map() };

function aboutThe(whole) {
  if (last.whole !== whole) last = { whole, cjk: CJK.test(whole), scripts: new Map() };
  return last;
}

function judge(piece, index, text, about) {
  const mixed = foreignLetters(piece);
  if (mixed) return ['warnMixed', mixed];
  const all = scriptOf(piece, about);
  if (all) return ['warnLookAlike', `all ${all}`];
  const single = [...characters(piece, index, text, about)].join(', ');
  if (single) return ['warnLookAlike', single];
  if (PILED.test(piece)) return ['warnLookAlike', 'many marks'];
  return piece.normalize('NFC') === piece ? [] : ['warnDecomposed', 'not NFC'];
}

/** The letters of the rarer scripts of a word, if it has several. */
function foreignLetters(word) {
  const found = SCRIPTS.map(([name, script]) => [name, [...word].filter((letter) => script.test(letter))]);
  const [, ...rarer] = found.filter(([, letters]) => letters.length > 0).sort((a, b) => b[1].length - a[1].length);
  return rarer.map(([name, letters]) => `${name}: ${[...new Set(letters)].map(codePoint).join(' ')}`).join('; ');
}

/** The script of a word whose letters all look like Latin ones. A single letter is no word to pass for a Latin one. */
function scriptOf(word, { whole, scripts }) {
  const letters = word.replace(/[\p{M}\p{N}]/gu, '');
  if (!LOOK_LATIN.test(letters)) return undefined;
  const [name, script] = SCRIPTS.find(([, one]) => one.test(letters));
  if (!scripts.has(name)) scripts.set(name, describe(whole.match(PIECE), script));
  const { plainly, latin } = scripts.get(name);
  return plainly && (!latin || letters.length === 1) ? undefined : name;
}

function describe(words, script) {
  return {
    plainly: words.some((word) => script.test(word) && !LOOK_LATIN.test(word)),
    latin: words.some((word) => SCRIPTS[0][1].test(word)),
  };
}

/** The characters of a piece that look like others, each once. */
function characters(piece, index, text, { cjk }) {
  const found = new Set();
  let at = index;
  for (const one of piece) {
    const like = one > '\x7f' ? looksLike(one, text[at - 1] ?? ' ', text[at + one.length] ?? ' ', cjk) : undefined;
    if (like !== undefined) found.add(codePoint(one) + (like && `\u00a0≈\u00a0${like}`));
    at += one.length;
  }
  return found;
}

/** What a character looks like between two others: ASCII, or only something else than it is (empty). */
function looksLike(one, before, after, cjk) {
  const touches = [before, after].some((other) => /\w/.test(other));
  const between = [before, after].every((other) => /[!-~]/.test(other));
  if (STRIKES.test(one) || (touches && /\p{Nd}/u.test(one))) return '';
  if (LIKE.has(one)) return between || !OF_A_SCRIPT.test(one) ? LIKE.get(one) : undefined;
  const plain = one.normalize('NFKC');
  if (plain === one || !/^[!-~]+$/.test(plain) || USUAL.test(one)) return undefined;
  const among = AT_EASE.test(one) || (WIDE.test(one) && !(/\w/.test(plain) ? touches : between));
  return among && cjk ? undefined : plain;
}
