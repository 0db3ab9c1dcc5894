// A button that copies a text, and says whether it did.

import { element } from './dom.js';

/**
 * @param {string} text  what is copied
 * @param {string} label
 * @returns {HTMLElement}
 */
export function copyButton(text, label = 'Copy') {
  const button = element('button', { type: 'button', class: 'copy' }, label);
  const told = element('span', { role: 'status', class: 'hint' });
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      told.textContent = ' Copied.';
    } catch {
      told.textContent = ' This browser does not let a page copy: select the text instead.';
    }
  });
  return element('span', {}, button, told);
}
