// The SDK: what it offers. The offline verifier alone, which asks no server, is `countersign/verify`.

export { Countersign } from './client.js';
export { Confirmation } from './confirmation.js';
export { Outcome } from './decision.js';
export * from './errors.js';
export { fileMemory } from './file-memory.js';
export { PayloadError } from './payload.js';
export { parsePayload, visible } from './verifier.js';
export { NotSignedError, verifyWebhook } from './webhooks.js';

/** @typedef {import('./client.js').ApprovalRequest} ApprovalRequest */
/** @typedef {import('./client.js').CallOptions} CallOptions */
/** @typedef {import('./client.js').CreateOptions} CreateOptions */
/** @typedef {import('./consume.js').Consumption} Consumption */
/** @typedef {import('./decision.js').ApprovedDecision} ApprovedDecision */
/** @typedef {import('./decision.js').Decision} Decision */
/** @typedef {import('./decision.js').Snapshot} Snapshot */
/** @typedef {import('./decision.js').Status} Status */
/** @typedef {import('./memory.js').Memory} Memory */
/** @typedef {import('./settings.js').ClientOptions} ClientOptions */
/** @typedef {import('./verifier.js').Report} Report */
