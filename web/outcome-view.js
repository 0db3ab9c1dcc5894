// What is left to say when a confirmation has an answer: the log index, the receipt, or how it ended.

import { element } from './dom.js';
import { localTime } from './local-time.js';
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
 * Right after a decision.
 *
 * @param {{id: string, status: string, decision: string, decidedAt: string, logIndex: number, receipt?: string}} result
 * @returns {HTMLElement[]}
 */
export function recordedView(result) {
  return [facts(result, result.status), ...receiptLink(result), hint('You can close this page.')];
}

/**
 * When an approver comes back to what they have decided.
 *
 * @param {{status: string, decided: {decision: string, decidedAt: string, logIndex: number}}} answer
 */
export function decidedView({ status, decided }) {
  return [element('p', {}, 'You have decided this request already. Nothing more is asked of you.'), facts(decided, status)];
}

function facts({ decision, decidedAt, logIndex }, status) {
  const row = (term, id, ...value) => [element('dt', {}, term), element('dd', { id }, ...value)];
  return element(
    'dl',
    { class: 'conditions' },
    ...row('Your decision', 'own-decision', decision === 'approve' ? 'approve' : 'reject'),
    ...row('Request', 'request-status', describeStatus(status)),
    ...row('Recorded at', 'decided-at', visible(decidedAt), ` (${localTime(decidedAt)} your time)`),
    ...row('Log entry', 'log-index', String(logIndex)),
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
    element('p', {}, element('a', { id: 'receipt', class: 'button', href, download: name }, 'Download the receipt')),
    hint('It holds the exact request and your signature. Anyone with it and a trust file can verify the decision offline.'),
  ];
}

function hint(text) {
  return element('p', { class: 'hint' }, text);
}
