import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../encoding.js';
import { asInteger } from '../fields.js';
import { JsonError, JsonNumber, JsonObject, parseCanonical, parseJson, toCanonical } from '../json.js';
import { canonicalNumber } from '../number.js';

const LIMITS = { maxBytes: 1 << 16, maxDepth: 32 };

/** @param {string} text */
function refusal(text) {
  return refusalOf(utf8(text));
}

/** @param {Uint8Array} bytes @param {import('../json.js').Limits} limits */
function refusalOf(bytes, limits = LIMITS) {
  try {
    parseJson(bytes, limits);
  } catch (error) {
    if (error instanceof JsonError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: `accepted: ${Buffer.from(bytes)}` });
}

test('the canonical form', () => {
  for (const [given, expected] of [
    [' { "b" : [ ] , "a" : null } ', '{"a":null,"b":[]}'],
    ['["\\u0041\\/\\u00e9\\ud83d\\ude00"]', '["A/é😀"]'],
    ['"\\u0000\\u001f\\b\\t\\n\\f\\r\\"\\\\\\u007f\\u2028"', '"\\u0000\\u001f\\b\\t\\n\\f\\r\\"\\\\\u007f\u2028"'],
    // By code units U+1F600 (0xD83D …) comes before U+FB33, by code points after it.
    ['{"\ufb33":1,"\u{1f600}":2}', '{"\u{1f600}":2,"\ufb33":1}'],
    ['{"10":1,"9":2,"":3}', '{"":3,"10":1,"9":2}'],
    ['{"__proto__":{"a":1},"constructor":2}', '{"__proto__":{"a":1},"constructor":2}'],
    ['[true,false,12.50,-0,1E2]', '[true,false,12.5,0,100]'],
  ]) {
    assert.equal(toCanonical(parseJson(utf8(given), LIMITS)), expected, given);
  }
});

test('a key is only a key', () => {
  const value = parseJson(utf8('{"__proto__":{"quorum":0}}'), LIMITS);
  assert.ok(value instanceof JsonObject);
  assert.equal(value.get('quorum'), undefined);
  assert.ok(value.get('__proto__') instanceof JsonObject);
  assert.equal(refusal('{"__proto__":1,"__proto__":2}').kind, 'repeated key');
});

test('canonical text is required where it matters', () => {
  assert.ok(parseCanonical(utf8('{"a":1,"b":2}'), LIMITS));
  for (const other of ['{"b":2,"a":1}', '{"a":1.0}', '{"a": 1}', '{"a":1}\n', '["\\u0041"]', '"\\/"', '[-0]']) {
    assert.throws(() => parseCanonical(utf8(other), LIMITS), { kind: 'not canonical' }, other);
  }
});

test('a refusal names the place', () => {
  assert.equal(refusal('{"a":{"b":[1,1e400]}}').path, '/a/b/1');
  assert.equal(refusal('{"a/b":{"c~d":{"e":1,"e":2}}}').path, '/a~1b/c~0d');
  const error = refusal('{"amount":1,"\\u0061mount":1000}');
  assert.equal(error.message, 'the top level: the key "amount" stands twice');
  // Places are counted in bytes, not in code units.
  assert.equal(refusal('{"é😀":x}').message, '/é😀: not JSON at byte 10: expected a value');
  assert.equal(refusalOf(Uint8Array.of(0x22, 0xff, 0x22)).message, 'the top level: not UTF-8 at byte 1');
  assert.equal(refusalOf(Uint8Array.of(0x22, 0xc3, 0xa9, 0xe2, 0x82)).message, 'the top level: not UTF-8 at byte 3');
});

test('lone surrogates are refused, also as bytes', () => {
  for (const text of ['"\\ud800"', '"\\udc00"', '"\\ud800\\ud800"', '"\\ud800x"', '"\\ud800\\n"', '{"\\udfff":1}']) {
    assert.equal(refusal(text).kind, 'lone surrogate', text);
  }
  assert.equal(refusalOf(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)).kind, 'not utf-8');
});

test('depth is counted from one', () => {
  const nested = (/** @type {number} */ depth) => '['.repeat(depth) + ']'.repeat(depth);
  assert.ok(parseJson(utf8(nested(32)), LIMITS));
  for (const depth of [33, 128, 30_000]) assert.equal(refusal(nested(depth)).kind, 'too deep');
  assert.equal(refusalOf(utf8(nested(65)), { maxBytes: 999, maxDepth: 999 }).reason, 'nested deeper than 64 levels');
});

test('what is not JSON is refused', () => {
  for (const text of [
    '', ' ', '\ufeff1', '01', '-', '1.', '.5', '1e', '1e+', '+1', 'NaN', 'Infinity', 'tru', 'nul', '{', '[', '"', '{"a"}',
    '{"a":}', '{a:1}', '{"a":1,}', '[1,]', '[1 2]', '"\\x"', '"\\u12g4"', '"\\u12', '"\n"', '"\0"', '1 2', "'a'", '[1]]',
    '/* */1', '"\\u00é9"', '{,}', '[,]', '"\\', '\u00a01', '1\u2028', '"\\U0041"', '0x10', '1_0', '--1', '"\\u 041"',
  ]) {
    assert.equal(refusal(text).kind, 'syntax', text);
  }
});

test('limits are named', () => {
  assert.equal(refusalOf(utf8('1234'), { ...LIMITS, maxBytes: 3 }).reason, '4 bytes, at most 3 are allowed');
  const long = `1${'0'.repeat(64)}`;
  assert.equal(refusal(long).reason, 'a number of 65 characters, at most 64 are allowed');
  const any = parseJson(utf8(long), { ...LIMITS, anyNumber: true });
  assert.ok(any instanceof JsonNumber && any.text === long);
});

test('numbers are laid out as ECMAScript does', () => {
  for (const [literal, expected] of [
    ['0', '0'], ['-0', '0'], ['-0.0e7', '0'], ['56.0', '56'], ['1e16', '10000000000000000'], ['1e21', '1e+21'],
    ['1.5e300', '1.5e+300'], ['123456789012345680', '123456789012345680'], ['0.00001', '0.00001'], ['1e-6', '0.000001'],
    ['1E-7', '1e-7'], ['-1.25e-9', '-1.25e-9'], ['5e-324', '5e-324'], ['0e99999999999999999999', '0'],
    ['9007199254740992', '9007199254740992'], ['100e-2', '1'], ['0.1', '0.1'], ['1e+2', '100'],
  ]) {
    assert.equal(canonicalNumber(literal), expected, literal);
  }
});

test('a number that would change is refused', () => {
  for (const literal of [
    '9007199254740993', '1e400', '-1e400', '1e-400', '0.1234567890123456789', '18446744073709551617',
    '333333333.33333329', '1e99999999999999999999', '1e-99999999999999999999', '2.2250738585072011e-308',
  ]) {
    assert.equal(canonicalNumber(literal), undefined, literal);
    assert.equal(refusal(`[${literal}]`).kind, 'inexact number');
  }
});

test('integers stop where doubles stop being exact', () => {
  const integer = (/** @type {string} */ text) => asInteger(parseJson(utf8(text), LIMITS));
  assert.equal(integer('9007199254740992'), 2n ** 53n);
  assert.equal(integer('1e3'), 1000n);
  for (const other of ['9007199254740994', '-1', '1.5', '1e21', '"1"', 'true', 'null', '[1]']) {
    assert.equal(integer(other), undefined, other);
  }
});
