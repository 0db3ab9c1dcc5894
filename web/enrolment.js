// What an earlier passkey signs to allow a new one (docs/protocol.md §9), computed here from what this page knows.
//
//   document  = canonical JSON with exactly the fields below
//   challenge = nonce (32 bytes) ‖ SHA-256(document)
//
// The server says what it would have signed, too; if that is anything else, nothing is signed.

import { decode, encode } from './base64url.js';
import { serialize } from './canonical-json.js';
import { text } from './words.js';

/** What the server says does not fit together. Nothing may be signed. */
export class Mismatch extends Error {}

/**
 * @param {PublicKeyCredential} passkey  the new one, as this browser made it
 * @param {string} username
 * @param {{document: string, nonce: string, rpId: string}} given  by the server
 * @returns {Promise<{challenge: Uint8Array, credential: string}>} what to sign, and the new key's name in the log
 * @throws {Mismatch}
 */
export async function readEnrolment(passkey, username, given) {
  const spki = publicKeyOf(passkey);
  if (!spki) throw new Mismatch(text('keyNotShown'));
  const log = `${location.host}/log`;
  const document = serialize({
    approver: encode(await sha256(`countersign/approver/v1\n${log}\n${username}`)),
    log,
    public_key: encode(spki),
    rp_id: location.hostname,
    type: 'countersign/enrolment/v1',
  });
  if (given.document !== document) {
    throw new Mismatch(text('otherKeyAsked'));
  }
  const nonce = nonceOf(given.nonce);
  if (given.rpId !== location.hostname || nonce.length !== 32) throw new Mismatch(text('notWellFormed'));
  const challenge = new Uint8Array(64);
  challenge.set(nonce, 0);
  challenge.set(await sha256(document), 32);
  return { challenge, credential: await nameOf(spki) };
}

/**
 * The new key's name in the log, computed from the key itself.
 *
 * @param {PublicKeyCredential} passkey
 * @returns {Promise<string | undefined>} nothing if the browser does not show the key
 */
export async function credentialOf(passkey) {
  const spki = publicKeyOf(passkey);
  return spki ? nameOf(spki) : undefined;
}

function publicKeyOf({ response }) {
  return typeof response.getPublicKey === 'function' ? response.getPublicKey() : null;
}

async function nameOf(spki) {
  return encode(await sha256(new Uint8Array(spki)));
}

function nonceOf(encoded) {
  try {
    return decode(encoded);
  } catch {
    return new Uint8Array(0);
  }
}

async function sha256(data) {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}
