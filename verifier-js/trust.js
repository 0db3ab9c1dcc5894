// The trust file: what a verifier pins. Everything else in a receipt is a claim.
//
//   {"type": "countersign/trust/v1", "logs": ["<verifier key>"], "rp_id": "…", "web_origins": ["…"],
//    "approvers"?: {"<username>": ["<credential>"]}, "revoked"?: {"<credential>": <index>},
//    "witnesses"?: ["<verifier key>"], "witness_quorum"?: 1}
//
// If `approvers` is there it is complete: an unlisted name or key fails.

import { hashFromBase64url } from './encoding.js';
import { Fields, asInteger, wrong } from './fields.js';
import { JsonObject, parseJson } from './json.js';
import { checkUsername, quoted } from './names.js';
import { parseLogKey, parseWitnessKey } from './note.js';
import { Refusal } from './refusal.js';

/**
 * @typedef {import('./json.js').JsonValue} JsonValue
 * @typedef {import('./note.js').VerifierKey} VerifierKey
 */

/**
 * @typedef {object} Pins
 * @property {VerifierKey[]} logs  the keys of the logs that are believed; a key's name is its log origin
 * @property {string} rpId  the site on which people approve
 * @property {string[]} webOrigins  the web origins on which they do, compared as exact strings
 * @property {Map<string, Set<string>>} [approvers]  who may approve, with which keys; absent: whoever the log enrolled
 * @property {Map<string, bigint>} revoked  from which index on a key is not believed any more
 * @property {VerifierKey[]} witnesses  the witnesses whose cosignatures count
 * @property {bigint} witnessQuorum  how many of them must have cosigned
 */

/** What a verifier pins. Only {@link parseTrust} makes one, so its rules hold. */
export class Trust {
  /** @param {Pins} pins */
  constructor(pins) {
    this.logs = pins.logs;
    this.rpId = pins.rpId;
    this.webOrigins = pins.webOrigins;
    this.approvers = pins.approvers;
    this.revoked = pins.revoked;
    this.witnesses = pins.witnesses;
    this.witnessQuorum = pins.witnessQuorum;
    Object.freeze(this);
  }
}

/** The largest trust file, in bytes. */
export const MAX_TRUST = 1024 * 1024;

const FIELDS = ['approvers', 'logs', 'revoked', 'rp_id', 'type', 'web_origins', 'witness_quorum', 'witnesses'];

/**
 * Parses and checks a trust file.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<Trust>}
 * @throws {Refusal}
 */
export async function parseTrust(bytes) {
  const fields = Fields.atMost(parseJson(bytes, { maxBytes: MAX_TRUST, maxDepth: 4 }), FIELDS);
  fields.requireType('countersign/trust/v1');
  const trust = new Trust({
    logs: await parseKeys(fields.strings('logs'), parseLogKey),
    rpId: fields.string('rp_id'),
    webOrigins: fields.strings('web_origins'),
    approvers: fields.has('approvers') ? parseApprovers(fields.value('approvers')) : undefined,
    revoked: fields.has('revoked') ? parseRevoked(fields.value('revoked')) : new Map(),
    witnesses: fields.has('witnesses') ? await parseKeys(fields.strings('witnesses'), parseWitnessKey) : [],
    witnessQuorum: fields.has('witness_quorum') ? fields.integer('witness_quorum') : 0n,
  });
  check(trust);
  return trust;
}

/** @param {Trust} trust */
function check(trust) {
  if (trust.logs.length === 0 || trust.webOrigins.length === 0) {
    throw new Refusal('logs and web_origins must not be empty');
  }
  for (const webOrigin of trust.webOrigins) checkWebOrigin(webOrigin, trust.rpId);
  if (trust.witnessQuorum > BigInt(trust.witnesses.length)) {
    throw new Refusal('witness_quorum is larger than the number of witnesses');
  }
  if (trust.witnessQuorum === 0n && trust.witnesses.length > 0) {
    throw new Refusal('witnesses without a witness_quorum would not be asked');
  }
}

/**
 * @param {string[]} texts
 * @param {(text: string) => Promise<VerifierKey>} parse
 */
async function parseKeys(texts, parse) {
  const keys = [];
  for (const text of texts) {
    try {
      keys.push(await parse(text));
    } catch (error) {
      throw error instanceof Refusal ? new Refusal(`${quoted(text)}: ${error.message}`) : error;
    }
  }
  return keys;
}

/**
 * A web origin is https, or http for localhost, with the relying party id as its host or a parent of it. It is compared with
 * what browsers write, so a path, an upper-case letter or a default port would never match.
 *
 * @param {string} webOrigin
 * @param {string} rpId
 * @throws {Refusal}
 */
export function checkWebOrigin(webOrigin, rpId) {
  const refuse = (/** @type {string} */ why) => new Refusal(`the web origin ${quoted(webOrigin)} ${why}`);
  const [scheme, authority] = splitOnce(webOrigin, '://') ?? ['', webOrigin];
  const [host, port] = splitOnce(authority, ':') ?? [authority, undefined];
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(host)) throw refuse('is not scheme, host and port alone');
  if (port !== undefined && !(/^(0|[1-9]\d{0,4})$/.test(port) && Number(port) <= 65_535)) {
    throw refuse('has a port that is no number');
  }
  const isDefaultPort = (scheme === 'https' && port === '443') || (scheme === 'http' && port === '80');
  if (isDefaultPort) throw refuse('must leave out the default port');
  const isLocal = host === 'localhost' || host.endsWith('.localhost');
  if (scheme !== 'https' && !(scheme === 'http' && isLocal)) throw refuse('must be https, or http for localhost');
  if (rpId === '' || (host !== rpId && !host.endsWith(`.${rpId}`))) {
    throw refuse('does not have rp_id as its host or a parent of it');
  }
}

/**
 * @param {string} text
 * @param {string} separator
 * @returns {[string, string] | undefined}
 */
function splitOnce(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? undefined : [text.slice(0, at), text.slice(at + separator.length)];
}

/** @param {JsonValue} value */
function parseApprovers(value) {
  const expected = 'usernames with arrays of credentials';
  if (!(value instanceof JsonObject)) return wrong('approvers', expected);
  /** @type {Map<string, Set<string>>} */
  const approvers = new Map();
  for (const [name, keys] of value) {
    try {
      checkUsername(name);
    } catch (error) {
      throw error instanceof Refusal ? new Refusal(`${quoted(name)}: ${error.message}`) : error;
    }
    if (!Array.isArray(keys)) return wrong('approvers', expected);
    approvers.set(name, new Set(Array.from(keys, (key) => checkCredential(typeof key === 'string' ? key : ''))));
  }
  return approvers;
}

/** @param {JsonValue} value */
function parseRevoked(value) {
  const expected = 'credentials with log indexes';
  if (!(value instanceof JsonObject)) return wrong('revoked', expected);
  /** @type {Map<string, bigint>} */
  const revoked = new Map();
  for (const [key, index] of value) revoked.set(checkCredential(key), asInteger(index) ?? wrong('revoked', expected));
  return revoked;
}

/** @param {string} text */
function checkCredential(text) {
  if (!hashFromBase64url(text)) throw new Refusal(`the credential ${quoted(text)} is not base64url of 32 bytes`);
  return text;
}
