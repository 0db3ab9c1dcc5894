#!/usr/bin/env node
// Differential fuzzing of the three verifiers: whatever becomes of a receipt, all must give one report. README.md has more.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { STEPS, parseTrust, reportToJson, verify } from '../verifier-js/index.js';
import { genuineCases, mutant } from './mutants.mjs';

const BATCH = 100;
/** Below this the mutants are shallow, and agreement says little. */
const LEAST_STEPS = 8;
/** After so many disagreements the rest is not run: they most likely have one cause. */
const ENOUGH = 20;
const ROOT = fileURLToPath(new URL('..', import.meta.url));

const { values } = parseArgs({
  options: { seed: { type: 'string' }, count: { type: 'string', default: '1000' }, first: { type: 'string', default: '0' } },
});
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 32));
const [first, count] = [values.first, values.count].map(Number);
const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');
const binary = process.env.COUNTERSIGN_VERIFY ?? join(target, 'debug/countersign-verify');
if (!existsSync(binary)) {
  console.error(`there is no ${binary}: build it, or name another in COUNTERSIGN_VERIFY`);
  process.exit(2);
}
if (![first, count].every((it) => Number.isSafeInteger(it) && it >= 0)) {
  console.error('--first and --count must be whole numbers');
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'countersign-fuzz-'));
const cases = genuineCases();
/** @type {Map<string, {path: string, parsed: import('../verifier-js/trust.js').Trust}>} */
const trusts = new Map();
/** @type {Map<string, number>} */
const outcomes = new Map();
let disagreements = 0;

console.log(`seed ${seed}, mutants ${first} to ${first + count - 1} of ${cases.length} genuine receipts`);
const started = Date.now();
const workers = Array.from({ length: Math.min(availableParallelism(), 4) }, startWorker);
try {
  for (let at = first; at < first + count && disagreements < ENOUGH; at += BATCH) {
    await runBatch(at, Math.min(at + BATCH, first + count));
  }
} finally {
  workers.forEach((worker) => worker.end());
  rmSync(folder, { recursive: true });
}
summarise();

/** @typedef {{number: number, path: string, trust: string, decision: any, base: string, bytes: Buffer}} Mutant */

/** @param {number} from @param {number} to */
async function runBatch(from, to) {
  /** @type {Mutant[]} */
  const mutants = [];
  for (let number = from; number < to; number += 1) {
    const made = mutant(cases, seed, number);
    const path = join(folder, `${number - from}.receipt.json`);
    writeFileSync(path, made.bytes);
    await trustOf(made.trust);
    mutants.push({ ...made, number, path });
  }
  const [rust, python, javascript] = await Promise.all([byRust(mutants), byPython(mutants), byJavaScript(mutants)]);
  mutants.forEach((it, i) => compare(it, { Rust: rust[i], JavaScript: javascript[i], Python: python[i] }));
}

/** @param {string} text */
async function trustOf(text) {
  let trust = trusts.get(text);
  if (!trust) {
    trust = { path: join(folder, `${trusts.size}.trust.json`), parsed: await parseTrust(new TextEncoder().encode(text)) };
    writeFileSync(trust.path, text);
    trusts.set(text, trust);
  }
  return trust;
}

/** One call for all mutants with the same trust file and expectation. @param {Mutant[]} mutants */
async function byRust(mutants) {
  /** @type {Map<string, Mutant[]>} */
  const groups = new Map();
  for (const it of mutants) {
    const key = `${it.decision} ${it.trust}`;
    groups.set(key, [...(groups.get(key) ?? []), it]);
  }
  /** @type {Map<Mutant, string>} */
  const lines = new Map();
  for (const group of groups.values()) {
    const found = await callRust(group);
    // A panic ends the whole call: one by one shows which receipt it was.
    const crashed = found.length < group.length;
    const reports = crashed ? (await Promise.all(group.map((it) => callRust([it])))).map(([line]) => line) : found;
    group.forEach((it, i) => lines.set(it, reports[i] ?? '{"crash":"no report"}'));
  }
  return mutants.map((it) => String(lines.get(it)));
}

/** @param {Mutant[]} group @returns {Promise<string[]>} */
function callRust(group) {
  const { trust, decision } = group[0];
  const options = ['--json', '--trust', String(trusts.get(trust)?.path), '--decision', decision];
  const child = spawn(binary, [...group.map((it) => it.path), ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => { text += chunk; });
    child.on('error', reject).on('close', () => resolve(text.split('\n').slice(0, -1)));
  });
}

