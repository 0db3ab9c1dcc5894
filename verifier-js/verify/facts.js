// What a verified receipt says: who decided what, when and with which key. And what it cannot say.

/**
 * @typedef {import('../document.js').Core} Core
 * @typedef {import('../document.js').Decision} Decision
 * @typedef {import('../time.js').Time} Time
 */

/**
 * @typedef {object} DecisionFact  one approver's decision
 * @property {string} approver
 * @property {Decision} decision
 * @property {Time} decidedAt  by the server's clock
 * @property {bigint} index  where in the log
 * @property {string} credential  with which key: base64url of SHA-256 of its SPKI DER
 */

/**
 * @typedef {object} Facts  what a receipt's decisions say, once every step up to the quorum holds
 * @property {Decision} decision  what was decided in the end
 * @property {Core} core  what it was about
 * @property {DecisionFact[]} decisions  in the order of the log
 * @property {import('../checkpoint.js').Checkpoint} checkpoint  the tree head that all of it is under
 * @property {boolean} keysPinned  whether the keys were pinned by the trust file, or only logged
 * @property {Time | null} witnessedAt  when as many witnesses as the trust file asks for had cosigned; null if it asks for none
 */

/**
 * When the last decision was made.
 *
 * @param {Facts} facts
 * @returns {Time}
 */
export function decidedAt(facts) {
  return facts.decisions.reduce((last, { decidedAt: time }) => (time > last ? time : last), facts.core.issuedAt);
}

/**
 * What no receipt can show, in sentences for the reader of a report.
 *
 * @param {Facts} facts
 * @returns {string[]}
 */
export function limitsOf(facts) {
  const key = facts.keysPinned
    ? "The approvers' keys are the ones that the trust file pins."
    : "The approvers' keys are logged but not pinned: that they belong to these people is the server's word.";
  return [
    key,
    'That no rejection, revocation or consumption was left out: ask the log itself.',
    ...limitsOfTime(facts),
    "User verification is the authenticator's claim.",
  ];
}

/**
 * The server's clock, and what the witnesses' clocks say about it. Clocks differ, so neither is a failure.
 *
 * @param {Facts} facts
 */
function limitsOfTime(facts) {
  const { witnessedAt } = facts;
  if (witnessedAt === null) return ["The time of the decision is the server's word."];
  const decided = decidedAt(facts);
  const seen = `Witnesses saw it no later than ${witnessedAt}; how long before that it was decided is the server's word.`;
  if (decided <= witnessedAt) return [seen];
  return [seen, `The server's word contradicts the witnesses: it says that it was decided at ${decided}, later.`];
}
