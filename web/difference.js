// What a request changes, compared with the one that was approved last under the same title.
//
// The earlier payload is the server's word: nobody signs it. What is new comes from the document that is signed.

import { parseCanonical } from './canonical-json.js';
import { element } from './dom.js';
import { moment } from './moment.js';
import { exactValue } from './exact-value.js';
import { flatten } from './payload.js';
import { visible } from './visible.js';
import { nodes, text } from './words.js';

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
 * The comparison with what was approved last, in few words for the head of the page, and as a section of it.
 *
 * @param {{decidedAt: string, payload: string} | undefined} last  what the server says was approved last
 * @param {any} payload  of the document that is signed
 * @returns {{summary: HTMLElement, section: HTMLElement}}
 */
export function differenceView(last, payload) {
  if (!last) return bothOf(text('firstOfItsKind'), hint(text('nothingBefore')));
  let changes;
  try {
    changes = differences(parseCanonical(last.payload), payload);
  } catch {
    return bothOf(text('unreadableBefore'), hint(text('unreadableBefore')));
  }
  const count = changes.length;
  return bothOf(
    count === 0 ? text('sameAsLast') : text('differFromLast', { count }),
    element('p', { class: 'hint' }, ...nodes('lastApproved', { time: moment(last.decidedAt) })),
    element('p', { id: 'difference-count' }, count === 0 ? text('allTheSame') : text('differ', { count })),
    ...(count === 0 ? [] : [element('ul', { class: 'changes' }, ...changes.map(change))]),
  );
}

function bothOf(summary, ...content) {
  return {
    summary: element('a', { id: 'difference-summary', href: '#difference' }, summary),
    section: element('div', { id: 'difference', tabindex: '-1' }, element('h2', {}, text('compared')), ...content),
  };
}

const SIGNS = { added: '+', removed: '−', changed: '~' };

function change({ kind, path, from, to }) {
  // The same characters may be a number here and a text there.
  const typed = from && to && from.type !== to.type;
  const side = (name, field) => (field ? [element(name, {}, exactValue(field), typed ? ` (${field.type})` : '')] : []);
  const values = [...side('del', from), ...side('ins', to)];
  return element(
    'li',
    { 'data-kind': kind },
    element('span', { class: 'mark', 'aria-hidden': 'true' }, SIGNS[kind]),
    element('div', {}, element('strong', {}, visible(path)), ` ${text(kind)}`, element('br'), ...joined(values)),
  );
}

function joined(values) {
  return values.length === 2 ? [values[0], ' → ', values[1]] : values;
}

function hint(words) {
  return element('p', { class: 'hint' }, words);
}
