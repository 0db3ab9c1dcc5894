// An approver's own page in lists: what waits, what was decided, which passkeys there are.

import { element } from './dom.js';
import { localTime } from './local-time.js';
import { row } from './term-row.js';
import { visible } from './visible.js';
import { nodes, text } from './words.js';

/** @param {any[]} waiting @returns {HTMLElement} */
export function waitingList(waiting) {
  if (waiting.length === 0) return empty(text('nothingWaits'));
  const items = waiting.map((asked) => {
    const values = { requester: visible(asked.requester), time: when(asked.expiresAt) };
    return element(
      'li',
      {},
      element('a', { href: approvePage(asked.id) }, visible(asked.action)),
      element('p', { class: 'hint' }, ...nodes('asksUntil', values), ' ', whoDecides(asked)),
    );
  });
  return element('ul', { class: 'entries' }, ...items);
}

function whoDecides({ approvers, quorum, approvals }) {
  if (approvers.length === 1) return text('youAloneAsked');
  return text('approvalsSoFar', { quorum, of: approvers.length, approvals });
}

/** @param {any[]} decided @param {(id: string, button: HTMLButtonElement) => void} fetchReceipt @returns {HTMLElement} */
export function decidedList(decided, fetchReceipt) {
  if (decided.length === 0) return empty(text('nothingDecidedYet'));
  return element('ul', { class: 'entries' }, ...decidedItems(decided, fetchReceipt));
}

/** The items alone, to go on with a list. */
export function decidedItems(decided, fetchReceipt) {
  return decided.map((one) => {
    const key = one.decision === 'approve' ? 'youApprovedAt' : 'youRejectedAt';
    const values = { time: when(one.decidedAt), requester: visible(one.requester) };
    return element(
      'li',
      {},
      element('strong', {}, visible(one.action)),
      element('p', { class: 'hint' }, ...nodes(key, values), ' ', outcome(one)),
      element('p', { class: 'actions' }, entryLink(one.logIndex), ...receiptButton(one, fetchReceipt)),
    );
  });
}

function outcome({ decision, status, revokedAt }) {
  if (revokedAt) return text('notCounted');
  if (status === 'pending') return text('othersToo');
  if (status === 'approved') return text('itIsApproved');
  if (status === 'rejected') return decision === 'reject' ? '' : text('rejectedByAnother');
  return text(status === 'expired' ? 'itExpired' : 'itWasCancelled');
}

function receiptButton({ id, action, hasReceipt }, fetchReceipt) {
  if (!hasReceipt) return [];
  const button = element('button', { type: 'button', 'aria-label': text('receiptOf', { action }) }, text('receipt'));
  button.addEventListener('click', () => fetchReceipt(id, button));
  return [' ', button];
}

/** @param {any[]} passkeys @param {(passkey: any) => void} remove @returns {HTMLElement} */
export function passkeyList(passkeys, remove) {
  const active = passkeys.filter(({ revokedAt }) => !revokedAt).length;
  const items = passkeys.map((passkey, i) => {
    const number = i + 1;
    const key = passkey.revokedAt ? 'passkeyRemoved' : passkey.signedIn ? 'passkeySignedIn' : 'passkeyNumber';
    const facts = element('dl', { class: 'conditions' }, ...passkeyRows(passkey, passkeys));
    const removable = !passkey.revokedAt && active > 1;
    const button = removable ? [removeButton({ ...passkey, number }, remove)] : [];
    return element('li', {}, element('h3', {}, text(key, { number })), facts, ...button);
  });
  return element('ul', { class: 'entries' }, ...items);
}

function passkeyRows(passkey, all) {
  const by = all.findIndex(({ credential }) => credential === passkey.authorisedBy);
  const copies = passkey.backedUp ? 'synced' : passkey.backupEligible ? 'maybeSynced' : 'oneDevice';
  return [
    ...row(text('enrolledAt'), when(passkey.enrolledAt), ' · ', entryLink(passkey.logIndex)),
    ...row(text('allowedBy'), passkey.authorisedBy === undefined ? text('anInvite') : text('anotherPasskey', { number: by + 1 })),
    ...row(text('keptAt'), text(copies)),
    ...(passkey.lastSignedAt ? row(text('lastSigned'), when(passkey.lastSignedAt)) : []),
    ...(passkey.revokedAt ? row(text('removedAt'), when(passkey.revokedAt)) : []),
    ...row(text('credential'), element('code', {}, visible(passkey.credential))),
  ];
}

function removeButton(passkey, remove) {
  const { number } = passkey;
  const button = element('button', { type: 'button', 'aria-label': text('removePasskey', { number }) }, text('remove'));
  button.addEventListener('click', () => remove(passkey));
  return element('p', {}, button);
}

function entryLink(index) {
  return element('a', { href: `/log/entry/${Number(index)}` }, text('logEntryNumber', { index }));
}

function approvePage(id) {
  return `/approve/${encodeURIComponent(id)}`;
}

function when(time) {
  return element('time', { datetime: time, title: time }, localTime(time));
}

function empty(words) {
  return element('p', { class: 'empty' }, words);
}
