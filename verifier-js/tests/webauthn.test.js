// The approver's signature: client data, authenticator data, CBOR, keys, and encodings of signatures.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { base64url, concat, fromBase64url, sha256, utf8 } from '../encoding.js';
import { Refusal } from '../refusal.js';
import { verifyAssertion } from '../webauthn/assertion.js';
import { checkAuthenticatorData, parseAuthenticatorData } from '../webauthn/authenticator-data.js';
import { CborMap, decodeCbor } from '../webauthn/cbor.js';
import { checkClientData, decodeClientData } from '../webauthn/client-data.js';
import { parsePublicKey } from '../webauthn/public-key.js';
import { derToRaw, isSignatureOf, verifySignature } from '../webauthn/signature.js';
import { RP_ID, WEB_ORIGIN, makeAssertion, makeKey, rawToDer } from './made.js';

const C32 = base64url(new Uint8Array(32).fill(1));
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** @type {import('./made.js').Key} */
let es256;
/** @type {import('./made.js').Key} */
let rs256;
before(async () => {
  es256 = await makeKey('ES256');
  rs256 = await makeKey('RS256', 2056);
});

/** @param {string} rest */
function clientData(rest) {
  return `{"type":"webauthn.get","challenge":"${C32}","origin":"${WEB_ORIGIN}"${rest}}`;
}

