// Who must approve, and who has decided so far.

import { element } from './dom.js';
import { localTime } from './local-time.js';
import { visible } from './visible.js';

/**
 * @typedef {{approver: string, decision: string, decidedAt: string, revokedAt?: string}} Decision
 */

/**
 * The rule, and one line for each person.
 *
 * @param {{approver: string, approvers: string[], quorum: number, decisions?: Decision[]}} asked
 * @returns {(Node | string)[]}
 */
export function people({ approver, approvers, quorum, decisions = [] }) {
  if (approvers.length === 1) return ['You alone.'];
  const needed = quorum === 1 ? 'One approval is enough' : `${quorum} approvals are needed`;
  const lines = approvers.map((name) => {
    const decision = decisions.find((one) => one.approver === name);
    const who = name === approver ? [visible(name), ' (you)'] : [visible(name)];
    return element('li', {}, ...who, `: ${describe(decision)}`);
  });
  return [
    `${needed}, of ${approvers.length} who are asked. One rejection ends the request.`,
    element('ul', { id: 'people-asked' }, ...lines),
  ];
}

/** How many approvals count so far. @param {Decision[]} decisions */
export function approvals(decisions) {
  return decisions.filter(({ decision, revokedAt }) => decision === 'approve' && !revokedAt).length;
}

function describe(decision) {
  if (!decision) return 'has not decided';
  const verb = decision.decision === 'approve' ? 'approved' : 'rejected';
  const revoked = decision.revokedAt ? '; the passkey was revoked since, so it does not count' : '';
  return `${verb}, ${localTime(decision.decidedAt)}${revoked}`;
}
