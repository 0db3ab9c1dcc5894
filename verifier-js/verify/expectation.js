// What a caller expects of a receipt. A receipt proves what was decided; only the caller knows what it is about to do.

import { base64url, sha256 } from '../encoding.js';
import { JsonObject, toCanonical } from '../json.js';
import { isUsername, quoted } from '../names.js';
import { Refusal } from '../refusal.js';
import { secondsOf } from '../time.js';
import { decidedAt } from './facts.js';

/**
 * @typedef {import('../document.js').Decision} Decision
 * @typedef {import('../time.js').Time} Time
 * @typedef {import('./facts.js').Facts} Facts
 */

/**
 * What a caller expects. What is left out is not checked, and the report says so.
 *
 * @typedef {object} Expectation
 * @property {JsonObject} [payload]  the exact payload, from `parsePayload`
 * @property {string} [action]  the exact title
 * @property {{names: string[], quorum: number}} [approvers]  exactly who was asked and how many had to approve
 * @property {Decision} [decision]  what was decided; approve if left out
 * @property {string} [id]  the confirmation's id
 * @property {string} [core]  the exact core, as the requester was given it
 * @property {string} [requester]  the requester's name
 * @property {{now: Time, seconds: number}} [maxAge]  the time now and the greatest age of the last decision
 * @property {Time} [usableAt]  the time now, for a caller about to act: `use_by` must not have passed
 */

/** Each expectation with its name in reports; `decision` is not among them, because it is always compared. */
const NAMES = /** @type {const} */ ([
  ['payload', 'payload'], ['action', 'action'], ['approvers', 'approvers'], ['id', 'id'], ['core', 'core'],
  ['requester', 'requester'], ['maxAge', 'age'], ['usableAt', 'use_by'],
]);

/** @type {Record<string, (value: any) => boolean>} */
const FORMS = {
  payload: (value) => value instanceof JsonObject,
  action: isString,
  approvers: (value) => Array.isArray(value?.names) && value.names.every(isName) && Number.isSafeInteger(value.quorum),
  decision: (value) => value === 'approve' || value === 'reject',
  id: isString,
  core: isString,
  requester: isString,
  maxAge: (value) => isTime(value?.now) && Number.isSafeInteger(value.seconds) && value.seconds >= 0,
  usableAt: isTime,
};

/**
 * Refuses an expectation that could not be compared. One that is misspelt would otherwise count as not stated.
 *
 * @param {Expectation} expectation
 * @throws {TypeError}
 */
export function checkForm(expectation) {
  for (const [name, value] of Object.entries(expectation)) {
    if (!Object.hasOwn(FORMS, name)) throw new TypeError(`there is no expectation ${quoted(name)}`);
    if (value !== undefined && !FORMS[name](value)) throw new TypeError(`the expectation ${name} is out of form`);
  }
}

/**
 * Compares with what was decided.
 *
 * @param {Expectation} expectation
 * @param {Facts} facts
 * @returns {Promise<string>} names what was compared
 * @throws {Refusal} the first thing that differs
 */
export async function checkExpectation(expectation, facts) {
  await checkAllButDecision(expectation, facts);
  const expected = expectation.decision ?? 'approve';
  if (facts.decision !== expected) throw new Refusal(`the decision is ${facts.decision}, expected ${expected}`);
  const stated = NAMES.filter(([key]) => expectation[key] !== undefined).map(([, name]) => name);
  return `as expected: ${['decision', ...stated].join(', ')}`;
}

/**
 * Whether the decision is the only thing that differs.
 *
 * @param {Expectation} expectation
 * @param {Facts} facts
 * @returns {Promise<boolean>}
 */
export async function onlyDecisionDiffers(expectation, facts) {
  try {
    await checkAllButDecision(expectation, facts);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/**
 * The expectations that the caller did not state, by name.
 *
 * @param {Expectation} expectation
 * @returns {string[]}
 */
export function notStated(expectation) {
  return NAMES.filter(([key]) => expectation[key] === undefined).map(([, name]) => name);
}

/**
 * @param {Expectation} expectation
 * @param {Facts} facts
 */
async function checkAllButDecision(expectation, facts) {
  const { core } = facts;
  if (expectation.payload) {
    const [given, expected] = [toCanonical(core.payload), toCanonical(expectation.payload)];
    if (given !== expected) {
      throw new Refusal(`the payload is ${await shortened(given)}, expected ${await shortened(expected)}`);
    }
  }
  await same('action', expectation.action, core.action);
  if (expectation.approvers) checkApprovers(expectation.approvers, core);
  await same('id', expectation.id, core.id);
  await same('core', expectation.core, core.text);
  await same('requester', expectation.requester, core.requester);
  if (expectation.maxAge) {
    const { now, seconds } = expectation.maxAge;
    const age = Math.max(0, (secondsOf(now) ?? NaN) - (secondsOf(decidedAt(facts)) ?? NaN));
    if (!(age <= seconds)) throw new Refusal(`decided ${age} seconds ago, at most ${seconds} are expected`);
  }
  if (expectation.usableAt !== undefined && expectation.usableAt > core.useBy) {
    throw new Refusal(`it could be used until ${core.useBy}, now is ${expectation.usableAt}`);
  }
}

/**
 * @param {{names: string[], quorum: number}} expected  names in any order
 * @param {import('../document.js').Core} core
 */
function checkApprovers(expected, core) {
  const [asked, names] = [core.approvers.join(', '), [...expected.names].sort().join(', ')];
  // A username holds no comma and no space, so that equal lists have equal texts.
  if (asked !== names) throw new Refusal(`the approvers are ${asked}, expected ${names}`);
  if (expected.quorum !== core.quorum) {
    throw new Refusal(`the quorum is ${core.quorum}, expected ${expected.quorum}`);
  }
}

/**
 * @param {string} what
 * @param {string | undefined} expected
 * @param {string} given
 */
async function same(what, expected, given) {
  if (expected !== undefined && expected !== given) {
    const [found, wanted] = [quoted(await shortened(given)), quoted(await shortened(expected))];
    throw new Refusal(`the ${what} is ${found}, expected ${wanted}`);
  }
}

/**
 * A text that fits on a line of a report; beyond that its hash tells two texts apart.
 *
 * @param {string} text
 */
async function shortened(text) {
  const characters = [...text];
  if (characters.length <= 200) return text;
  return `${characters.slice(0, 200).join('')}… (SHA-256 ${base64url(await sha256(text))})`;
}

/** @param {unknown} value */
function isName(value) {
  return typeof value === 'string' && isUsername(value);
}

/** @param {unknown} value */
function isString(value) {
  return typeof value === 'string';
}

/** @param {unknown} value */
function isTime(value) {
  return typeof value === 'string' && secondsOf(value) !== undefined;
}
