#!/usr/bin/env node
// Checks receipts offline, as `countersign-verify` does, with the same options, reports and exit codes: 0 when every receipt
// shows the expected decision, 1 when one does not, 2 when the call itself was wrong.

import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  MAX_RECEIPT, MAX_TRUST, Refusal, parsePayload, parseTrust, reportToJson, reportToText, timeOf, verify, visible,
} from '../index.js';
import { checkUsername } from '../names.js';

const USAGE = `Check receipts offline: who approved or rejected what, and whether it is in the log.

Usage: verify.js RECEIPT… --trust FILE [options]

  RECEIPT…            receipt files; - reads standard input
  --trust FILE        the trust file, or the environment variable COUNTERSIGN_TRUST
  --payload FILE      a file with the exact payload that you expect, as JSON in any layout
  --action TEXT       the exact title that you expect
  --approvers A,B     exactly who must have been asked
  --quorum N          exactly how many of them had to approve (default 1)
  --decision WORD     the decision that you expect: approve (default) or reject
  --id ID             the id of the confirmation that you expect
  --requester NAME    the name of the requester that you expect
  --max-age SECONDS   how many seconds ago it may have been decided
  --usable            refuse an approval that may not be used any more
  --json              print the report as one JSON object for each receipt

Exit codes: 0 the expected decision was reached and verified, 1 it was not, 2 the call was wrong.
`;

/** The call itself was wrong. */
class CallError extends Error {}

const text = /** @type {const} */ ({ type: 'string' });
const flag = /** @type {const} */ ({ type: 'boolean' });
const OPTIONS = /** @type {const} */ ({
  trust: text, payload: text, action: text, approvers: { type: 'string', multiple: true }, quorum: text, decision: text,
  id: text, requester: text, 'max-age': text, usable: flag, json: flag, help: { type: 'boolean', short: 'h' },
});

/** The largest quorum that can be asked for, as in the other programs. */
const MAX_QUORUM = 0xffff_ffff;

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CallError)) throw error;
  process.stderr.write(`verify.js: ${error.message}\n`);
  process.exitCode = 2;
}

/** @param {string[]} args */
async function run(args) {
  const { values, positionals } = readArguments(args);
  if (values.help) {
    print(USAGE);
    return 0;
  }
  const trustFile = values.trust ?? process.env.COUNTERSIGN_TRUST;
  if (positionals.length === 0) throw new CallError('no receipt; see --help');
  if (trustFile === undefined) throw new CallError('no trust file; see --help');
  const trust = await content(trustFile, 'trust file', () => parseTrust(read(trustFile, MAX_TRUST)));
  const expectation = await expectationOf(values);
  const withSummary = positionals.length > 1 && !values.json;
  let good = 0;
  /** @type {string[]} */
  const unreadable = [];
  for (const path of positionals) {
    const name = shown(path);
    let receipt;
    try {
      receipt = read(path, MAX_RECEIPT + 1);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      unreadable.push(error.message);
      if (withSummary) print(`${visible(name)}\n\nUNREADABLE\n`);
      continue;
    }
    const report = await verify(receipt, trust, expectation);
    if (report.asExpected) good += 1;
    print(
      values.json ? `${reportToJson(name, report, expectation)}\n` : reportToText(name, report, expectation),
    );
  }
  if (withSummary) {
    const rest = unreadable.length > 0 ? `, ${unreadable.length} unreadable` : '';
    print(`\n${good} of ${positionals.length} receipts as expected${rest}\n`);
  }
  if (unreadable.length > 0) throw new CallError(unreadable.join('; '));
  return good === positionals.length ? 0 : 1;
}

/** @param {string[]} args */
function readArguments(args) {
  try {
    const { values, positionals, tokens } = parseArgs({ args, options: OPTIONS, allowPositionals: true, tokens: true });
    const names = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
    const repeated = names.find((name, i) => name !== 'approvers' && names.indexOf(name) < i);
    if (repeated !== undefined) throw new CallError(`--${repeated} stands twice`);
    return { values, positionals };
  } catch (error) {
    throw error instanceof TypeError ? new CallError(visible(error.message)) : error;
  }
}

