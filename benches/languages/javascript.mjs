// The JavaScript verifier: µs for a receipt, and for its signature checks alone.

import { readFileSync } from 'node:fs';
import { parseEntry } from '../../verifier-js/entry.js';
import { utf8 } from '../../verifier-js/encoding.js';
import { parseTrust, verify } from '../../verifier-js/index.js';
import { isSignedBy, parseNote } from '../../verifier-js/note.js';
import { parseReceipt } from '../../verifier-js/receipt.js';
import { parsePublicKey } from '../../verifier-js/webauthn/public-key.js';
import { verifySignature } from '../../verifier-js/webauthn/signature.js';

/** The two kinds of work take turns, so that a busy machine disturbs both alike. */
const [WARM_UP, ROUNDS] = [500, 1000];

/**
 * @param {string} path  a file of testdata/receipts
 * @returns {Promise<{receipt: number, signatures: number}>} medians, in µs
 */
export async function measure(path) {
  const { receipt: text, trust: trustText } = JSON.parse(readFileSync(path, 'utf8'));
  const [bytes, trust] = [utf8(text), await parseTrust(utf8(trustText))];
  const { checkpoint, decisions, enrolments } = parseReceipt(bytes);
  const note = parseNote(utf8(checkpoint));
  const keys = new Map(enrolments.map((it) => parseEntry(it.entry)).map((it) => [it.approver, it.publicKey]));
  const entries = decisions.map((part) => parseEntry(part.entry));

  const whole = async () => (await verify(bytes, trust, {})).asExpected;
  const signatures = async () => {
    for (const { approver, assertion } of entries) {
      await verifySignature(await parsePublicKey(keys.get(approver)), assertion);
    }
    return isSignedBy(note, trust.logs[0]);
  };
  const taken = { receipt: [], signatures: [] };
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    taken.receipt.push(await timed(whole));
    taken.signatures.push(await timed(signatures));
  }
  return { receipt: median(taken.receipt), signatures: median(taken.signatures) };
}

async function timed(check) {
  const start = process.hrtime.bigint();
  if (!(await check())) throw new Error('a genuine receipt was refused');
  return Number(process.hrtime.bigint() - start) / 1000;
}

function median(all) {
  const measured = all.slice(WARM_UP).sort((a, b) => a - b);
  return measured[Math.floor(measured.length / 2)];
}
