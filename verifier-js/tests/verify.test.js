// Whole receipts: the cases of testdata/, changed bytes, receipts in which one thing is wrong, and what a caller expects.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { base64url, concat, utf8 } from '../encoding.js';
import { Refusal, STEPS, limitsOf, notStated, parsePayload, parseTrust, reportToJson, verify } from '../index.js';
import { DOCUMENT, LOG, canonical, makeKey, makeNoteKey, makeReceipt } from './made.js';
import { caseNames, readCase, readTrust, trustNames } from './testdata.js';

test('there are cases', () => {
  assert.ok(caseNames().length >= 200, 'testdata/ has too few cases');
});

for (const name of trustNames()) {
  test(`testdata: trust file ${name}`, async () => {
    const { trust, valid } = readTrust(name);
    if (valid) await parseTrust(trust);
    else await assert.rejects(parseTrust(trust), Refusal);
  });
}

for (const name of caseNames()) {
  test(`testdata: ${name}`, async () => {
    const { receipt, trust, expectation, verdict, failedStep } = readCase(name);
    const report = await verify(receipt, await parseTrust(trust), expectation);
    assert.deepEqual([report.verdict, report.failedStep], [verdict, failedStep], JSON.stringify(report.steps));
    assert.deepEqual(report.steps.map(({ id }) => id), STEPS);
    const failed = failedStep === null ? STEPS.length : STEPS.indexOf(failedStep);
    for (const [i, { status }] of report.steps.entries()) {
      assert.equal(status, i < failed ? 'passed' : i === failed ? 'failed' : 'not reached');
    }
    assert.equal(report.asExpected, failedStep === null);
    assert.equal(report.facts !== null, failed >= STEPS.indexOf('expectation'));
  });
}

test('no byte of a receipt can be changed, and none can be taken away', async () => {
  const { receipt, trust: file } = readCase('genuine/approved');
  const trust = await parseTrust(file);
  const verdict = async (/** @type {Uint8Array} */ bytes) => (await verify(bytes, trust)).verdict;
  assert.equal(await verdict(receipt), 'approved');
  assert.equal(await verdict(concat(receipt, Uint8Array.of(10))), 'approved');
  for (let at = 0; at < receipt.length; at += 1) {
    for (const xor of [0x01, 0x02, 0x03, 0x10, 0x20, 0x80]) {
      const changed = Uint8Array.from(receipt);
      changed[at] ^= xor;
      assert.equal(await verdict(changed), 'not verified', `byte ${at} ^ ${xor}`);
    }
    assert.equal(await verdict(receipt.subarray(0, at)), 'not verified', `cut at ${at}`);
    assert.equal(await verdict(concat(receipt.subarray(0, at), receipt.subarray(at + 1))), 'not verified', `without ${at}`);
  }
  for (const extension of [' ', '\n\n', '\r\n', '\0', '{}']) {
    assert.equal(await verdict(concat(receipt, utf8(extension))), 'not verified');
  }
});

/** @type {import('./made.js').Key} */
let key;
before(async () => {
  key = await makeKey('ES256');
});

/**
 * @param {import('./made.js').Changes} changes
 * @param {object} [pins]  members of the trust file
 * @param {import('../verify/expectation.js').Expectation} [expectation]
 */
async function reportOf(changes, pins = {}, expectation = {}, signer = key) {
  const { receipt, trust } = await makeReceipt(signer, changes);
  return verify(receipt, await parseTrust(utf8(JSON.stringify({ ...trust, ...pins }))), expectation);
}

test('an approval with an RS256 key', async () => {
  for (const bits of [2048, 4096]) {
    const report = await reportOf({}, {}, {}, await makeKey('RS256', bits));
    assert.equal(report.verdict, 'approved', JSON.stringify(report.steps));
  }
  const other = await reportOf({ enrolment: (it) => ({ ...it, alg: 'ES256' }) }, {}, {}, await makeKey('RS256'));
  assert.equal(other.steps[7].detail, 'the key is of RS256, its enrolment says "ES256"');
});