/** @param {Mutant[]} mutants @returns {Promise<string[]>} */
async function byPython(mutants) {
  return Promise.all(mutants.map((it, i) => {
    return workers[i % workers.length].ask(`${it.path}\t${trusts.get(it.trust)?.path}\t${it.decision}`);
  }));
}

function startWorker() {
  const child = spawn('python3', [join(ROOT, 'fuzz/worker.py')], {
    env: { ...process.env, PYTHONPATH: join(ROOT, 'sdk/python'), PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  /** @type {((line: string) => void)[]} */
  const waiting = [];
  createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (line) => waiting.shift()?.(line));
  child.on('error', (error) => { throw error; });
  child.on('close', () => { if (waiting.length > 0) throw new Error('the Python worker ended'); });
  return {
    ask: (/** @type {string} */ line) => /** @type {Promise<string>} */ (new Promise((resolve) => {
      waiting.push(resolve);
      child.stdin.write(`${line}\n`);
    })),
    end: () => child.stdin.end(),
  };
}

/** @param {Mutant[]} mutants */
async function byJavaScript(mutants) {
  const lines = [];
  for (const { bytes, trust, decision, path } of mutants) {
    const expectation = { decision };
    try {
      const report = await verify(new Uint8Array(bytes), (await trustOf(trust)).parsed, expectation);
      lines.push(reportToJson(path, report, expectation));
    } catch (error) {
      lines.push(JSON.stringify({ crash: error instanceof Error ? error.stack : String(error) }));
    }
  }
  return lines;
}

/**
 * Counts where a mutant ended, and saves it if the reports differ.
 *
 * @param {Mutant} it
 * @param {Record<string, string>} reports  by language, Rust's first
 */
function compare(it, reports) {
  const [rust, ...others] = Object.values(reports);
  const report = JSON.parse(reports.Rust);
  const outcome = report.crash ? 'crash' : report.failed_step ?? report.verdict;
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  if (!report.crash && others.every((other) => other === rust)) return;
  disagreements += 1;
  const saved = join(tmpdir(), `countersign-disagreement-${seed}-${it.number}`);
  mkdirSync(saved, { recursive: true });
  writeFileSync(join(saved, 'receipt.json'), it.bytes);
  writeFileSync(join(saved, 'trust.json'), it.trust);
  const results = Object.values(reports).map((line) => JSON.parse(line)).map((parsed) => {
    return parsed.crash ? 'crash' : `${parsed.verdict} ${parsed.failed_step}`;
  });
  const what = new Set(results).size > 1 ? 'verdict or step' : 'words';
  console.log(`\nDISAGREEMENT in ${what} on ${it.base}, decision ${it.decision}:`);
  console.log(`  --seed ${seed} --first ${it.number} --count 1`);
  console.log(`  saved in ${saved}`);
  for (const [name, line] of Object.entries(reports)) console.log(`  ${name.padEnd(10)} ${briefly(JSON.parse(line))}`);
}

/** @param {any} report */
function briefly({ crash, verdict, failed_step: step, steps }) {
  if (crash) return `crash: ${crash}`;
  const words = steps.find((/** @type {any} */ it) => it.id === step)?.detail ?? '';
  return `${verdict}, ${step ?? 'no step failed'}: ${JSON.stringify(words)}`;
}

function summarise() {
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const reached = STEPS.filter((step) => outcomes.has(step));
  const done = [...outcomes.values()].reduce((sum, it) => sum + it, 0);
  console.log(`\n${done} mutants in ${seconds} s, by the step that failed:`);
  for (const outcome of [...STEPS, 'approved', 'rejected', 'crash']) {
    if (outcomes.has(outcome)) console.log(`  ${outcome.padEnd(18)} ${String(outcomes.get(outcome)).padStart(7)}`);
  }
  console.log(`${reached.length} of ${STEPS.length} steps, ${disagreements} disagreements`);
  const shallow = done >= 1000 && reached.length < LEAST_STEPS;
  if (shallow) console.log(`FAILED: the mutants end in ${reached.length} steps only, at least ${LEAST_STEPS} are needed`);
  process.exitCode = disagreements > 0 || shallow ? 1 : 0;
}
