// A person whose passkey is an RSA key (RS256), as on many Windows machines: the virtual authenticator makes none, so the key
// is made and used here. It is enrolled and decides over HTTP, and the receipt verifies offline.

import assert from 'node:assert/strict';
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { connect } from './requester.js';
import { startServer } from './server.js';

const PRESENT = 0x01;
const VERIFIED = 0x04;
const NEW_CREDENTIAL = 0x40;

let server;
let requester;

before(async () => {
  server = await startServer();
  requester = await connect(server);
});

after(async () => {
  await server?.stop();
});

const sha256 = (data) => createHash('sha256').update(data).digest();
const base64url = (bytes) => Buffer.from(bytes).toString('base64url');

/** A software passkey with an RSA key of 2048 bits. */
function makePasskey() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { n, e } = publicKey.export({ format: 'jwk' });
  return { privateKey, n: Buffer.from(n, 'base64url'), e: Buffer.from(e, 'base64url'), id: randomBytes(32) };
}

function clientData(type, challenge) {
  return Buffer.from(JSON.stringify({ type, challenge, origin: server.url, crossOrigin: false }));
}

/** The first 37 bytes of all authenticator data (WebAuthn §6.1). */
function head(rpId, flags) {
  return Buffer.concat([sha256(rpId), Buffer.from([flags, 0, 0, 0, 0])]);
}

/** CBOR byte string, of any length up to 65,535. */
function byteString(bytes) {
  const { length } = bytes;
  const start = length < 24 ? [0x40 | length] : length < 256 ? [0x58, length] : [0x59, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(start), bytes]);
}

const textString = (text) => Buffer.concat([Buffer.from([0x60 | text.length]), Buffer.from(text)]);

/** {1: 3, 3: -257, -1: n, -2: e} (RFC 8230 §4) */
function coseKey({ n, e }) {
  return Buffer.concat([Buffer.from([0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20]), byteString(n), Buffer.from([0x21]), byteString(e)]);
}

function register(passkey, { challenge, rp }) {
  const credential = Buffer.concat([Buffer.alloc(16), Buffer.from([0, passkey.id.length]), passkey.id, coseKey(passkey)]);
  const data = Buffer.concat([head(rp.id, PRESENT | VERIFIED | NEW_CREDENTIAL), credential]);
  const object = [Buffer.from([0xa3]), textString('fmt'), textString('none'), textString('attStmt'), Buffer.from([0xa0]), textString('authData'), byteString(data)];
  return answer(passkey, { attestationObject: base64url(Buffer.concat(object)), clientDataJSON: base64url(clientData('webauthn.create', challenge)) });
}

function sign(passkey, challenge, rpId) {
  const data = head(rpId, PRESENT | VERIFIED);
  const client = clientData('webauthn.get', base64url(challenge));
  const signature = createSign('sha256').update(data).update(sha256(client)).sign(passkey.privateKey);
  const response = { authenticatorData: base64url(data), clientDataJSON: base64url(client), signature: base64url(signature), userHandle: null };
  return answer(passkey, response);
}

function answer({ id }, response) {
  return { id: base64url(id), rawId: base64url(id), type: 'public-key', response };
}

async function post(path, body, expected = 200) {
  const headers = { 'Content-Type': 'application/json', Origin: server.url };
  const response = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await response.text();
  assert.equal(response.status, expected, `${path}: ${text}`);
  return JSON.parse(text);
}

/** What is signed about a request: its nonce and the hash of one of its documents. */
async function ceremony(id, decision) {
  const { documents, rpId } = await post(`/approve/${id}/options`, {});
  const { nonce } = JSON.parse(documents[decision]);
  return { challenge: Buffer.concat([Buffer.from(nonce, 'base64url'), sha256(documents[decision])]), rpId };
}

test('an RSA passkey is enrolled, approves and rejects, and the receipts verify', async () => {
  const { registerUrl } = await requester.invite({ username: 'rita' });
  const path = new URL(registerUrl).pathname;
  const { publicKey } = await post(`${path}/options`, {});
  assert.deepEqual(publicKey.pubKeyCredParams.map(({ alg }) => alg), [-7, -257]);
  assert.equal(publicKey.attestation, 'none');
  assert.deepEqual(publicKey.authenticatorSelection, { residentKey: 'required', requireResidentKey: true, userVerification: 'required' });
  const passkey = makePasskey();
  const enrolled = await post(path, { credential: register(passkey, publicKey) }, 201);
  assert.equal(enrolled.username, 'rita');

  for (const decision of ['approve', 'reject']) {
    const asked = await requester.ask({ username: 'rita', action: 'Pay an invoice', payload: { amount: 120, decision } });
    const { challenge, rpId } = await ceremony(asked.id, decision);
    const other = decision === 'approve' ? 'reject' : 'approve';
    // What is signed for one answer is no other answer.
    const assertion = sign(passkey, challenge, rpId);
    await post(`/approve/${asked.id}/decision`, { approver: 'rita', decision: other, assertion }, 422);
    const { status, receipt } = await post(`/approve/${asked.id}/decision`, { approver: 'rita', decision, assertion });
    assert.equal(status, decision === 'approve' ? 'approved' : 'rejected');
    const verdict = await server.verify(receipt, '--approvers', 'rita', '--decision', decision);
    assert.equal(verdict.code, 0, verdict.output);
  }
});

test('the signature of another RSA key counts for nothing', async () => {
  const { registerUrl } = await requester.invite({ username: 'rosa' });
  const path = new URL(registerUrl).pathname;
  const { publicKey } = await post(`${path}/options`, {});
  const passkey = makePasskey();
  await post(path, { credential: register(passkey, publicKey) }, 201);
  const asked = await requester.ask({ username: 'rosa', action: 'Pay an invoice', payload: { amount: 120 } });
  const { challenge, rpId } = await ceremony(asked.id, 'approve');
  const assertion = sign({ ...makePasskey(), id: passkey.id }, challenge, rpId);
  await post(`/approve/${asked.id}/decision`, { approver: 'rosa', decision: 'approve', assertion }, 422);
  assert.equal((await requester.status(asked.id)).status, 'pending');
});
