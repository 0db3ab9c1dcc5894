// What a request changes, compared with the one that was approved last under the same title.
//
// The earlier payload is the server's word: nobody signs it. What is new comes from the document that is signed.

import { parseCanonical } from './canonical-json.js';
import { element } from './dom.js';
import { moment } from './moment.js';
import { flatten } from './payload.js';
import { visible } from './visible.js';

/**
 * @typedef {object} Change
 * @property {'added' | 'removed' | 'changed'} kind
 * @property {string} path
 * @property {import('./payload.js').Field} [from]
 * @property {import('./payload.js').Field} [to]
 */

/**
 * The changes from one payload to another, field by field. A value whose type changed has changed.
 *
 * @param {any} before
 * @param {any} now
 * @returns {Change[]} in the order of the paths
 */
export function differences(before, now) {
  const [from, to] = [before, now].map((value) => new Map(flatten(value).map((field) => [field.path, field])));
  const paths = [...new Set([...from.keys(), ...to.keys()])].sort();
  return paths.flatMap((path) => {
    const [old, fresh] = [from.get(path), to.get(path)];
    if (!old) return [{ kind: 'added', path, to: fresh }];
    if (!fresh) return [{ kind: 'removed', path, from: old }];
    const same = old.type === fresh.type && old.text === fresh.text;
    return same ? [] : [{ kind: 'changed', path, from: old, to: fresh }];
  });
}

/**
 * The comparison as a section of the page.
 *
 * @param {{decidedAt: string, payload: string} | undefined} last  what the server says was approved last
 * @param {any} payload  of the document that is signed
 * @returns {HTMLElement}
 */
export function differenceView(last, payload) {
  const heading = element('h2', {}, 'Compared with the last approved');
  if (!last) return element('div', { id: 'difference' }, heading, hint(
    'The server knows of no request of this requester with these words that you were asked for and that was approved.'));
  let changes;
  try {
    changes = differences(parseCanonical(last.payload), payload);
  } catch {
    return element('div', { id: 'difference' }, heading, hint('What the server sent to compare with cannot be read.'));
  }
  const summary = changes.length === 0
    ? 'Every field is the same as then.'
    : `${changes.length} ${changes.length === 1 ? 'field differs' : 'fields differ'}:`;
  return element(
    'div',
    { id: 'difference' },
    heading,
    element('p', { class: 'hint' }, 'The last request of this requester with the same words was approved at ',
      ...moment(last.decidedAt), '. That it was, and what it said, is the server’s word: this comparison is not signed.'),
    element('p', { id: 'difference-count' }, summary),
    ...(changes.length === 0 ? [] : [element('ul', { class: 'changes' }, ...changes.map(change))]),
  );
}

const SIGNS = { added: '+', removed: '−', changed: '~' };

function change({ kind, path, from, to }) {
  // The same characters may be a number here and a text there.
  const typed = from && to && from.type !== to.type;
  const values = [...(from ? [element('del', {}, value(from), typed ? ` (${from.type})` : '')] : []), ...(to ? [element('ins', {}, value(to), typed ? ` (${to.type})` : '')] : [])];
  return element(
    'li',
    { 'data-kind': kind },
    element('span', { class: 'mark', 'aria-hidden': 'true' }, SIGNS[kind]),
    element('div', {}, element('strong', {}, visible(path)), ` ${kind}`, element('br'), ...joined(values)),
  );
}

function joined(values) {
  return values.length === 2 ? [values[0], ' → ', values[1]] : values;
}

function value({ text, empty }) {
  return empty ? element('span', { class: 'empty' }, text) : visible(text);
}

function hint(text) {
  return element('p', { class: 'hint' }, text);
}
