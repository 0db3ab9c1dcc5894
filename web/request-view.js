// The request as an approver reads it: every part of the document that is about to be signed, and nothing else.

import { element } from './dom.js';
import { countText, fieldList, flatten } from './payload.js';
import { row, time } from './term-row.js';
import { hasHidden, hasMixedScripts, visible } from './visible.js';

/**
 * @param {import('./document.js').Request} request
 * @returns {{nodes: HTMLElement[], timeLeft: HTMLElement}} what to put into the page, and the place of the countdown
 */
export function requestView(request) {
  const fields = flatten(request.fields.payload);
  const list = fieldList(fields);
  const shown = list.querySelectorAll('.field').length;
  const timeLeft = element('span', { id: 'time-left', 'aria-live': 'polite' });
  const nodes = [
    asked(request.fields),
    ...warnings(request.fields, fields),
    element('h2', {}, 'What you sign'),
    element('p', { id: 'field-count', class: 'hint' }, countText(fields, shown)),
    list,
    compare(request.compareCode),
    element('h2', {}, 'Conditions'),
    conditions(request.fields, timeLeft),
    raw(request),
  ];
  return { nodes, timeLeft };
}

function asked({ action, requester }) {
  return element(
    'figure',
    { class: 'asked' },
    element('figcaption', {}, element('strong', {}, visible(requester)), ' asks, in its own words:'),
    element('blockquote', { id: 'action' }, visible(action)),
    element('p', { class: 'hint' }, 'These are the requester’s words. What counts is every field below.'),
  );
}

function warnings({ action, requester }, fields) {
  const texts = [action, requester, ...fields.flatMap(({ path, text }) => [path, text])];
  const found = [];
  if (texts.some(hasHidden)) {
    found.push('This request contains characters that are hidden or change the order of text. They are shown as boxes.');
  }
  if (texts.some(hasMixedScripts)) {
    found.push('A word in this request mixes alphabets whose letters look alike. Compare it letter by letter.');
  }
  if (found.length === 0) return [];
  return [element('ul', { class: 'warnings', 'aria-label': 'Warnings' }, ...found.map((text) => element('li', {}, text)))];
}

function compare(code) {
  return element(
    'div',
    { class: 'compare' },
    element('h2', {}, 'Compare code'),
    element('p', {}, element('code', { id: 'compare-code' }, code)),
    element('p', { class: 'hint' }, 'Computed in this browser. The requester has the same code; if yours differs, reject.'),
  );
}

function conditions(fields, timeLeft) {
  return element(
    'dl',
    { class: 'conditions' },
    ...row('Your name', visible(fields.approver)),
    ...row('Decide by', ...time(fields.expires_at), element('br'), timeLeft),
    ...row('An approval can be used until', ...time(fields.use_by)),
    ...row('Who must approve', ...whoMustApprove(fields)),
    ...row('Receipt', element('span', { id: 'reveal' }, describeReveal(fields.reveal))),
    ...row('Asked by', visible(fields.requester)),
    ...row('Asked at', ...time(fields.issued_at)),
    ...row('Request', visible(fields.id)),
    ...row('Log', visible(fields.log)),
  );
}

function whoMustApprove({ approver, approvers, quorum }) {
  if (approvers.length === 1) return ['You alone.'];
  const others = approvers.filter((name) => name !== approver);
  const names = others.flatMap((name, index) => [index === 0 ? '' : ', ', visible(name)]);
  const people = quorum === 1 ? 'One approval is enough' : `${quorum} approvals are needed`;
  return [`${people}, of ${approvers.length} who are asked: you, `, ...names, '. One rejection ends the request.'];
}

function describeReveal(reveal) {
  return reveal
    ? 'Public: anyone who knows the request’s id will be able to read all of it, with the decision.'
    : 'Not published. The log shows that a decision was signed, not what it was about.';
}

function raw({ choices }) {
  const { approve, reject } = choices;
  return element(
    'details',
    { id: 'raw' },
    element('summary', {}, `The exact document (${approve.bytes} bytes)`),
    element('p', {}, 'To approve, your passkey signs the hash of exactly these bytes:'),
    element('pre', { id: 'raw-document', tabindex: '0' }, visible(approve.text)),
    element(
      'dl',
      { class: 'conditions' },
      ...row('SHA-256 to approve', element('code', { id: 'sha256-approve' }, approve.sha256)),
      ...row('SHA-256 to reject', element('code', { id: 'sha256-reject' }, reject.sha256)),
    ),
    element('p', { class: 'hint' }, `To reject: the same with "decision":"reject" (${reject.bytes} bytes).`),
  );
}
