// The remembered checkpoint of a log, shown so that it can be compared with somebody else's, and a button to forget it.

import { base64 } from '/verifier/encoding.js';
import { element } from './dom.js';
import { forget, recall } from './remembered.js';
import { row, time } from './term-row.js';

/** @param {string} logOrigin @returns {HTMLElement[]} */
export function memoryView(logOrigin) {
  const known = recall(logOrigin);
  if (!known) return [];
  const forgotten = element('p', { role: 'status', tabindex: '-1' });
  const button = element('button', { type: 'button' }, 'Forget it');
  const place = element(
    'div',
    { id: 'memory-kept' },
    element(
      'dl',
      { class: 'conditions' },
      ...row('Remembered size', String(known.size)),
      ...row('Remembered root hash', element('code', {}, base64(known.root))),
      ...row('Remembered since', ...(known.since ? time(known.since) : ['not known'])),
    ),
    element('p', {}, button),
    forgotten,
  );
  button.addEventListener('click', () => {
    forget(logOrigin);
    place.replaceChildren(forgotten);
    forgotten.textContent = 'Forgotten. The next verified checkpoint of this log is remembered instead.';
    // The button goes away, and the focus must not be lost with it.
    forgotten.focus();
  });
  return [place];
}
