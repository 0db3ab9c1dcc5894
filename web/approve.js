// The approve page: loads one confirmation, shows it, has it signed, and says what came of it.
//
// The server's answer is not trusted: what is shown and what is signed are computed here from the same exact document.

import { askForAssertion, assertionToJson, describeRefusal, supported } from './credential.js';
import { countDown } from './countdown.js';
import { element } from './dom.js';
import { ownAddress, sayNoPasskeys } from './other-browser.js';
import { alertText, byId } from './page.js';
import { people, peopleLines } from './people.js';
import { Mismatch, readRequest } from './document.js';
import { Problem, postJson } from './http.js';
import { lookAlikes } from './look-alikes.js';
import { requestView } from './request-view.js';
import { decidedView, endedText, isTakenBack } from './outcome-view.js';
import { qrCode } from './qr.js';
import { announce, lastPathSegment, offerRetry, say, showOnly } from './sections.js';
import { forgetUnsent, keepUnsent, unsentOf } from './unsent.js';
import { markWith, visible } from './visible.js';
import { watch } from './waiting.js';
import { speak, text } from './words.js';

const id = lastPathSegment();
const path = `/approve/${encodeURIComponent(id)}`;
/** What is in view while it can be decided. */
const OPEN = ['request', 'decision', 'other-device', 'buttons'];
const buttons = [byId('reject'), byId('approve')];

/** What the buttons act on: the request as it was checked, and the server's words on who may sign it. */
let current = null;
let busy = false;
/** How the request ended while a passkey dialog or an answer was under way. */
let ended = null;
let stopCountdown = () => {};
let stopWatching = () => {};
/** The secret of the documents that were shown here: it fetches the receipt when others decide later. */
let salt;
/** A signed answer that has not reached the server. */
let unsent = null;

markWith(lookAlikes);
byId('web-origin').textContent = location.origin;
byId('reject').addEventListener('click', () => decide('reject'));
byId('approve').addEventListener('click', () => decide('approve'));
addEventListener('online', () => {
  sayConnected();
  if (unsent) sendAgain();
});
addEventListener('offline', sayConnected);
start();

async function start() {
  await speak();
  sayConnected();
  showOtherDevice();
  // What was signed before this page was loaded again is sent now.
  const kept = unsentOf(id);
  const answer = await load(kept?.approver);
  if (kept && current) send(kept, 'sendingKept');
  else if (kept) settle(answer);
}

/** Shows how it stands. @returns {Promise<any>} the server's answer, if it was good for anything */
async function load(approver) {
  current = null;
  unsent = null;
  stopCountdown();
  stopWatching();
  showOnly();
  say(text('loading'));
  try {
    const answer = await postJson(`${path}/options`, approver ? { approver } : {});
    await show(answer);
    return answer;
  } catch (error) {
    if (error instanceof Mismatch) stop(error.message);
    else if (error instanceof Problem) failedToLoad(error, approver);
    else stop(text('unreadable'));
    return undefined;
  }
}

async function show(answer) {
  say('');
  if (answer.decided) return showDecided(answer, true);
  if (answer.status !== 'pending') return showEnded(answer.status, answer);
  if (!answer.approver) return showPeople(answer.approvers);
  if (!answer.documents) return end(text('noDocuments'), text('noDocumentsText'));
  // A server names its log after its own host: a document of another log was never asked for here.
  const expected = { id, approver: answer.approver, log: `${location.host}/log`, compareCode: answer.compareCode };
  const request = await readRequest(answer.documents, expected);
  showRequest(request, answer);
}

function showRequest(request, answer) {
  const view = requestView(request, answer);
  const { approver } = request.fields;
  salt = request.fields.salt;
  byId('request').replaceChildren(...view.nodes);
  showOnly('request');
  if (!supported()) {
    announce(text('cannotDecideHere'));
    sayNoPasskeys();
    showOnly('request', 'other-device');
  } else if (answer.credentials.length === 0) {
    announce(text('noDocuments'));
    alertText(text('noPasskey', { approver }));
  } else {
    announce(text('question'));
    current = { request, rpId: answer.rpId, credentials: answer.credentials, decisions: answer.decisions ?? [] };
    showOnly(...OPEN);
    setBusy(false);
  }
  ended = null;
  stopCountdown = countDown(view.timeLeft, request.fields, { short: timeIsShort, over: timeIsOver });
  stopWatching = watch(`${path}/options`, { approver }, (later) => showMeanwhile(later, request.fields));
}

