// An approval is believed when its receipt verifies offline for exactly the core that was remembered, under a checkpoint that
// the log has not taken back, and can still be used.

import { remember } from './checkpoints.js';
import { NotVerifiedError, TooLateError } from './errors.js';
import { timeOf, utf8, verify } from './verifier.js';

/**
 * @param {import('./link.js').Link} link
 * @param {import('./core.js').Core} core  the remembered one
 * @param {unknown} receipt  as the server gave it
 * @param {import('./clock.js').Patience} patience
 * @returns {Promise<import('./verifier.js').Report>}
 * @throws {import('./errors.js').CountersignError}
 */
export async function acceptApproval(link, core, receipt, patience) {
  if (typeof receipt !== 'string') throw new NotVerifiedError('receipt', 'there is no receipt', { id: core.id });
  const { trust } = await link.trusted.get(link, patience);
  const report = await verify(utf8(receipt), trust, {
    decision: 'approve',
    core: core.text,
    id: core.id,
    action: core.action,
    approvers: { names: core.approvers, quorum: core.quorum },
  });
  if (report.verdict !== 'approved' || !report.asExpected) {
    const step = report.steps.find(({ id }) => id === report.failedStep);
    throw new NotVerifiedError(step?.id ?? 'receipt', step?.detail ?? report.verdict, { id: core.id, report });
  }
  checkUsable(link, core);
  await remember(link, JSON.parse(receipt).checkpoint, patience, core.id);
  return report;
}

/**
 * When an answer came, in milliseconds since 1970 and as a moment of the clock.
 *
 * @typedef {{now: number, moment: number}} Answered
 */

/**
 * By the wall clock; and where that was set back since the answer, by the time that went by since then.
 *
 * @param {import('./link.js').Link} link
 * @param {import('./core.js').Core} core
 * @param {Answered} [answered]
 * @throws {TooLateError}
 */
export function checkUsable({ clock }, core, answered) {
  const now = Math.max(clock.now(), answered ? answered.now + clock.moment() - answered.moment : 0);
  if (timeOf(Math.floor(now / 1000)) > core.useBy) throw new TooLateError(core.id, core.useBy);
}
