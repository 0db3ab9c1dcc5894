// One step of a change on an approver's own page: in front of the lists, tried and tried again, or left.

import { describeRefusal } from './credential.js';
import { element } from './dom.js';
import { Mismatch } from './enrolment.js';
import { Problem } from './http.js';
import { alertText, byId } from './page.js';
import { say, showOnly } from './sections.js';
import { text } from './words.js';

/**
 * @typedef {object} Page
 * @property {(words?: string) => Promise<void>} load  shows everything anew
 * @property {() => Promise<void>} sessionOver
 * @property {() => string} username
 * @property {string[]} lists  the sections that a step stands in front of
 */

/** Says what went wrong where it is seen: what was pressed may be far below. @param {string} words */
export function alertInView(words) {
  alertText(words);
  byId('alert').scrollIntoView({ block: 'nearest' });
}

/** Does something, and says what did not come of it (`nothing`). The step stays, so that it can be tried again. */
export async function tried(page, nothing, action) {
  alertText('');
  for (const button of document.querySelectorAll('#step button')) button.disabled = true;
  try {
    await action();
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return page.sessionOver();
    say('');
    if (error instanceof Mismatch) {
      showOnly(...page.lists);
      alertInView(text('stopOwn', { why: error.message, nothing }));
    } else if (error instanceof Problem && error.unknown) {
      alertInView(text('maybeChanged', { why: error.message }));
    } else {
      alertInView(`${error instanceof Problem ? error.message : describeRefusal(error)} ${nothing}`);
    }
  }
  for (const button of document.querySelectorAll('#step button')) button.disabled = false;
}

export function openStep(page, title, nodes) {
  const heading = byId('step-heading');
  heading.textContent = title;
  byId('step-content').replaceChildren(...nodes);
  showOnly('who', 'step');
  heading.focus();
}

export function cancelButton(page) {
  return stepButton(text('cancel'), () => {
    alertText('');
    say('');
    showOnly(...page.lists);
    byId('add').focus();
  });
}

export function stepButton(label, action) {
  const button = element('button', { type: 'button' }, label);
  button.addEventListener('click', action);
  return button;
}

export function bar(...buttons) {
  return element('p', { class: 'actions' }, ...buttons);
}
