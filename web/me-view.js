// An approver's own page in lists: what waits, what was decided, which passkeys there are.

import { element } from './dom.js';
import { localTime } from './local-time.js';
import { row, time } from './term-row.js';
import { visible } from './visible.js';

/** @param {any[]} waiting @returns {HTMLElement} */
export function waitingList(waiting) {
  if (waiting.length === 0) return empty('Nothing waits for you.');
  const items = waiting.map((asked) =>
    element(
      'li',
      {},
      element('a', { href: approvePage(asked.id) }, visible(asked.action)),
      element('p', { class: 'hint' }, visible(asked.requester), ' asks. Decide by ', ...when(asked.expiresAt), '. ', whoDecides(asked)),
    ),
  );
  return element('ul', { class: 'entries' }, ...items);
}

function whoDecides({ approvers, quorum, approvals }) {
  if (approvers.length === 1) return 'You alone are asked.';
  return `${quorum} of ${approvers.length} people must approve, ${approvals} did so far.`;
}

/** @param {any[]} decided @param {(id: string, button: HTMLButtonElement) => void} fetchReceipt @returns {HTMLElement} */
export function decidedList(decided, fetchReceipt) {
  if (decided.length === 0) return empty('You have not decided anything yet.');
  return element('ul', { class: 'entries' }, ...decidedItems(decided, fetchReceipt));
}

/** The items alone, to go on with a list. */
export function decidedItems(decided, fetchReceipt) {
  return decided.map((one) => {
    const word = one.decision === 'approve' ? 'approved' : 'rejected';
    const entry = element('a', { href: `/log/entry/${one.logIndex}` }, `Log entry ${one.logIndex}`);
    return element(
      'li',
      {},
      element('strong', {}, visible(one.action)),
      element('p', { class: 'hint' }, `You ${word} it `, ...when(one.decidedAt), ', asked by ', visible(one.requester), '. ', outcome(one)),
      element('p', { class: 'actions' }, entry, ...receiptButton(one, fetchReceipt)),
    );
  });
}

function outcome({ decision, status, revokedAt }) {
  if (revokedAt) return 'It does not count: the passkey that signed was removed while others had still to decide.';
  if (status === 'pending') return 'Others must decide too.';
  if (status === 'approved') return 'It is approved.';
  if (status === 'rejected') return decision === 'reject' ? '' : 'It was rejected by another person.';
  return status === 'expired' ? 'It expired without enough approvals.' : 'The requester cancelled it.';
}

function receiptButton({ id, action, hasReceipt }, fetchReceipt) {
  if (!hasReceipt) return [];
  const button = element('button', { type: 'button', 'aria-label': `Receipt of ${action}` }, 'Receipt');
  button.addEventListener('click', () => fetchReceipt(id, button));
  return [' ', button];
}

/** @param {any[]} passkeys @param {(passkey: any) => void} remove @returns {HTMLElement} */
export function passkeyList(passkeys, remove) {
  const active = passkeys.filter(({ revokedAt }) => !revokedAt).length;
  const items = passkeys.map((passkey, i) => {
    const name = `Passkey ${i + 1}`;
    const state = passkey.revokedAt ? ' (removed)' : passkey.signedIn ? ' (used to sign in)' : '';
    const facts = element('dl', { class: 'conditions' }, ...passkeyRows(passkey, passkeys));
    const removable = !passkey.revokedAt && active > 1;
    return element('li', {}, element('h3', {}, `${name}${state}`), facts, ...(removable ? [removeButton(name, passkey, remove)] : []));
  });
  return element('ul', { class: 'entries' }, ...items);
}

function passkeyRows(passkey, all) {
  const by = all.findIndex(({ credential }) => credential === passkey.authorisedBy);
  const copies = passkey.backedUp ? 'synced to other devices' : passkey.backupEligible ? 'may be synced to other devices' : 'this device or key alone';
  return [
    ...row('Enrolled', ...time(passkey.enrolledAt), ', ', element('a', { href: `/log/entry/${passkey.logIndex}` }, `log entry ${passkey.logIndex}`)),
    ...row('Allowed by', passkey.authorisedBy === undefined ? 'an invite' : `passkey ${by + 1}`),
    ...row('Kept', copies),
    ...(passkey.lastSignedAt ? row('Last signed', ...time(passkey.lastSignedAt)) : []),
    ...(passkey.revokedAt ? row('Removed', ...time(passkey.revokedAt)) : []),
    ...row('Credential', element('code', {}, visible(passkey.credential))),
  ];
}

function removeButton(name, passkey, remove) {
  const button = element('button', { type: 'button', 'aria-label': `Remove ${name.toLowerCase()}` }, 'Remove');
  button.addEventListener('click', () => remove({ ...passkey, name: name.toLowerCase() }));
  return element('p', {}, button);
}

function approvePage(id) {
  return `/approve/${encodeURIComponent(id)}`;
}

function when(text) {
  return [element('time', { datetime: text, title: text }, localTime(text))];
}

function empty(text) {
  return element('p', { class: 'empty' }, text);
}
