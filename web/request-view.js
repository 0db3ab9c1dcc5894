// The request as an approver reads it: every part of the document that is about to be signed; and, marked as such, what only
// the server says: who has decided, what was approved or rejected before.

import { differenceView } from './difference.js';
import { element } from './dom.js';
import { moment, span } from './moment.js';
import { countText, fieldList, flatten } from './payload.js';
import { people } from './people.js';
import { row } from './term-row.js';
import { hasHidden, hasMixedScripts, visible } from './visible.js';

/**
 * @typedef {object} Beside  what the server says beside the documents
 * @property {import('./people.js').Decision[]} [decisions]
 * @property {{decidedAt: string, payload: string}} [lastApproved]
 * @property {{times: number, last: {at: string, by?: string}[]}} [rejectedBefore]
 */

/**
 * @param {import('./document.js').Request} request
 * @param {Beside} [beside]
 * @returns {{nodes: HTMLElement[], timeLeft: HTMLElement}} what to put into the page, and the place of the countdown
 */
export function requestView(request, beside = {}) {
  const fields = flatten(request.fields.payload);
  const list = fieldList(fields);
  const shown = list.querySelectorAll('.field').length;
  const timeLeft = element('span', { id: 'time-left', 'aria-live': 'polite' });
  const nodes = [
    asked(request.fields),
    ...warnings(request.fields, fields, beside),
    element('h2', {}, 'What you sign'),
    element('p', { id: 'field-count', class: 'hint' }, countText(fields, shown)),
    list,
    verified(request),
    differenceView(beside.lastApproved, request.fields.payload),
    compare(request.compareCode),
    element('h2', {}, 'Conditions'),
    conditions(request.fields, timeLeft, beside.decisions),
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

function warnings({ action, requester }, fields, { rejectedBefore }) {
  const texts = [action, requester, ...fields.flatMap(({ path, text }) => [path, text])];
  const found = [];
  if (rejectedBefore?.last?.length) found.push(describeRejections(rejectedBefore));
  if (texts.some(hasHidden)) {
    found.push('This request contains characters that are hidden or change the order of text. They are shown as boxes.');
  }
  if (texts.some(hasMixedScripts)) {
    found.push('A word in this request mixes alphabets whose letters look alike. Compare it letter by letter.');
  }
  if (found.length === 0) return [];
  return [element('ul', { class: 'warnings', 'aria-label': 'Warnings' }, ...found.map((text) => element('li', {}, ...[text].flat())))];
}

function describeRejections({ times, last: [latest] }) {
  const often = times === 1 ? 'once' : `${times} times`;
  const who = latest.by ? [' by ', visible(latest.by)] : [];
  return [
    element('span', { id: 'rejected-before' },
      `The same action and payload was rejected ${often} before, last`, ...who, ' at ', ...moment(latest.at), '.'),
  ];
}

/** The page has computed itself what the passkey will sign; otherwise it would have stopped before. */
function verified({ choices }) {
  return element(
    'p',
    { id: 'verified', class: 'verified' },
    element('strong', {}, element('span', { 'aria-hidden': 'true' }, '✓ '), 'Display verified.'),
    ` This browser computed the hash that your passkey signs from exactly what is shown here (${choices.approve.bytes} bytes).`,
  );
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

function conditions(fields, timeLeft, decisions) {
  return element(
    'dl',
    { class: 'conditions' },
    ...row('Your name', visible(fields.approver), element('br'), element('span', { class: 'hint' },
      'Not you? Then this request is not yours to decide, and your passkey cannot.')),
    ...row('Decide by', timeLeft, ...moment(fields.expires_at)),
    ...row('An approval can be used', `until ${span(seconds(fields.use_by) - seconds(fields.expires_at))} after that`,
      element('br'), ...moment(fields.use_by)),
    ...row('Who must approve', ...people({ ...fields, decisions })),
    ...row('Receipt', element('span', { id: 'reveal' }, describeReveal(fields.reveal))),
    ...row('Asked at', ...moment(fields.issued_at)),
    ...row('Request', visible(fields.id)),
    ...row('Log', visible(fields.log)),
  );
}

function seconds(time) {
  return Date.parse(time) / 1000;
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
