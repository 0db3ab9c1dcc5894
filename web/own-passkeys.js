// Adding a passkey, which an earlier one allows, and removing one, which any active one signs for.

import { decode } from './base64url.js';
import { askForAssertion, askForPasskey, assertionToJson, registrationToJson } from './credential.js';
import { element } from './dom.js';
import { readEnrolment } from './enrolment.js';
import { postJson } from './http.js';
import { bar, cancelButton, openStep, stepButton, tried } from './own-step.js';
import { say } from './sections.js';
import { visible } from './visible.js';

const REASONS = [
  ['replaced', 'Another passkey took its place'],
  ['lost', 'The device is lost'],
  ['stolen', 'The device was stolen'],
  ['other', 'Another reason'],
];

/** @param {import('./own-step.js').Page} page */
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

/** @param {import('./own-step.js').Page} page @param {{credential: string, name: string, signedIn: boolean}} passkey */
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
