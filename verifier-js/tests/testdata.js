// The files in testdata/: one case each, for verifiers in every language. testdata/README.md describes them.

import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { utf8 } from '../encoding.js';
import { parsePayload } from '../index.js';

const folder = fileURLToPath(new URL('../../testdata/', import.meta.url));

/**
 * Every field that the expectation of a file may have, and what it is in a call; all of them see the whole expectation.
 *
 * @type {Record<string, (value: any, all: any) => object>}
 */
const EXPECTATIONS = {
  payload: (value) => ({ payload: parsePayload(utf8(JSON.stringify(value))) }),
  action: (value) => ({ action: value }),
  approvers: (value, all) => ({ approvers: { names: value, quorum: all.quorum } }),
  quorum: () => ({}),
  decision: (value) => ({ decision: value }),
  id: (value) => ({ id: value }),
  core: (value) => ({ core: value }),
  requester: (value) => ({ requester: value }),
  usable: (value, all) => (value ? { usableAt: all.now } : {}),
  max_age: (value, all) => ({ maxAge: { now: all.now, seconds: value } }),
  now: () => ({}),
};

/** The names of all receipts: folder and file. */
export function caseNames() {
  return namesBelow('receipts');
}

/** The names of all trust files. */
export function trustNames() {
  return namesBelow('trust');
}

/** @param {string} below */
function namesBelow(below) {
  return readdirSync(`${folder}${below}`).flatMap((inner) =>
    readdirSync(`${folder}${below}/${inner}`).map((file) => `${inner}/${file.replace(/\.json$/, '')}`));
}

/** @param {string} path */
function read(path) {
  return JSON.parse(readFileSync(`${folder}${path}.json`, 'utf8'));
}

/**
 * One receipt, ready for a call.
 *
 * @param {string} name
 */
export function readCase(name) {
  const file = read(`receipts/${name}`);
  const members = Object.entries(file.expectation).map(([key, value]) => {
    if (!Object.hasOwn(EXPECTATIONS, key)) throw new Error(`${name}: an unknown expectation ${key}`);
    return EXPECTATIONS[key](value, file.expectation);
  });
  return {
    receipt: receiptOf(file),
    trust: utf8(file.trust),
    expectation: Object.assign({}, ...members),
    verdict: file.verdict,
    failedStep: file.failed_step,
  };
}

/** @param {any} file */
function receiptOf(file) {
  if (file.receipt_base64 !== undefined) return Uint8Array.from(Buffer.from(file.receipt_base64, 'base64'));
  if (file.receipt_repeat === undefined) return utf8(file.receipt);
  const { before, text, times, after } = file.receipt_repeat;
  return utf8(before + text.repeat(times) + after);
}

/**
 * One trust file, and whether it must be read.
 *
 * @param {string} name
 */
export function readTrust(name) {
  const file = read(`trust/${name}`);
  return { trust: utf8(file.trust), valid: file.valid };
}
