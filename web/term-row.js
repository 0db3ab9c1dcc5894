// Rows of a description list, and times in them.

import { element } from './dom.js';
import { localTime } from './local-time.js';

/** A term and its description. @param {string} term @param {...(Node | string)} description */
export function row(term, ...description) {
  return [element('dt', {}, term), element('dd', {}, ...description)];
}

/** A time of the log, and the same in the reader's zone. @param {string} text */
export function time(text) {
  return [element('time', { datetime: text }, text), ` (${localTime(text)} your time)`];
}
