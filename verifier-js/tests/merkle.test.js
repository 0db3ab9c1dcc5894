import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hex, utf8 } from '../encoding.js';
import { EMPTY_ROOT, leafHash, nodeHash, verifyConsistency, verifyInclusion } from '../merkle.js';

/** @typedef {Uint8Array} Hash */

/** RFC 6962 §2.1, written down as it stands there. @param {Hash[]} leaves @returns {Promise<Hash>} */
async function root(leaves) {
  if (leaves.length === 0) return EMPTY_ROOT;
  if (leaves.length === 1) return leaves[0];
  const k = split(leaves.length);
  return nodeHash(await root(leaves.slice(0, k)), await root(leaves.slice(k)));
}

/** The largest power of two below n. @param {number} n */
function split(n) {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** RFC 6962 §2.1.1. @param {number} m @param {Hash[]} leaves @returns {Promise<Hash[]>} */
async function path(m, leaves) {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return m < k
    ? [...(await path(m, leaves.slice(0, k))), await root(leaves.slice(k))]
    : [...(await path(m - k, leaves.slice(k))), await root(leaves.slice(0, k))];
}

/** RFC 6962 §2.1.2. @param {number} m @param {Hash[]} leaves @param {boolean} whole @returns {Promise<Hash[]>} */
async function subproof(m, leaves, whole) {
  if (m === leaves.length) return whole ? [] : [await root(leaves)];
  const k = split(leaves.length);
  return m <= k
    ? [...(await subproof(m, leaves.slice(0, k), whole)), await root(leaves.slice(k))]
    : [...(await subproof(m - k, leaves.slice(k), false)), await root(leaves.slice(0, k))];
}

const LEAVES = await Promise.all(Array.from({ length: 18 }, (_, i) => leafHash(utf8(`${i}`))));

test('every inclusion proof of small trees, and none of another index, size or length', async () => {
  for (let size = 1; size <= LEAVES.length; size += 1) {
    const leaves = LEAVES.slice(0, size);
    const [n, top] = [BigInt(size), await root(leaves)];
    for (let index = 0; index < size; index += 1) {
      const proof = await path(index, leaves);
      await verifyInclusion(leaves[index], BigInt(index), n, proof, top);
      for (let other = 0; other <= size; other += 1) {
        if (other !== index) await assert.rejects(verifyInclusion(leaves[index], BigInt(other), n, proof, top));
      }
      await assert.rejects(verifyInclusion(leaves[index], BigInt(index), n, [...proof, top], top));
      await assert.rejects(verifyInclusion(leaves[index], BigInt(index), n, proof, EMPTY_ROOT));
      if (size > 1) await assert.rejects(verifyInclusion(leaves[index], BigInt(index), n, proof.slice(1), top));
    }
  }
});

test('every consistency proof of small trees, and none of another size', async () => {
  for (let to = 1; to <= LEAVES.length; to += 1) {
    for (let from = 1; from <= to; from += 1) {
      const [old, renewed] = [await root(LEAVES.slice(0, from)), await root(LEAVES.slice(0, to))];
      const proof = await subproof(from, LEAVES.slice(0, to), true);
      await verifyConsistency(BigInt(from), BigInt(to), old, renewed, proof);
      await assert.rejects(verifyConsistency(BigInt(from), BigInt(to), old, renewed, [...proof, old]));
      if (from < to) {
        await assert.rejects(verifyConsistency(BigInt(to), BigInt(from), old, renewed, proof));
        await assert.rejects(verifyConsistency(BigInt(from), BigInt(to), renewed, old, proof));
      }
    }
  }
});

test('of the empty tree nothing may be claimed but its root', async () => {
  const other = LEAVES[0];
  await verifyConsistency(0n, 0n, EMPTY_ROOT, EMPTY_ROOT, []);
  await verifyConsistency(0n, 1n, EMPTY_ROOT, other, []);
  await assert.rejects(verifyConsistency(0n, 0n, other, other, []));
  await assert.rejects(verifyConsistency(0n, 0n, EMPTY_ROOT, other, []));
  await assert.rejects(verifyConsistency(0n, 1n, EMPTY_ROOT, other, [other]));
  assert.equal(hex(await leafHash(new Uint8Array())), '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
});

test('trees beyond 2^32 and 2^53 leaves keep every bit', async () => {
  // The last leaf of a tree of 2^k + 1 is joined with one subtree; leaf 2^k - 1 has k + 1 siblings.
  for (const k of [31n, 32n, 40n, 52n, 53n, 62n, 63n]) {
    const [leaf, subtree] = LEAVES;
    const size = 2n ** k + 1n;
    const top = await nodeHash(subtree, leaf);
    await verifyInclusion(leaf, size - 1n, size, [subtree], top);
    await assert.rejects(verifyInclusion(leaf, size - 2n, size, [subtree], top), /1 hashes where \d+ are needed/);
    let hash = leaf;
    for (let i = 0n; i < k; i += 1n) hash = await nodeHash(subtree, hash);
    const whole = await nodeHash(hash, leaf);
    const proof = [...Array(Number(k)).fill(subtree), leaf];
    await verifyInclusion(leaf, 2n ** k - 1n, size, proof, whole);
  }
  const message = 'a tree of size 18446744073709551615 has no leaf 18446744073709551615';
  await assert.rejects(verifyInclusion(LEAVES[0], 2n ** 64n - 1n, 2n ** 64n - 1n, [], LEAVES[0]), { message });
});
