// The e-mail address that an approver is told at: shown, changed and removed. A passkey signs for each change.

import { decode } from './base64url.js';
import { askForAssertion, assertionToJson } from './credential.js';
import { element } from './dom.js';
import { postJson } from './http.js';
import { bar, cancelButton, openStep, stepButton, tried } from './own-step.js';
import { say } from './sections.js';
import { visible } from './visible.js';

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
  if (contact?.address) lines.push(element('p', {}, 'E-mail: ', element('strong', {}, visible(contact.address))));
  if (contact?.proposed) {
    lines.push(element('p', {}, 'Waits for its owner to open the link that was sent to it: ', element('strong', {}, visible(contact.proposed))));
  }
  if (!contact) lines.push(element('p', { class: 'empty' }, possible ? 'No address. You are not told of what waits.' : 'This server sends no messages.'));
  const buttons = [];
  if (possible) buttons.push(stepButton(contact ? 'Change the address' : 'Add an e-mail address', () => change(page)));
  if (contact) buttons.push(' ', stepButton('Remove the address', () => remove(page)));
  return buttons.length ? [...lines, element('p', {}, ...buttons)] : lines;
}

function change(page) {
  const input = element('input', { id: 'new-address', type: 'email', required: '', maxlength: '254', autocomplete: 'email' });
  const next = stepButton('Continue', () => askForAddress(page, input));
  openStep(page, 'Which address?', [
    element('p', {}, element('label', { for: 'new-address' }, 'E-mail address'), input),
    element('p', { class: 'hint' }, 'A link is sent to it. Until its owner has confirmed it there, the address before it stays.'),
    bar(next, ' ', cancelButton(page)),
  ]);
}

/** The options are fetched now, because the passkey dialog must be opened by a click itself. */
async function askForAddress(page, input) {
  if (!input.reportValidity()) return;
  const address = input.value.trim();
  await tried(page, 'Nothing was changed.', async () => {
    const options = await postJson(`${PATH}/options`, { address });
    openStep(page, 'Sign for the address', [
      element('p', {}, 'Messages to you shall go to ', element('strong', {}, visible(address)), '.'),
      bar(stepButton('Sign with a passkey', () => send(page, options, 'A link was sent to the new address.')), ' ', cancelButton(page)),
    ]);
  });
}

async function remove(page) {
  await tried(page, 'Nothing was removed.', async () => {
    const options = await postJson(`${PATH}/options`, {});
    openStep(page, 'Remove the address?', [
      element('p', {}, 'You are not told any more of what waits for you. The address is told that it was removed.'),
      bar(stepButton('Remove it, signed with a passkey', () => send(page, options, 'The address is removed.')), ' ', cancelButton(page)),
    ]);
  });
}

async function send(page, { challenge, rpId, credentials }, done) {
  await tried(page, 'Nothing was changed.', async () => {
    say('Waiting for a passkey…');
    const assertion = assertionToJson(await askForAssertion({ challenge: decode(challenge), rpId, credentials }));
    say('Sending…');
    await postJson(PATH, { assertion });
    await page.load(done);
  });
}
