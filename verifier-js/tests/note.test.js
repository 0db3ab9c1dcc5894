// Notes, their keys, and checkpoints.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCheckpoint } from '../checkpoint.js';
import { isPoint, verifyEd25519 } from '../ed25519.js';
import { concat, fromBase64, utf8 } from '../encoding.js';
import { MAX_NOTE, cosignedAt, isSignedBy, keyName, parseLogKey, parseNote, parseWitnessKey } from '../note.js';
import { makeNoteKey } from './made.js';

/** The examples of C2SP signed-note, and the test key of Go's x/mod. */
const KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const NOTE = 'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';

const parse = (/** @type {string} */ text) => parseNote(utf8(text));

test("the specification's example verifies with its key alone", async () => {
  const key = await parseLogKey(KEY);
  assert.equal(keyName(key), 'example.com/foo+530d903a');
  assert.equal(await isSignedBy(parse(NOTE), key), true);
  assert.equal(await isSignedBy(parse(NOTE), await parseLogKey(PETER)), false);
});

test('a line of an unknown key is ignored, one of a known key must verify', async () => {
  const key = await parseLogKey(KEY);
  assert.equal(await isSignedBy(parse(`${NOTE}— somebody AAAAAAA=\n`), key), true);
  const message = 'the signature by example.com/foo does not verify';
  await assert.rejects(isSignedBy(parse(NOTE.replace('example', 'eXample')), key), { message });
  await assert.rejects(isSignedBy(parse(`${NOTE}— example.com/foo Uw2QOgAAAAA=\n`), key), { message });
});

test('the last empty line separates', async () => {
  const key = await makeNoteKey('a');
  const text = 'a\n\nb\n';
  const note = parse(`${text}\n${await key.sign(text)}`);
  assert.equal(note.text, text);
  assert.equal(await isSignedBy(note, await parseLogKey(key.text)), true);
});

test('a cosignature binds its time', async () => {
  const witness = await makeNoteKey('witness.example/w', 4);
  const pinned = await parseWitnessKey(witness.text);
  const text = 'log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n';
  const line = await witness.cosign(text, 5n);
  assert.equal(await cosignedAt(parse(`${text}\n${line}`), pinned), 5n);
  assert.equal(await cosignedAt(parse(NOTE), pinned), undefined);
  const bytes = fromBase64(line.slice(line.lastIndexOf(' ') + 1, -1)) ?? new Uint8Array();
  bytes[11] = 6;
  const later = `${line.slice(0, line.lastIndexOf(' '))} ${Buffer.from(bytes).toString('base64')}\n`;
  await assert.rejects(cosignedAt(parse(`${text}\n${later}`), pinned));
  const beyond = await witness.cosign(text, 2n ** 63n);
  await assert.rejects(cosignedAt(parse(`${text}\n${beyond}`), pinned));
  await assert.rejects(parseLogKey(witness.text), /another signature type/);
});

test('malformed notes are refused', () => {
  const line = '— example.com/foo Uw2QOkn8srU=';
  for (const note of [
    '', 'text\n', `text\n${line}\n`, `text\n\n${line}`, `text\n\n${line}\r\n`, 'text\n\n- example.com/foo Uw2QOkn8srU=\n',
    'text\n\n— example.com/foo  Uw2QOkn8srU=\n', 'text\n\n— example+com Uw2QOkn8srU=\n', 'text\n\n—  Uw2QOkn8srU=\n',
    'text\n\n— a Uw2QOg==\n', 'text\n\n— a Uw2QOkn8srU\n', 'text\n\n— a\u2003b Uw2QOkn8srU=\n', `te\u0001xt\n\n${line}\n`,
    `text\n\n${`${line}\n`.repeat(65)}`, `${'x'.repeat(MAX_NOTE)}\n\n${line}\n`, 'text\n\n\n',
  ]) {
    assert.throws(() => parse(note), /^Refusal: malformed note: /, note.slice(0, 80));
  }
  assert.throws(() => parseNote(Uint8Array.of(0xff, 10, 10)), /not UTF-8/);
});

test('keys with another id, type or form are refused', async () => {
  for (const key of [
    '', 'example.com/foo', KEY.replace('3a+', '3b+'), KEY.replace('530d903a', '530D903A'), KEY.replace('foo', 'bar'),
    KEY.replace('+Ae', '+BO'), KEY.slice(0, -1), KEY.replace('/foo', ' foo'), KEY.replace('example.com/foo', ''),
    `${KEY}\n`, `${KEY}+`,
  ]) {
    await assert.rejects(parseLogKey(key), /^Refusal: not an Ed25519 note key: /, key);
  }
});

test('keys are points of the curve, and those of small order sign nothing', async () => {
  const bytes = (/** @type {number[]} */ ...first) => concat(Uint8Array.from(first), new Uint8Array(32 - first.length));
  assert.ok(isPoint(bytes(1)) && isPoint(bytes(0)) && !isPoint(bytes(2)) && !isPoint(new Uint8Array(31)));
  const eight = fromBase64('JuiVj8KyJ7BFw/SJ8u+Y8NXfrAXTxjM5sTgCiG1T/AU=') ?? new Uint8Array();
  for (const point of [bytes(1), bytes(0), eight]) {
    // With these keys R = S·B, S = 0 fits many messages if the order is not looked at.
    const signature = concat(bytes(1), new Uint8Array(32));
    for (let i = 0; i < 16; i += 1) assert.equal(await verifyEd25519(point, utf8(`${i}`), signature), false);
  }
});

test('checkpoints have one form', () => {
  const root = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';
  const checkpoint = parseCheckpoint(`example.com/log\n18446744073709551615\n${root}\n`);
  assert.equal(checkpoint.size, 2n ** 64n - 1n);
  for (const text of [
    '', `log\n1\n${root}`, `log\n1\n${root}\nextension\n`, `\n1\n${root}\n`, `log\n01\n${root}\n`, `log\n+1\n${root}\n`,
    `log\n-1\n${root}\n`, `log\n18446744073709551616\n${root}\n`, `log\n1\n${root.slice(1)}\n`, `log\n0\n${root}\n`,
    `log\n\n${root}\n`, `log\n1e3\n${root}\n`, `log\n٣\n${root}\n`,
  ]) {
    assert.throws(() => parseCheckpoint(text), /^Refusal: malformed checkpoint: /, text);
  }
});
