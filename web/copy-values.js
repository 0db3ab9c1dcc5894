// A button that gives every field one of its own, to copy the exact value. Only when somebody wants to: the list is read more
// often than copied from, and a button beside each value would be one more thing to look past.

import { copyButton } from './copy-button.js';
import { element } from './dom.js';
import { text } from './words.js';

/**
 * @param {HTMLElement} list  as of `fieldList`
 * @param {import('./payload.js').Field[]} fields  in the same order
 * @returns {HTMLElement}
 */
export function copyValues(list, fields) {
  const toggle = element('button', { type: 'button', id: 'copy-values', 'aria-pressed': 'false' }, text('copyValues'));
  toggle.addEventListener('click', () => {
    const wanted = toggle.getAttribute('aria-pressed') === 'false';
    toggle.setAttribute('aria-pressed', String(wanted));
    for (const old of list.querySelectorAll('.copy-value')) old.remove();
    if (wanted) fields.forEach((field, i) => field.empty || list.children[i].append(buttonOf(field)));
  });
  return toggle;
}

function buttonOf({ path, text: exact }) {
  const made = copyButton(exact, text('copyValue'), text('copied'), text('cannotCopy'));
  made.querySelector('button').setAttribute('aria-label', text('copyValueOf', { path }));
  return element('dd', { class: 'copy-value' }, made);
}
