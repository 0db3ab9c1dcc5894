// The same check on the command line.

/**
 * @param {string} receiptName  as the file was called; empty for a text
 * @param {ReturnType<import('./expectation-form.js').stated>} stated
 * @returns {string}
 */
export function commandLine(receiptName, stated) {
  const parts = ['countersign-verify', quote(fileName(receiptName)), '--trust', 'trust.json'];
  if (stated.payload) parts.push('--payload', 'payload.json');
  if (stated.action !== '') parts.push(option('--action', stated.action));
  if (stated.approvers.length > 0) parts.push(option('--approvers', stated.approvers.join(',')), '--quorum', String(stated.quorum));
  if (stated.decision !== '') parts.push('--decision', stated.decision);
  if (stated.id !== '') parts.push(option('--id', stated.id));
  if (stated.requester !== '') parts.push(option('--requester', stated.requester));
  if (stated.minutes !== '') parts.push('--max-age', String(60 * Number(stated.minutes)));
  if (stated.usable) parts.push('--usable');
  return parts.join(' ');
}

// A name that starts with a hyphen would be read as an option, and one with a control character could act on a terminal.
function fileName(name) {
  return name === '' || /^-|\p{C}/u.test(name) ? 'a.receipt.json' : name;
}

// A value that starts with a hyphen would be read as an option of its own, but for an equals sign.
function option(name, value) {
  return `${name}${value.startsWith('-') ? '=' : ' '}${quote(value)}`;
}

/** For a POSIX shell. */
function quote(text) {
  return /^[A-Za-z0-9._@,/:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
