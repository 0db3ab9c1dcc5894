// Third-party vectors: Wycheproof, RFC 8785 pairs, Merkle proofs, and the "Test Vectors" of WebAuthn Level 3.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPoint, verifyEd25519 } from '../ed25519.js';
import { concat, fromBase64, sha256, utf8 } from '../encoding.js';
import { parseCanonical, parseJson, toCanonical } from '../json.js';
import { verifyConsistency, verifyInclusion } from '../merkle.js';
import { Refusal } from '../refusal.js';
import { verifyAssertion } from '../webauthn/assertion.js';
import { CborMap, decodeCbor } from '../webauthn/cbor.js';
import { parsePublicKey } from '../webauthn/public-key.js';
import { isSignatureOf, verifySignature } from '../webauthn/signature.js';
import { filesBelow, fromHex, needsVectors, readJson, readText } from './vectors.js';

/**
 * Runs each case of a Wycheproof file; how many cases there are, and how many were accepted.
 *
 * @param {string} name
 * @param {(group: any) => Promise<(message: Uint8Array, signature: Uint8Array) => Promise<boolean>>} open
 * @param {number[]} [refused]  good or acceptable cases that our profile refuses
 */
async function wycheproof(name, open, refused = []) {
  let [cases, accepted] = [0, 0];
  for (const group of readJson(name).testGroups) {
    const verify = await open(group);
    for (const { tcId, comment, msg, sig, result } of group.tests) {
      assert.ok(['valid', 'acceptable', 'invalid'].includes(result), `case ${tcId}`);
      const found = await verify(fromHex(msg), fromHex(sig));
      assert.equal(found, result !== 'invalid' && !refused.includes(tcId), `case ${tcId}: ${comment} (${result})`);
      cases += 1;
      accepted += Number(found);
    }
  }
  return { cases, accepted };
}

test('Wycheproof: ECDSA on P-256 with DER', needsVectors, async () => {
  const counts = await wycheproof('ecdsa_secp256r1_sha256_test.json', async (group) => {
    const key = await parsePublicKey(fromHex(group.publicKeyDer));
    return (message, signature) => isSignatureOf(key, message, signature);
  });
  assert.deepEqual(counts, { cases: 484, accepted: 174 });
});

// Refused by our profile: 8 leaves out the NULL of the digest's algorithm, so that a rebuilt padding differs; the keys of
// 258 and 259 have the exponent 3.
test('Wycheproof: RSASSA-PKCS1-v1_5', needsVectors, async () => {
  const counts = await wycheproof('rsa_signature_2048_sha256_test.json', async (group) => {
    const spki = fromHex(group.publicKeyDer);
    if (group.publicKey.publicExponent !== '010001') {
      await assert.rejects(parsePublicKey(spki), { code: 'R18' });
      return async () => false;
    }
    const key = await parsePublicKey(spki);
    assert.equal(key.algorithm, 'RS256');
    return (message, signature) => isSignatureOf(key, message, signature);
  }, [8, 258, 259]);
  assert.deepEqual(counts, { cases: 259, accepted: 7 });
});

test('Wycheproof: Ed25519', needsVectors, async () => {
  const counts = await wycheproof('ed25519_test.json', async (group) => {
    const key = fromHex(group.publicKey.pk);
    assert.ok(isPoint(key));
    return (message, signature) => verifyEd25519(key, message, signature);
  });
  assert.deepEqual(counts, { cases: 151, accepted: 88 });
});

const LIMITS = { maxBytes: 1 << 20, maxDepth: 32 };
const PAIRS = ['arrays', 'french', 'structures', 'unicode', 'values', 'weird'];

test('RFC 8785: every input has its output, and only outputs are canonical', needsVectors, () => {
  assert.deepEqual(filesBelow('jcs/input').map((path) => path.replace(/^.*[/\\]|\.json$/g, '')).sort(), PAIRS);
  for (const name of PAIRS) {
    let input = readText('jcs', 'input', `${name}.json`);
    const output = readText('jcs', 'output', `${name}.json`);
    assert.throws(() => parseCanonical(utf8(input), LIMITS), { name: 'JsonError' });
    if (name === 'values') {
      // The vector rounds this number; our profile refuses what it would change.
      assert.throws(() => parseJson(utf8(input), LIMITS), { kind: 'inexact number', path: '/numbers/0' });
      input = input.replace('333333333.33333329', '333333333.3333333');
    }
    assert.equal(toCanonical(parseJson(utf8(input), LIMITS)), output, name);
    const bytes = fromHex(readText('jcs', 'outhex', `${name}.txt`).replace(/\s+/g, ''));
    assert.equal(toCanonical(parseCanonical(bytes, LIMITS)), output, name);
  }
});

/** @param {string} kind @param {(file: any) => Promise<void>} verify */
async function proofs(kind, verify) {
  let [good, bad] = [0, 0];
  for (const path of filesBelow(`merkle/${kind}`)) {
    // Indexes and sizes may be beyond 2^53, where JSON.parse rounds.
    const file = JSON.parse(readText(path).replace(/("(?:leafIdx|treeSize|size1|size2)":\s*)(\d+)/g, '$1"$2"'));
    const accepted = await verify(file).then(() => true, (error) => {
      if (error instanceof Refusal) return false;
      throw error;
    });
    assert.equal(accepted, !file.wantErr, `${path} (${file.desc})`);
    if (accepted) good += 1;
    else bad += 1;
  }
  return { good, bad };
}

