// A server in this process, behind a `fetch` of its own: it keeps the rules of docs/api.md that the SDK relies on, with a
// software passkey and a log in memory, until a test makes it break one.

import { base64, base64url, sha256, utf8 } from '../../../verifier-js/encoding.js';
import { labelOf } from '../../../verifier-js/names.js';
import { canonical, makeAssertion, makeKey, LOG, RP_ID, WEB_ORIGIN } from '../../../verifier-js/tests/made.js';
import { Countersign } from '../src/index.js';
import { FakeClock, timeAt } from './fake-clock.js';
import { StandInLog } from './stand-in-log.js';

/** @typedef {{method: string, path: string, query: URLSearchParams, body: any, key: string | null, signal: AbortSignal}} Call */
/**
 * @typedef {object} Asked
 * @property {any} core
 * @property {string} body
 * @property {string} key
 * @property {string} status
 * @property {any[]} decisions
 * @property {any[]} documents
 * @property {string} [consumedBy]
 * @property {any} [consumption]
 */

const passkey = await makeKey('ES256');

export class StandIn {
  clock = new FakeClock();
  /** @type {Map<string, Asked>} */
  records = new Map();
  /** Every call that came, for tests to look at. @type {Call[]} */
  calls = [];
  /** What a test does in place of an answer, or to one. @type {(call: Call, answer: () => Promise<any>) => any} */
  instead = (_, answer) => answer();
  /** How much later than now a use is logged, in seconds. */
  stamp = 0;
  /** What happens while a request waits. @type {(record: Asked) => any} */
  whileWaiting = () => {};

  /** @param {StandInLog} log @param {number} enrolled @param {string} enrolment */
  constructor(log, enrolled, enrolment) {
    this.log = log;
    this.enrolled = enrolled;
    this.enrolment = enrolment;
  }

  static async make() {
    const log = await StandInLog.make(LOG);
    const enrolment = `countersign/credential/v1\n${canonical({
      alg: 'ES256', approver: await labelOf('alex', LOG), authorised_by: { invite: random() }, backup_eligible: true,
      enrolled_at: '2026-01-01T09:00:00Z', public_key: base64url(passkey.spki), rp_id: RP_ID,
    })}`;
    return new StandIn(log, await log.append(enrolment), enrolment);
  }

  get trust() {
    return { logs: [this.log.key.text], rp_id: RP_ID, type: 'countersign/trust/v1', web_origins: [WEB_ORIGIN] };
  }

  /** @param {import('../src/settings.js').ClientOptions} [options] */
  client(options = {}) {
    const memory = new Map();
    return new Countersign({
      apiKey: 'csk_test', baseUrl: WEB_ORIGIN, trust: this.trust, clock: this.clock, random: () => 0, fetch: this.fetch,
      memory: { get: (key) => memory.get(key), set: (key, value) => void memory.set(key, value) }, ...options,
    });
  }

  /** @type {any} */
  fetch = async (/** @type {string} */ input, /** @type {RequestInit & {headers: any}} */ init) => {
    const url = new URL(input);
    const body = init.body === undefined ? undefined : JSON.parse(String(init.body));
    const call = {
      method: init.method ?? 'GET', path: url.pathname, query: url.searchParams, body,
      key: init.headers['Idempotency-Key'] ?? null, signal: /** @type {AbortSignal} */ (init.signal),
    };
    this.calls.push(call);
    const answer = await this.instead(call, () => this.#answer(call));
    return answer instanceof Response ? answer : Response.json(answer, { status: answer.consumedAt ? 200 : 201 });
  };

  /** @param {string} [id] */
  record(id) {
    const record = id === undefined ? [...this.records.values()].at(-1) : this.records.get(id);
    if (!record) throw new Error('nothing was asked');
    return record;
  }

  /** @param {Asked} [record] @param {any} [changes]  of the document */
  async approve(record = this.record(), changes = {}) {
    await this.#decide(record, 'approve', changes);
    record.status = 'approved';
  }

  /** @param {Asked} record @param {string} note */
  async reject(record, note) {
    await this.#decide(record, 'reject', {});
    record.decisions[0].note = note;
    record.status = 'rejected';
  }

  /** @param {Asked} record @param {string} decision @param {any} changes */
  async #decide(record, decision, { decidedAt = this.clock.time, ...changes }) {
    const document = canonical({ ...record.core, approver: 'alex', decision, salt: random(), ...changes });
    const nonce = Buffer.from(record.core.nonce, 'base64url');
    const assertion = await makeAssertion(passkey, Buffer.concat([nonce, await sha256(document)]));
    const entry = `countersign/decision/v1\n${canonical({
      approver: await labelOf('alex', LOG), credential: passkey.credential, decided_at: decidedAt, decision, ...assertion,
    })}`;
    const index = await this.log.append(entry);
    record.documents.push({ document, entry, index });
    record.decisions.push({ approver: 'alex', decision, decidedAt, logIndex: index, rawAssertion: { id: 'x' } });
  }