test('the first thing that is wrong names the step', async () => {
  const later = '2026-03-01T12:05:01Z';
  for (const [step, changes] of /** @type {[string, import('./made.js').Changes][]} */ ([
    ['checkpoint', { note: async (note) => note.replace('\n2\n', '\n3\n') }],
    ['checkpoint', { note: async (note) => note + note.split('\n')[4].replace(/.{8}=$/, 'AAAAAAA=\n') }],
    ['checkpoint', { note: async (_, text) => `${text}\n${await (await makeNoteKey(LOG)).sign(text)}` }],
    ['document', { document: (it) => ({ ...it, log: 'other.example.com/log' }) }],
    ['document', { document: (it) => ({ ...it, quorum: 2 }) }],
    ['entry', { decision: (it) => ({ ...it, decided_at: later }) }],
    ['entry', { decision: (it) => ({ ...it, decision: 'reject' }) }],
    ['entry', { decision: (it) => ({ ...it, approver: base64url(new Uint8Array(32)) }) }],
    ['challenge', { clientData: (it) => ({ ...it, challenge: base64url(new Uint8Array(64)) }) }],
    ['challenge', { clientData: (it) => ({ ...it, challenge: it.challenge.slice(0, 43) }) }],
    ['challenge', { clientData: (it) => `${JSON.stringify(it)}}` }],
    ['client-data', { clientData: (it) => ({ ...it, type: 'payment.get' }) }],
    ['client-data', { clientData: (it) => ({ ...it, topOrigin: it.origin }) }],
    ['authenticator-data', { authenticatorData: (it) => it.map((byte, i) => (i === 32 ? 0x01 : byte)) }],
    ['authenticator-data', { authenticatorData: (it) => it.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) }],
    ['enrolment', { enrolment: (it) => ({ ...it, rp_id: 'example.com' }) }],
    ['enrolment', { enrolment: (it) => ({ ...it, alg: 'RS256' }) }],
    ['enrolment', { enrolment: (it) => ({ ...it, approver: base64url(new Uint8Array(32)) }) }],
    ['enrolment', { decision: (it) => ({ ...it, credential: base64url(new Uint8Array(32)) }) }],
    ['signature', { signature: (it) => it.map((byte, i) => (i === 10 ? byte ^ 1 : byte)) }],
    ['signature', { signature: (it) => concat(it, Uint8Array.of(0)) }],
  ])) {
    const report = await reportOf(changes);
    assert.deepEqual([report.failedStep, report.verdict], [step, 'not verified'], JSON.stringify(report.steps));
  }
  assert.equal((await reportOf({})).verdict, 'approved');
});

test('witnesses count by their keys', async () => {
  const [a, b] = [await makeNoteKey('a.example/w', 4), await makeNoteKey('b.example/w', 4)];
  const pins = { witnesses: [a.text, b.text], witness_quorum: 2 };
  const cosigned = (/** @type {import('./made.js').NoteKey[]} */ ...witnesses) => ({
    note: async (/** @type {string} */ note, /** @type {string} */ text) => {
      const lines = await Promise.all(witnesses.map((witness) => witness.cosign(text, 1n)));
      return note + lines.join('');
    },
  });
  const both = await reportOf(cosigned(a, b), pins);
  assert.match(both.steps[1].detail, / and 2 witness keys$/);
  assert.equal(both.verdict, 'approved');
  for (const witnesses of [[], [a], [a, a], [a, await makeNoteKey('c.example/w', 4)]]) {
    const report = await reportOf(cosigned(...witnesses), pins);
    assert.equal(report.failedStep, 'checkpoint');
  }
});

