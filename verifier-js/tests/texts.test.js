// Times, names, and texts in quotes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_ACTION, checkShown, isHidden, isUsername, labelOf, quoted, visible } from '../names.js';
import { secondsOf, timeOf } from '../time.js';

test('known moments', () => {
  for (const [seconds, text] of /** @type {[number, string][]} */ ([
    [0, '1970-01-01T00:00:00Z'], [951_782_400, '2000-02-29T00:00:00Z'], [1_679_315_147, '2023-03-20T12:25:47Z'],
    [4_107_542_400, '2100-03-01T00:00:00Z'], [253_402_300_799, '9999-12-31T23:59:59Z'],
  ])) {
    assert.equal(timeOf(seconds), text);
    assert.equal(secondsOf(text), seconds);
  }
  assert.equal(timeOf(253_402_300_800), '9999-12-31T23:59:59Z');
});

test('other forms of times are refused', () => {
  for (const text of [
    '', '2026-11-21', '2026-11-21T22:30:00', '2026-11-21t22:30:00z', '2026-11-21 22:30:00Z', '2026-11-21T22:30:00.0Z',
    '2026-11-21T22:30:00+00:00', '2026-02-29T00:00:00Z', '2100-02-29T00:00:00Z', '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z', '2026-00-01T00:00:00Z', '2026-01-00T00:00:00Z', '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z', '2026-12-31T23:59:60Z', '1969-12-31T23:59:59Z', '0026-01-01T00:00:00Z',
    '+026-01-01T00:00:00Z', '2026-1-01T00:00:000Z', '２０26-01-01T00:00:00Z', '10000-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z ', '2026-01-01T00:00:00Z\n', '9999-12-31T24:00:00Z',
  ]) {
    assert.equal(secondsOf(text), undefined, text);
  }
});

test('usernames', () => {
  for (const name of ['a', 'alex', 'a.b_c-d@example.com', 'x'.repeat(64)]) assert.ok(isUsername(name), name);
  for (const name of ['', 'Alex', 'al ex', 'älex', 'a/b', 'a\n', 'x'.repeat(65)]) assert.ok(!isUsername(name), name);
});

test('titles hold nothing hidden and are counted in characters', () => {
  checkShown('Überweise 5 € 💶 an „Ω“', MAX_ACTION);
  checkShown('💶'.repeat(300), MAX_ACTION);
  assert.throws(() => checkShown('💶'.repeat(301), MAX_ACTION), { message: '301 characters, 1 to 300 are allowed' });
  assert.throws(() => checkShown('', MAX_ACTION), { message: '0 characters, 1 to 300 are allowed' });
  for (const hidden of ['\0', '\n', '\u007f', '\u0085', '\u202e', '\u2066', '\u200b', '\ufeff', '\u{e0041}']) {
    const point = `U+${(hidden.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    const message = `${point} is a control, bidirectional or invisible character`;
    assert.throws(() => checkShown(`pay${hidden}`, MAX_ACTION), { message });
    assert.equal(visible(`a${hidden}b`), `a[${point}]b`);
  }
});

test('noncharacters are hidden', () => {
  const points = Array.from({ length: 32 }, (_, i) => 0xfdd0 + i);
  for (let plane = 0; plane <= 0x10; plane += 1) points.push(plane * 0x10000 + 0xfffe, plane * 0x10000 + 0xffff);
  for (const point of points) assert.ok(isHidden(String.fromCodePoint(point)), point.toString(16));
  for (const shown of ['\ufdcf', '\ufdf0', '\ufffd', '\u{1fffd}', '\u{20000}', '\u{10fffd}']) assert.ok(!isHidden(shown), shown);
});

test('labels depend on the log', async () => {
  assert.equal(await labelOf('alex', 'approvals.example.com/log'), 'HagmAf3IKGT6wdN2M5t2IIJahJxH0CSl1w82jIq06aM');
  assert.notEqual(await labelOf('alex', 'a/log'), await labelOf('alex', 'b/log'));
});

test('quotes escape themselves and what is hidden', () => {
  assert.equal(quoted('a "b" \\ é 😀'), '"a \\"b\\" \\\\ é 😀"');
  assert.equal(quoted('\0\t\u00a0\u202e\u0301'), '"[U+0000][U+0009]\u00a0[U+202E]\u0301"');
  assert.equal(quoted('\u{e0041}\u{10fffd}\u{378}'), '"[U+E0041]\u{10fffd}\u{378}"');
});
