// The command, against the golden files of `countersign-verify`: the same reports to the byte, and the same exit codes.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readCase } from './testdata.js';

const command = fileURLToPath(new URL('../bin/verify.js', import.meta.url));
const golden = fileURLToPath(new URL('../../verifier/tests/golden/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'countersign-verifier-'));
after(() => rmSync(folder, { recursive: true }));

before(() => {
  const text = (/** @type {string} */ name) => Buffer.from(readCase(name).receipt).toString();
  const trust = Buffer.from(readCase('genuine/approved').trust).toString();
  const files = {
    'trust.json': trust,
    'unknown.json': trust.replace('{', '{"aprovers":{},'),
    'empty.json': '',
    'approved.receipt.json': text('genuine/approved-2-of-3'),
    'rejected.receipt.json': text('expectation/rejected'),
    'changed.receipt.json': text('genuine/approved').replace('deploy-bot', 'deploy-bat'),
    'after.receipt.json': text('genuine/witnesses-second-one-50-seconds-after'),
    'before.receipt.json': text('genuine/witnesses-two-before-the-decision'),
    'witnesses.json': Buffer.from(readCase('genuine/witnesses-two-before-the-decision').trust).toString(),
    'payload.json': '{"env":"staging"}',
    'same.json': '{ "service": "api-gateway", "env": "production", "replicas": 3 }\n',
    'array.json': '[]',
    'repeated.json': '{"a":1,"\\u0061":2}',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
});

/** @param {string[]} args @param {Record<string, string>} [env] */
function run(args, input = '', env = {}) {
  const { COUNTERSIGN_TRUST: _, ...rest } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    cwd: folder, input, env: { ...rest, ...env }, encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** Which golden files there are for the files above, and what differs in the names of those files. */
const CASES = [
  'approved', 'rejected', 'rejected-as-expected', 'not-verified', 'several', 'json', 'another-payload', 'missing-trust',
  'missing-receipt', 'missing-payload', 'payload-not-an-object', 'payload-with-a-repeated-key', 'unknown-trust-field',
  'empty-trust', 'witnesses', 'witnesses-json',
];

for (const name of CASES) {
  test(`golden: ${name}`, () => {
    const text = readFileSync(`${golden}${name}.txt`, 'utf8');
    const parts = /^\$ countersign-verify (.*)\nexit code (\d)\n== standard output\n(.*)== standard error\n(.*)$/s.exec(text);
    assert.ok(parts, name);
    const [, args, code, stdout, stderr] = parts;
    const found = run(args.split(' '));
    assert.equal(found.stdout, stdout);
    assert.equal(found.status, Number(code));
    // What a system says of a missing file differs between languages.
    const words = (/** @type {string} */ said) => said.replace(/^[\w.-]+: /, '').replace(/(cannot read [\w.]+: ).*/, '$1');
    assert.equal(words(found.stderr), words(stderr));
  });
}

test('every expectation that has no clock', () => {
  const args = ['approved.receipt.json', '--trust', 'trust.json', '--payload', 'same.json', '--approvers', 'sam,kim',
    '--approvers', 'alex', '--quorum', '2', '--id', 'cnf_4k2m6p3q7a5b2c4d6e3f5g7h2j', '--requester', 'deploy-bot'];
  const { status, stdout } = run(args);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /as expected: decision, payload, approvers, id, requester\n/);
  assert.equal(run([...args, '--max-age', '1']).status, 1);
  // Names alone mean a quorum of exactly 1.
  const alone = run(['approved.receipt.json', '--trust', 'trust.json', '--approvers', 'alex,kim,sam']);
  assert.equal(alone.status, 1);
  assert.match(alone.stdout, /the quorum is 2, expected 1/);
  assert.equal(run([...args, '--usable']).status, 1);
  for (const [action, code] of /** @type {[string, number][]} */ ([['Deploy api-gateway to production', 0], ['Deploy', 1], ['', 1]])) {
    assert.equal(run([...args, '--action', action]).status, code);
  }
});

test('standard input, and the trust file from the environment', () => {
  const input = Buffer.from(readCase('genuine/approved').receipt).toString();
  const { status, stdout } = run(['-'], input, { COUNTERSIGN_TRUST: 'trust.json' });
  assert.equal(status, 0);
  assert.match(stdout, /^standard input\n/);
});

test('a wrong call exits with 2 and prints no report', () => {
  const good = ['approved.receipt.json', '--trust', 'trust.json'];
  for (const args of [
    [], ['approved.receipt.json'], ['--trust', 'trust.json'], [...good, '--decision', 'approved'], [...good, '--quorum', '2'],
    [...good, '--approvers', 'Alex'], [...good, '--approvers', ''], [...good, '--max-age', '-1'], [...good, '--max-age', '1.5'],
    [...good, '--aproved'], [...good, '--json=no'], [...good, '--trust', 'trust.json'], [...good, '--action'],
    [...good, '--approvers', 'alex', '--quorum', 'x'], [...good, '--approvers', 'alex', '--quorum', '4294967296'],
    [...good, '--approvers', 'alex', '--quorum', '+1'], [...good, '--max-age', '+5'],
  ]) {
    const { status, stdout, stderr } = run(args);
    assert.deepEqual([status, stdout], [2, ''], args.join(' '));
    assert.match(stderr, /^verify\.js: /);
  }
});

test('a report that cannot be written is one sentence and exit code 2', async () => {
  const args = [command, 'approved.receipt.json', '--trust', 'trust.json'];
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
  closeSync(full);
  assert.equal(status, 2);
  assert.match(stderr, /^verify\.js: cannot write the report: ENOSPC[^\n]*\n$/);
  // A reader that goes away before the first byte.
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let said = '';
  child.stderr.on('data', (chunk) => { said += chunk; });
  const [code] = await once(child, 'close');
  assert.equal(code, 2);
  assert.match(said, /^verify\.js: cannot write the report: EPIPE[^\n]*\n$/);
});

test('a file name does not act on the terminal', () => {
  const { status, stderr } = run(['\u001b[31m\u202e.receipt.json', '--trust', 'trust.json']);
  assert.equal(status, 2);
  assert.ok(stderr.includes('[U+001B][31m[U+202E].receipt.json'));
  assert.doesNotMatch(stderr, /[\u001b\u202e]/);
});
