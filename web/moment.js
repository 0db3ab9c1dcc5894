// A moment as a person needs it: the reader's own time first, with the exact text of the document behind it.

import { element } from './dom.js';
import { localTime } from './local-time.js';
import { nodes, text } from './words.js';

/** @param {string} time  of a document @returns {(Node | string)[]} */
export function moment(time) {
  return nodes('yourTime', { local: localTime(time), exact: element('time', { datetime: time, dir: 'ltr' }, time) });
}

/** The shortest that still says which moment is meant. @param {string} time  of a document */
export function clock(time) {
  const date = new Date(time);
  const today = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(undefined, today ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' });
}

/** How long something lasts, in words. @param {number} seconds */
export function span(seconds) {
  const units = [['hours', 3600], ['minutes', 60], ['seconds', 1]];
  const parts = [];
  let left = seconds;
  for (const [key, size] of units) {
    const count = Math.floor(left / size);
    if (count > 0) parts.push(text(key, { count }));
    left -= count * size;
  }
  return parts.join(' ');
}
