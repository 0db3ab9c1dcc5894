// The JavaScript verifier of Countersign receipts: what it offers to pages, SDKs and commands.

export { parsePayload } from './document.js';
export { JsonError, JsonNumber, JsonObject, toCanonical } from './json.js';
export { isHidden, labelOf, visible } from './names.js';
export { MAX_RECEIPT } from './receipt.js';
export { Refusal } from './refusal.js';
export { reportToJson, reportToText } from './report.js';
export { timeOf } from './time.js';
export { MAX_TRUST, Trust, parseTrust } from './trust.js';
export { STEPS, verify } from './verify.js';
export { notStated } from './verify/expectation.js';
export { decidedAt, limitsOf } from './verify/facts.js';
