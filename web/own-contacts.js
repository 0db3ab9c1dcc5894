// Where an approver is told: the e-mail address and the Telegram chat, shown, changed and removed. A passkey signs for each
// change.

import { decode } from './base64url.js';
import { askForAssertion, assertionToJson } from './credential.js';
import { element } from './dom.js';
import { postJson } from './http.js';
import { bar, cancelButton, openStep, stepButton, tried } from './own-step.js';
import { say } from './sections.js';
import { visible } from './visible.js';
import { nodes, text } from './words.js';

const PATH = '/me/contacts/email';
const CHAT = '/me/contacts/telegram';

/**
 * @param {import('./own-step.js').Page} page
 * @param {{contacts: any[], channels: string[]}} me
 * @returns {Node[]}
 */
export function contactView(page, { contacts, channels }) {
  const views = Object.entries({ email: emailView, telegram: chatView });
  const shown = views.flatMap(([channel, view]) => {
    const contact = contacts.find((contact) => contact.channel === channel);
    const possible = channels.includes(channel);
    return contact || possible ? view(page, contact, possible) : [];
  });
  return shown.length ? shown : [element('p', { class: 'empty' }, text('noMessages'))];
}

function emailView(page, contact, possible) {
  const lines = [];
  if (contact?.address) lines.push(element('p', {}, ...nodes('emailIs', { address: strong(contact.address) })));
  if (contact?.proposed) lines.push(element('p', {}, ...nodes('emailProposed', { address: strong(contact.proposed) })));
  if (!contact) lines.push(element('p', { class: 'empty' }, text('noAddress')));
  const buttons = [];
  if (possible) buttons.push(stepButton(text(contact ? 'changeAddress' : 'addAddress'), () => change(page)));
  if (contact) buttons.push(stepButton(text('removeAddress'), () => remove(page)));
  return [...lines, bar(...buttons)];
}

function chatView(page, contact, possible) {
  const line = contact?.address
    ? element('p', {}, ...nodes('chatIs', { chat: strong(contact.address) }))
    : element('p', { class: 'empty' }, text(contact ? 'chatAwaited' : 'noChat'));
  const buttons = [];
  if (possible) buttons.push(stepButton(text(contact?.address ? 'linkAnotherChat' : 'linkChat'), () => link(page)));
  if (contact) buttons.push(stepButton(text(contact.address ? 'removeChat' : 'awaitNoChat'), () => removeChat(page, contact)));
  return [line, bar(...buttons)];
}

async function link(page) {
  await tried(page, text('nothingChanged'), async () => {
    const options = await postJson(`${CHAT}/options`, { link: true });
    openStep(page, text('linkChat'), [
      element('p', {}, text('chatLinkIs')),
      bar(stepButton(text('makeLinkSigned'), () => sendLink(page, options)), ' ', cancelButton(page)),
    ]);
  });
}

async function sendLink(page, options) {
  await tried(page, text('nothingChanged'), async () => {
    const contacts = await signed(CHAT, options);
    const { link: href } = contacts.find(({ channel }) => channel === 'telegram');
    say('');
    openStep(page, text('openInTelegram'), [
      element('p', {}, element('a', { href, id: 'chat-link', rel: 'noreferrer', target: '_blank' }, href)),
      element('p', { class: 'hint' }, text('pressStart')),
      bar(stepButton(text('lookAgain'), () => page.load())),
    ]);
  });
}

async function removeChat(page, { address }) {
  await tried(page, text('nothingRemoved'), async () => {
    const options = await postJson(`${CHAT}/options`, {});
    openStep(page, text(address ? 'removeChatNow' : 'awaitNoChatNow'), [
      element('p', {}, text(address ? 'notToldThere' : 'chatLinkNoUse')),
      bar(stepButton(text('removeAddressSigned'), () => sendRemoval(page, options)), ' ', cancelButton(page)),
    ]);
  });
}

async function sendRemoval(page, options) {
  await tried(page, text('nothingRemoved'), async () => {
    await signed(CHAT, options);
    await page.load(text('chatRemoved'));
  });
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

async function send(page, options, done) {
  await tried(page, text('nothingChanged'), async () => {
    await signed(PATH, options);
    await page.load(done);
  });
}

/** @returns {Promise<any[]>}  the contacts as they are then */
async function signed(path, { challenge, rpId, credentials }) {
  say(text('waitingForPasskey'));
  const assertion = assertionToJson(await askForAssertion({ challenge: decode(challenge), rpId, credentials }));
  say(text('sending'));
  return postJson(path, { assertion });
}

function strong(words) {
  return element('strong', {}, visible(words));
}
