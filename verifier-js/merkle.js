// Checks proofs of RFC 6962 trees: RFC 9162 §2.1.3.2 (inclusion) and §2.1.4.2 (consistency), climbing from the leaf. First
// the root that a proof implies is computed, then it is compared. Indexes and sizes are up to 2^64 - 1, so they are BigInts
// and no 32-bit operator touches them.

import { concat, fromBase64, hex, sameBytes, sha256 } from './encoding.js';
import { Refusal } from './refusal.js';

/** @typedef {Uint8Array} Hash  32 bytes */

/**
 * The root of the tree without leaves: SHA-256 of the empty string.
 *
 * @type {Hash}
 */
export const EMPTY_ROOT = fromBase64('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=') ?? new Uint8Array();

/**
 * The hash of a leaf: `SHA-256(0x00 ‖ entry)`.
 *
 * @param {Uint8Array} entry
 * @returns {Promise<Hash>}
 */
export function leafHash(entry) {
  return sha256(concat(Uint8Array.of(0), entry));
}

/**
 * The hash of an inner node: `SHA-256(0x01 ‖ left ‖ right)`.
 *
 * @param {Hash} left
 * @param {Hash} right
 * @returns {Promise<Hash>}
 */
export function nodeHash(left, right) {
  return sha256(concat(Uint8Array.of(1), left, right));
}

/**
 * Checks that the tree of that size and root has this leaf hash at this index.
 *
 * @param {Hash} leaf
 * @param {bigint} index
 * @param {bigint} size
 * @param {readonly Hash[]} proof
 * @param {Hash} root
 * @returns {Promise<void>}
 * @throws {Refusal}
 */
export async function verifyInclusion(leaf, index, size, proof, root) {
  if (index >= size) throw new Refusal(`a tree of size ${size} has no leaf ${index}`);
  const sides = siblings(index, size - 1n);
  checkLength(proof, sides.length);
  let hash = leaf;
  for (const [i, side] of sides.entries()) {
    hash = await (side === 'left' ? nodeHash(proof[i], hash) : nodeHash(hash, proof[i]));
  }
  checkRoot(size, hash, root);
}

/**
 * Checks that the tree `from` is a prefix of the tree `to`. Of the empty tree nothing may be claimed but its root.
 *
 * @param {bigint} from
 * @param {bigint} to
 * @param {Hash} fromRoot
 * @param {Hash} toRoot
 * @param {readonly Hash[]} proof
 * @returns {Promise<void>}
 * @throws {Refusal}
 */
export async function verifyConsistency(from, to, fromRoot, toRoot, proof) {
  if (from > to) throw new Refusal(`the old tree of size ${from} is larger than the new one of size ${to}`);
  if (from === 0n) {
    checkLength(proof, 0);
    checkRoot(from, EMPTY_ROOT, fromRoot);
    if (to === 0n) checkRoot(to, EMPTY_ROOT, toRoot);
    return;
  }
  if (from === to) {
    checkLength(proof, 0);
    checkRoot(to, fromRoot, toRoot);
    return;
  }
  const [old, renewed] = await rootsFromConsistency(from, to, fromRoot, proof);
  checkRoot(from, old, fromRoot);
  checkRoot(to, renewed, toRoot);
}

/**
 * The old and the new root that a consistency proof implies, for `0 < from < to`. Both trees have the last complete subtree
 * of the old one, where the climb starts. A left sibling is in both trees; a right one is newer than the old tree.
 *
 * @param {bigint} from
 * @param {bigint} to
 * @param {Hash} fromRoot
 * @param {readonly Hash[]} proof
 * @returns {Promise<[Hash, Hash]>}
 */
async function rootsFromConsistency(from, to, fromRoot, proof) {
  let [index, last] = [from - 1n, to - 1n];
  while (index % 2n === 1n) [index, last] = [index / 2n, last / 2n];
  const sides = siblings(index, last);
  // If the old tree is that subtree alone (index is 0), its hash is the old root, and the proof leaves it out.
  const [start, ...rest] = index === 0n ? [fromRoot, ...proof] : proof;
  checkLength(proof, sides.length + (index === 0n ? 0 : 1));
  let [old, renewed] = [start, start];
  for (const [i, side] of sides.entries()) {
    if (side === 'left') [old, renewed] = [await nodeHash(rest[i], old), await nodeHash(rest[i], renewed)];
    else renewed = await nodeHash(renewed, rest[i]);
  }
  return [old, renewed];
}

/**
 * The sides of the siblings on the way up from the node `index` of a row whose last node is `last`. An odd index has its
 * sibling on the left; an even one on the right, or none if it is the last of its row.
 *
 * @param {bigint} index
 * @param {bigint} last
 * @returns {('left' | 'right')[]}
 */
function siblings(index, last) {
  /** @type {('left' | 'right')[]} */
  const sides = [];
  for (; last > 0n; [index, last] = [index / 2n, last / 2n]) {
    if (index % 2n === 1n) sides.push('left');
    else if (index < last) sides.push('right');
  }
  return sides;
}

/**
 * @param {readonly Hash[]} proof
 * @param {number} needed
 */
function checkLength(proof, needed) {
  if (proof.length !== needed) {
    throw new Refusal(`the proof has ${proof.length} hashes where ${needed} are needed`);
  }
}

/**
 * @param {bigint} size
 * @param {Hash} computed
 * @param {Hash} expected
 */
function checkRoot(size, computed, expected) {
  if (!sameBytes(computed, expected)) {
    throw new Refusal(`the proof gives the root ${hex(computed)} at size ${size}, not ${hex(expected)}`);
  }
}
