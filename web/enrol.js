// The enrol page: says what an invite means, takes a username unless the invite fixes it, and makes a passkey.

import { askForPasskey, describeRefusal, registrationToJson, supported } from './credential.js';
import { element } from './dom.js';
import { alertText, byId } from './page.js';
import { Problem, postJson } from './http.js';
import { announce, lastPathSegment, offerRetry, say, showOnly } from './sections.js';
import { visible } from './visible.js';

const path = `/enrol/${encodeURIComponent(lastPathSegment())}`;
/** A challenge older than this is replaced before it is used: a passkey made for a dead one would be an orphan. */
const OPTIONS_MILLISECONDS = 120_000;

/** The options at hand, and whether the invite fixes the name. */
let options = null;
let fetchedAt = 0;
let fixed = true;

byId('web-origin').textContent = location.origin;
byId('host').textContent = location.host;
byId('name-form').addEventListener('submit', (event) => {
  event.preventDefault();
  start(byId('username').value);
});
byId('create-button').addEventListener('click', create);
byId('change-name-button').addEventListener('click', askForName);
start();

/** Fetches the invite, and with a username the options for its passkey. */
async function start(username) {
  alertText('');
  say('Loading the invite…');
  try {
    const invite = await fetchOptions(username);
    say('');
    byId('invite-note').replaceChildren(visible(invite.note || '(no note)'));
    if (!supported()) {
      showOnly('invite');
      alertText(`This browser cannot use passkeys here. Open this address in Safari, Chrome, Edge or Firefox: ${location.href}`);
    } else if (options) {
      fixed = username === undefined;
      showCreate(username ?? invite.username);
    } else {
      askForName();
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    failedToLoad(error, username);
  }
}

async function fetchOptions(username) {
  const invite = await postJson(`${path}/options`, username === undefined ? {} : { username });
  options = invite.publicKey ?? null;
  fetchedAt = Date.now();
  return invite;
}

function askForName() {
  say('');
  showOnly('invite', 'name-form');
  byId('username').focus();
}

function showCreate(username) {
  byId('chosen-name').replaceChildren(visible(username));
  byId('change-name').hidden = fixed;
  byId('create-button').disabled = false;
  showOnly('invite', 'create');
}

async function create() {
  const button = byId('create-button');
  button.disabled = true;
  alertText('');
  say('Waiting for your passkey…');
  try {
    if (Date.now() - fetchedAt > OPTIONS_MILLISECONDS) await renewOptions();
    const credential = registrationToJson(await askForPasskey(options));
    say('Enrolling…');
    showEnrolled(await postJson(path, { credential }));
  } catch (error) {
    await failedToCreate(error);
  }
}

async function failedToCreate(error) {
  const words = error instanceof Problem ? error.message : describeRefusal(error);
  if (error instanceof Problem && error.status === 404) return notFound();
  if (error instanceof Problem && error.unknown) {
    say('');
    alertText(`${words} It is not known whether you were enrolled. Ask the operator before you try again.`);
    return;
  }
  say(`${words} You are not enrolled. You can try again.`);
  // The next press needs a challenge that was not used, and must not wait for it.
  await renewOptions().catch(() => {});
  byId('create-button').disabled = false;
}

function renewOptions() {
  return fetchOptions(fixed ? undefined : byId('username').value);
}

function showEnrolled({ username, credential, logIndex }) {
  say('');
  const row = (term, id, ...value) => [element('dt', {}, term), element('dd', { id }, ...value)];
  byId('result').replaceChildren(
    element('p', {}, 'You can now approve and reject. Your passkey’s public key is in the public log.'),
    element(
      'dl',
      { class: 'conditions' },
      ...row('Username', 'enrolled-name', visible(username)),
      ...row('Log entry', 'log-index', String(logIndex)),
      ...row('Credential', 'credential', element('code', {}, visible(credential))),
    ),
    element('p', {}, element('a', { href: '/me' }, 'Your approvals'), ': what waits for you, and a second passkey in case you lose this one.'),
    element('p', { class: 'hint' }, 'Who pins your key compares this credential with you over another channel. You can close this page.'),
  );
  showOnly('result');
  announce('You are enrolled', 'good');
}

function failedToLoad(problem, username) {
  say('');
  if (problem.status === 404) return notFound();
  if (username !== undefined && !problem.temporary) {
    // The name was refused; the form is still there.
    alertText(problem.message);
    byId('username').focus();
    return;
  }
  alertText(`${problem.message} You are not enrolled.`);
  offerRetry('Try again', () => start(username));
}

function notFound() {
  showOnly();
  say('This invite does not exist, has been used, or is over. Ask the operator for a new one.');
  announce('Invite not found', 'done');
}
