// Adding a passkey, which an earlier one allows, and removing one, which any active one signs for.

import { decode } from './base64url.js';
import { askForAssertion, askForPasskey, assertionToJson, describeRefusal, registrationToJson } from './credential.js';
import { element } from './dom.js';
import { Mismatch, readEnrolment } from './enrolment.js';
import { Problem, postJson } from './http.js';
import { alertText, byId } from './page.js';
import { say, showOnly } from './sections.js';
import { visible } from './visible.js';

const REASONS = [
  ['replaced', 'Another passkey took its place'],
  ['lost', 'The device is lost'],
  ['stolen', 'The device was stolen'],
  ['other', 'Another reason'],
];

/**
 * @typedef {object} Page
 * @property {(words?: string) => Promise<void>} load  shows everything anew
 * @property {() => Promise<void>} sessionOver
 * @property {() => string} username
 * @property {string[]} lists  the sections that a step stands in front of
 */

/** @param {Page} page */
export async function addPasskey(page) {
  await tried(page, 'No passkey was added.', async () => {
    const { publicKey } = await postJson('/me/passkeys/options', {});
    const button = stepButton('Create the new passkey', () => create(page, publicKey));
    openStep(page, 'Add a passkey', [
      element('p', {}, 'First the new passkey is made: choose another device, a security key or a password manager in the browser’s dialog.'),
      element('p', {}, 'Then a passkey that you have allows it. Until then the new one can do nothing.'),
      bar(button, cancelButton(page)),
    ]);
  });
}

async function create(page, publicKey) {
  await tried(page, 'No passkey was added.', async () => {
    say('Waiting for the new passkey…');
    const made = await askForPasskey(publicKey);
    const credential = registrationToJson(made);
    say('Checking the new passkey…');
    const given = await postJson('/me/passkeys/authorisation', { credential });
    const { challenge, credential: name } = await readEnrolment(made, page.username(), given);
    say('');
    const allow = stepButton('Allow it with a passkey I have', () => authorise(page, credential, given, challenge));
    openStep(page, 'Allow the new passkey', [
      element('p', {}, 'The new passkey is made. Allow it with one that you have; this is signed and stands in the public log.'),
      element('p', {}, 'New credential: ', element('code', { id: 'new-credential' }, visible(name))),
      element('p', { class: 'hint' }, 'Computed in this browser from the new key.'),
      bar(allow, cancelButton(page)),
    ]);
  });
}

async function authorise(page, credential, { rpId, credentials }, challenge) {
  await tried(page, 'The new passkey is not enrolled.', async () => {
    say('Waiting for a passkey that you have…');
    const assertion = assertionToJson(await askForAssertion({ challenge, rpId, credentials }));
    say('Enrolling…');
    const { logIndex } = await postJson('/me/passkeys', { credential, assertion });
    await page.load(`The new passkey is enrolled: log entry ${logIndex}.`);
  });
}

/** @param {Page} page @param {{credential: string, name: string, signedIn: boolean}} passkey */
export async function removePasskey(page, passkey) {
  await tried(page, 'Nothing was removed.', async () => {
    const path = `/me/passkeys/${encodeURIComponent(passkey.credential)}/removal`;
    // Fetched now, because the passkey dialog must be opened by the click itself.
    const options = await postJson(`${path}/options`, {});
    const choices = REASONS.map(([value, words]) => element('option', { value }, words));
    const reason = element('select', { id: 'reason' }, ...choices);
    const button = stepButton(`Remove ${passkey.name}`, () => remove(page, passkey, path, options, reason.value));
    const signsOut = passkey.signedIn ? [element('p', {}, 'You signed in with it, so you are signed out afterwards.')] : [];
    openStep(page, `Remove ${passkey.name}?`, [
      element('p', {}, 'From then on nothing that it signs is accepted. This stands in the public log and cannot be taken back.'),
      ...signsOut,
      element('p', {}, 'Credential: ', element('code', {}, visible(passkey.credential))),
      element('p', {}, element('label', { for: 'reason' }, 'Why, for the public log'), reason),
      element('p', { class: 'hint' }, 'Any active passkey of yours signs for it, so that nobody can do it with a browser that is merely signed in.'),
      bar(button, cancelButton(page)),
    ]);
  });
}

async function remove(page, { signedIn }, path, { challenge, rpId, credentials }, reason) {
  await tried(page, 'Nothing was removed.', async () => {
    say('Waiting for a passkey…');
    const assertion = assertionToJson(await askForAssertion({ challenge: decode(challenge), rpId, credentials }));
    say('Removing…');
    const { logIndex } = await postJson(path, { assertion, reason });
    await page.load(signedIn ? '' : `The passkey is removed: log entry ${logIndex}.`);
  });
}

/** Does something, and says what did not come of it. The step stays, so that it can be tried again. */
async function tried(page, nothing, action) {
  alertText('');
  for (const button of document.querySelectorAll('#step button')) button.disabled = true;
  try {
    await action();
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return page.sessionOver();
    say('');
    if (error instanceof Mismatch) {
      showOnly(...page.lists);
      alertText(`Stop: ${error.message} ${nothing} Tell the operator of this server.`);
    } else if (error instanceof Problem && error.unknown) {
      alertText(`${error.message} It is not known whether it happened. Look again before you try again.`);
    } else {
      alertText(`${error instanceof Problem ? error.message : describeRefusal(error)} ${nothing}`);
    }
  }
  for (const button of document.querySelectorAll('#step button')) button.disabled = false;
}

function openStep(page, title, nodes) {
  const heading = byId('step-heading');
  heading.textContent = title;
  byId('step-content').replaceChildren(...nodes);
  showOnly('who', 'step');
  heading.focus();
}

function cancelButton(page) {
  return stepButton('Cancel', () => {
    alertText('');
    say('');
    showOnly(...page.lists);
    byId('add').focus();
  });
}

function stepButton(label, action) {
  const button = element('button', { type: 'button' }, label);
  button.addEventListener('click', action);
  return button;
}

function bar(...buttons) {
  return element('p', { class: 'actions' }, ...buttons);
}