  /** @param {Asked} record @param {StandInLog} [log] @param {number} [size] */
  async receipt(record, log = this.log, size = log.leaves.length) {
    const proof = async (/** @type {number} */ index) => (await log.inclusion(index, size)).map(base64url);
    return canonical({
      checkpoint: await log.checkpoint(size),
      decisions: await Promise.all(record.documents.map(async (part) => ({ ...part, hashes: await proof(part.index) }))),
      enrolments: [{ entry: this.enrolment, hashes: await proof(this.enrolled), index: this.enrolled }],
      type: 'countersign/receipt/v1',
    });
  }

  /** The answer to a GET. @param {Asked} record */
  async view(record) {
    const { core, status, decisions } = record;
    const decided = decisions.length > 0 ? { receipt: await this.receipt(record), rawAssertion: decisions[0].rawAssertion } : {};
    return { id: core.id, status, url: `${WEB_ORIGIN}/approve/${core.id}`, core: canonical(core), decisions, ...decided };
  }

  /** @param {Call} call */
  async #answer(call) {
    const [, , , id, verb] = call.path.split('/');
    if (call.path === '/trust.json') return this.trust;
    if (call.path === '/log/proof/consistency') {
      const [from, to] = [Number(call.query.get('from')), Number(call.query.get('to'))];
      return { from, to, hashes: (await this.log.consistency(from, to)).map(base64) };
    }
    if (id === undefined) return this.#create(call);
    const record = this.records.get(id);
    if (!record) return problem(404, 'not-found');
    if (verb === 'cancel') return this.#cancel(record);
    if (verb === 'consume') return this.#consume(record, call.key ?? '');
    await this.#wait(record, Number(call.query.get('wait') ?? 0));
    return this.view(record);
  }

  /** @param {Call} call */
  async #create({ body, key }) {
    const known = [...this.records.values()].find((record) => record.key === key);
    if (known && known.body !== canonical(body)) return problem(422, 'invalid');
    const record = known ?? this.#newRecord(body, key ?? '');
    return { ...(await this.view(record)), status: 'pending', receipt: undefined };
  }

  /** @param {any} body @param {string} key @returns {Asked} */
  #newRecord(body, key) {
    const now = this.clock.now();
    const { username, approvers = [username], quorum = 1, expiresIn = 300, useWithin = 3600, reveal = false } = body;
    const bytes = crypto.getRandomValues(new Uint8Array(26));
    const id = `cnf_${Array.from(bytes, (byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte % 32]).join('')}`;
    const core = {
      action: body.action, approvers: [...approvers].sort(), expires_at: timeAt(now + expiresIn * 1000), id, issued_at: timeAt(now),
      log: LOG, nonce: random(), payload: body.payload, quorum, requester: 'deploy-bot', reveal, type: 'countersign/document/v1',
      use_by: timeAt(now + (expiresIn + useWithin) * 1000),
    };
    const record = { core, body: canonical(body), key, status: 'pending', decisions: [], documents: [] };
    this.records.set(id, record);
    return record;
  }

  /** @param {Asked} record @param {number} seconds */
  async #wait(record, seconds) {
    if (record.status !== 'pending') return;
    await this.whileWaiting(record);
    if (record.status !== 'pending') return;
    const left = (Date.parse(record.core.expires_at) - this.clock.now()) / 1000 + 1;
    // Some time passes with every answer; otherwise nothing would move the clock in the pauses between them.
    this.clock.advance(Math.max(0, Math.min(Math.max(seconds, 1), left)));
    if (this.clock.time > record.core.expires_at) record.status = 'expired';
  }

  /** @param {Asked} record */
  #cancel(record) {
    if (record.status !== 'pending') return problem(409, 'conflict');
    record.status = 'cancelled';
    return { id: record.core.id, status: 'cancelled' };
  }

  /** @param {Asked} record @param {string} key */
  async #consume(record, key) {
    if (record.status !== 'approved' || (record.consumedBy ?? key) !== key) return problem(409, 'conflict');
    if (record.consumedBy === undefined) {
      record.consumedBy = key;
      const consumedAt = timeAt(this.clock.now() + this.stamp * 1000);
      const index = await this.log.append(`countersign/consumption/v1\n${canonical({ consumed_at: consumedAt, nonce: record.core.nonce })}`);
      record.consumption = { consumedAt, logIndex: index };
    }
    const { logIndex } = record.consumption;
    const hashes = (await this.log.inclusion(logIndex)).map(base64url);
    return { ...record.consumption, proof: { hashes, size: this.log.leaves.length, checkpoint: await this.log.checkpoint() } };
  }
}

/** @param {number} status @param {string} name @param {any} [headers] */
export function problem(status, name, headers = {}) {
  return Response.json({ type: `urn:countersign:problem:${name}`, detail: `this is ${name}` }, { status, headers });
}

function random() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

/** A question that every test may ask. */
export const QUESTION = { username: 'alex', action: 'Deploy api-gateway to production', payload: { env: 'production', replicas: 3 } };

/** @param {string} text */
export const bytesOf = (text) => utf8(text);
