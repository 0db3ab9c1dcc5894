// Checkpoints (C2SP tlog-checkpoint v1.0.0): the tree head that a log signs.
//
//   <log origin>
//   <tree size, decimal>
//   <base64 of the root hash>
//
// No extension lines, and no time: signing the same head again gives the same bytes.

import { base64, fromBase64, sameBytes } from './encoding.js';
import { EMPTY_ROOT } from './merkle.js';
import { Refusal } from './refusal.js';

/**
 * @typedef {object} Checkpoint  a tree head with the name of its log
 * @property {string} logOrigin
 * @property {bigint} size  how many entries the tree has
 * @property {Uint8Array} root  the root hash over all of them
 */

/**
 * Reads a note's text. The caller verifies the note's signature.
 *
 * @param {string} text
 * @returns {Checkpoint}
 * @throws {Refusal}
 */
export function parseCheckpoint(text) {
  if (!text.endsWith('\n')) throw malformed('no newline at the end');
  const lines = text.slice(0, -1).split('\n');
  if (lines.length !== 3) throw malformed('not exactly three lines: log origin, size, root hash');
  const [logOrigin, sizeText, rootText] = lines;
  // A plus is a number to some; it falls with the zeros in front, below.
  const size = /^\+?\d+$/.test(sizeText) ? BigInt(sizeText.replace('+', '')) : undefined;
  if (size === undefined || size >= 2n ** 64n) throw malformed('the size is not a decimal number below 2^64');
  const root = fromBase64(rootText);
  if (root?.length !== 32) throw malformed('the root hash is not base64 of 32 bytes');
  if (logOrigin === '' || `${logOrigin}\n${size}\n${base64(root)}\n` !== text) {
    throw malformed('an empty log origin, or a size that is not written plainly');
  }
  if (size === 0n && !sameBytes(root, EMPTY_ROOT)) {
    throw malformed("size 0 with a root hash that is not the empty tree's");
  }
  return { logOrigin, size, root };
}

/** @param {string} why */
function malformed(why) {
  return new Refusal(`malformed checkpoint: ${why}`);
}
