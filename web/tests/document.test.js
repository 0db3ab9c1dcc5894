// The parts of the pages that need no browser: canonical JSON, the document's rules, and what a reader gets to see.

import assert from 'node:assert/strict';
import { createHash, webcrypto } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { decode, encode } from '../base64url.js';
import { parseCanonical, serialize } from '../canonical-json.js';
import { describe, shortOf } from '../countdown.js';
import { Mismatch, compareCode, readRequest } from '../document.js';
import { groupsOf } from '../exact-value.js';
import { lookAlikes } from '../look-alikes.js';
import { flatten } from '../payload.js';
import { split, warningsOf } from '../visible.js';
import { ENGLISH } from '../english.js';
import { WORDS as ARABIC } from '../arabic.js';
import { nodes, text } from '../words.js';

// Node 18 has it, but not as a global.
globalThis.crypto ??= webcrypto;

const FIELDS = {
  action: 'Deploy api-gateway to production',
  approver: 'alex',
  approvers: ['alex', 'sam'],
  decision: 'approve',
  expires_at: '2026-11-21T22:35:00Z',
  id: 'cnf_4k2m6p3q7a5b2c4d6e3f5g7h2j',
  issued_at: '2026-11-21T22:30:00Z',
  log: 'approvals.example.com/log',
  nonce: encode(new Uint8Array(32).fill(1)),
  payload: { commit: 'a1b2c3d' },
  quorum: 1,
  requester: 'deploy-bot',
  reveal: false,
  salt: encode(new Uint8Array(32).fill(2)),
  type: 'countersign/document/v1',
  use_by: '2026-11-21T23:35:00Z',
};

async function read(fields, more = {}) {
  const documents = {
    approve: serialize({ ...fields, decision: 'approve' }),
    reject: serialize({ ...fields, decision: 'reject' }),
  };
  const expected = { id: fields.id, approver: fields.approver, log: FIELDS.log, compareCode: await compareCode(fields) };
  return readRequest({ ...documents, ...more.documents }, { ...expected, ...more.expected });
}

