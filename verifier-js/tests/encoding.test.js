import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  base64, base64url, bigEndian, concat, fromBase64, fromBase64url, fromUtf8, hashFromBase64url, hex, isBase32, sha256,
} from '../encoding.js';

test('base64url has one form', () => {
  assert.equal(base64url(Uint8Array.of(0xfb, 0xff)), '-_8');
  assert.deepEqual(fromBase64url('-_8'), Uint8Array.of(0xfb, 0xff));
  assert.deepEqual(fromBase64url(''), new Uint8Array());
  for (const other of ['-_8=', '+/8', '-_9', '-_8\n', '-_ 8', '-', 'A!A', 'AAAAA', 'ＡＡ', 'AB']) {
    assert.equal(fromBase64url(other), undefined, other);
  }
});

test('base64 has one form', () => {
  assert.equal(base64(Uint8Array.of(0xfb, 0xff)), '+/8=');
  assert.deepEqual(fromBase64('+/8='), Uint8Array.of(0xfb, 0xff));
  for (const other of ['+/8', '-_8=', '+/9=', '+/8=\n', '+/8==', '====', 'A===', '=AAA', 'AA=A', 'AAA=AAAA']) {
    assert.equal(fromBase64(other), undefined, other);
  }
});

test('every length round-trips, and agrees with another encoder', () => {
  for (let length = 0; length < 70; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 89 + length * 31) % 256);
    assert.equal(base64url(bytes), Buffer.from(bytes).toString('base64url'));
    assert.equal(base64(bytes), Buffer.from(bytes).toString('base64'));
    assert.deepEqual(fromBase64url(base64url(bytes)), bytes);
    assert.deepEqual(fromBase64(base64(bytes)), bytes);
    assert.equal(hashFromBase64url(base64url(bytes)) !== undefined, length === 32);
  }
});

test('UTF-8 is strict, and a byte order mark is a character', () => {
  assert.equal(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41)), '\ufeffA');
  for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
    assert.equal(fromUtf8(Uint8Array.from(bytes)), undefined);
  }
});

test('numbers, hexadecimal, base32 and SHA-256', async () => {
  assert.equal(bigEndian(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 2)), 2n ** 64n + 2n);
  assert.equal(bigEndian(new Uint8Array()), 0n);
  assert.equal(hex(concat(Uint8Array.of(0), Uint8Array.of(10, 255))), '000aff');
  assert.ok(isBase32('az27') && !isBase32('A') && !isBase32('1') && !isBase32('a\n'));
  assert.match(hex(await sha256('')), /^e3b0c44298fc1c14.*7852b855$/);
});
