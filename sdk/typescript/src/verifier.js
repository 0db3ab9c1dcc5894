// The repository's offline verifier, as far as the SDK uses it. No other module of the SDK names its files, because they lie
// elsewhere in the package (see assemble.js).

export { base64url, fromBase64, hashFromBase64url, sameBytes, sha256, utf8 } from '../../../verifier-js/encoding.js';
export { parsePayload } from '../../../verifier-js/document.js';
export { Fields } from '../../../verifier-js/fields.js';
export {
  JsonArray, JsonError, JsonNumber, jsonObject, parseCanonical, toCanonical,
} from '../../../verifier-js/json.js';
export { leafHash, verifyConsistency, verifyInclusion } from '../../../verifier-js/merkle.js';
export { visible } from '../../../verifier-js/names.js';
export { isSignedBy, keyName, parseNote } from '../../../verifier-js/note.js';
export { parseCheckpoint } from '../../../verifier-js/checkpoint.js';
export { verifyEd25519 } from '../../../verifier-js/ed25519.js';
export { Refusal } from '../../../verifier-js/refusal.js';
export { secondsOf, timeOf } from '../../../verifier-js/time.js';
export { parseTrust } from '../../../verifier-js/trust.js';
export { verify } from '../../../verifier-js/verify.js';

/** @typedef {import('../../../verifier-js/checkpoint.js').Checkpoint} Checkpoint */
/** @typedef {import('../../../verifier-js/json.js').JsonValue} JsonValue */
/** @typedef {import('../../../verifier-js/trust.js').Trust} Trust */
/** @typedef {import('../../../verifier-js/verify.js').Report} Report */
/** @typedef {import('../../../verifier-js/verify/expectation.js').Expectation} Expectation */
