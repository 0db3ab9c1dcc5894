// The way from a leaf to the root (RFC 6962 §2.1.1), with what each node covers: what a drawing and a table of an inclusion
// proof show. It computes and does not judge; the verifier compares the root.
//
// A tree whose size is no power of two has a shorter right edge. A node there that has no sibling in its row is not
// hashed again: it meets a sibling further up, so its parent stands more than one row above it.

import { leafHash, nodeHash } from '/verifier/merkle.js';

/**
 * @typedef {object} TreeNode
 * @property {Uint8Array} hash
 * @property {bigint} start  the first entry that it covers
 * @property {bigint} end  the first entry that it does not cover any more
 * @property {number} height  rows above the leaves
 */

/** @typedef {{side: 'left' | 'right', sibling: TreeNode, parent: TreeNode}} Step  the sibling is given, the parent computed */

/** @typedef {{index: bigint, size: bigint, leaf: TreeNode, steps: Step[], root: TreeNode}} Path */

/**
 * Climbs from an entry to the root with the hashes of a proof.
 *
 * @param {Uint8Array} entry
 * @param {bigint} index
 * @param {bigint} size
 * @param {readonly Uint8Array[]} hashes
 * @returns {Promise<Path | undefined>} undefined if the proof has another number of hashes, or the tree no such leaf
 */
export async function climb(entry, index, size, hashes) {
  const ranges = siblingsOf(index, size);
  if (ranges.length !== hashes.length || index >= size) return undefined;
  const leaf = node(await leafHash(entry), index, index + 1n);
  const steps = [];
  let own = leaf;
  for (const [i, { side, start, end }] of ranges.entries()) {
    const sibling = node(hashes[i], start, end);
    const [left, right] = side === 'left' ? [sibling, own] : [own, sibling];
    const parent = node(await nodeHash(left.hash, right.hash), left.start, right.end);
    steps.push({ side, sibling, parent });
    own = parent;
  }
  return { index, size, leaf, steps, root: own };
}

/**
 * What the siblings on the way up cover, lowest first.
 *
 * @param {bigint} index
 * @param {bigint} size
 * @returns {{side: 'left' | 'right', start: bigint, end: bigint}[]}
 */
export function siblingsOf(index, size) {
  const found = [];
  let [place, last, width] = [index, size - 1n, 1n];
  for (; last > 0n; [place, last, width] = [place / 2n, last / 2n, width * 2n]) {
    if (place % 2n === 1n) {
      found.push({ side: 'left', start: (place - 1n) * width, end: place * width });
    } else if (place < last) {
      const end = (place + 2n) * width;
      found.push({ side: 'right', start: (place + 1n) * width, end: end < size ? end : size });
    }
  }
  return found;
}

function node(hash, start, end) {
  return { hash, start, end, height: heightOf(end - start) };
}

/** The height of a tree of so many leaves. @param {bigint} leaves */
function heightOf(leaves) {
  return leaves === 1n ? 0 : (leaves - 1n).toString(2).length;
}
