// A button that copies a text, and says whether it did.

import { element } from './dom.js';

/**
 * @param {string} text  what is copied
 * @param {string} label
 * @param {string} copied  what it says afterwards
 * @param {string} cannot  what it says if it could not
 * @returns {HTMLElement}
 */
export function copyButton(text, label, copied = 'Copied.', cannot = 'This browser cannot copy: select the text.') {
  const button = element('button', { type: 'button', class: 'copy' }, label);
  const told = element('span', { role: 'status', class: 'hint' });
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      told.textContent = copied;
    } catch {
      told.textContent = cannot;
    }
  });
  return element('span', {}, button, told);
}
