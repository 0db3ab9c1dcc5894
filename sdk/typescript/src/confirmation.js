// A confirmation that this client asked for, or found again and compared with what is asked: what answers are measured by.

import { Patience } from './clock.js';
import { compareCodeOf, coreOf } from './core.js';
import { AbortedError, MismatchError } from './errors.js';
import { frozenValue } from './payload.js';
import { idempotencyKey, readQuestion } from './request.js';
import { ask, inTime } from './retry.js';
import { takeBack } from './take-back.js';
import { secondsOf } from './verifier.js';

/** @typedef {import('./request.js').Question} Question */

/** Seconds that creating or finding may take, if the caller does not say. */
const TIMEOUT = 60;
const TRIES = 5;

/**
 * @typedef {object} Made
 * @property {import('./core.js').Core} core
 * @property {string} url
 * @property {string} compareCode
 * @property {string} key
 * @property {'pinned' | 'first-use'} trust
 * @property {number} until
 */

/** One request for approval, as it was asked. Only this SDK makes one. */
export class Confirmation {
  /** @param {Made} made */
  constructor({ core, url, compareCode, key, trust, until }) {
    this.id = core.id;
    /** Where the approver decides. */
    this.url = url;
    /** The approver sees the same code: compare them before deciding. */
    this.compareCode = compareCode;
    this.action = core.action;
    /** Exactly what people decide about; it cannot be changed. @type {any} */
    this.payload = frozenValue(core.payload);
    /** @type {readonly string[]} */
    this.approvers = Object.freeze([...core.approvers]);
    this.quorum = core.quorum;
    this.requester = core.requester;
    this.issuedAt = core.issuedAt;
    this.expiresAt = core.expiresAt;
    this.useBy = core.useBy;
    /** Give it to `requestApproval` after a restart, with the same question, to find this confirmation again. */
    this.idempotencyKey = key;
    /** Whether the trust file was pinned, or is the server's own word at first use. */
    this.trust = trust;
    /** The core that was remembered: docs/protocol.md section 7. */
    this.core = Object.freeze(core);
    /** How long to wait for it, in milliseconds since 1970, if the caller does not say. */
    this.until = until;
    Object.freeze(this);
  }
}

/**
 * Asks. Where the caller gives up before the answer is here, the server may have the request all the same: it is taken back.
 *
 * @param {import('./link.js').Link} link
 * @param {Question} question
 * @param {{timeout?: number, signal?: AbortSignal, keep?: boolean}} options  keep: unless the caller has the key to find it by
 * @returns {Promise<Confirmation>}
 */
export async function createConfirmation(link, question, { timeout = TIMEOUT, signal, keep = false }) {
  const asked = readQuestion(question);
  const key = idempotencyKey(question.idempotencyKey);
  const [start, began] = [link.clock.now(), link.clock.moment()];
  const isFresh = question.idempotencyKey === undefined;
  const call = { method: /** @type {const} */ ('POST'), path: '/api/confirmations', body: asked.body, idempotencyKey: key };
  let [sent, gaveUp] = [false, false];
  const send = () => {
    sent = true;
    return call;
  };
  const asking = within(link, Math.min(timeout, TIMEOUT), signal, async (patience) => {
    const { logs, kind } = await link.trusted.get(link, patience);
    const { value } = await ask(link, send, patience, { tries: TRIES }).catch((error) => {
      gaveUp = sent && (error instanceof AbortedError || patience.isOver);
      throw error;
    });
    const core = coreOf(value, asked, { logs, freshAt: isFresh ? Math.floor(start / 1000) : undefined });
    // An own request is waited for by this computer's clock alone; one found again, until the time that stands in it.
    const until = isFresh ? began + asked.expiresIn * 1000 : expiry(link, core);
    return confirmationOf(link, { core, answer: value, key, trust: kind, until });
  });
  try {
    return await asking;
  } catch (error) {
    if (gaveUp && (isFresh || !keep)) await takeBack(link, call);
    throw error;
  }
}

/**
 * Finds a confirmation again by its id, and compares it with what is asked.
 *
 * @param {import('./link.js').Link} link
 * @param {string} id
 * @param {Question} question
 * @param {{timeout?: number, signal?: AbortSignal}} options
 * @returns {Promise<Confirmation>}
 */
export async function resumeConfirmation(link, id, question, { timeout = TIMEOUT, signal }) {
  const asked = readQuestion(question);
  const key = idempotencyKey(question.idempotencyKey);
  return within(link, Math.min(timeout, TIMEOUT), signal, async (patience) => {
    const { logs, kind } = await link.trusted.get(link, patience);
    const call = { method: /** @type {const} */ ('GET'), path: `/api/confirmations/${encodeURIComponent(id)}` };
    const { value } = await ask(link, call, patience, { id, tries: TRIES });
    const core = coreOf(value, asked, { logs });
    if (core.id !== id) throw new MismatchError('id', `the answer is about ${core.id}`, id);
    return confirmationOf(link, { core, answer: value, key, trust: kind, until: expiry(link, core) });
  });
}

/**
 * @template T
 * @param {import('./link.js').Link} link
 * @param {number} seconds
 * @param {AbortSignal | undefined} signal
 * @param {(patience: Patience) => Promise<T>} run
 * @returns {Promise<T>}
 */
export async function within(link, seconds, signal, run) {
  const patience = new Patience(link.clock, link.clock.moment() + seconds * 1000, signal);
  try {
    return await inTime(() => run(patience));
  } finally {
    patience.end();
  }
}

/** How long after the last moment for a decision an answer may be on its way, in milliseconds. */
const GRACE = 10_000;

/**
 * @param {import('./link.js').Link} link
 * @param {{core: import('./core.js').Core, answer: any, key: string, trust: 'pinned' | 'first-use', until: number}} found
 */
async function confirmationOf(link, { core, answer, key, trust, until }) {
  const { url } = answer;
  if (typeof url !== 'string' || !/^https?:\/\/[\x21-\x7e]+$/.test(url)) {
    throw new MismatchError('url', 'it has no address at which to decide', core.id);
  }
  const latest = Math.max(until, link.clock.moment()) + GRACE;
  return new Confirmation({ core, url, compareCode: await compareCodeOf(core), key, trust, until: latest });
}

/**
 * The moment at which it expires by the time that stands in it.
 *
 * @param {import('./link.js').Link} link
 * @param {import('./core.js').Core} core
 */
function expiry({ clock }, core) {
  return clock.moment() + (secondsOf(core.expiresAt) ?? 0) * 1000 - clock.now();
}
