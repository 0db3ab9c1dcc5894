// A moment as a person needs it: the reader's own time first, with the exact text of the document behind it.

import { element } from './dom.js';
import { localTime } from './local-time.js';

/** @param {string} text  a time of a document @returns {(Node | string)[]} */
export function moment(text) {
  return [`${localTime(text)} your time (`, element('time', { datetime: text }, text), ')'];
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
