// Passkeys: options from JSON to what navigator.credentials takes, and its results back to JSON (WebAuthn Level 3 §5).
//
// Results are read property by property. `toJSON()` and `JSON.stringify` throw on the objects that some password
// managers put in place of the browser's own, and the `parse…FromJSON` functions are missing in older browsers.

import { decode, encode } from './base64url.js';
import { text } from './words.js';

/** How long the browser may show its passkey dialog. */
const PROMPT_MILLISECONDS = 120_000;

/** Whether this page can use passkeys at all. */
export function supported() {
  return typeof globalThis.PublicKeyCredential === 'function' && typeof navigator.credentials?.get === 'function';
}

/**
 * Asks for an assertion over a challenge. Call it directly from a click: browsers want the gesture.
 *
 * @param {{challenge: Uint8Array, rpId: string, credentials: {id: string, transports?: string[]}[]}} request
 * @returns {Promise<PublicKeyCredential | null>}
 */
export function askForAssertion({ challenge, rpId, credentials }) {
  return navigator.credentials.get({
    publicKey: {
      challenge,
      rpId,
      allowCredentials: credentials.map(descriptor),
      userVerification: 'required',
      timeout: PROMPT_MILLISECONDS,
    },
  });
}

/**
 * Asks for a new passkey. Call it directly from a click.
 *
 * @param {any} options  PublicKeyCredentialCreationOptionsJSON
 * @returns {Promise<PublicKeyCredential | null>}
 */
export function askForPasskey(options) {
  return navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: decode(options.challenge),
      user: { ...options.user, id: decode(options.user.id) },
      excludeCredentials: (options.excludeCredentials ?? []).map(descriptor),
      timeout: options.timeout ?? PROMPT_MILLISECONDS,
    },
  });
}

/** The assertion as the server takes it. */
export function assertionToJson(credential) {
  const { response } = credential;
  return {
    ...identity(credential),
    response: {
      authenticatorData: encode(response.authenticatorData),
      clientDataJSON: encode(response.clientDataJSON),
      signature: encode(response.signature),
      userHandle: response.userHandle ? encode(response.userHandle) : null,
    },
  };
}

/** The new passkey as the server takes it. */
export function registrationToJson(credential) {
  const { response } = credential;
  return {
    ...identity(credential),
    response: {
      attestationObject: encode(response.attestationObject),
      clientDataJSON: encode(response.clientDataJSON),
      transports: typeof response.getTransports === 'function' ? [...response.getTransports()] : [],
    },
  };
}

/**
 * A sentence for what the passkey dialog threw. `NotAllowedError` is a person who said no, a time-out, and a failed
 * check of the person, and browsers do not tell which.
 *
 * @param {unknown} error
 */
export function describeRefusal(error) {
  switch (error?.name) {
    case 'NotAllowedError':
    case 'AbortError':
      return text('closedOrTimedOut');
    case 'InvalidStateError':
      return text('alreadyHeld');
    case 'SecurityError':
      return text('notAllowedHere');
    default:
      return text('passkeyFailed', { error: error?.name ?? 'unknown error' });
  }
}

function identity(credential) {
  const rawId = encode(credential.rawId);
  return { id: rawId, rawId, type: 'public-key' };
}

function descriptor({ id, transports }) {
  const known = transports?.length ? { transports } : {};
  return { type: 'public-key', id: decode(id), ...known };
}
