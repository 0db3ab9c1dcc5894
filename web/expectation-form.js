// What the reader of a receipt expects of it, as typed into the form.

import { Refusal, parsePayload } from '/verifier/index.js';
import { utf8 } from '/verifier/encoding.js';
import { timeNow } from './local-time.js';
import { byId } from './page.js';

/** What the form says, as it stands there. */
export function stated() {
  const value = (id) => byId(id).value;
  const names = value('expect-approvers').split(',');
  return {
    payload: value('expect-payload').trim() !== '',
    action: value('expect-action'),
    approvers: names.map((name) => name.trim()).filter((name) => name !== ''),
    quorum: Number(value('expect-quorum')),
    decision: value('expect-decision'),
    id: value('expect-id').trim(),
    requester: value('expect-requester'),
    minutes: value('expect-minutes').trim(),
    usable: byId('expect-usable').checked,
  };
}

/**
 * The expectation for the verifier, or what is wrong with it.
 *
 * @returns {{expectation: import('../verifier-js/verify/expectation.js').Expectation, problem: string | undefined}}
 */
export function readExpectation() {
  const { payload, action, approvers, quorum, decision, id, requester, minutes, usable } = stated();
  const expectation = {};
  try {
    if (payload) expectation.payload = parsePayload(utf8(byId('expect-payload').value));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { expectation, problem: `The payload that you expect: ${error.message}.` };
  }
  if (action !== '') expectation.action = action;
  if (decision !== '') expectation.decision = decision;
  if (id !== '') expectation.id = id;
  if (requester !== '') expectation.requester = requester;
  if (usable) expectation.usableAt = timeNow();
  if (minutes !== '') {
    if (!/^\d{1,9}$/.test(minutes)) return { expectation, problem: 'How many minutes ago is a whole number.' };
    expectation.maxAge = { now: timeNow(), seconds: 60 * Number(minutes) };
  }
  if (approvers.length > 0) {
    const wrong = approvers.find((name) => !/^[a-z0-9._@-]{1,64}$/.test(name));
    if (wrong !== undefined) return { expectation, problem: `“${wrong}” is no username: 1 to 64 of a-z 0-9 . _ - @` };
    if (!Number.isSafeInteger(quorum) || quorum < 1) {
      return { expectation, problem: 'How many had to approve is a number from 1.' };
    }
    expectation.approvers = { names: approvers, quorum };
  }
  return { expectation, problem: undefined };
}
