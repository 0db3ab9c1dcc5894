// The enrol page: says what an invite means, takes a username unless the invite fixes it, and makes a passkey.

import { askForPasskey, describeRefusal, registrationToJson, supported } from './credential.js';
import { element } from './dom.js';
import { credentialOf } from './enrolment.js';
import { lookAlikes } from './look-alikes.js';
import { sayNoPasskeys } from './other-browser.js';
import { alertText, byId } from './page.js';
import { Problem, postJson } from './http.js';
import { announce, lastPathSegment, offerRetry, say, showOnly } from './sections.js';
import { row } from './term-row.js';
import { markWith, visible } from './visible.js';
import { nodes, speak, text } from './words.js';

const path = `/enrol/${encodeURIComponent(lastPathSegment())}`;
/** A challenge older than this is replaced before it is used: a passkey made for a dead one would be an orphan. */
const OPTIONS_MILLISECONDS = 120_000;

/** The options at hand, and whether the invite fixes the name. */
let options = null;
let fetchedAt = 0;
let fixed = true;

markWith(lookAlikes);
byId('web-origin').textContent = location.origin;
byId('name-form').addEventListener('submit', (event) => {
  event.preventDefault();
  start(byId('username').value);
});
byId('create-button').addEventListener('click', create);
byId('change-name-button').addEventListener('click', askForName);
speak().then(() => start());

/** Fetches the invite, and with a username the options for its passkey. */
async function start(username) {
  alertText('');
  say(text('loadingInvite'));
  try {
    const invite = await fetchOptions(username);
    say('');
    byId('invited-by').replaceChildren(...nodes('operatorWrote', { host: element('strong', {}, location.host) }));
    byId('invite-note').replaceChildren(visible(invite.note || text('noNote')));
    if (!supported()) {
      showOnly('invite');
      sayNoPasskeys();
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
  byId('made-for').replaceChildren(...nodes('madeFor', { name: element('strong', { id: 'chosen-name' }, visible(username)) }));
  byId('change-name').hidden = fixed;
  byId('create-button').disabled = false;
  showOnly('invite', 'create');
}

async function create() {
  const button = byId('create-button');
  button.disabled = true;
  alertText('');
  say(text('waitingForPasskey'));
  try {
    if (Date.now() - fetchedAt > OPTIONS_MILLISECONDS) await renewOptions();
    const passkey = await askForPasskey(options);
    const credential = registrationToJson(passkey);
    const name = await credentialOf(passkey);
    say(text('enrolling'));
    const answer = await postJson(path, { credential });
    if (name !== undefined && answer.credential !== name) stop();
    else showEnrolled(answer, name);
  } catch (error) {
    await failedToCreate(error);
  }
}

async function failedToCreate(error) {
  const why = error instanceof Problem ? error.message : describeRefusal(error);
  if (error instanceof Problem && error.status === 404) return notFound();
  if (error instanceof Problem && error.unknown) {
    say('');
    alertText(text('enrolUnknown', { why }));
    return;
  }
  say(text('tryEnrolAgain', { why }));
  // The next press needs a challenge that was not used, and must not wait for it.
  await renewOptions().catch(() => {});
  byId('create-button').disabled = false;
}

function renewOptions() {
  return fetchOptions(fixed ? undefined : byId('username').value);
}

/** The server names another key than the one that was made: whoever compares that would pin a stranger's. */
function stop() {
  say('');
  showOnly();
  announce(text('stopEnrolled'), 'bad');
  alertText(text('otherKeyEnrolled'));
}

/** `credential` is what this page has computed, or nothing: then there is none to compare with others. */
function showEnrolled({ username, logIndex }, credential) {
  say('');
  const named = (term, id, ...value) => row(text(term), element('span', { id }, ...value));
  const link = element('a', { href: '/me' }, text('yourApprovals'));
  byId('result').replaceChildren(
    element('p', {}, text('enrolledText')),
    element(
      'dl',
      { class: 'conditions' },
      ...named('username', 'enrolled-name', visible(username)),
      ...named('logEntry', 'log-index', element('a', { href: `/log/entry/${Number(logIndex)}` }, String(logIndex))),
      ...(credential ? named('credential', 'credential', element('code', {}, credential)) : []),
    ),
    element('p', {}, ...nodes('whatWaits', { link })),
    element('p', { class: 'hint' }, text(credential ? 'pinHint' : 'keyNotShown')),
  );
  showOnly('result');
  announce(text('enrolled'), 'good');
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
  alertText(text('notEnrolled', { why: problem.message }));
  offerRetry(text('again'), () => start(username));
}

function notFound() {
  showOnly();
  say(text('inviteNotFoundText'));
  announce(text('inviteNotFound'), 'done');
}
