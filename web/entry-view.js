// A log entry for people: what it says, by its type, and the bytes themselves.

import { parseEntry } from '/verifier/entry.js';
import { base64, base64url, fromUtf8, hex, sha256 } from '/verifier/encoding.js';
import { copyButton } from './copy-button.js';
import { element } from './dom.js';
import { row, time } from './term-row.js';
import { visible } from './visible.js';

/**
 * @typedef {object} Decoded
 * @property {string} kind  credential, revocation, decision, consumption, or raw
 * @property {string} summary  in a few words
 * @property {string[]} labels  the approver's, if it has one
 * @property {string[]} credentials  every credential that it names
 * @property {any} [entry]
 */

/** Reads an entry's bytes; whatever they are, they can be shown. @param {Uint8Array} bytes @returns {Promise<Decoded>} */
export async function decode(bytes) {
  const text = fromUtf8(bytes);
  let entry;
  try {
    if (text !== undefined) entry = parseEntry(text);
  } catch {
    // Anybody with a key may append bytes of any form; they are shown as such.
  }
  if (!entry) return { kind: 'raw', summary: `raw entry, ${bytes.length} bytes`, labels: [], credentials: [] };
  const labels = entry.approver === undefined ? [] : [entry.approver];
  const credentials = await credentialsOf(entry);
  return { kind: entry.kind, summary: SUMMARIES[entry.kind](entry), labels, credentials, entry };
}

const SUMMARIES = {
  credential: ({ enrolledAt }) => `A passkey was enrolled, ${enrolledAt}`,
  revocation: ({ reason, revokedAt }) => `A passkey was revoked (${reason}), ${revokedAt}`,
  decision: ({ decision, decidedAt }) => `${decision === 'approve' ? 'Approved' : 'Rejected'}, ${decidedAt}`,
  consumption: ({ consumedAt }) => `An approval was used, ${consumedAt}`,
};

async function credentialsOf(entry) {
  const own = entry.kind === 'credential' ? [base64url(await sha256(entry.publicKey))] : [];
  const named = [entry.credential, entry.authorisedBy?.credential].filter((credential) => credential !== undefined);
  return [...own, ...named];
}

const ROWS = {
  credential: (entry, [own]) => [
    ['Approver (label)', code(entry.approver)],
    ['Credential', code(own)],
    ['Algorithm', visible(entry.alg)],
    ['Site', visible(entry.rpId)],
    ['Can be synced', entry.backupEligible ? 'yes' : 'no: bound to one device'],
    ['Enrolled', ...time(entry.enrolledAt)],
    ['Allowed by', ...authorisation(entry.authorisedBy)],
  ],
  revocation: (entry) => [
    ['Approver (label)', code(entry.approver)],
    ['Credential', code(entry.credential)],
    ['Reason', entry.reason],
    ['Revoked', ...time(entry.revokedAt)],
  ],
  decision: (entry) => [
    ['Decision', entry.decision],
    ['Approver (label)', code(entry.approver)],
    ['Credential', code(entry.credential)],
    ['Decided', ...time(entry.decidedAt)],
    ['What it was about', 'The log has only the hash of the signed document. A receipt shows what it says.'],
  ],
  consumption: (entry) => [
    ['Nonce of the request', code(entry.nonce)],
    ['Used', ...time(entry.consumedAt)],
  ],
};

function authorisation(by) {
  return 'invite' in by ? ['an invite, ', code(by.invite)] : ['an earlier passkey, ', code(by.credential)];
}

/** What an entry says. @param {Decoded} decoded @returns {HTMLElement} */
export function decodedView({ kind, entry, credentials }) {
  if (kind === 'raw') return element('p', {}, 'This entry is of no type that this page knows. Its bytes are below.');
  return element('dl', { class: 'conditions' }, ...ROWS[kind](entry, credentials).flatMap(([term, ...value]) => row(term, ...value)));
}

/** The bytes, as text and in hexadecimal. @param {Uint8Array} bytes @param {Uint8Array} leaf @returns {HTMLElement[]} */
export function rawViews(bytes, leaf) {
  const text = fromUtf8(bytes);
  const views = [fold('raw-hex', `The bytes in hexadecimal (${bytes.length})`, hex(bytes))];
  if (text !== undefined) views.unshift(fold('raw-text', 'The text', text));
  const hash = base64(leaf);
  return [
    element('p', {}, 'Leaf hash: ', element('code', { id: 'leaf-hash' }, hash), ' ', copyButton(hash, 'Copy the leaf hash')),
    ...views,
  ];
}

/** A text that is folded away. @param {string} id @param {string} title @param {string} text */
export function fold(id, title, text) {
  return element('details', { id }, element('summary', {}, title), element('pre', { tabindex: '0' }, visible(text)));
}

function code(text) {
  return element('code', {}, text);
}
