// The request as an approver reads it: every part of the document that is about to be signed; and, marked as such, what only
// the server says: who has decided, what was approved or rejected before.

import { copyValues } from './copy-values.js';
import { differenceView } from './difference.js';
import { element } from './dom.js';
import { exactValue } from './exact-value.js';
import { clock, moment, span } from './moment.js';
import { fieldList, flatten } from './payload.js';
import { people } from './people.js';
import { row } from './term-row.js';
import { visible, warningsOf } from './visible.js';
import { nodes, text } from './words.js';

/** Sentences for what is found in texts, the gravest first. */
const FOUND = ['warnHidden', 'warnMixed', 'warnLookAlike', 'warnDecomposed'];

/**
 * @typedef {object} Beside  what the server says beside the documents
 * @property {import('./people.js').Decision[]} [decisions]
 * @property {{decidedAt: string, payload: string}} [lastApproved]
 * @property {{times: number, last: {at: string, by?: string}[]}} [rejectedBefore]  the same question
 * @property {{times: number, at: string}} [rejectedTitle]  by this approver, whatever was asked under the title
 */

/**
 * @param {import('./document.js').Request} request
 * @param {Beside} [beside]
 * @returns {{nodes: HTMLElement[], timeLeft: HTMLElement}} what to put into the page, and the place of the countdown
 */
export function requestView(request, beside = {}) {
  const fields = flatten(request.fields.payload);
  const list = fieldList(fields, exactValue);
  const difference = differenceView(beside.lastApproved, request.fields.payload);
  const shown = list.querySelectorAll('.field').length;
  const timeLeft = element('strong', { id: 'time-left', 'aria-live': 'polite' });
  return {
    timeLeft,
    nodes: [
      asked(request.fields),
      ...warnings(request.fields, fields, beside),
      glance(request, timeLeft, difference.summary),
      element('h2', {}, text('whatYouSign'), ' ',
        element('span', { id: 'field-count', class: 'hint' }, text('fieldsShown', { shown, count: fields.length }))),
      list,
      element('p', { class: 'hint' }, text('titleIsTheirs')),
      copyValues(list, fields),
      verified(request),
      difference.section,
      element('h2', {}, text('conditions')),
      conditions(request.fields, beside.decisions),
      raw(request),
    ],
  };
}

function asked({ action, approver, requester }) {
  const who = { requester: element('strong', {}, visible(requester)), approver: element('strong', {}, visible(approver)) };
  return element(
    'figure',
    { class: 'asked' },
    element('figcaption', {}, ...nodes('asks', who)),
    element('blockquote', { id: 'action' }, visible(action)),
  );
}

function warnings({ action, requester }, fields, { rejectedBefore, rejectedTitle }) {
  const texts = [action, requester, ...fields.flatMap(({ path, text: value }) => [path, value])];
  const found = [];
  if (rejectedBefore?.last?.length) found.push(describeRejections(rejectedBefore));
  if (rejectedTitle?.times > (rejectedBefore?.times ?? 0)) found.push(describeTitle(rejectedTitle));
  const keys = new Set(texts.flatMap(warningsOf));
  for (const key of FOUND) if (keys.has(key)) found.push([text(key)]);
  if (found.length === 0) return [];
  return [element('ul', { class: 'warnings', 'aria-label': text('warnings') }, ...found.map((words) => element('li', {}, ...words)))];
}

function describeRejections({ times, last: [latest] }) {
  const key = `rejected${times === 1 ? 'Once' : 'Often'}${latest.by ? 'By' : ''}`;
  const values = { times: String(times), time: moment(latest.at), who: latest.by ? visible(latest.by) : '' };
  return [element('span', { id: 'rejected-before' }, ...nodes(key, values))];
}

/** Who changes a byte of what was rejected asks another question; the title tells that it may be the same one. */
function describeTitle({ times, at }) {
  const words = nodes(times === 1 ? 'rejectedTitleOnce' : 'rejectedTitleOften', { times: String(times), time: moment(at) });
  return [element('span', { id: 'rejected-title' }, ...words)];
}

/** What one wants to see at once beside the fields: how long there is, the code to compare, and whether it was so before. */
function glance({ fields, compareCode }, timeLeft, before) {
  return element(
    'dl',
    { class: 'glance' },
    element('div', {}, ...row(text('decideBy'), clock(fields.expires_at), ' ', timeLeft)),
    element('div', {}, ...row(text('compareCode'), element('code', { id: 'compare-code', dir: 'ltr' }, compareCode),
      element('span', { class: 'hint' }, text('compareHint')))),
    element('div', {}, ...row(text('before'), before)),
  );
}

/** The page has computed itself what the passkey will sign; otherwise it would have stopped before. */
function verified({ choices }) {
  return element(
    'p',
    { id: 'verified', class: 'verified' },
    element('strong', {}, element('span', { 'aria-hidden': 'true' }, '✓ '), text('verified')),
    ` ${text('verifiedHow', { bytes: choices.approve.bytes })}`,
  );
}

function conditions(fields, decisions) {
  const after = span((Date.parse(fields.use_by) - Date.parse(fields.expires_at)) / 1000);
  return element(
    'dl',
    { class: 'conditions' },
    ...row(text('yourName'), visible(fields.approver), element('br'), element('span', { class: 'hint' }, text('notYou'))),
    ...row(text('decideBy'), ...moment(fields.expires_at)),
    ...row(text('canBeUsed'), text('untilAfter', { span: after }), element('br'), ...moment(fields.use_by)),
    ...row(text('whoMustApprove'), ...people({ ...fields, decisions })),
    ...row(text('receipt'), element('span', { id: 'reveal' }, text(fields.reveal ? 'revealed' : 'notRevealed'))),
    ...row(text('askedAt'), ...moment(fields.issued_at)),
    ...row(text('request'), visible(fields.id)),
    ...row(text('log'), visible(fields.log)),
  );
}

function raw({ choices }) {
  const { approve, reject } = choices;
  return element(
    'details',
    { id: 'raw' },
    element('summary', {}, text('exactDocument', { bytes: approve.bytes })),
    element('p', {}, text('exactBytes')),
    element('pre', { id: 'raw-document', tabindex: '0', dir: 'ltr' }, visible(approve.text)),
    element(
      'dl',
      { class: 'conditions' },
      ...row(text('hashToApprove'), element('code', { id: 'sha256-approve', dir: 'ltr' }, approve.sha256)),
      ...row(text('hashToReject'), element('code', { id: 'sha256-reject', dir: 'ltr' }, reject.sha256)),
    ),
    element('p', { class: 'hint' }, text('toReject', { bytes: reject.bytes })),
  );
}
