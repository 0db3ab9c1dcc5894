#!/usr/bin/env node
// What a verification costs in each language, as one table: the medians that `cargo bench --bench verify` left behind, and
// JavaScript and Python measured now. `make bench-verify` runs both parts.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measure } from './javascript.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CRITERION = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'criterion');

/** The names of benches/benches/verify.rs, what they are in words, and the same files. */
const CASES = [
  ['es256', 'one decision, ES256', 'approved'],
  ['rs256', 'one decision, RS256', 'rs256-of-2048-bits'],
  ['three-es256', 'three decisions, ES256', 'approved-3-of-3-where-2-are-needed'],
].map(([name, words, file]) => ({ name, words, path: join(ROOT, 'testdata/receipts/genuine', `${file}.json`) }));

const python = byPython();
console.log('| receipt | verifier | receipt, µs | signatures alone, µs | ratio |');
console.log('|---|---|--:|--:|--:|');
for (const [i, { name, words, path }] of CASES.entries()) {
  row(words, 'Rust, pure', byRust(`verify-${name}-rust`));
  row(words, 'Rust, AWS-LC', byRust(`verify-${name}-aws-lc`));
  row(words, 'JavaScript', await measure(path));
  row(words, 'Python', python[i]);
}

function row(words, verifier, { receipt, signatures }) {
  const figures = [receipt.toFixed(0), signatures.toFixed(0), (receipt / signatures).toFixed(2)];
  console.log(`| ${[words, verifier, ...figures].join(' | ')} |`);
}

/** Criterion writes nanoseconds. */
function byRust(group) {
  const median = (kind) => {
    const path = join(CRITERION, group, kind, 'new/estimates.json');
    return JSON.parse(readFileSync(path, 'utf8')).median.point_estimate / 1000;
  };
  return { receipt: median('receipt'), signatures: median('signatures') };
}

function byPython() {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'python.py');
  const env = { ...process.env, PYTHONPATH: join(ROOT, 'sdk/python') };
  const output = execFileSync('python3', [script, ...CASES.map(({ path }) => path)], { env, encoding: 'utf8' });
  return output.trim().split('\n').map((line) => JSON.parse(line));
}