test('a well-formed request is hashed as it stands', async () => {
  const request = await read(FIELDS);
  const text = serialize(FIELDS);
  const hash = createHash('sha256').update(text).digest();
  assert.equal(request.choices.approve.text, text);
  assert.equal(request.choices.approve.sha256, hash.toString('hex'));
  assert.deepEqual([...request.choices.approve.challenge], [...new Uint8Array(32).fill(1), ...hash]);
  assert.notEqual(request.choices.reject.sha256, request.choices.approve.sha256);
  assert.match(request.compareCode, /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
});

test('the compare code covers the core and nothing else', async () => {
  const code = await compareCode(FIELDS);
  for (const field of ['approver', 'decision', 'salt']) {
    assert.equal(await compareCode({ ...FIELDS, [field]: 'other' }), code, field);
  }
  for (const field of Object.keys(FIELDS).filter((name) => !['approver', 'decision', 'salt'].includes(name))) {
    assert.notEqual(await compareCode({ ...FIELDS, [field]: 'other' }), code, field);
  }
});

test('every rule of the document is checked', async () => {
  const wrong = [
    { action: '' }, { action: 'x'.repeat(301) }, { approver: 'eve' }, { approvers: [] }, { approvers: ['sam', 'alex'] },
    { approvers: ['alex', 'alex'] }, { approvers: ['Alex', 'alex'] }, { approvers: 'alex' }, { id: 7 }, { log: '' },
    { expires_at: FIELDS.issued_at }, { use_by: FIELDS.expires_at }, { issued_at: '2026-02-30T00:00:00Z' },
    { issued_at: '2026-11-21T22:30:00.000Z' }, { nonce: 'AAAA' }, { nonce: `${FIELDS.nonce.slice(0, -1)}B` },
    { salt: null }, { payload: [] }, { payload: null }, { quorum: 0 }, { quorum: 3 }, { quorum: 1.5 }, { reveal: 'no' },
    { requester: '' }, { type: 'countersign/document/v2' }, { extra: 1 },
  ];
  for (const change of wrong) {
    await assert.rejects(read({ ...FIELDS, ...change }), Mismatch, JSON.stringify(change));
  }
  for (const name of Object.keys(FIELDS).filter((field) => field !== 'decision')) {
    const { [name]: _, ...rest } = FIELDS;
    await assert.rejects(read(rest, { expected: { id: FIELDS.id, approver: 'alex' } }), Mismatch, name);
  }
});

test('documents must agree with each other and with the answer around them', async () => {
  const approve = serialize(FIELDS);
  for (const expected of [{ id: 'cnf_other' }, { approver: 'sam' }, { log: 'other.example.com/log' }, { log: undefined }, { compareCode: 'aaaa-aaaa-aaaa-aaaa' }]) {
    await assert.rejects(read(FIELDS, { expected }), Mismatch);
  }
  for (const reject of [approve, undefined, null, '', '{}', '[]', `${approve} `, `${approve}\n`]) {
    await assert.rejects(read(FIELDS, { documents: { reject } }), Mismatch, String(reject));
  }
  await assert.rejects(readRequest(undefined, { id: FIELDS.id, approver: 'alex', log: FIELDS.log, compareCode: '' }), Mismatch);
});

test('only canonical JSON is read', () => {
  for (const text of ['{"a":1,"b":[true,null,"x"]}', '{"":0}', '"\\u0001\\n"', '1e+21', '{"10":1,"9":2}', '{"__proto__":1}']) {
    assert.equal(serialize(parseCanonical(text)), text);
  }
  const wrong = [
    '{"b":1,"a":2}', '{"a":1,"a":1}', '{ }', '1.0', '1e400', '-0', '9007199254740993', '"\\u0041"', '"\\ud800"', '"\ud800"',
    '{"9":2,"10":1}', '', 'x', '[1,]', '"\\/"',
  ];
  for (const text of wrong) assert.throws(() => parseCanonical(text), text);
});

test('keys are ordered by UTF-16 code units', () => {
  assert.equal(serialize({ '\ufb33': 1, '\u{1f600}': 2, a: 3 }), '{"a":3,"\u{1f600}":2,"\ufb33":1}');
});

test('base64url has one form', () => {
  assert.deepEqual([...decode('-_8')], [0xfb, 0xff]);
  for (const text of ['-_9', 'AA==', 'A', 'AA A', '+/8', 7]) assert.throws(() => decode(text), String(text));
});

test('hidden characters are named, and all others kept', () => {
  const shown = (text) => split(text).map((part) => part.text).join('');
  assert.equal(shown('plain text, ümläut, 漢字, עברית, 💶'), 'plain text, ümläut, 漢字, עברית, 💶');
  assert.equal(shown('a\u202eb'), 'a[U+202E RIGHT-TO-LEFT OVERRIDE]b');
  assert.equal(shown('\u200b\ufeff\u00ad'), '[U+200B ZERO WIDTH SPACE][U+FEFF ZERO WIDTH NO-BREAK SPACE][U+00AD SOFT HYPHEN]');
  assert.equal(shown(' a b '), '[U+0020 SPACE]a b[U+0020 SPACE]');
  assert.equal(shown('a\u{e0041}\ufe0f\u2800\u00a0'), 'a[U+E0041][U+FE0F][U+2800 BRAILLE PATTERN BLANK][U+00A0 NO-BREAK SPACE]');
  // The ranges that the server refuses in titles are never shown as themselves.
  const ranges = [
    [0x00, 0x1f], [0x7f, 0x9f], [0xad, 0xad], [0x34f, 0x34f], [0x61c, 0x61c], [0x115f, 0x1160], [0x17b4, 0x17b5],
    [0x180b, 0x180f], [0x200b, 0x200f], [0x2028, 0x202e], [0x2060, 0x206f], [0x2800, 0x2800], [0x3164, 0x3164],
    [0xfe00, 0xfe0f], [0xfeff, 0xfeff], [0xffa0, 0xffa0], [0xfff0, 0xfffb], [0x13430, 0x1345f], [0x1bca0, 0x1bca3], [0x1d173, 0x1d17a],
    [0xe0000, 0xe0fff],
  ];
  for (const [first, last] of ranges) {
    for (let code = first; code <= last; code += 1) {
      const parts = split(`x${String.fromCodePoint(code)}x`);
      assert.ok(parts.some((part) => part.hidden), `U+${code.toString(16)}`);
    }
  }
});

test('the end of a line is a box and no warning, unless it could hide something', () => {
  for (const text of ['a\nb', 'a\n\nb', 'a\nb\n\nc']) {
    assert.equal(split(text).map((part) => part.text).join(''), text.replaceAll('\n', '↵'));
    assert.deepEqual(warningsOf(text), []);
  }
  for (const text of ['\na', 'a\n', 'a\n\n\nb', 'a\r\nb', 'a\n b\n', 'a\n\u202eb', '\n']) {
    assert.ok(warningsOf(text).includes('warnHidden'), JSON.stringify(text));
  }
  assert.equal(split('a\n\n\nb').filter(({ text }) => text === '[U+000A LINE FEED]').length, 3);
});

test('many spaces and many marks have a box', () => {
  const shown = (text) => split(text).map((part) => part.text).join('');
  assert.equal(shown(`pay 10${' '.repeat(300)}not`), 'pay 10[300 × SPACE]not');
  assert.equal(shown('a       b'), 'a       b');
  assert.equal(shown(`if x:\n${' '.repeat(12)}y`), `if x:↵${' '.repeat(12)}y`);
  assert.equal(marked('q\u0323\u0323'), 'q\u0323\u0323[many marks]');
  assert.equal(marked('q\u0301\u0323\u0302\u0304\u0306'), 'q\u0301\u0323\u0302\u0304\u0306[many marks]');
  assert.equal(marked('\u05e9\u05b8\u05c1 \u1ec7'), '');
});

/** What of a text is marked, each with its box behind it; nothing if nothing is. */
const marked = (text) => lookAlikes(text).map(({ text: word, box }) => word + box.replaceAll('\u00a0', ' ')).join(' ');
const warned = (text) => [...new Set(lookAlikes(text).map(({ warning }) => warning))].join();

test('words of look-alike letters are noticed', () => {
  assert.equal(marked('p\u0430ypal'), 'p\u0430ypal[Cyrillic: U+0430]');
  assert.equal(marked('s\u0585s'), 's\u0585s[Armenian: U+0585]');
  assert.equal(warned('p\u0430ypal'), 'warnMixed');
  assert.equal(marked('paypal и Ω 漢字'), '');
});

test('characters that look like ASCII are named with what they look like', () => {
  const cases = {
    'p\uff41ypal': 'p\uff41ypal[U+FF41 ≈ a]',
    '\u{1d429}\u{1d41a}\u{1d432}': '\u{1d429}\u{1d41a}\u{1d432}[U+1D429 ≈ p, U+1D41A ≈ a, U+1D432 ≈ y]',
    'payp\u0251l': 'payp\u0251l[U+0251 ≈ a]',
    'G\u026aTHUB': 'G\u026aTHUB[U+026A ≈ i]',
    'example\u2024com': '\u2024[U+2024 ≈ .]',
    'example.com\u2215x': '\u2215[U+2215 ≈ /]',
    'a\u2044b': '\u2044[U+2044 ≈ /]',
    'https\ua789//x': '\ua789[U+A789 ≈ :]',
    '10\u223600': '\u2236[U+2236 ≈ :]',
    'http\u0589//x': '\u0589[U+0589 ≈ :]',
    'rm \u2010rf': '\u2010[U+2010 ≈ -]',
    '\u2212force': '\u2212[U+2212 ≈ -]',
    '\ufb01le': '\ufb01le[U+FB01 ≈ fi]',
    '\u212aelvin': '\u212aelvin[U+212A ≈ K]',
    '\u037e': '\u037e[U+037E ≈ ;]',
    'goog\u05dfe': 'goog\u05dfe[U+05DF ≈ l]',
    '1\u06600': '1\u06600[U+0660]',
    'pay\u0336pal': 'pay\u0336pal[U+0336]',
    '100\u0338': '100\u0338[U+0338]',
    '=\u20d2': '\u20d2[U+20D2]',
    'admin\u20dd': 'admin\u20dd[U+20DD]',
    'example\uff0ecom 漢字': '\uff0e[U+FF0E ≈ .]',
    '\uff50aypal 漢字': '\uff50aypal[U+FF50 ≈ p]',
    '\uff11\uff12\uff10': '\uff11\uff12\uff10[U+FF11 ≈ 1, U+FF12 ≈ 2, U+FF10 ≈ 0]',
  };
  for (const [text, shown] of Object.entries(cases)) {
    assert.equal(marked(text), shown);
    assert.equal(warned(text), 'warnLookAlike', text);
  }
  assert.equal(marked('cafe\u0301'), 'cafe\u0301[not NFC]');
  assert.equal(warned('cafe\u0301'), 'warnDecomposed');
});

test('every character whose compatibility form is ASCII is marked in plain text, but for a few that everybody writes', () => {
  const usual = new Set('ª²³¹º⁰⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎…™№');
  let found = 0;
  for (let code = 0x80; code <= 0x1ffff; code += 1) {
    const one = String.fromCodePoint(code);
    if (!/^[!-~]+$/.test(one.normalize('NFKC')) || split(one)[0].hidden) continue;
    found += 1;
    assert.equal(marked(`a${one}b`) === '', usual.has(one), `U+${code.toString(16)}`);
  }
  assert.ok(found > 1000, String(found));
});

test('honest writing in many languages has no boxes', () => {
  const honest = [
    'François Lœuvre', 'l’Été à Paris… « oui »', 'Zoë Müller-Łukasz', 'Aydın Işık', 'Đặng Thị Hồng', 'naïve façade', 'Ñandú 50 €',
    'col·legi', 'Müller & Söhne™', '10 m² CO₂ 10⁶', '5–10 — “ok” ‘x’', '½ cup', '№ 5', 'Привет, мир', 'Γειά σου Κόσμε',
    'Աննա Հակոբյան', 'Հայաստանի Հանրապետություն։', 'API։ Բարեւ', 'محمد ١٢٠ ريال', 'مرحبا API', 'שלום עולם', 'ה-API', 'का API', 'สวัสดีAPI',
    '山田太郎（株式会社）', 'ＡＢＣ商事！', '東京／大阪：１２０円', 'APIとSDK（v2）', '①東京 ②大阪 10㎏', 'カタカナ・ノート', '版本：v2', '한국어（테스트）', '📦 ship it',
  ];
  for (const one of honest) assert.equal(marked(one), '', one);
});

test('a long text of another alphabet is looked through once, not once for each of its words', () => {
  assert.equal(lookAlikes('\u0430 '.repeat(100_000)).length, 100_000);
  // As it comes when hidden characters part it.
  const whole = '\u0430\uff11\u200b'.repeat(50_000);
  for (let i = 0; i < 50_000; i += 1) assert.equal(lookAlikes('\u0430\uff11', whole).length, 1);
});

test('words wholly in letters that look like Latin ones are noticed, and writing in other alphabets is not', () => {
  const passes = ['\u0430\u0440\u0440\u04cf\u0435', 'pay \u0440\u0430\u0443\u0440\u0430\u04cf now', '\u0421\u0415\u041e', '\u03bf\u03c1', '\u0430',
    'Pay \u0441\u043e\u0441\u043e, \u043f\u0440\u0438\u0432\u0435\u0442', '\u057d\u057d\u0578', '\u13da\u13df\u13aa'];
  for (const one of passes) assert.equal(warned(one), 'warnLookAlike', one);
  const plain = ['apple', 'привет', 'сахар и соль', 'Я еду с API', 'ООО «Ромашка»', 'αβγ', 'και το νερό', 'Ω', '漢字', 'Привет, а как дела?', ''];
  for (const one of plain) assert.equal(warned(one), '', one);
});

test('a translation has the same sentences with the same places, and a form for every count', () => {
  assert.deepEqual(Object.keys(ARABIC), Object.keys(ENGLISH));
  const places = (forms) => [...new Set(JSON.stringify(forms).match(/\{\w+\}/g))].sort();
  for (const [key, forms] of Object.entries(ENGLISH)) {
    assert.deepEqual(places(ARABIC[key]), places(forms), key);
    for (const one of [forms, ARABIC[key]]) assert.ok(typeof one === 'string' || typeof one.other === 'string', key);
  }
});

test('sentences take texts and nodes, and there are none without words', () => {
  assert.equal(text('differ', { count: 1 }), '1 field differs:');
  assert.equal(text('differ', { count: 2 }), '2 fields differ:');
  const node = {};
  assert.deepEqual(nodes('asks', { requester: [node, '!'], approver: 'alex' }), [node, '!', ' asks ', 'alex', ':']);
  assert.throws(() => text('constructor'), /no words for constructor/);
});

test('every sentence that the pages name is there, and every one that is there is named', () => {
  const folder = new URL('../', import.meta.url);
  const files = readdirSync(folder).filter((name) => /\.(js|html)$/.test(name) && !['english.js', 'arabic.js'].includes(name));
  const texts = files.map((name) => readFileSync(new URL(name, folder), 'utf8'));
  const named = new Set(texts.flatMap((one) => [...one.matchAll(/'(\w+)'|data-(?:words|label)="(\w+)"/g)].map(([, quoted, attribute]) => quoted ?? attribute)));
  const composed = /^rejected(Once|Often)(By)?$/;
  for (const key of Object.keys(ENGLISH)) assert.ok(named.has(key) || composed.test(key), `nobody says ${key}`);
  for (const one of texts) {
    for (const [, key] of one.matchAll(/(?:[^\w.](?:text|nodes|named)\(|data-(?:words|label)=")'?(\w+)['"]/g)) assert.ok(Object.hasOwn(ENGLISH, key), `no words for ${key}`);
  }
  // What stands in the HTML is the English.
  for (const one of texts) {
    for (const [, key, words] of one.matchAll(/data-words="(\w+)">([^<]+)</g)) assert.equal(words, ENGLISH[key]);
    for (const [, words, key] of one.matchAll(/aria-label="([^"]+)" data-label="(\w+)"/g)) assert.equal(words, ENGLISH[key]);
  }
});

test('no script of the approvers’ pages has a sentence of its own', () => {
  const folder = new URL('../', import.meta.url);
  const read = (name) => readFileSync(new URL(name, folder), 'utf8');
  const found = new Set();
  const follow = (name) => {
    if (found.has(name)) return;
    found.add(name);
    for (const [, next] of read(name).matchAll(/from '\.\/([\w-]+\.js)'/g)) follow(next);
  };
  for (const page of ['approve', 'enrol', 'me', 'contact']) follow(`${page}.js`);
  assert.ok(found.size > 25, [...found].join(' '));
  // The words themselves; what is found wrong of a document, for the operator; and what the pages of the log say, too.
  for (const name of ['english.js', 'document.js', 'copy-button.js']) assert.ok(found.delete(name), name);
  for (const name of found) {
    const code = read(name).replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '');
    assert.doesNotMatch(code, /(['`])[^'`\n]*[A-Z][a-z]+ [a-z][^'`\n]*\1/, name);
  }
});

test('a payload becomes one field for each value, with paths that cannot be mistaken', () => {
  const payload = { a: { b: [1, { c: '' }], d: {} }, 'a.b': 1, 'a"]': [], e: null, f: -1.5e-7 };
  assert.deepEqual(
    flatten(payload).map(({ path, type, text }) => [path, type, text]),
    [
      ['a.b[0]', 'number', '1'],
      ['a.b[1].c', 'empty string', '[empty string]'],
      ['a.d', 'object', '[empty object]'],
      ['["a\\"]"]', 'list', '[empty list]'],
      ['["a.b"]', 'number', '1'],
      ['e', 'null', 'null'],
      ['f', 'number', '-1.5e-7'],
    ],
  );
  assert.deepEqual(flatten({}).map(({ path, text }) => [path, text]), [['(payload)', '[empty object]']]);
});

test('the digits of a number are grouped from the end, and all of them are there', () => {
  for (const [digits, groups] of [['12345', '12 345'], ['123456', '123 456'], ['9007199254740991', '9 007 199 254 740 991']]) {
    assert.equal(groupsOf(digits).join(' '), groups);
  }
});

test('little time is the last minute, or the last tenth up to five minutes', () => {
  for (const [all, few] of [[30, 60], [300, 60], [1200, 120], [3600, 300], [86_400, 300]]) assert.equal(shortOf(all * 1000), few * 1000);
});

test('the time left is said in few and coarse words', () => {
  const cases = [[-500, '0 seconds left'], [9_000, '10 seconds left'], [60_000, '60 seconds left'], [61_000, '2 minutes left'],
    [300_000, '5 minutes left'], [3 * 3_600_000 + 1, '3 h 1 min left']];
  for (const [left, text] of cases) assert.equal(describe(left), text);
});
