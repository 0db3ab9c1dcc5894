// A verification report as text for people and as JSON for scripts, in the same words and members as `countersign-verify`.

import { jsonObject, toCanonical } from './json.js';
import { isHidden, visible } from './names.js';
import { notStated } from './verify/expectation.js';
import { limitsOf } from './verify/facts.js';

/**
 * @typedef {import('./verify.js').Report} Report
 * @typedef {import('./verify/expectation.js').Expectation} Expectation
 * @typedef {import('./verify/facts.js').Facts} Facts
 */

const MARKS = { passed: '✓', failed: '✗', 'not reached': '·' };

/**
 * The report as text: the file, who decided what, the steps, one verdict line, and what a receipt cannot show. What cannot
 * be seen is written out, so that it cannot act on a terminal.
 *
 * @param {string} name  the receipt's
 * @param {Report} report
 * @param {Expectation} expectation
 * @returns {string}
 */
export function reportToText(name, report, expectation) {
  const { facts } = report;
  const lines = [visible(name), ...(facts ? summary(facts) : []), ''];
  for (const { id, status, detail } of report.steps) {
    const words = status === 'not reached' ? status : visible(detail);
    lines.push(`  ${MARKS[status]} ${id.padEnd(18)}  ${words}`);
  }
  lines.push('', verdictLine(report));
  if (facts && report.asExpected) {
    lines.push('', 'What this receipt does not show:', ...limitsOf(facts).map((limit) => `  - ${limit}`));
    const missing = notStated(expectation);
    if (missing.length > 0) {
      lines.push(`  - Not compared, because you stated no expectation: ${missing.join(', ')}.`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/**
 * The report as one line of JSON, with every hidden character escaped: it may be read on a terminal too.
 *
 * @param {string} name  the receipt's
 * @param {Report} report
 * @param {Expectation} expectation
 * @returns {string}
 */
export function reportToJson(name, report, expectation) {
  const steps = report.steps.map(({ id, status, detail }) => {
    return jsonObject([['id', id], ['status', status], ['detail', detail]]);
  });
  const json = toCanonical(jsonObject([
    ['type', 'countersign/report/v1'],
    ['receipt', name],
    ['verdict', report.verdict],
    ['as_expected', report.asExpected],
    ['failed_step', report.failedStep],
    ['steps', steps],
    ['not_stated', notStated(expectation)],
    ['facts', report.facts && factsJson(report.facts)],
  ]));
  return Array.from(json, (character) => (isHidden(character) ? escaped(character) : character)).join('');
}

/** @param {Facts} facts */
function summary(facts) {
  const { core } = facts;
  return [
    `  ${visible(core.requester)} asked: ${visible(core.action)}`,
    `  payload: ${visible(toCanonical(core.payload))}`,
    ...facts.decisions.map(({ approver, decision, decidedAt, index }) => {
      return `  ${approver} decided to ${decision} at ${decidedAt}, log index ${index}`;
    }),
    `  ${core.approvers.join(', ')} could decide, ${core.quorum} had to approve; usable until ${core.useBy}`,
  ];
}

/** @param {Report} report */
function verdictLine(report) {
  const failed = report.steps.find(({ status }) => status === 'failed');
  if (!failed) return report.verdict.toUpperCase();
  // A script that looks for APPROVED at the start of a line must not find it where the exit code is 1.
  const verdict = report.verdict === 'not verified' ? 'NOT VERIFIED' : `NOT AS EXPECTED (${report.verdict})`;
  return `${verdict}: the step ${failed.id} failed: ${visible(failed.detail)}`;
}

/** @param {Facts} facts */
function factsJson(facts) {
  const decisions = facts.decisions.map(({ approver, credential, decidedAt, decision, index }) => jsonObject([
    ['approver', approver],
    ['credential', credential],
    ['decided_at', decidedAt],
    ['decision', decision],
    ['index', String(index)],
  ]));
  return jsonObject([
    ['core', facts.core.text],
    ['decisions', decisions],
    ['keys_pinned', facts.keysPinned],
    ['limits', limitsOf(facts)],
    ['witnessed_at', facts.witnessedAt],
  ]);
}

/** @param {string} character */
function escaped(character) {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
