// What changes while somebody goes through a page: sections that are shown or hidden, one heading, a live region, and a way
// to try again.

import { element } from './dom.js';
import { alertText, byId } from './page.js';

/** Shows the sections that are named and hides all others. @param {...string} ids */
export function showOnly(...ids) {
  for (const section of document.querySelectorAll('[data-section]')) section.hidden = !ids.includes(section.id);
}

/**
 * Sets the heading. An outcome (any tone but plain) also gets the focus, so that it is read out and in view.
 *
 * @param {string} title
 * @param {'plain' | 'good' | 'bad' | 'done'} tone
 */
export function announce(title, tone = 'plain') {
  const heading = byId('heading');
  heading.textContent = title;
  heading.dataset.tone = tone;
  document.title = `${title} – Countersign`;
  if (tone !== 'plain') heading.focus();
}

/** The text of the live region. @param {string} text */
export function say(text) {
  byId('status').textContent = text;
}

/**
 * Offers to do something again.
 *
 * @param {string} label
 * @param {() => void} action
 * @param {...string} sections  what stays in view
 */
export function offerRetry(label, action, ...sections) {
  const button = element('button', { type: 'button', id: 'retry-button' }, label);
  button.addEventListener('click', () => {
    alertText('');
    showOnly(...sections);
    action();
  });
  byId('retry').replaceChildren(button);
  showOnly('retry', ...sections);
}

/** The last part of the page's own path: the id of the confirmation, or the code of the invite. */
export function lastPathSegment() {
  const segment = location.pathname.split('/').filter(Boolean).at(-1) ?? '';
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