/** In view beside the buttons, and read out when nothing else is. */
function timeIsShort() {
  if (current && !busy && !unsent) say(text('timeIsShort'));
}

function timeIsOver() {
  ended = { status: 'expired' };
  // A passkey dialog may be open, or an answer under way: the server says which came first.
  if (unsent) sendAgain();
  else if (!busy) showEnded('expired');
}

/** Others have decided, or the request has ended, while it is only read. What is signed never changes by that. */
function showMeanwhile(later, { approver, approvers }) {
  if (later.status !== 'pending') ended = later;
  if (current) current.decisions = later.decisions ?? [];
  if (busy || unsent) return;
  if (later.decided) return showDecided(later, true);
  if (ended) return showEnded(ended.status, ended);
  const lines = peopleLines({ approver, approvers, decisions: later.decisions });
  document.getElementById('people-asked')?.replaceChildren(...lines);
}

/** Signs and sends. The passkey dialog is opened by the click itself: some browsers allow nothing before it. */
async function decide(decision) {
  if (busy || !current) return;
  const { request, rpId, credentials } = current;
  const { approver } = request.fields;
  setBusy(true);
  alertText('');
  say(text(decision === 'approve' ? 'waitingToApprove' : 'waitingToReject'));
  let assertion;
  try {
    const { challenge } = request.choices[decision];
    assertion = assertionToJson(await askForAssertion({ challenge, rpId, credentials }));
  } catch (error) {
    const key = error?.name === 'NotAllowedError' ? 'tryElsewhere' : 'tryAgain';
    return allowAnotherTry(text(key, { why: describeRefusal(error), approver }));
  }
  const note = byId('note').value.trim();
  await send({ approver, decision, assertion, ...(decision === 'reject' && note && { note }) });
}

/** Sends a signed answer. It may be sent twice: a decision is one for each request and person. */
async function send(body, words = 'recording') {
  unsent = null;
  setBusy(true);
  showOnly(...OPEN);
  keepUnsent(id, body);
  say(text(words));
  try {
    const { decision, decidedAt, logIndex, status, receipt } = await postJson(`${path}/decision`, body);
    forgetUnsent(id);
    stopCountdown();
    stopWatching();
    say('');
    const { approvers, quorum } = current.request.fields;
    const decided = { decision, decidedAt, logIndex };
    const others = current.decisions.filter(({ approver }) => approver !== body.approver);
    const decisions = [...others, { approver: body.approver, decision, decidedAt }];
    showDecided({ id, approver: body.approver, status, approvers, quorum, receipt, decided, decisions });
    if (approvers.length > 1) showOthers(body.approver);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    await notRecorded(error, body);
  }
}

