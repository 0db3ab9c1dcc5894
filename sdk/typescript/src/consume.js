// Using an approval: once, before it runs, as an entry of the log. Whatever goes wrong here, the action does not run.

import { knownEntries, openCheckpoint, remember, signerOf } from './checkpoints.js';
import { Patience } from './clock.js';
import { FRESH } from './core.js';
import {
  AlreadyConsumedError, MismatchError, NotVerifiedError, RefusedError, TooLateError, UnreachableError,
} from './errors.js';
import { checkUsable } from './evidence.js';
import { ask, inTime } from './retry.js';
import { Refusal, hashFromBase64url, leafHash, secondsOf, timeOf, utf8, verifyInclusion } from './verifier.js';

/**
 * @typedef {object} Consumption
 * @property {string} consumedAt
 * @property {number} logIndex
 */

/**
 * The one use of one decision. It begins with its first try, and a later one may bring the answer to that.
 *
 * @typedef {object} Use
 * @property {string} key  it is asked with
 * @property {import('./evidence.js').Answered} answered  when the answer came that says approved
 * @property {number} [began]  in seconds since 1970
 * @property {bigint} [known]  how many entries of the log were known then
 */

/** Seconds that may pass until the server has answered, at most. */
const TIMEOUT = 60;
const TRIES = 5;

/**
 * @param {import('./link.js').Link} link
 * @param {import('./core.js').Core} core  whose approval was verified
 * @param {Use} use
 * @param {{timeout?: number, signal?: AbortSignal}} [options]
 * @returns {Promise<Consumption>}
 * @throws {import('./errors.js').CountersignError}
 */
export async function consume(link, core, use, { timeout = TIMEOUT, signal } = {}) {
  const patience = new Patience(link.clock, link.clock.moment() + Math.min(timeout, TIMEOUT) * 1000, signal);
  try {
    checkUsable(link, core, use.answered);
    const began = (use.began ??= seconds(link));
    const known = (use.known ??= await knownEntries(link, core.log, patience));
    const path = `/api/confirmations/${core.id}/consume`;
    const call = { method: /** @type {const} */ ('POST'), path, idempotencyKey: use.key };
    const { value } = await inTime(() => ask(link, call, patience, { id: core.id, tries: TRIES }), core.id);
    const { checkpoint, ...consumption } = await readConsumption(link, core, value, patience);
    checkTime(link, core, began, consumption.consumedAt);
    await inTime(() => remember(link, checkpoint, patience, core.id, { overtaken: true }), core.id);
    checkIndex(core, known, consumption.logIndex);
    checkUsable(link, core, use.answered);
    patience.checkAborted(core.id);
    if (patience.isOver) throw new UnreachableError('its answer came after the timeout', { id: core.id });
    return consumption;
  } catch (error) {
    if (!(error instanceof RefusedError && error.status === 409)) throw error;
    // Too late is a conflict for the server too; the clock tells the two apart.
    checkUsable(link, core, use.answered);
    throw new AlreadyConsumedError(core.id, error.detail);
  } finally {
    patience.end();
  }
}

/**
 * That it is of the time of this use: the proof of an earlier one stays valid for ever.
 *
 * @param {import('./link.js').Link} link
 * @param {import('./core.js').Core} core
 * @param {number} began
 * @param {string} consumedAt
 */
function checkTime(link, core, began, consumedAt) {
  const [at, now] = [secondsOf(consumedAt) ?? NaN, seconds(link)];
  if (consumedAt > core.useBy) throw new TooLateError(core.id, core.useBy);
  if (at < began - FRESH) {
    const words = `the log says at ${consumedAt}, and this use began at ${timeOf(began)}`;
    throw new AlreadyConsumedError(core.id, `${words}: an earlier use, or a wrong clock`);
  }
  if (!(at <= now + FRESH)) {
    const words = `it is of ${consumedAt}, and it is ${timeOf(now)}: a wrong clock here or there`;
    throw new NotVerifiedError('consumption', words, { id: core.id });
  }
}

/**
 * That it is newer than everything that was known of the log before.
 *
 * @param {import('./core.js').Core} core
 * @param {bigint} known
 * @param {number} logIndex
 */
function checkIndex(core, known, logIndex) {
  if (BigInt(logIndex) >= known) return;
  const words = `the log had ${known} entries before this use, and shows the entry ${logIndex} for it: an earlier use`;
  throw new AlreadyConsumedError(core.id, words);
}

/** @param {import('./link.js').Link} link */
function seconds({ clock }) {
  return Math.floor(clock.now() / 1000);
}

/**
 * @param {import('./link.js').Link} link
 * @param {import('./core.js').Core} core
 * @param {unknown} answer
 * @param {Patience} patience
 * @returns {Promise<Consumption & {checkpoint: string}>}
 */
async function readConsumption(link, core, answer, patience) {
  const { id, consumedAt, logIndex, proof } = Object(answer);
  if (id !== undefined && id !== core.id) throw new MismatchError('id', 'the consumption is of another confirmation', core.id);
  try {
    if (secondsOf(String(consumedAt)) === undefined) throw new Refusal('consumedAt is not a time');
    if (!Number.isSafeInteger(logIndex) || logIndex < 0) throw new Refusal('logIndex is not an index');
    await checkProof(link, core, { consumedAt, logIndex, proof: Object(proof) }, patience);
  } catch (error) {
    throw error instanceof Refusal ? new NotVerifiedError('consumption', error.message, { id: core.id }) : error;
  }
  return { consumedAt, logIndex, checkpoint: proof.checkpoint };
}

/**
 * That the log has the consumption of this nonce where the server says it is.
 *
 * @param {import('./link.js').Link} link
 * @param {import('./core.js').Core} core
 * @param {{consumedAt: string, logIndex: number, proof: any}} answer
 * @param {Patience} patience
 */
async function checkProof(link, core, { consumedAt, logIndex, proof }, patience) {
  const { checkpoint: note, hashes } = proof;
  if (typeof note !== 'string' || !Array.isArray(hashes) || hashes.length > 63) throw new Refusal('there is no proof');
  const path = hashes.map((text) => {
    const hash = typeof text === 'string' ? hashFromBase64url(text) : undefined;
    if (!hash) throw new Refusal('a hash of the proof is not base64url of 32 bytes');
    return hash;
  });
  await signerOf(link, note, patience);
  const checkpoint = openCheckpoint(note);
  if (checkpoint.logOrigin !== core.log) throw new Refusal('the proof is of another log');
  const entry = `countersign/consumption/v1\n{"consumed_at":"${consumedAt}","nonce":"${core.nonce}"}`;
  await verifyInclusion(await leafHash(utf8(entry)), BigInt(logIndex), checkpoint.size, path, checkpoint.root);
}
