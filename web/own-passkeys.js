// Adding a passkey, which an earlier one allows, and removing one, which any active one signs for.

import { decode } from './base64url.js';
import { askForAssertion, askForPasskey, assertionToJson, registrationToJson } from './credential.js';
import { element } from './dom.js';
import { readEnrolment } from './enrolment.js';
import { postJson } from './http.js';
import { bar, cancelButton, openStep, stepButton, tried } from './own-step.js';
import { say } from './sections.js';
import { visible } from './visible.js';
import { nodes, text } from './words.js';

const REASONS = [
  ['replaced', 'reasonReplaced'],
  ['lost', 'reasonLost'],
  ['stolen', 'reasonStolen'],
  ['other', 'reasonOther'],
];

/** @param {import('./own-step.js').Page} page */
export async function addPasskey(page) {
  await tried(page, text('noPasskeyAdded'), async () => {
    const { publicKey } = await postJson('/me/passkeys/options', {});
    const button = stepButton(text('createNewPasskey'), () => create(page, publicKey));
    openStep(page, text('addPasskey'), [
      element('p', {}, text('firstItIsMade')),
      element('p', {}, text('thenItIsAllowed')),
      bar(button, cancelButton(page)),
    ]);
  });
}

async function create(page, publicKey) {
  await tried(page, text('noPasskeyAdded'), async () => {
    say(text('waitingForNewPasskey'));
    const made = await askForPasskey(publicKey);
    const credential = registrationToJson(made);
    say(text('checkingNewPasskey'));
    const given = await postJson('/me/passkeys/authorisation', { credential });
    const { challenge, credential: name } = await readEnrolment(made, page.username(), given);
    say('');
    const allow = stepButton(text('allowIt'), () => authorise(page, credential, given, challenge));
    openStep(page, text('allowNewPasskey'), [
      element('p', {}, text('newPasskeyIsMade')),
      element('p', {}, ...nodes('newCredentialIs', { credential: element('code', { id: 'new-credential' }, visible(name)) })),
      element('p', { class: 'hint' }, text('computedHere')),
      bar(allow, cancelButton(page)),
    ]);
  });
}

async function authorise(page, credential, { rpId, credentials }, challenge) {
  await tried(page, text('newNotEnrolled'), async () => {
    say(text('waitingForOldPasskey'));
    const assertion = assertionToJson(await askForAssertion({ challenge, rpId, credentials }));
    say(text('enrolling'));
    const { logIndex } = await postJson('/me/passkeys', { credential, assertion });
    await page.load(text('newIsEnrolled', { index: logIndex }));
  });
}

/** @param {import('./own-step.js').Page} page @param {{credential: string, number: number, signedIn: boolean}} passkey */
export async function removePasskey(page, passkey) {
  await tried(page, text('nothingRemoved'), async () => {
    const { number } = passkey;
    const path = `/me/passkeys/${encodeURIComponent(passkey.credential)}/removal`;
    // Fetched now, because the passkey dialog must be opened by the click itself.
    const options = await postJson(`${path}/options`, {});
    const choices = REASONS.map(([value, words]) => element('option', { value }, text(words)));
    const reason = element('select', { id: 'reason' }, ...choices);
    const button = stepButton(text('removePasskey', { number }), () => remove(page, passkey, path, options, reason.value));
    const signsOut = passkey.signedIn ? [element('p', {}, text('removalSignsOut'))] : [];
    openStep(page, text('removePasskeyNow', { number }), [
      element('p', {}, text('removalIsFinal')),
      ...signsOut,
      element('p', {}, ...nodes('credentialIs', { credential: element('code', {}, visible(passkey.credential)) })),
      element('p', {}, element('label', { for: 'reason' }, text('whyRemove')), reason),
      element('p', { class: 'hint' }, text('anyPasskeySigns')),
      bar(button, cancelButton(page)),
    ]);
  });
}

async function remove(page, { signedIn }, path, { challenge, rpId, credentials }, reason) {
  await tried(page, text('nothingRemoved'), async () => {
    say(text('waitingForPasskey'));
    const assertion = assertionToJson(await askForAssertion({ challenge: decode(challenge), rpId, credentials }));
    say(text('removing'));
    const { logIndex } = await postJson(path, { assertion, reason });
    await page.load(signedIn ? '' : text('passkeyIsRemoved', { index: logIndex }));
  });
}
