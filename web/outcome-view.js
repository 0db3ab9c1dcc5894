// What is left to say when a confirmation has an answer: the log index, the receipt, or how it ended.

import { element } from './dom.js';
import { moment } from './moment.js';
import { people } from './people.js';
import { visible } from './visible.js';

const ENDED = {
  approved: { title: 'Already approved', text: 'This request has been approved. There is nothing left to decide.' },
  rejected: { title: 'Already rejected', text: 'This request has been rejected. There is nothing left to decide.' },
  expired: { title: 'Expired', text: 'The time for a decision is over. Nothing was approved by you.' },
  cancelled: { title: 'Cancelled', text: 'The requester has cancelled this request. Nothing was approved.' },
};

/** Title and text for a confirmation that ended. @param {string} status */
export function endedText(status) {
  const unknown = { title: 'Nothing to decide', text: 'This request cannot be decided any more.' };
  return Object.hasOwn(ENDED, status) ? ENDED[status] : unknown;
}

/**
 * What an approver has decided: right after it, while others have still to decide, or when coming back to it.
 *
 * @param {object} outcome
 * @param {string} outcome.id
 * @param {string} outcome.status
 * @param {{decision: string, decidedAt: string, logIndex: number}} outcome.decided
 * @param {string} [outcome.receipt]
 * @param {string} outcome.approver
 * @param {string[]} [outcome.approvers]
 * @param {number} [outcome.quorum]
 * @param {import('./people.js').Decision[]} [outcome.decisions]
 * @returns {HTMLElement[]}
 */
export function decidedView(outcome) {
  const waiting = outcome.status === 'pending';
  return [
    ...(waiting ? [element('p', {}, 'Your decision is recorded. This page says by itself when the others have decided.')] : []),
    facts(outcome),
    ...receiptLink(outcome),
    element('p', {}, element('a', { href: '/me' }, 'Your approvals')),
    hint(waiting ? 'You can also close this page and come back by the same link.' : 'You can close this page.'),
  ];
}

function facts({ status, decided: { decision, decidedAt, logIndex }, approver, approvers = [], quorum, decisions }) {
  const row = (term, id, ...value) => [element('dt', {}, term), element('dd', { id }, ...value)];
  const others = approvers.length > 1 ? row('Who must approve', 'others', ...people({ approver, approvers, quorum, decisions })) : [];
  return element(
    'dl',
    { class: 'conditions' },
    ...row('Your decision', 'own-decision', decision === 'approve' ? 'approve' : 'reject'),
    ...row('Request', 'request-status', describeStatus(status)),
    ...others,
    ...row('Recorded at', 'decided-at', ...moment(decidedAt)),
    ...row('Log entry', 'log-index', element('a', { href: `/log/entry/${Number(logIndex)}` }, String(logIndex))),
  );
}

function describeStatus(status) {
  return status === 'pending' ? 'pending: others must decide too' : visible(status);
}

function receiptLink({ id, receipt }) {
  if (typeof receipt !== 'string') return [];
  const name = `${id}.receipt.json`;
  // The page lives as long as the link, so the URL is never revoked.
  const href = URL.createObjectURL(new Blob([receipt], { type: 'application/json' }));
  return [
    element('p', {}, element('a', { id: 'receipt', class: 'button', href, download: name }, 'Download the receipt to keep')),
    hint('It holds the exact request and your signature. Anyone with it and a trust file can verify the decision offline.'),
  ];
}

function hint(text) {
  return element('p', { class: 'hint' }, text);
}
