// The words of the approvers' pages, in the reader's language as far as we have it.
//
// Every sentence stands in english.js; a translation is a file with the same keys. A sentence may have places, `{name}`,
// for texts or nodes, and several forms for a count. The text that a page has before any script runs is in its HTML, in
// English; its translation has the key that the element names in `data-words`, or in `data-label` for what is read out alone.

import { ENGLISH } from './english.js';

/** What there is besides English: where it is, and which way it is written. */
const OTHERS = { ar: { file: './arabic.js', dir: 'rtl' } };

let words = ENGLISH;
let language = 'en';

/**
 * Takes the first of the reader's languages that we have, or the one that `?lang=` names, and puts the page's own text
 * into it. Stays with English if the translation does not come.
 */
export async function speak() {
  const asked = new URLSearchParams(location.search).get('lang');
  const wanted = (asked ? [asked] : navigator.languages).map((tag) => tag.split('-')[0].toLowerCase());
  const found = wanted.find((tag) => tag === 'en' || Object.hasOwn(OTHERS, tag));
  if (!found || found === 'en') return;
  const { file, dir } = OTHERS[found];
  try {
    ({ WORDS: words } = await import(file));
  } catch {
    return;
  }
  language = found;
  Object.assign(document.documentElement, { lang: found, dir });
  for (const element of document.querySelectorAll('[data-words]')) element.textContent = text(element.dataset.words);
  for (const element of document.querySelectorAll('[data-label]')) element.setAttribute('aria-label', text(element.dataset.label));
  document.title = `${document.querySelector('h1').textContent} – Countersign`;
}

/** The language of the words. */
export function languageNow() {
  return language;
}

/**
 * A sentence with texts in its places.
 *
 * @param {string} key
 * @param {Record<string, string | number>} [values]  `count` chooses the form
 */
export function text(key, values = {}) {
  return nodes(key, values).join('');
}

/**
 * A sentence with texts or nodes in its places.
 *
 * @param {string} key
 * @param {Record<string, any>} [values]
 * @returns {(Node | string)[]}
 */
export function nodes(key, values = {}) {
  const pieces = sentence(key, values.count).split(/\{(\w+)\}/);
  return pieces.flatMap((piece, i) => (i % 2 === 0 ? [piece] : [values[piece]].flat())).filter((piece) => piece !== '');
}

function sentence(key, count) {
  const found = Object.hasOwn(words, key) ? words[key] : undefined;
  if (typeof found === 'string') return found;
  if (!found) throw new Error(`there are no words for ${key}`);
  return found[new Intl.PluralRules(language).select(count)] ?? found.other;
}