/** What the others have decided may be newer than what this page knew when it sent its own answer. */
async function showOthers(approver) {
  try {
    const answer = await postJson(`${path}/options`, { approver, salt });
    if (answer.decided) document.getElementById('others')?.replaceChildren(...people(answer));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}

async function notRecorded(problem, body) {
  if (problem.temporary) {
    unsent = body;
    say('');
    alertText(notSent(problem, body.decision));
    offerRetry(text('sendAgain'), sendAgain, 'request');
    byId('retry').append(' ', dropButton());
    return;
  }
  forgetUnsent(id);
  if (problem.status === 404 || problem.status === 409) {
    // Decided, expired or cancelled meanwhile, perhaps by this very answer sent before.
    const answer = await load(body.approver);
    if (current) alertText(text('nothingDecided', { why: problem.message }));
    else settle(answer);
  } else {
    allowAnotherTry(text('tryAgain', { why: problem.message }));
  }
}

/** Why the answer is not sent yet, whether anything can have come of it, and where it is. */
function notSent(problem, decision) {
  const offline = problem.status === 0 && !navigator.onLine;
  const key = problem.unknown ? 'unknownWhether' : 'nothingDecided';
  const what = text(decision === 'approve' ? 'keptApprove' : 'keptReject');
  return text('kept', { what, why: offline ? text('offlineUnsent') : text(key, { why: problem.message }) });
}

function sendAgain() {
  const body = unsent;
  if (!body) return;
  alertText('');
  send(body);
}

/** Whoever has changed their mind looks again how it stands: it may have been recorded before. */
function dropButton() {
  const button = element('button', { type: 'button' }, text('doNotSend'));
  button.addEventListener('click', () => {
    forgetUnsent(id);
    alertText('');
    load(unsent?.approver);
  });
  return button;
}

/** What was signed here has been recorded, or the request has ended without it. */
function settle(answer) {
  if (!answer || (answer.status === 'pending' && !answer.decided)) return;
  forgetUnsent(id);
  if (!answer.decided) alertText(text('tooLate'));
}

function sayConnected() {
  byId('offline').hidden = navigator.onLine;
}

/** The passkey may be on a phone: its camera reads the address. */
function showOtherDevice() {
  const code = qrCode(location.href);
  if (code) byId('qr').replaceChildren(code);
  byId('link').replaceChildren(...ownAddress());
}

function allowAnotherTry(words) {
  if (ended?.decided) return showDecided(ended, true);
  if (ended) return showEnded(ended.status, ended);
  say(words);
  setBusy(false);
}

function failedToLoad(problem, approver) {
  say('');
  if (problem.status === 404) {
    end(text('notFound'), text('notFoundText'));
  } else {
    announce(text('notLoaded'), 'bad');
    alertText(text('nothingDecided', { why: problem.message }));
    offerRetry(text('again'), () => (unsentOf(id) ? start() : load(approver)));
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
  say('');
  // It stands in the result from here on, and newer.
  document.getElementById('people-asked')?.remove();
  byId('result').replaceChildren(...decidedView({ ...answer, id }));
  const shown = current ? ['request'] : [];
  showOnly('result', ...shown);
  stopCountdown();
  stopWatching();
  if (answer.status === 'pending') {
    announceWaiting(answer);
    const body = { approver: answer.approver, ...(salt && { salt }) };
    stopWatching = watch(`${path}/options`, body, (later) => later.decided && showLater(later));
  } else {
    announceEnd(answer.status, again);
  }
}

/** Others have decided meanwhile, its time is over, or the passkey was revoked. The heading moves only at an end of it. */
function showLater(answer) {
  byId('result').replaceChildren(...decidedView({ ...answer, id }));
  if (answer.status !== 'pending') announceEnd(answer.status);
  else if (isTakenBack(answer)) announceWaiting(answer);
}

/** Others have still to decide, or would have: one's own decision went with its passkey. Said once. */
function announceWaiting(answer) {
  const [key, tone] = isTakenBack(answer) ? ['takenBack', 'bad'] : ['waitingForOthers', 'done'];
  if (byId('heading').textContent !== text(key)) announce(text(key), tone);
}

/** What became of the request, which may be something else than what one decided. */
function announceEnd(status, again = false) {
  if (status === 'approved' && !again) return announce(text('approved'), 'good');
  if (status === 'rejected' && !again) return announce(text('rejected'), 'bad');
  announce(endedText(status, true).title, 'done');
}

function showEnded(status, answer) {
  // Who has decided, if others did.
  const others = answer?.decisions?.length > 0;
  const { title, words } = endedText(status, others);
  end(title, others ? '' : words);
  if (!others) return;
  byId('result').replaceChildren(element('p', {}, words), element('div', {}, ...people(answer)));
  showOnly('result');
}

/** A mismatch: somebody changed something between the requester and this page. Nothing can be signed from here. */
function stop(reason) {
  end(text('stop'), '', 'bad');
  byId('alert').replaceChildren(
    element('p', {}, text('stopText')),
    element('p', { id: 'reason' }, visible(reason)),
    element('p', {}, text('stopTell')),
  );
}

function end(title, words, tone = 'done') {
  current = null;
  unsent = null;
  stopCountdown();
  stopWatching();
  showOnly();
  byId('request').replaceChildren();
  alertText('');
  say(words);
  announce(title, tone);
}

function setBusy(value) {
  busy = value;
  for (const button of buttons) button.disabled = value;
}
