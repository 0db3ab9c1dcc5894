// What every page has: elements with known ids, one of which is the alert.

import { element } from './dom.js';
import { visible } from './visible.js';

/** The element of the page with an id. @param {string} id */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return found;
}

/** The text of the alert, which is read out at once. @param {string} text */
export function alertText(text) {
  byId('alert').replaceChildren(...(text === '' ? [] : [element('p', {}, visible(text))]));
}