test('witnesses bound the time of a decision', async () => {
  const [a, b] = [await makeNoteKey('a.example/w', 4), await makeNoteKey('b.example/w', 4)];
  // Alex decided at 12:00:30.
  const asked = BigInt(Date.UTC(2026, 2, 1, 12) / 1000);
  const told = async (/** @type {[import('./made.js').NoteKey, bigint][]} */ times, /** @type {number} */ quorum) => {
    const note = async (/** @type {string} */ made, /** @type {string} */ text) => {
      const lines = await Promise.all(times.map(([witness, after]) => witness.cosign(text, asked + after)));
      return made + lines.join('');
    };
    const pins = quorum > 0 ? { witnesses: [a.text, b.text], witness_quorum: quorum } : {};
    const { facts } = await reportOf({ note }, pins);
    assert.ok(facts);
    return [facts.witnessedAt, ...limitsOf(facts).slice(2, -1)];
  };
  const seen = (/** @type {string} */ time) => {
    return [time, `Witnesses saw it no later than ${time}; how long before that it was decided is the server's word.`];
  };
  assert.deepEqual(await told([[a, 60n], [b, 40n]], 1), seen('2026-03-01T12:00:40Z'));
  assert.deepEqual(await told([[a, 60n], [b, 40n]], 2), seen('2026-03-01T12:01:00Z'));
  assert.deepEqual(await told([[a, 60n], [a, 50n], [b, 40n]], 2), seen('2026-03-01T12:00:50Z'));
  assert.deepEqual(await told([[a, 30n]], 1), seen('2026-03-01T12:00:30Z'));
  assert.deepEqual(await told([[a, 2n ** 63n - 1n - asked]], 1), seen('9999-12-31T23:59:59Z'));
  assert.deepEqual(await told([[a, 29n]], 1), [
    ...seen('2026-03-01T12:00:29Z'),
    "The server's word contradicts the witnesses: it says that it was decided at 2026-03-01T12:00:30Z, later.",
  ]);
  assert.deepEqual(await told([[a, 60n]], 0), [null, "The time of the decision is the server's word."]);
});

test('pins and revocations of the trust file', async () => {
  const { credential } = key;
  for (const [pins, words] of /** @type {[object, RegExp | undefined][]} */ ([
    [{ approvers: { alex: [credential] } }, undefined], [{ revoked: { [credential]: 2 } }, undefined],
    [{ approvers: {} }, /alex is not in the trust file/], [{ approvers: { sam: [credential] } }, /alex is not in/],
    [{ approvers: { alex: [base64url(new Uint8Array(32))] } }, /the key .{43} of alex is not in the trust file/],
    [{ revoked: { [credential]: 1 } }, /the key was revoked at index 1, it signed at 1/],
  ])) {
    const report = await reportOf({}, pins);
    assert.equal(report.failedStep, words ? 'enrolment' : null, JSON.stringify(pins));
    if (words) assert.match(report.steps[7].detail, words);
    assert.equal(report.facts?.keysPinned ?? false, !words && 'approvers' in pins);
  }
});

