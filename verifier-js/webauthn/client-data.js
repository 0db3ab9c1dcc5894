// Client data: what the browser says about a ceremony (WebAuthn Level 3 §5.8.1), read as JSON under one strict profile so
// that no two verifiers read two actions from one signature.
//
// At most 4,096 bytes, valid UTF-8 without a byte order mark, one JSON object of depth at most 8, no repeated key at any
// level, no lone surrogate. Unknown keys are ignored, because browsers add some; the order of keys and escapes are free.

import { fromBase64url } from '../encoding.js';
import { JsonError, JsonObject, parseJson } from '../json.js';
import { quoted, quotedList } from '../names.js';
import { Refusal } from '../refusal.js';

/**
 * @typedef {object} ClientData  its shape is right; nothing is said yet about what it claims
 * @property {Uint8Array} challenge  32 bytes (registration, sign-in) or 64 (decisions, enrolments)
 * @property {string} origin  the web origin of the page, as the browser wrote it
 * @property {string} type
 * @property {boolean} crossOrigin
 * @property {boolean} hasTopOrigin
 */

/** Largest client data, in bytes. */
export const MAX_CLIENT_DATA = 4096;
const LIMITS = { maxBytes: MAX_CLIENT_DATA, maxDepth: 8, anyNumber: true };

/**
 * Reads client data by the JSON profile; types of fields and the encoding of the challenge are part of it.
 *
 * @param {Uint8Array} bytes
 * @returns {ClientData}
 * @throws {Refusal}
 */
export function decodeClientData(bytes) {
  if (bytes.length > MAX_CLIENT_DATA) {
    throw new Refusal(`client data is ${bytes.length} bytes, at most ${MAX_CLIENT_DATA} are accepted`, 'A4');
  }
  const object = parseObject(bytes);
  const challenge = decodeChallenge(requiredString(object, 'challenge'));
  const origin = requiredString(object, 'origin');
  const type = requiredString(object, 'type');
  const crossOrigin = object.has('crossOrigin') ? object.get('crossOrigin') : false;
  if (typeof crossOrigin !== 'boolean') throw wrongField('crossOrigin', 'a boolean');
  return { challenge, origin, type, crossOrigin, hasTopOrigin: object.has('topOrigin') };
}

/**
 * Checks all that client data of an assertion claims but the challenge: the ceremony, the web origin, and that the page was
 * not framed by another one.
 *
 * @param {ClientData} clientData
 * @param {readonly string[]} webOrigins
 * @throws {Refusal}
 */
export function checkClientData(clientData, webOrigins) {
  checkType(clientData);
  checkOrigin(clientData, webOrigins);
  checkFraming(clientData);
}

/**
 * Checks that it belongs to an assertion and to no other ceremony (`payment.get` for example).
 *
 * @param {ClientData} clientData
 * @throws {Refusal}
 */
export function checkType(clientData) {
  if (clientData.type !== 'webauthn.get') {
    throw new Refusal(`client data field type is ${quoted(clientData.type)}, expected "webauthn.get"`, 'A5');
  }
}

/**
 * Checks that the web origin is one of the relying party's, as an exact string.
 *
 * @param {ClientData} clientData
 * @param {readonly string[]} webOrigins
 * @throws {Refusal}
 */
export function checkOrigin(clientData, webOrigins) {
  if (!webOrigins.includes(clientData.origin)) {
    const expected = quotedList(webOrigins);
    throw new Refusal(`client data field origin is ${quoted(clientData.origin)}, expected one of ${expected}`, 'A7');
  }
}

/**
 * Checks that the page was not framed. Any `topOrigin` is refused, even an equal one.
 *
 * @param {ClientData} clientData
 * @throws {Refusal}
 */
export function checkFraming(clientData) {
  if (clientData.crossOrigin) throw new Refusal('client data field crossOrigin is true', 'A8');
  if (clientData.hasTopOrigin) throw new Refusal('client data has a field topOrigin', 'A8');
}

/** @param {Uint8Array} bytes */
function parseObject(bytes) {
  try {
    const value = parseJson(bytes, LIMITS);
    if (value instanceof JsonObject) return value;
  } catch (error) {
    throw error instanceof JsonError ? new Refusal(`client data is not strict JSON: ${error.message}`, 'A4') : error;
  }
  throw new Refusal('client data is not a JSON object', 'A4');
}

/**
 * @param {JsonObject} object
 * @param {string} name
 */
function requiredString(object, name) {
  const value = object.get(name);
  if (typeof value !== 'string') throw wrongField(name, 'a string');
  return value;
}

/**
 * @param {string} name
 * @param {string} expected
 */
function wrongField(name, expected) {
  return new Refusal(`client data field ${name} is missing or not ${expected}`, 'A4');
}

/** @param {string} text */
function decodeChallenge(text) {
  const challenge = fromBase64url(text);
  if (!challenge) throw new Refusal('client data field challenge is not strict base64url without padding', 'A6');
  if (challenge.length !== 32 && challenge.length !== 64) {
    throw new Refusal(`client data field challenge is ${challenge.length} bytes, expected 32 or 64`, 'A6');
  }
  return challenge;
}
