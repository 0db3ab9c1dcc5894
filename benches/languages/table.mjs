#!/usr/bin/env node
// What a verification costs in each language, as one table: runs the benchmark of the Rust verifier, then times those in
// JavaScript and Python. `make bench-verify` calls it.

import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measure } from './javascript.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The names of benches/benches/verify.rs, what they are in words, and the same files. */
const CASES = [
  ['es256', 'one decision, ES256', 'approved'],
  ['rs256', 'one decision, RS256', 'rs256-of-2048-bits'],
  ['three-es256', 'three decisions, ES256', 'approved-3-of-3-where-2-are-needed'],
].map(([name, words, file]) => ({ name, words, path: join(ROOT, 'testdata/receipts/genuine', `${file}.json`) }));

const [rust, python] = [byRust(), byPython()];
console.log('| receipt | verifier | receipt, µs | signatures alone, µs | ratio |');
console.log('|---|---|--:|--:|--:|');
for (const [i, { name, words, path }] of CASES.entries()) {
  row(words, 'Rust, pure', rust.get(`${name} rust`));
  row(words, 'Rust, AWS-LC', rust.get(`${name} aws-lc`));
  row(words, 'JavaScript', await measure(path));
  row(words, 'Python', python[i]);
}

function row(words, verifier, { receipt, signatures }) {
  const figures = [receipt.toFixed(0), signatures.toFixed(0), (receipt / signatures).toFixed(2)];
  console.log(`| ${[words, verifier, ...figures].join(' | ')} |`);
}

/** The lines of benches/benches/verify.rs: case, primitive, two figures. */
function byRust() {
  const args = 'bench --locked -p benches --no-default-features --features verify --bench verify'.split(' ');
  const output = execFileSync('cargo', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = output.trim().split('\n').map((line) => line.split(' '));
  return new Map(lines.map(([name, primitive, receipt, signatures]) => [
    `${name} ${primitive}`, { receipt: Number(receipt), signatures: Number(signatures) },
  ]));
}

function byPython() {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'python.py');
  const env = { ...process.env, PYTHONPATH: join(ROOT, 'sdk/python') };
  const output = execFileSync('python3', [script, ...CASES.map(({ path }) => path)], { env, encoding: 'utf8' });
  return output.trim().split('\n').map((line) => JSON.parse(line));
}