/** The id of the check that refuses. @param {string | Uint8Array} data */
function codeOf(data) {
  try {
    checkClientData(decodeClientData(typeof data === 'string' ? utf8(data) : data), [WEB_ORIGIN]);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

test('client data in the shapes that clients send', () => {
  for (const shape of [
    clientData(''), clientData(',"crossOrigin":false'), clientData(',"tokenBinding":{"status":"supported"}'),
    clientData(',"crossOrigin":false,"other_keys_can_be_added_here":"do not compare clientDataJSON"'),
    clientData(',"n":[1e400,-0.1,null,9007199254740993]'), clientData(`,"x":${'['.repeat(7)}${']'.repeat(7)}`),
    clientData('').replace('https://', 'https:\\/\\/'), clientData('').replace('type', 'typ\\u0065').replaceAll(',', ',\r\n\t'),
  ]) {
    assert.equal(codeOf(shape), undefined, shape);
  }
});

test('client data that one check refuses', () => {
  const good = clientData('');
  for (const [code, data] of /** @type {[string, string | Uint8Array][]} */ ([
    ['A4', ''], ['A4', good.slice(0, -1)], ['A4', `\ufeff${good}`], ['A4', `${good} x`], ['A4', '[]'], ['A4', 'null'],
    ['A4', clientData(',"x":NaN')], ['A4', clientData(',"x":"\\ud800"')], ['A4', clientData(',"type":"webauthn.get"')],
    ['A4', clientData(`,"chall\\u0065nge":"${C32}"`)], ['A4', clientData(',"x":[{"a":1,"\\u0061":2}]')],
    ['A4', clientData(`,"x":${'['.repeat(8)}${']'.repeat(8)}`)], ['A4', clientData(`,"x":"${'x'.repeat(4096)}"`)],
    ['A4', Buffer.from(good, 'utf16le')], ['A4', good.replace('"type"', '"typ"')], ['A4', good.replace('"origin"', '"o"')],
    ['A4', good.replace('"webauthn.get"', 'null')], ['A4', clientData(',"crossOrigin":null')],
    ['A4', clientData(',"crossOrigin":"false"')], ['A5', good.replace('.get', '.create')],
    ['A5', good.replace('webauthn.get', 'payment.get')], ['A5', good.replace('webauthn.get', 'webauthn.get ')],
    ['A6', good.replace(C32, `${C32}=`)], ['A6', good.replace(C32, `${C32.slice(0, 42)}F`)],
    ['A6', good.replace(C32, base64url(new Uint8Array(63)))], ['A6', good.replace(C32, '')],
    ['A7', good.replace('.com', '.com/')], ['A7', good.replace('.com', '.com:443')], ['A7', good.replace('https', 'http')],
    ['A7', good.replace('approvals', 'evil.approvals')], ['A8', clientData(',"crossOrigin":true')],
    ['A8', clientData(',"topOrigin":null')], ['A8', clientData(`,"crossOrigin":false,"topOrigin":"${WEB_ORIGIN}"`)],
  ])) {
    assert.equal(codeOf(data), code, String(data).slice(0, 200));
  }
});

test('the words of a refusal name what was found', () => {
  const found = () => checkClientData(decodeClientData(utf8(clientData('').replace('.com', '.org'))), [WEB_ORIGIN, 'x']);
  const message = 'client data field origin is "https://approvals.example.org", expected one of '
    + '["https://approvals.example.com", "x"]';
  assert.throws(found, { message });
});

test('authenticator data', async () => {
  const hash = await sha256(RP_ID);
  const check = async (/** @type {Uint8Array} */ data) => checkAuthenticatorData(parseAuthenticatorData(data), RP_ID);
  const data = (/** @type {number} */ flags, /** @type {number[]} */ ...rest) => {
    return concat(hash, Uint8Array.of(flags, 0, 0, 1, 2), Uint8Array.from(rest));
  };
  assert.equal(parseAuthenticatorData(data(0x05)).signCount, 258);
  for (const good of [data(0x05), data(0x1d), data(0x0d), data(0x27), data(0x85, 0xa0), data(0x85, 0xa1, 0x61, 0x61, 0xf5)]) {
    await check(good);
  }
  for (const [code, bad] of /** @type {[string, Uint8Array][]} */ ([
    ['A9', concat(new Uint8Array(32), data(0x05).subarray(32))], ['A10', data(0x04)], ['A11', data(0x01)],
    ['A12', data(0x15)], ['A14', data(0x05, 0)], ['A14', data(0x45)], ['A14', data(0x85)], ['A14', data(0x85, 0x80)],
    ['A14', data(0x85, 0xa0, 0)], ['A14', data(0x85, 0xbf, 0xff)], ['A14', data(0x05).subarray(0, 36)],
    ['A14', new Uint8Array()], ['A14', concat(data(0x05), new Uint8Array(1000))],
  ])) {
    await assert.rejects(check(bad), { code }, `${code} ${bad}`);
  }
});

test('CBOR is read in one form', () => {
  const text = 'a6012020181861614201026162' + '82f4f56163f661641b0000000100000000';
  const map = decodeCbor(Uint8Array.from(Buffer.from(text, 'hex')));
  assert.ok(map instanceof CborMap);
  assert.deepEqual([map.get(1n), map.get(-1n), map.get('c'), map.get('d')], [-1n, 24n, null, 2n ** 32n]);
  assert.deepEqual(decodeCbor(Uint8Array.from([0x3b, ...Array(8).fill(255)])), -(2n ** 64n));
  for (const [lax, words] of [
    ['', 'ends inside'], ['4201', 'ends inside an item at byte 2'], ['5bffffffffffffffff', 'ends inside'],
    ['9bffffffffffffffff00', 'ends inside an item at byte 10'], ['a101', 'ends inside'], ['a000', '1 bytes follow'],
    ['bfff', 'indefinite'], ['5fff', 'indefinite'], ['1817', 'shortest'], ['1900ff', 'shortest'], ['1a0000ffff', 'shortest'],
    ['1b00000000ffffffff', 'shortest'], ['580161', 'shortest'], ['1c', 'unsupported type 0x1c'], ['c000', 'unsupported'],
    ['f7', 'unsupported'], ['f90000', 'unsupported'], ['ff', 'unsupported'], ['61ff', 'not UTF-8'], ['a14000', 'neither'],
    ['a201000100', 'byte 3 is repeated'], ['a2616100616100', 'repeated'], ['818181818181818100', 'nested deeper than 8'],
  ]) {
    assert.throws(() => decodeCbor(Uint8Array.from(Buffer.from(lax, 'hex'))), new RegExp(words), lax);
  }
  assert.ok(decodeCbor(Uint8Array.from(Buffer.from('8181818181818100', 'hex'))));
});

test('an ES256 key has one encoding', async () => {
  const key = await parsePublicKey(es256.spki);
  assert.deepEqual([key.algorithm, key.credential], ['ES256', es256.credential]);
  const changed = (/** @type {number} */ at, /** @type {number} */ byte) => {
    return es256.spki.map((old, i) => (i === at ? byte : old));
  };
  for (let at = 0; at < 26; at += 1) {
    await assert.rejects(parsePublicKey(changed(at, es256.spki[at] ^ 1)), { code: 'R18' }, `byte ${at}`);
  }
  for (const tag of [0, 2, 3, 5, 6, 7]) await assert.rejects(parsePublicKey(changed(26, tag)), /not an uncompressed/);
  await assert.rejects(parsePublicKey(changed(90, es256.spki[90] ^ 1)), /not a point of P-256/);
  await assert.rejects(parsePublicKey(concat(es256.spki.subarray(0, 27), new Uint8Array(64))), /not a point/);
  await assert.rejects(parsePublicKey(concat(es256.spki.subarray(0, 27), new Uint8Array(64).fill(255))), /not a point/);
  await assert.rejects(parsePublicKey(es256.spki.subarray(0, 90)), /is 90 bytes of SPKI, expected 91/);
  await assert.rejects(parsePublicKey(new Uint8Array()), { code: 'R18' });
  await assert.rejects(parsePublicKey(concat(es256.spki, Uint8Array.of(0))), { code: 'R18' });
});

test('an RS256 key has one encoding, 2048 to 4096 bits and the exponent 65537', async () => {
  for (const bits of [2048, 2056, 4096]) {
    const { spki, credential } = await makeKey('RS256', bits);
    const key = await parsePublicKey(spki);
    assert.deepEqual([key.algorithm, key.credential, key.modulus?.length], ['RS256', credential, bits / 8]);
  }
  const { spki } = rs256;
  // Of the header and the exponent every bit counts; of the modulus the lowest, and the form at its beginning.
  const places = [...Array(32).keys(), ...Array.from({ length: 6 }, (_, i) => spki.length - 1 - i)];
  for (const at of places) {
    for (const bit of [1, 2, 4, 8, 16, 32, 64, 128]) {
      if (at === spki.length - 6 && bit !== 1) continue;
      await assert.rejects(parsePublicKey(spki.map((byte, i) => (i === at ? byte ^ bit : byte))), { code: 'R18' }, `byte ${at}`);
    }
  }
  for (const [bits, exponent] of /** @type {[number, number[]][]} */ ([[2040, [1, 0, 1]], [4104, [1, 0, 1]], [2048, [3]]])) {
    const parameters = { name: 'RSASSA-PKCS1-v1_5', modulusLength: bits, publicExponent: Uint8Array.from(exponent), hash: 'SHA-256' };
    const pair = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey(parameters, true, ['sign', 'verify']));
    const other = new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey));
    await assert.rejects(parsePublicKey(other), { code: 'R18' }, `${bits} ${exponent}`);
  }
  await assert.rejects(parsePublicKey(concat(spki, Uint8Array.of(0))), { code: 'R18' });
  for (let end = 0; end < spki.length; end += 1) await assert.rejects(parsePublicKey(spki.subarray(0, end)), { code: 'R18' });
});

