// A moment as a person needs it: the reader's own time first, with the exact text of the document behind it.

import { element } from './dom.js';
import { localTime } from './local-time.js';
import { nodes } from './words.js';

/** @param {string} text  a time of a document @returns {(Node | string)[]} */
export function moment(text) {
  return nodes('yourTime', { local: localTime(text), exact: element('time', { datetime: text, dir: 'ltr' }, text) });
}

/** The shortest that still says which moment is meant. @param {string} text  a time of a document */
export function clock(text) {
  const date = new Date(text);
  const today = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(undefined, today ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' });
}

/** How long something lasts, in words. @param {number} seconds */
export function span(seconds) {
  const units = [['h', 3600], ['min', 60], ['s', 1]];
  const parts = [];
  let left = seconds;
  for (const [name, size] of units) {
    const count = Math.floor(left / size);
    if (count > 0) parts.push(`${count} ${name}`);
    left -= count * size;
  }
  return parts.join(' ');
}