/** @param {string} text */
function hash(text) {
  const bytes = fromBase64(text);
  if (bytes?.length !== 32) throw new Refusal('not a hash');
  return bytes;
}

test('Merkle proofs', needsVectors, async () => {
  const inclusion = await proofs('inclusion', async ({ leafIdx, treeSize, root, leafHash, proof }) => {
    await verifyInclusion(hash(leafHash), BigInt(leafIdx), BigInt(treeSize), (proof ?? []).map(hash), hash(root));
  });
  assert.ok(inclusion.good >= 5 && inclusion.bad >= 50, JSON.stringify(inclusion));
  const consistency = await proofs('consistency', async ({ size1, size2, root1, root2, proof }) => {
    await verifyConsistency(BigInt(size1), BigInt(size2), hash(root1), hash(root2), (proof ?? []).map(hash));
  });
  assert.ok(consistency.good >= 4 && consistency.bad >= 50, JSON.stringify(consistency));
});

/**
 * Which check of our profile refuses the authentication of each case, if one does; R18 is an algorithm that we do not ask
 * for, and the others lack user verification (A11) or are framed (A8).
 *
 * @type {Record<string, string | undefined>}
 */
const LEVEL_3 = {
  'none-es256': 'A11', 'packed-self-es256': 'A11', 'none-es256-crossOrigin': 'A8', 'none-es256-topOrigin': 'A8',
  'none-es256-long-credential-id': undefined, 'packed-es256': undefined, 'packed-es384': 'R18', 'packed-es512': 'R18',
  'packed-rs256': 'A11', 'packed-eddsa': 'R18', 'packed-ed448': 'R18', 'tpm-es256': undefined, 'android-key-es256': 'A11',
  'apple-es256': 'A11', 'fido-u2f-es256': 'A11',
};

test('WebAuthn Level 3: every authentication has its verdict, and every signature that we can check is good', needsVectors, async () => {
  const { cases, rp_id: rpId, origin } = readJson('webauthn_l3.json');
  const site = { rpId, webOrigins: [origin] };
  /** @type {Record<string, string | undefined>} */
  const found = {};
  let signatures = 0;
  for (const { anchor, registration, authentication } of cases) {
    const name = anchor.replace('sctn-test-vectors-', '');
    const assertion = {
      authenticatorData: fromHex(authentication.authenticatorData),
      clientDataJson: fromHex(authentication.clientDataJSON),
      signature: fromHex(authentication.signature),
    };
    const challenge = fromHex(authentication.challenge);
    try {
      const key = await parsePublicKey(spkiOf(fromHex(registration._decoded.credentialPublicKeyCose)));
      await verifySignature(key, assertion);
      signatures += 1;
      const changed = { ...assertion, authenticatorData: assertion.authenticatorData.map((byte, i) => (i === 36 ? byte ^ 1 : byte)) };
      await assert.rejects(verifySignature(key, changed), { code: 'A15' }, name);
      found[name] = undefined;
      await verifyAssertion(assertion, challenge, site, key);
      // An accepted case has its refused twins.
      await assert.rejects(verifyAssertion(assertion, new Uint8Array(32), site, key), { code: 'A6' });
      await assert.rejects(verifyAssertion(assertion, challenge, { ...site, rpId: 'example.com' }, key), { code: 'A9' });
      await assert.rejects(verifyAssertion(assertion, challenge, { ...site, webOrigins: [] }, key), { code: 'A7' });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      found[name] = error.code;
    }
  }
  assert.deepEqual(found, LEVEL_3);
  assert.equal(signatures, 11, 'ten of ES256 and one of RS256');
});

/** The SPKI of a COSE key of an algorithm that we ask for; a server makes it at enrolment. @param {Uint8Array} cose */
function spkiOf(cose) {
  const map = decodeCbor(cose);
  if (!(map instanceof CborMap)) throw new Refusal('not a map', 'R18');
  const bytes = (/** @type {bigint} */ name) => {
    const value = map.get(name);
    return value instanceof Uint8Array ? value : new Uint8Array();
  };
  if (map.get(3n) === -7n) {
    const prefix = fromHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004');
    return concat(prefix, bytes(-2n), bytes(-3n));
  }
  if (map.get(3n) === -257n) {
    const [n, e] = [bytes(-1n), bytes(-2n)];
    const key = der(0x30, der(0x02, n[0] >= 0x80 ? concat(Uint8Array.of(0), n) : n), der(0x02, e));
    return der(0x30, fromHex('300d06092a864886f70d0101010500'), der(0x03, Uint8Array.of(0), key));
  }
  throw new Refusal('an algorithm that we do not ask for', 'R18');
}

/** @param {number} tag @param {...Uint8Array} parts */
function der(tag, ...parts) {
  const content = concat(...parts);
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return concat(Uint8Array.from(head), content);
}

test('SHA-256 of the relying party id of the vectors', needsVectors, async () => {
  const { rp_id: rpId, cases } = readJson('webauthn_l3.json');
  assert.deepEqual(fromHex(cases[0].authentication.authenticatorData).subarray(0, 32), await sha256(rpId));
});
