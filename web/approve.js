// The approve page: loads one confirmation, shows it, has it signed, and says what came of it.
//
// The server's answer is not trusted: what is shown and what is signed are computed here from the same exact document.

import { askForAssertion, assertionToJson, describeRefusal, supported } from './credential.js';
import { countDown } from './countdown.js';
import { element } from './dom.js';
import { alertText, byId } from './page.js';
import { Mismatch, readRequest } from './document.js';
import { Problem, postJson } from './http.js';
import { requestView } from './request-view.js';
import { decidedView, endedText, recordedView } from './outcome-view.js';
import { announce, lastPathSegment, offerRetry, say, showOnly } from './sections.js';
import { visible } from './visible.js';

const id = lastPathSegment();
const path = `/approve/${encodeURIComponent(id)}`;
const buttons = [byId('reject'), byId('approve')];

/** What the buttons act on: the request as it was checked, and the server's words on who may sign it. */
let current = null;
let busy = false;
let expired = false;
let stopCountdown = () => {};

byId('web-origin').textContent = location.origin;
byId('reject').addEventListener('click', () => decide('reject'));
byId('approve').addEventListener('click', () => decide('approve'));
load();

async function load(approver) {
  current = null;
  stopCountdown();
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
  if (answer.decided) return showDecided(answer);
  if (answer.status !== 'pending') return showEnded(answer.status);
  if (!answer.approver) return showPeople(answer.approvers);
  if (!answer.documents) return end('You cannot decide', 'This request is open, but you cannot decide it.');
  const expected = { id, approver: answer.approver, compareCode: answer.compareCode };
  const request = await readRequest(answer.documents, expected);
  showRequest(request, answer);
}

function showRequest(request, answer) {
  const view = requestView(request);
  byId('request').replaceChildren(...view.nodes);
  showOnly('request');
  announce('Approve or reject?');
  if (!supported()) {
    alertText(`This browser cannot use passkeys here. Open this address in Safari, Chrome, Edge or Firefox: ${location.href}`);
  } else if (answer.credentials.length === 0) {
    alertText('You have no passkey on this server, so you cannot decide. Ask its operator for an invite.');
  } else {
    current = { request, rpId: answer.rpId, credentials: answer.credentials };
    showOnly('request', 'decision');
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
  say('Recording your decision…');
  try {
    const result = await postJson(`${path}/decision`, body);
    stopCountdown();
    say('');
    byId('result').replaceChildren(...recordedView(result));
    showOnly('result', 'request');
    announce(result.decision === 'approve' ? 'Approved' : 'Rejected', result.decision === 'approve' ? 'good' : 'bad');
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
    const certain = problem.unknown ? 'It is not known whether your decision was recorded.' : 'Nothing was decided.';
    say('');
    alertText(`${problem.message} ${certain} Your signed answer is kept on this page and can be sent again.`);
    offerRetry('Send again', () => send(body), 'request');
  } else {
    allowAnotherTry(`${problem.message} Nothing was decided. You can try again.`);
  }
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

function showDecided(answer) {
  const { decision } = answer.decided;
  byId('result').replaceChildren(...decidedView(answer));
  showOnly('result');
  announce(decision === 'approve' ? 'Already approved' : 'Already rejected', 'done');
}

function showEnded(status) {
  const { title, text } = endedText(status);
  end(title, text);
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
  stopCountdown();
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
