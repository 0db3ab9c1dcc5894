// The e-mail address that an approver is told at: shown, changed and removed. A passkey signs for each change.

import { decode } from './base64url.js';
import { askForAssertion, assertionToJson } from './credential.js';
import { element } from './dom.js';
import { postJson } from './http.js';
import { bar, cancelButton, openStep, stepButton, tried } from './own-step.js';
import { say } from './sections.js';
import { visible } from './visible.js';
import { nodes, text } from './words.js';

const PATH = '/me/contacts/email';

/**
 * @param {import('./own-step.js').Page} page
 * @param {{contacts: any[], channels: string[]}} me
 * @returns {Node[]}
 */
export function contactView(page, { contacts, channels }) {
  const contact = contacts.find(({ channel }) => channel === 'email');
  const possible = channels.includes('email');
  const lines = [];
  if (contact?.address) lines.push(element('p', {}, ...nodes('emailIs', { address: strong(contact.address) })));
  if (contact?.proposed) lines.push(element('p', {}, ...nodes('emailProposed', { address: strong(contact.proposed) })));
  if (!contact) lines.push(element('p', { class: 'empty' }, text(possible ? 'noAddress' : 'noMessages')));
  const buttons = [];
  if (possible) buttons.push(stepButton(text(contact ? 'changeAddress' : 'addAddress'), () => change(page)));
  if (contact) buttons.push(stepButton(text('removeAddress'), () => remove(page)));
  return buttons.length ? [...lines, bar(...buttons)] : lines;
}

function change(page) {
  const input = element('input', { id: 'new-address', type: 'email', required: '', maxlength: '254', autocomplete: 'email' });
  const next = stepButton(text('continueButton'), () => askForAddress(page, input));
  openStep(page, text('whichAddress'), [
    element('p', {}, element('label', { for: 'new-address' }, text('emailAddress')), input),
    element('p', { class: 'hint' }, text('linkIsSent')),
    bar(next, ' ', cancelButton(page)),
  ]);
}

/** The options are fetched now, because the passkey dialog must be opened by a click itself. */
async function askForAddress(page, input) {
  if (!input.reportValidity()) return;
  const address = input.value.trim();
  await tried(page, text('nothingChanged'), async () => {
    const options = await postJson(`${PATH}/options`, { address });
    openStep(page, text('signForAddress'), [
      element('p', {}, ...nodes('messagesShallGo', { address: strong(address) })),
      bar(stepButton(text('signWithPasskey'), () => send(page, options, text('linkWasSent'))), ' ', cancelButton(page)),
    ]);
  });
}

async function remove(page) {
  await tried(page, text('nothingRemoved'), async () => {
    const options = await postJson(`${PATH}/options`, {});
    openStep(page, text('removeAddressNow'), [
      element('p', {}, text('notToldAnyMore')),
      bar(stepButton(text('removeAddressSigned'), () => send(page, options, text('addressRemoved'))), ' ', cancelButton(page)),
    ]);
  });
}

async function send(page, { challenge, rpId, credentials }, done) {
  await tried(page, text('nothingChanged'), async () => {
    say(text('waitingForPasskey'));
    const assertion = assertionToJson(await askForAssertion({ challenge: decode(challenge), rpId, credentials }));
    say(text('sending'));
    await postJson(PATH, { assertion });
    await page.load(done);
  });
}

function strong(words) {
  return element('strong', {}, visible(words));
}
