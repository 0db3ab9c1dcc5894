// A button that copies a text, and says whether it did.

import { element } from './dom.js';

const TOLD = { copied: 'Copied.', cannot: 'This browser does not let a page copy: select the text instead.' };

/**
 * @param {string} text  what is copied
 * @param {string} label
 * @param {{copied: string, cannot: string}} told  what it says afterwards
 * @returns {HTMLElement}
 */
export function copyButton(text, label, told = TOLD) {
  const button = element('button', { type: 'button', class: 'copy' }, label);
  const status = element('span', { role: 'status', class: 'hint' });
  button.addEventListener('click', async () => {
    let said = told.copied;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      said = told.cannot;
    }
    status.textContent = ` ${said}`;
  });
  return element('span', {}, button, status);
}
