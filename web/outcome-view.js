// What is left to say when a confirmation has an answer: the log index, the receipt, or how it ended.

import { element } from './dom.js';
import { moment } from './moment.js';
import { people } from './people.js';
import { row } from './term-row.js';
import { visible } from './visible.js';
import { nodes, text } from './words.js';

/** The keys of title and text for each status that is an end. */
const ENDED = {
  approved: ['alreadyApproved', 'approvedText'],
  rejected: ['alreadyRejected', 'rejectedText'],
  expired: ['expired', 'expiredText'],
  cancelled: ['cancelled', 'cancelledText'],
};

/** The text where somebody had decided before: it may be the reader. */
const ENDED_SINCE = Object.assign(Object.create(null), { expired: 'expiredWithout', cancelled: 'cancelledWithout' });

/**
 * Title and text for a confirmation that ended.
 *
 * @param {string} status
 * @param {boolean} [anyDecided]  whether anybody had decided; it may be the reader, also where the page does not know who reads
 */
export function endedText(status, anyDecided = false) {
  const [title, words] = Object.hasOwn(ENDED, status) ? ENDED[status] : ['nothingToDecide', 'nothingToDecideText'];
  return { title: text(title), words: text((anyDecided && ENDED_SINCE[status]) || words) };
}

/** Whether what an approver decided was taken back with its passkey, before others had decided. */
export function isTakenBack({ approver, decisions = [] }) {
  return decisions.some((one) => one.approver === approver && one.revokedAt);
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
    ...(isDecided(outcome.status) ? [] : [element('p', { id: 'outcome' }, waiting ? waitingText(outcome) : endedText(outcome.status, true).words)]),
    facts(outcome),
    ...receiptLink(outcome),
    element('p', {}, ...ownPage(outcome)),
    hint(text(waiting ? 'canCloseAndReturn' : 'canClose')),
  ];
}

function waitingText(outcome) {
  return text(isTakenBack(outcome) ? 'takenBackText' : 'recordedWaiting');
}

function isDecided(status) {
  return ['approved', 'rejected'].includes(status);
}

/** The way to one's own page, which has the receipt for whoever comes back. */
function ownPage({ status, receipt }) {
  const link = element('a', { href: '/me' }, text('yourApprovals'));
  const receiptThere = typeof receipt !== 'string' && isDecided(status);
  return receiptThere ? nodes('receiptThere', { link }) : [link];
}

function facts({ status, decided: { decision, decidedAt, logIndex }, approver, approvers = [], quorum, decisions }) {
  const named = (term, id, ...value) => row(text(term), element('span', { id }, ...value));
  const asked = { approver, approvers, quorum, decisions };
  const others = approvers.length > 1 ? row(text('whoMustApprove'), element('div', { id: 'others' }, ...people(asked))) : [];
  return element(
    'dl',
    { class: 'conditions' },
    ...named('yourDecision', 'own-decision', text(decision === 'approve' ? 'youApproved' : 'youRejected')),
    ...named('request', 'request-status', ...(status === 'pending' ? [text('statusPending')] : [describeStatus(status)])),
    ...others,
    ...named('recordedAt', 'decided-at', ...moment(decidedAt)),
    ...named('logEntry', 'log-index', element('a', { href: `/log/entry/${Number(logIndex)}` }, String(logIndex))),
  );
}

function describeStatus(status) {
  return Object.hasOwn(ENDED, status) ? text(status).toLowerCase() : visible(status);
}

function receiptLink({ id, receipt }) {
  if (typeof receipt !== 'string') return [];
  const name = `${id}.receipt.json`;
  // The page lives as long as the link, so the URL is never revoked.
  const href = URL.createObjectURL(new Blob([receipt], { type: 'application/json' }));
  const verify = element('a', { href: '/verify' }, text('verifyPage'));
  return [
    element('p', {}, element('a', { id: 'receipt', class: 'button', href, download: name }, text('download'))),
    hint(...nodes('receiptHint', { verify })),
  ];
}

function hint(...words) {
  return element('p', { class: 'hint' }, ...words);
}
