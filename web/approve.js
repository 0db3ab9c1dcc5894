// The approve page: loads one confirmation, shows it, has it signed, and says what came of it.
//
// The server's answer is not trusted: what is shown and what is signed are computed here from the same exact document.

import { askForAssertion, assertionToJson, describeRefusal, supported } from './credential.js';
import { countDown } from './countdown.js';
import { element } from './dom.js';
import { copyButton } from './copy-button.js';
import { alertText, byId } from './page.js';
import { people } from './people.js';
import { Mismatch, readRequest } from './document.js';
import { Problem, postJson } from './http.js';
import { requestView } from './request-view.js';
import { decidedView, endedText } from './outcome-view.js';
import { qrCode } from './qr.js';
import { announce, lastPathSegment, offerRetry, say, showOnly } from './sections.js';
import { visible } from './visible.js';
import { watch } from './waiting.js';

const id = lastPathSegment();
const path = `/approve/${encodeURIComponent(id)}`;
const buttons = [byId('reject'), byId('approve')];

/** What the buttons act on: the request as it was checked, and the server's words on who may sign it. */
let current = null;
let busy = false;
let expired = false;
let stopCountdown = () => {};
let stopWatching = () => {};
/** The secret of the documents that were shown here: it fetches the receipt when others decide later. */
let salt;
/** A signed answer that has not reached the server. */
let unsent = null;

byId('web-origin').textContent = location.origin;
byId('reject').addEventListener('click', () => decide('reject'));
byId('approve').addEventListener('click', () => decide('approve'));
addEventListener('online', () => {
  sayConnected();
  if (unsent) sendAgain();
});
addEventListener('offline', sayConnected);
sayConnected();
showOtherDevice();
load();

async function load(approver) {
  current = null;
  unsent = null;
  stopCountdown();
  stopWatching();
  showOnly();
  say('Loading the request…');
  try {
    await show(await postJson(`${path}/options`, approver ? { approver } : {}));
  } catch (error) {
    if (error instanceof Mismatch) stop(error.message);
    else if (error instanceof Problem) failedToLoad(error, approver);
    else stop('The server’s answer cannot be read.');
  }
}

async function show(answer) {
  say('');
  if (answer.decided) return showDecided(answer, true);
  if (answer.status !== 'pending') return showEnded(answer.status, answer);
  if (!answer.approver) return showPeople(answer.approvers);
  if (!answer.documents) return end('You cannot decide', 'This request is open, but you cannot decide it.');
  const expected = { id, approver: answer.approver, compareCode: answer.compareCode };
  const request = await readRequest(answer.documents, expected);
  showRequest(request, answer);
}

function showRequest(request, answer) {
  const view = requestView(request, answer);
  salt = request.fields.salt;
  byId('request').replaceChildren(...view.nodes);
  showOnly('request');
  announce('Approve or reject?');
  if (!supported()) {
    alertText('This browser cannot use passkeys here, as the browsers inside of other apps often cannot. Open this address in ' +
      'Safari, Chrome, Edge or Firefox.');
    byId('alert').append(element('p', {}, element('code', {}, location.href)), copyButton(location.href, 'Copy the address'));
    showOnly('request', 'other-device');
  } else if (answer.credentials.length === 0) {
    alertText('You have no passkey on this server, so you cannot decide. Ask its operator for an invite.');
  } else {
    current = { request, rpId: answer.rpId, credentials: answer.credentials };
    showOnly('request', 'decision', 'other-device');
    setBusy(false);
  }
  expired = false;
  stopCountdown = countDown(view.timeLeft, request.fields.expires_at, () => {
    expired = true;
    // A passkey dialog may be open, or an answer under way: the server says which came first.
    if (!busy) showEnded('expired');
  });
}

/** Signs and sends. The passkey dialog is opened by the click itself: some browsers allow nothing before it. */
async function decide(decision) {
  if (busy || !current) return;
  const { request, rpId, credentials } = current;
  setBusy(true);
  alertText('');
  say('Waiting for your passkey…');
  let assertion;
  try {
    const { challenge } = request.choices[decision];
    assertion = assertionToJson(await askForAssertion({ challenge, rpId, credentials }));
  } catch (error) {
    return allowAnotherTry(`${describeRefusal(error)} Nothing was decided. You can try again.`);
  }
  const note = byId('note').value.trim();
  await send({ approver: request.fields.approver, decision, assertion, ...(decision === 'reject' && note && { note }) });
}

/** Sends a signed answer. It may be sent twice: a decision is one for each request and person. */
async function send(body) {
  unsent = null;
  say('Recording your decision…');
  try {
    const { decision, decidedAt, logIndex, status, receipt } = await postJson(`${path}/decision`, body);
    stopCountdown();
    say('');
    const { approvers, quorum } = current.request.fields;
    const decided = { decision, decidedAt, logIndex };
    const decisions = [{ approver: body.approver, decision, decidedAt }];
    showDecided({ id, approver: body.approver, status, approvers, quorum, receipt, decided, decisions });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    await notRecorded(error, body);
  }
}