test('DER has one form for each r and s', () => {
  const der = (/** @type {string} */ hex) => derToRaw(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')));
  assert.deepEqual(der('3006 020101 020102'), concat(new Uint8Array(31), Uint8Array.of(1), new Uint8Array(31), Uint8Array.of(2)));
  const [n, last] = [N, N - 1n].map((value) => `0221 00${value.toString(16)}`);
  assert.ok(der(`3046 ${last} ${last}`));
  for (const lax of [
    '', '3000', '3005 020101 0200', '3006 020100 020101', '3006 020101 020100', '3006 020181 020101', '3007 02020001 020101',
    '308106 020101 020101', '3080 020101 020101 0000', '3006 020101 020101 00', '3007 020101 020101 00', '3007 020101 020101',
    '3106 020101 020101', '3006 030101 020101', '3006 020101 030101', '3007 02810101 020101', `3046 ${n} ${last}`,
    `3046 ${last} ${n}`, `3026 020101 0221 01${'00'.repeat(32)}`, `3027 020101 0222 0000${'80'.repeat(32)}`,
    `3025 020101 0220 ${'ff'.repeat(32)}`, `3026 020101 0221 00${'7f'.repeat(32)}`, '3006 020101 0202 01',
    '3006 0201 0102 0101 01',
  ]) {
    assert.equal(der(lax), undefined, lax);
  }
});

test('both halves of s are good', async () => {
  const key = await parsePublicKey(es256.spki);
  const message = utf8('a message');
  const raw = derToRaw(await es256.sign(message)) ?? new Uint8Array();
  const s = BigInt(`0x${Buffer.from(raw.subarray(32)).toString('hex')}`);
  const mirrored = concat(raw.subarray(0, 32), Uint8Array.from(Buffer.from((N - s).toString(16).padStart(64, '0'), 'hex')));
  assert.equal(await isSignatureOf(key, message, rawToDer(raw)), true);
  assert.equal(await isSignatureOf(key, message, rawToDer(mirrored)), true);
  assert.equal(await isSignatureOf(key, message, raw), false, 'r ‖ s is not the encoding');
});

test('each part of an assertion is checked, with either algorithm', async () => {
  const challenge = new Uint8Array(64).fill(5);
  const site = { rpId: RP_ID, webOrigins: [WEB_ORIGIN] };
  for (const key of [es256, rs256]) {
    const parsed = await parsePublicKey(key.spki);
    const check = async (/** @type {import('./made.js').Changes} */ changes, expected = challenge) => {
      const made = await makeAssertion(key, challenge, changes);
      const [authenticatorData, clientDataJson, signature] = [made.authenticator_data, made.client_data_json, made.signature]
        .map((text) => fromBase64url(text) ?? new Uint8Array());
      await verifyAssertion({ authenticatorData, clientDataJson, signature }, expected, site, parsed);
    };
    await check({});
    for (const [code, changes] of /** @type {[string, import('./made.js').Changes][]} */ ([
      ['A4', { clientData: (it) => `${JSON.stringify(it)}x` }], ['A5', { clientData: (it) => ({ ...it, type: 'webauthn.create' }) }],
      ['A7', { clientData: (it) => ({ ...it, origin: 'https://evil.example.com' }) }],
      ['A8', { clientData: (it) => ({ ...it, crossOrigin: true }) }], ['A11', { authenticatorData: (it) => it.map((byte, i) => (i === 32 ? 1 : byte)) }],
      ['A14', { authenticatorData: (it) => concat(it, Uint8Array.of(0)) }],
      ['A15', { signature: (it) => it.map((byte, i) => (i === 20 ? byte ^ 1 : byte)) }],
      ['A16', { signature: (it) => concat(it, Uint8Array.of(0)) }], ['A16', { signature: (it) => it.subarray(1) }],
      ['A16', { signature: () => new Uint8Array() }],
    ])) {
      await assert.rejects(check(changes), { code }, `${key.alg} ${code}`);
    }
    await assert.rejects(check({}, new Uint8Array(64)), { code: 'A6' });
    await assert.rejects(check({}, challenge.subarray(0, 32)), { code: 'A6' });
  }
  const key = await parsePublicKey(rs256.spki);
  const nothing = new Uint8Array();
  const tooLarge = { authenticatorData: nothing, clientDataJson: nothing, signature: key.modulus ?? nothing };
  await assert.rejects(verifySignature(key, tooLarge), { code: 'A16' }, 's is n');
});
