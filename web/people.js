// Who must approve, and who has decided so far.

import { element } from './dom.js';
import { localTime } from './local-time.js';
import { visible } from './visible.js';
import { nodes, text } from './words.js';

/**
 * @typedef {{approver: string, decision: string, decidedAt: string, revokedAt?: string}} Decision
 */

/**
 * The rule, and one line for each person.
 *
 * @param {{approver: string, approvers: string[], quorum: number, decisions?: Decision[]}} asked
 * @returns {(Node | string)[]}
 */
export function people({ approver, approvers, quorum, decisions }) {
  if (approvers.length === 1) return [text('youAlone')];
  const list = element('ul', { id: 'people-asked' }, ...peopleLines({ approver, approvers, decisions }));
  return [text(quorum === 1 ? 'oneIsEnough' : 'areNeeded', { quorum, of: approvers.length }), list];
}

/** The lines alone, to bring a list up to date. */
export function peopleLines({ approver, approvers, decisions = [] }) {
  return approvers.map((name) => {
    const decision = decisions.find((one) => one.approver === name);
    const who = name === approver ? nodes('you', { name: visible(name) }) : [visible(name)];
    return element('li', {}, ...who, `: ${describe(decision)}`);
  });
}

function describe(decision) {
  if (!decision) return text('notDecided');
  const decided = text(decision.decision === 'approve' ? 'hasApproved' : 'hasRejected', { time: localTime(decision.decidedAt) });
  return decision.revokedAt ? text('revokedSince', { decided }) : decided;
}