test('what a caller expects', async () => {
  const payload = (/** @type {string} */ text) => parsePayload(utf8(text));
  const core = canonical(Object.fromEntries(
    Object.entries(DOCUMENT).filter(([name]) => !['approver', 'decision', 'salt'].includes(name)),
  ));
  const { action, id, requester } = DOCUMENT;
  const expected = {
    payload: payload('{ "replicas": 3.0, "env": "production" }'), action, id, requester, core,
    approvers: { names: ['alex'], quorum: 1 }, decision: /** @type {const} */ ('approve'),
    maxAge: { now: '2026-03-01T12:00:40Z', seconds: 10 }, usableAt: '2026-03-01T13:05:00Z',
  };
  const report = await reportOf({}, {}, expected);
  assert.equal(report.steps[11].detail, 'as expected: decision, payload, action, approvers, id, core, requester, age, use_by');
  assert.deepEqual(notStated(expected), []);
  for (const [other, words] of /** @type {[object, string][]} */ ([
    [{ payload: payload('{"env":"staging"}') }, 'the payload is {"env":"production","replicas":3}, expected {"env":"staging"}'],
    [{ action: 'x' }, 'the action is "Deploy api-gateway to production", expected "x"'],
    [{ approvers: { names: ['alex', 'sam'], quorum: 1 } }, 'the approvers are alex, expected alex, sam'],
    [{ approvers: { names: ['alex'], quorum: 2 } }, 'the quorum is 1, expected 2'],
    [{ id: '' }, `the id is "${id}", expected ""`], [{ requester: 'x' }, 'the requester is "deploy-bot", expected "x"'],
    [{ maxAge: { now: '2026-03-01T12:00:41Z', seconds: 10 } }, 'decided 11 seconds ago, at most 10 are expected'],
    [{ usableAt: '2026-03-01T13:05:01Z' }, 'it could be used until 2026-03-01T13:05:00Z, now is 2026-03-01T13:05:01Z'],
  ])) {
    const differs = await reportOf({}, {}, { ...expected, ...other });
    assert.deepEqual([differs.failedStep, differs.verdict], ['expectation', 'not verified']);
    assert.equal(differs.steps[11].detail, words);
    assert.ok(differs.facts && !differs.asExpected);
  }
  const long = await reportOf({}, {}, { core: 'x'.repeat(300) });
  assert.match(long.steps[11].detail, /expected "x{200}… \(SHA-256 [\w-]{43}\)"$/);
});

test('a genuine decision stays what it is when another was expected, and only then', async () => {
  const rejection = {
    document: (/** @type {object} */ it) => ({ ...it, decision: 'reject' }),
    decision: (/** @type {object} */ it) => ({ ...it, decision: 'reject' }),
  };
  for (const [changes, expectation, verdict, asExpected] of /** @type {[object, object, string, boolean][]} */ ([
    [rejection, {}, 'rejected', false], [rejection, { decision: 'reject' }, 'rejected', true],
    [rejection, { action: 'x' }, 'not verified', false], [{}, { decision: 'reject' }, 'approved', false],
    [{}, { decision: 'reject', action: 'x' }, 'not verified', false],
  ])) {
    const report = await reportOf(changes, {}, expectation);
    assert.deepEqual([report.verdict, report.asExpected], [verdict, asExpected]);
  }
});

test('a wrong call throws, so that nothing that is misspelt passes for verified', async () => {
  const { receipt, trust: file } = readCase('genuine/approved');
  const trust = await parseTrust(file);
  for (const expectation of [
    { approver: ['alex'] }, { payload: { a: 1 } }, { decision: 'approved' }, { action: null }, { approvers: ['alex'] },
    { approvers: { names: ['Alex'], quorum: 1 } }, { approvers: { names: ['alex'] } }, { usableAt: 'now' },
    { usableAt: new Date() }, { maxAge: 10 }, { maxAge: { now: '2026-03-01T12:00:40Z' } }, { __proto__: null, toString: 1 },
  ]) {
    await assert.rejects(verify(receipt, trust, /** @type {any} */ (expectation)), TypeError);
  }
  await assert.rejects(verify(receipt, /** @type {any} */ (JSON.parse(Buffer.from(file).toString()))), TypeError);
  await assert.rejects(verify(/** @type {any} */ ('{}'), trust), TypeError);
});

test('arbitrary bytes are refused and never throw', async () => {
  const trust = await parseTrust(readCase('genuine/approved').trust);
  for (let seed = 0; seed < 300; seed += 1) {
    const bytes = crypto.getRandomValues(new Uint8Array(seed));
    assert.equal((await verify(bytes, trust)).failedStep, 'receipt');
  }
});

test('the JSON report holds nothing hidden', async () => {
  const report = await reportOf({ clientData: (it) => ({ ...it, origin: 'https://\u202e\u{e0041}.example' }) });
  const json = reportToJson('a\u200b', report, {});
  assert.match(json, /"receipt":"a\\u200b"/);
  assert.doesNotMatch(json, /[\u200b\u202e\u{e0041}]/u);
  assert.equal(JSON.parse(json).failed_step, 'client-data');
});