/**
 * @param {ReturnType<typeof readArguments>['values']} values
 * @returns {Promise<import('../verify/expectation.js').Expectation>}
 */
async function expectationOf(values) {
  const now = timeOf(Math.floor(Date.now() / 1000));
  const { payload, decision = 'approve' } = values;
  if (decision !== 'approve' && decision !== 'reject') throw new CallError('--decision must be approve or reject');
  const maxAge = values['max-age'] === undefined ? undefined : wholeNumber('max-age', values['max-age'], Number.MAX_SAFE_INTEGER);
  return {
    payload: payload === undefined
      ? undefined
      : await content(payload, 'payload', () => parsePayload(read(payload, MAX_RECEIPT))),
    action: values.action,
    approvers: approversOf(values),
    decision,
    id: values.id,
    requester: values.requester,
    maxAge: maxAge === undefined ? undefined : { now, seconds: maxAge },
    usableAt: values.usable ? now : undefined,
  };
}

/** @param {ReturnType<typeof readArguments>['values']} values */
function approversOf({ approvers, quorum }) {
  if (approvers === undefined) {
    if (quorum !== undefined) throw new CallError('--quorum needs --approvers');
    return undefined;
  }
  try {
    const names = approvers.flatMap((list) => list.split(',')).map(checkUsername);
    return { names, quorum: quorum === undefined ? 1 : wholeNumber('quorum', quorum, MAX_QUORUM) };
  } catch (error) {
    throw error instanceof Refusal ? new CallError(`--approvers: ${error.message}`) : error;
  }
}

/**
 * @param {string} option
 * @param {string} value
 * @param {number} limit
 */
function wholeNumber(option, value, limit) {
  if (!/^\d+$/.test(value)) throw new CallError(`--${option} must be a whole number`);
  const number = Number(value);
  if (number > limit) throw new CallError(`--${option} must be at most ${limit}`);
  return number;
}

/**
 * Writes to standard output, at once and in full: an error of `process.stdout` would come later, when the exit code is set.
 *
 * @param {string} text
 */
function print(text) {
  const bytes = Buffer.from(text);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSome(bytes.subarray(at));
  } catch (error) {
    throw new CallError(`cannot write the report: ${error instanceof Error ? error.message : ''}`);
  }
}

/** @param {Uint8Array} bytes */
function writeSome(bytes) {
  try {
    return writeSync(1, bytes);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EAGAIN') throw error;
    // A pipe that does not block, and is full: wait a little for its reader.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    return 0;
  }
}

/**
 * Reads a file, or standard input for `-`. What is larger than the limit is cut just behind it and refused later.
 *
 * @param {string} path
 * @param {number} limit
 */
function read(path, limit) {
  const chunks = [];
  let descriptor;
  try {
    descriptor = path === '-' ? 0 : openSync(path, 'r');
    for (let rest = limit + 1; rest > 0; ) {
      const chunk = new Uint8Array(Math.min(rest, 65_536));
      const length = readSync(descriptor, chunk);
      if (length === 0) break;
      chunks.push(chunk.subarray(0, length));
      rest -= length;
    }
  } catch (error) {
    throw new CallError(`cannot read ${visible(shown(path))}: ${visible(error instanceof Error ? error.message : '')}`);
  } finally {
    if (descriptor) closeSync(descriptor);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/**
 * Reads a file's content; what it is not is the caller's mistake.
 *
 * @template T
 * @param {string} path
 * @param {string} what
 * @param {() => T | Promise<T>} parse
 * @returns {Promise<T>}
 */
async function content(path, what, parse) {
  try {
    return await parse();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new CallError(`${visible(shown(path))} is not a ${what}: ${visible(error.message)}`);
  }
}

/** @param {string} path */
function shown(path) {
  return path === '-' ? 'standard input' : path;
}