async function notRecorded(problem, body) {
  if (problem.status === 404 || problem.status === 409) {
    // Decided, expired or cancelled meanwhile, perhaps by this very answer sent before.
    await load(body.approver);
    if (current) alertText(`${problem.message} Nothing was decided.`);
  } else if (problem.temporary) {
    unsent = body;
    say('');
    alertText(`${notSent(problem)} Your signed answer is kept on this page and can be sent again.`);
    offerRetry('Send again', sendAgain, 'request');
  } else {
    allowAnotherTry(`${problem.message} Nothing was decided. You can try again.`);
  }
}

function notSent(problem) {
  if (problem.status === 0 && !navigator.onLine) return 'This device is offline: your decision is not sent yet. It is sent once you are online again.';
  return `${problem.message} ${problem.unknown ? 'It is not known whether your decision was recorded.' : 'Nothing was decided.'}`;
}

function sendAgain() {
  const body = unsent;
  if (!body) return;
  alertText('');
  showOnly('request');
  send(body);
}

function sayConnected() {
  byId('offline').hidden = navigator.onLine;
}

/** The passkey may be on a phone: its camera reads the address. */
function showOtherDevice() {
  const code = qrCode(location.href);
  if (code) byId('qr').replaceChildren(code);
  byId('link').replaceChildren(element('code', {}, location.href), ' ', copyButton(location.href, 'Copy the address'));
}

function allowAnotherTry(text) {
  if (expired) return showEnded('expired');
  say(text);
  setBusy(false);
}

function failedToLoad(problem, approver) {
  say('');
  if (problem.status === 404) {
    end('Request not found', 'There is no such request, or this link is not complete. Ask the requester for the link.');
  } else {
    announce('The request could not be loaded', 'bad');
    alertText(`${problem.message} Nothing was decided.`);
    offerRetry('Try again', () => load(approver));
  }
}

function showPeople(approvers) {
  const choices = approvers.map((name) => {
    const button = element('button', { type: 'button' }, visible(name));
    button.addEventListener('click', () => load(name));
    return element('li', {}, button);
  });
  byId('people-list').replaceChildren(...choices);
  showOnly('people');
}

/** How it stands for somebody who has decided. `again`: they came back to it. */
function showDecided(answer, again = false) {
  const { decision } = answer.decided;
  const word = decision === 'approve' ? 'approved' : 'rejected';
  // It stands in the result from here on, and newer.
  document.getElementById('people-asked')?.remove();
  byId('result').replaceChildren(...decidedView({ ...answer, id }));
  const shown = current ? ['request'] : [];
  showOnly('result', ...shown);
  if (answer.status === 'pending') {
    announce('Waiting for others', 'done');
    const body = { approver: answer.approver, ...(salt && { salt }) };
    stopWatching();
    stopWatching = watch(`${path}/options`, body, (later) => later.decided && showLater(later));
  } else if (again) {
    announce(`Already ${word}`, 'done');
  } else {
    announceEnd(answer.status);
  }
}

/** Others have decided meanwhile, or its time is over. The heading moves only when it has ended. */
function showLater(answer) {
  byId('result').replaceChildren(...decidedView({ ...answer, id }));
  if (answer.status !== 'pending') announceEnd(answer.status);
}

function announceEnd(status) {
  if (status === 'approved') return announce('Approved', 'good');
  if (status === 'rejected') return announce('Rejected', 'bad');
  const { title, text } = endedText(status);
  say(text);
  announce(title, 'done');
}

function showEnded(status, answer) {
  const { title, text } = endedText(status);
  end(title, text);
  // Who has decided, if others did.
  if (answer?.decisions?.length > 0) {
    byId('result').replaceChildren(element('div', {}, ...people(answer)));
    showOnly('result');
  }
}

/** A mismatch: somebody changed something between the requester and this page. Nothing can be signed from here. */
function stop(reason) {
  end('Stop: do not approve this', '', 'bad');
  byId('alert').replaceChildren(
    element('p', {}, 'What the server sent does not fit together, so this page does not let you sign it.'),
    element('p', { id: 'reason' }, visible(reason)),
    element('p', {}, 'Nothing was decided. Tell the requester and the operator of this server.'),
  );
}

function end(title, text, tone = 'done') {
  current = null;
  unsent = null;
  stopCountdown();
  stopWatching();
  showOnly();
  byId('request').replaceChildren();
  alertText('');
  say(text);
  announce(title, tone);
}

function setBusy(value) {
  busy = value;
  for (const button of buttons) button.disabled = value;
}
