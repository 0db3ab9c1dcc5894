// An approver's own page: signs in with a passkey, shows what waits and what was decided, and keeps the passkeys.
//
// The session only reads. Whatever changes something asks for a signature of its own: see own-passkeys.js.

import { decode } from './base64url.js';
import { askForAssertion, assertionToJson, describeRefusal, supported } from './credential.js';
import { element } from './dom.js';
import { Problem, postJson } from './http.js';
import { lookAlikes } from './look-alikes.js';
import { decidedItems, decidedList, passkeyList, waitingList } from './me-view.js';
import { contactView } from './own-contacts.js';
import { addPasskey, removePasskey } from './own-passkeys.js';
import { alertInView } from './own-step.js';
import { sayNoPasskeys } from './other-browser.js';
import { alertText, byId } from './page.js';
import { announce, offerRetry, say, showOnly } from './sections.js';
import { markWith, visible } from './visible.js';
import { nodes, speak, text } from './words.js';

const LISTS = ['who', 'waiting', 'decided', 'contacts', 'passkeys'];
/** A challenge older than this is replaced before it is used. */
const OPTIONS_MILLISECONDS = 120_000;

let options = null;
let fetchedAt = 0;
let me = null;
let nextCursor;

const page = { load, sessionOver, username: () => me.username, lists: LISTS };

markWith(lookAlikes);
byId('web-origin').textContent = location.origin;
byId('sign-in-button').addEventListener('click', signIn);
byId('sign-out').addEventListener('click', signOut);
byId('refresh').addEventListener('click', () => load(text('upToDate')));
byId('more').addEventListener('click', older);
byId('add').addEventListener('click', () => addPasskey(page));
speak().then(() => load());

/** Shows everything, if somebody is signed in. @param {string} words  what to say when it is there */
async function load(words = '') {
  alertText('');
  say(text('loadingPage'));
  try {
    me = await postJson('/me', {});
    show();
    say(words);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401) return me ? sessionOver() : askToSignIn();
    failed(error);
  }
}

function show() {
  const name = element('strong', { id: 'username' }, visible(me.username));
  byId('signed-in-as').replaceChildren(...nodes('signedInAs', { name }));
  const waiting = me.waiting.length;
  byId('waiting-heading').textContent = waiting ? text('waitingCount', { count: waiting }) : text('waitingForYou');
  byId('waiting-list').replaceChildren(waitingList(me.waiting));
  byId('decided-list').replaceChildren(decidedList(me.decided, receipt));
  byId('passkeys-list').replaceChildren(passkeyList(me.passkeys, (passkey) => removePasskey(page, passkey)));
  byId('contacts-list').replaceChildren(...contactView(page, me));
  showMore(me.nextCursor);
  showOnly(...LISTS);
  announce(text('yourApprovals'));
}

function showMore(cursor) {
  nextCursor = cursor;
  byId('more').hidden = cursor === undefined;
}

function failed(problem) {
  say('');
  showOnly();
  announce(text('meNotLoaded'), 'bad');
  alertText(problem.message);
  offerRetry(text('again'), () => load());
}

async function askToSignIn(words = '') {
  showOnly('sign-in');
  byId('sign-in-button').disabled = !supported();
  if (!supported()) {
    say('');
    sayNoPasskeys();
    return;
  }
  say(words);
  try {
    await renewOptions();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    failed(error);
  }
}

function sessionOver() {
  me = null;
  clear();
  alertText('');
  announce(text('sessionOver'), 'done');
  return askToSignIn(text('signInAgain'));
}

async function renewOptions() {
  options = await postJson('/me/options', {});
  fetchedAt = Date.now();
}

/** The passkey dialog is opened by the click itself: some browsers allow nothing before it. */
async function signIn() {
  const button = byId('sign-in-button');
  button.disabled = true;
  alertText('');
  say(text('waitingForPasskey'));
  try {
    if (!options || Date.now() - fetchedAt > OPTIONS_MILLISECONDS) await renewOptions();
    const request = { challenge: decode(options.challenge), rpId: options.rpId, credentials: [] };
    options = null;
    const assertion = assertionToJson(await askForAssertion(request));
    say(text('signingIn'));
    await postJson('/me/session', { assertion });
    await load();
    if (me) byId('heading').focus();
  } catch (error) {
    await notSignedIn(error);
  }
  button.disabled = false;
}

async function notSignedIn(error) {
  if (error instanceof Problem && error.status === 422) {
    say('');
    alertText(text('unknownPasskey'));
  } else {
    say(text('notSignedIn', { why: error instanceof Problem ? error.message : describeRefusal(error) }));
  }
  // The next press needs a challenge that was not used, and must not wait for it.
  await renewOptions().catch(() => {});
}

async function signOut() {
  try {
    await postJson('/me/sign-out', {});
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return alertText(text('maybeSignedIn', { why: error.message }));
  }
  me = null;
  clear();
  alertText('');
  announce(text('signedOut'), 'done');
  await askToSignIn();
}

/** Nothing of a person stays in the page when their session is over. */
function clear() {
  for (const id of ['signed-in-as', 'waiting-list', 'decided-list', 'contacts-list', 'passkeys-list', 'step-content']) byId(id).replaceChildren();
}

async function older() {
  byId('more').disabled = true;
  try {
    const next = await postJson('/me', { cursor: nextCursor });
    const list = byId('decided-list').querySelector('ul');
    const items = decidedItems(next.decided, receipt);
    list.append(...items);
    showMore(next.nextCursor);
    items[0]?.querySelector('a')?.focus();
  } catch (error) {
    problem(error);
  }
  byId('more').disabled = false;
}

async function receipt(id, button) {
  button.disabled = true;
  try {
    const answer = await postJson(`/me/receipts/${encodeURIComponent(id)}`, {});
    const href = URL.createObjectURL(new Blob([answer.receipt], { type: 'application/json' }));
    element('a', { href, download: `${id}.receipt.json` }).click();
    say(text('receiptDownloaded'));
  } catch (error) {
    problem(error);
  }
  button.disabled = false;
}

function problem(error) {
  if (!(error instanceof Problem)) throw error;
  if (error.status === 401) return sessionOver();
  alertInView(error.message);
}
