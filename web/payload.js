// The payload as a list of fields: every value in exactly one place, with its path, its type and its exact text.

import { element } from './dom.js';
import { box, visible } from './visible.js';

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/**
 * @typedef {object} Field
 * @property {string} path  `target.region`, `hosts[0]`, `["odd key"]`
 * @property {string} type
 * @property {string} text  the exact value; of a string, its characters
 * @property {boolean} empty  nothing to read: an empty string, list or object, of which the text is a name
 */

/**
 * Flattens a payload. A list or object without members is a field of its own, so that nothing goes unseen.
 *
 * @param {any} value
 * @param {string} [path]
 * @returns {Field[]} in the order of the document
 */
export function flatten(value, path = '') {
  if (Array.isArray(value) && value.length > 0) {
    return value.flatMap((item, index) => flatten(item, `${path}[${index}]`));
  }
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    const keys = Object.keys(value).sort();
    if (keys.length > 0) return keys.flatMap((key) => flatten(value[key], step(path, key)));
  }
  return [field(path, value)];
}

/**
 * The fields as a description list.
 *
 * @param {Field[]} fields
 * @param {(field: Field) => Node} [shown]  how a value is shown
 * @returns {HTMLElement}
 */
export function fieldList(fields, shown = shownValue) {
  return element('dl', { class: 'fields' }, ...fields.map((field) => fieldEntry(field, shown)));
}

/** A value in its exact characters. What is empty has a box, which no text can have. @param {Field} field */
export function shownValue({ text, empty }) {
  return empty ? box(text) : visible(text);
}

/** The heading above the list. @param {Field[]} fields @param {number} shown  how many are in the page */
export function countText(fields, shown) {
  return `${shown} of ${fields.length} ${fields.length === 1 ? 'field' : 'fields'} shown`;
}

function fieldEntry(field, shown) {
  return element(
    'div',
    { class: 'field' },
    element('dt', {}, visible(field.path), ' ', element('span', { class: 'type' }, field.type)),
    element('dd', {}, shown(field)),
  );
}

function field(path, value) {
  if (value === '') return { path, type: 'empty string', text: '[empty string]', empty: true };
  if (Array.isArray(value)) return { path, type: 'list', text: '[empty list]', empty: true };
  if (value === null) return { path, type: 'null', text: 'null', empty: false };
  if (typeof value === 'object') return { path: path || '(payload)', type: 'object', text: '[empty object]', empty: true };
  if (typeof value === 'string') return { path, type: 'string', text: value, empty: false };
  // The document is canonical, so this is the very text of the number that is signed.
  return { path, type: typeof value, text: JSON.stringify(value), empty: false };
}

// A key that could be mistaken for several is quoted, so no two paths look alike.
function step(path, key) {
  if (!PLAIN_KEY.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}
