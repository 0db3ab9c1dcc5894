// An assertion: one signature by an enrolled key over one challenge (WebAuthn Level 3 §7.2), checked from beginning to end.

import { base64url, sameBytes } from '../encoding.js';
import { quoted } from '../names.js';
import { Refusal } from '../refusal.js';
import { checkAuthenticatorData, parseAuthenticatorData } from './authenticator-data.js';
import { checkFraming, checkOrigin, checkType, decodeClientData } from './client-data.js';
import { verifySignature } from './signature.js';

/**
 * Checks an assertion with the enrolled key.
 *
 * @param {import('../entry.js').Assertion} assertion
 * @param {Uint8Array} challenge  the expected one
 * @param {{rpId: string, webOrigins: readonly string[]}} relyingParty
 * @param {import('./public-key.js').PublicKey} key
 * @returns {Promise<void>}
 * @throws {Refusal}
 */
export async function verifyAssertion(assertion, challenge, relyingParty, key) {
  const clientData = decodeClientData(assertion.clientDataJson);
  checkType(clientData);
  compareChallenge(challenge, clientData.challenge);
  checkOrigin(clientData, relyingParty.webOrigins);
  checkFraming(clientData);
  await checkAuthenticatorData(parseAuthenticatorData(assertion.authenticatorData), relyingParty.rpId);
  await verifySignature(key, assertion);
}

/**
 * @param {Uint8Array} expected
 * @param {Uint8Array} found
 */
function compareChallenge(expected, found) {
  if (!sameBytes(expected, found)) {
    const text = quoted(base64url(found));
    throw new Refusal(`client data field challenge is ${text}, expected another one of ${expected.length} bytes`, 'A6');
  }
}
