// A verification report for people: who decided what and when, the twelve steps, and what a receipt cannot show.

import { limitsOf, notStated, toCanonical } from '/verifier/index.js';
import { element } from './dom.js';
import { countText, fieldList, flatten } from './payload.js';
import { row, time } from './term-row.js';
import { visible } from './visible.js';

/**
 * @typedef {import('../verifier-js/verify.js').Report} Report
 * @typedef {import('../verifier-js/verify/expectation.js').Expectation} Expectation
 */

const MARKS = { passed: ['✓', 'passed'], failed: ['✗', 'failed'], 'not reached': ['·', 'not reached'] };
const UNPROVEN = 'Nothing that this receipt says can be believed, so it is not shown.';

/**
 * The one line that says it all. Amber is for a decision that is proven, but compared with nothing.
 *
 * @param {Report} report
 * @param {Expectation} expectation
 * @returns {{tone: 'good' | 'bad' | 'amber', text: string}}
 */
export function verdictOf(report, expectation) {
  const failed = report.steps.find(({ status }) => status === 'failed');
  const reason = failed ? `the step ${failed.id} failed: ${failed.detail}` : '';
  if (report.verdict === 'not verified') return { tone: 'bad', text: `Not verified: ${reason}.` };
  const word = report.verdict === 'approved' ? 'Approved' : 'Rejected';
  if (!report.asExpected) return { tone: 'bad', text: `${word}, and not what you expected: ${reason}.` };
  const stated = Object.values(expectation).some((value) => value !== undefined);
  if (stated) return { tone: 'good', text: `${word}, verified, and as you expected.` };
  return { tone: 'amber', text: `${word} and verified. You stated no expectation: check below that it is about what you think.` };
}

/**
 * @param {Report} report
 * @param {Expectation} expectation
 * @returns {HTMLElement[]}
 */
export function reportView(report, expectation) {
  return [
    ...(report.facts ? factsView(report.facts) : [element('p', {}, UNPROVEN)]),
    element('h2', {}, 'The steps'),
    element('ol', { class: 'steps', id: 'steps' }, ...report.steps.map(stepView)),
    ...(report.facts ? limitsView(report.facts, expectation) : []),
  ];
}

function factsView({ core, decisions }) {
  const fields = flatten(JSON.parse(toCanonical(core.payload)));
  const list = fieldList(fields);
  return [
    element(
      'figure',
      { class: 'asked' },
      element('figcaption', {}, element('strong', {}, visible(core.requester)), ' asked:'),
      element('blockquote', { id: 'action' }, visible(core.action)),
    ),
    element('ul', { id: 'decisions' }, ...decisions.map(decisionView)),
    element('h2', {}, 'What it was about'),
    element('p', { class: 'hint' }, countText(fields, list.querySelectorAll('.field').length)),
    list,
    element(
      'dl',
      { class: 'conditions' },
      ...row('Who was asked', visible(core.approvers.join(', '))),
      ...row('How many had to approve', String(core.quorum)),
      ...row('Usable until', ...time(core.useBy)),
      ...row('Request', visible(core.id)),
      ...row('Log', visible(core.log)),
    ),
  ];
}

function decisionView({ approver, decision, decidedAt, index, credential }) {
  const verb = decision === 'approve' ? ' approved it on ' : ' rejected it on ';
  return element(
    'li',
    {},
    element('strong', {}, visible(approver)),
    verb,
    ...time(decidedAt),
    ` with the passkey `,
    element('code', {}, credential),
    ` (log entry ${index})`,
  );
}

function stepView({ id, status, detail }) {
  const [mark, words] = MARKS[status];
  return element(
    'li',
    { 'data-status': status, 'data-step': id },
    element('span', { class: 'mark', 'aria-hidden': 'true' }, mark),
    element('span', {}, element('code', {}, id), ` ${words}`, ...(detail ? [': ', visible(detail)] : [])),
  );
}

function limitsView(facts, expectation) {
  const missing = notStated(expectation);
  const items = limitsOf(facts).map((limit) => element('li', {}, limit));
  if (missing.length > 0) {
    items.push(element('li', {}, `Not compared, because you stated no expectation: ${missing.join(', ')}.`));
  }
  return [element('h2', {}, 'What a receipt cannot show'), element('ul', { id: 'limits' }, ...items)];
}
