// A value as an approver reads it: its exact characters, where the digits of a long number stand in groups. The groups are
// only drawn: no character stands between them, so that what is read out, compared or copied is the number itself.

import { element } from './dom.js';
import { shownValue } from './payload.js';

/** A whole part of at least five digits, and what is before and behind it. */
const LONG = /^(-?)(\d{5,})(.*)$/;

/** @param {import('./payload.js').Field} field @returns {HTMLElement} */
export function exactValue(field) {
  const [, sign, whole, rest] = (field.type === 'number' && LONG.exec(field.text)) || [];
  if (!whole) return shownValue(field);
  const groups = groupsOf(whole).map((digits) => element('span', {}, digits));
  return element('bdi', { dir: 'ltr', class: 'digits' }, sign, ...groups, rest);
}

/** Groups of three, counted from the end. @param {string} digits @returns {string[]} */
export function groupsOf(digits) {
  return digits.match(/\d{1,3}(?=(?:\d{3})*$)/g);
}
