// Which values can be approved, and that the approved text is what JSON.stringify would have sent.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { frozenValue, payloadText } from '../src/payload.js';
import { PayloadError } from '../src/index.js';

const circle = /** @type {any} */ ({});
circle.self = circle;

const REFUSED = /** @type {[string, any][]} */ ([
  ['', undefined], ['', null], ['', 'text'], ['', [1]], ['', new Map()], ['', () => {}],
  ['/a', { a: undefined }], ['/a', { a: NaN }], ['/a', { a: -Infinity }], ['/a', { a: 1n }], ['/a', { a: new Date(0) }],
  ['/a', { a() {} }], ['/a', { a: Symbol('s') }], ['/a', { a: new Set() }], ['/a', { a: new (class Point {})() }],
  ['/a', { a: new Uint8Array(2) }], ['/a', { a: Object(1) }], ['/a', { a: { toJSON: () => 1 } }], ['/a/1', { a: [1, undefined] }],
  ['/a/1', { a: [1, , 2] }], ['/a~1b/~0', { 'a/b': { '~': undefined } }], ['/a', { a: '\ud800' }], ['/\ud800', { '\ud800': 1 }],
  ['', { [Symbol('s')]: 1 }],
]);

for (const [path, payload] of REFUSED) {
  test(`refused at ${JSON.stringify(path)}: ${String(typeof payload)} ${Object.keys(Object(payload)).join()}`, () => {
    assert.throws(() => payloadText(payload), (/** @type {any} */ error) => error instanceof PayloadError && error.path === path);
  });
}

test('a payload that is too deep, too large, or holds itself is refused', () => {
  let deep = {};
  for (let i = 0; i < 32; i += 1) deep = { deep };
  assert.throws(() => payloadText(deep), PayloadError);
  assert.throws(() => payloadText(circle), PayloadError);
  assert.throws(() => payloadText({ text: 'x'.repeat(256 * 1024) }), PayloadError);
});

test('what JSON.stringify writes of numbers is their canonical form', () => {
  const numbers = [0, -0, 1, -1.5, 0.1, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 2 ** 53, 2 ** 64, 123456789.125, 1 / 3];
  for (let i = 0; i < 2000; i += 1) {
    const number = new Float64Array(crypto.getRandomValues(new Uint8Array(8)).buffer)[0];
    if (Number.isFinite(number)) numbers.push(number);
  }
  for (const n of numbers) assert.equal(payloadText({ n }), JSON.stringify({ n }));
});

test('keys stand in the order of their UTF-16 code units, whatever they are', () => {
  const payload = JSON.parse('{"b":1,"__proto__":2,"ﬀ":3,"😀":4,"10":5,"9":6}');
  const text = payloadText(payload);
  assert.equal(text, '{"10":5,"9":6,"__proto__":2,"b":1,"😀":4,"ﬀ":3}');
  assert.equal(JSON.stringify(frozenValue(text)['__proto__']), '2');
});

test('a property is read once, and what was read is what runs', () => {
  let reads = 0;
  const payload = { get amount() { reads += 1; return reads; } };
  assert.equal(payloadText(payload), '{"amount":1}');
});

test('objects without a prototype are plain', () => {
  assert.equal(payloadText(Object.assign(Object.create(null), { a: 1 })), '{"a":1}');
});

test('an approved value cannot be changed at any depth', () => {
  const value = frozenValue('{"a":[{"b":1}]}');
  assert.throws(() => { value.a[0].b = 2; }, TypeError);
  assert.throws(() => { value.a.push(1); }, TypeError);
});
