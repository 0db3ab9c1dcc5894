// A proxy between browser and server that changes what either sends, field by field. Either the page stops, or the passkey
// refuses, or the server refuses what was signed; and in the end the request that all of it was tried on is still open, and
// is approved untouched.

import assert from 'node:assert/strict';
import { createHash, createPrivateKey, sign, webcrypto } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { encode } from '../base64url.js';
import { serialize } from '../canonical-json.js';
import { compareCode } from '../document.js';
import { assertReadable, enrol, heading, launchBrowser, openDevice } from './browser.js';
import { startProxy } from './proxy.js';
import { connect } from './requester.js';
import { freePort, startServer } from './server.js';

// Node 18 has it, but not as a global.
globalThis.crypto ??= webcrypto;

const ACTION = 'Pay an invoice';
const OTHER_32_BYTES = encode(new Uint8Array(32).fill(7));

let server;
let proxy;
let requester;
let browser;
let alex;
let asked;

before(async () => {
  const publicPort = await freePort();
  server = await startServer({ publicPort });
  proxy = await startProxy({ listenOn: publicPort, server: server.port });
  browser = await launchBrowser();
  requester = await connect(server);
  alex = await openDevice(browser);
  await enrol(alex.page, (await requester.invite({ username: 'alex' })).registerUrl);
  asked = await ask({ amount: 120, to: 'ACME' });
});

after(async () => {
  await browser?.close();
  await proxy?.close();
  await server?.stop();
});

beforeEach(() => {
  delete proxy.change.answer;
  delete proxy.change.question;
});

const ask = (payload) => requester.ask({ username: 'alex', action: ACTION, payload });
const press = (name) => alex.page.getByRole('button', { name, exact: true }).click();
const nothingDecided = () => alex.page.getByText('Nothing was decided. You can try again.').waitFor();

/** Changes fields in the document to approve, to reject, or in both. */
const documents = (change, which = ['approve', 'reject']) => (answer) => {
  for (const decision of which) answer.documents[decision] = serialize({ ...JSON.parse(answer.documents[decision]), ...change });
};

/** What each field of a document could be changed to; all of it is well formed. */
const FIELDS = {
  action: 'Pay another invoice',
  approver: 'sam',
  approvers: ['alex', 'sam'],
  expires_at: '2036-01-01T00:00:00Z',
  id: 'cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  issued_at: '2026-01-01T00:00:00Z',
  log: 'other.example.com/log',
  nonce: OTHER_32_BYTES,
  payload: { amount: 120, to: 'EVIL' },
  quorum: 2,
  requester: 'other-bot',
  reveal: true,
  salt: OTHER_32_BYTES,
  use_by: '2037-01-01T00:00:00Z',
};
/** With the fields that must change with them for the document to be well formed. */
const TOGETHER = { approver: { approvers: ['alex', 'sam'] }, expires_at: { use_by: '2037-01-01T00:00:00Z' }, quorum: { approvers: ['alex', 'sam'] } };
const changeOf = (name, value) => ({ [name]: value, ...TOGETHER[name] });

const STOPS = {
  ...Object.fromEntries(Object.entries(FIELDS).filter(([name]) => name !== 'salt')
    .map(([name, value]) => [`${name} in both documents`, documents(changeOf(name, value))])),
  ...Object.fromEntries([['decision', 'reject'], ['payload', FIELDS.payload], ['quorum', FIELDS.quorum], ['salt', FIELDS.salt]]
    .map(([name, value]) => [`${name} in the document to approve`, documents(changeOf(name, value), ['approve'])])),
  'type in both documents': documents({ type: 'countersign/document/v2' }),
  'the documents exchanged': ({ documents: both }) => Object.assign(both, { approve: both.reject, reject: both.approve }),
  'a document left out': ({ documents: both }) => delete both.reject,
  'the compare code': (answer) => (answer.compareCode = 'aaaa-aaaa-aaaa-aaaa'),
  'the name beside the documents': (answer) => (answer.approver = 'sam'),
};

test('what does not fit together stops the page', async (t) => {
  const { page, violations } = alex;
  for (const [name, change] of Object.entries(STOPS)) {
    await t.test(name, async () => {
      proxy.change.answer = (answer, path) => path.endsWith('/options') && change(answer);
      await page.goto(asked.url);
      await heading(page, 'Stop: do not approve this');
      assert.equal(await page.locator('button:visible').count(), 0);
      assert.equal(await page.locator('.field').count(), 0);
      assert.deepEqual(violations, []);
    });
  }
});

/** Lies that fit together: the compare code is that of the changed document, so the requester has another one. */
const CONSISTENT = ['action', 'approvers', 'expires_at', 'issued_at', 'nonce', 'payload', 'quorum', 'requester', 'reveal', 'salt', 'use_by'];

test('a lie that fits together shows another code, and what is signed over it is refused', async (t) => {
  const { page, violations } = alex;
  for (const name of CONSISTENT) {
    await t.test(name, async () => {
      const change = changeOf(name, FIELDS[name]);
      const { approve } = await documentsOf(asked.id);
      const code = await compareCode({ ...approve, ...change });
      proxy.change.answer = (answer, path) => {
        if (!path.endsWith('/options')) return;
        documents(change)(answer);
        answer.compareCode = code;
      };
      await page.goto(asked.url);
      await heading(page, 'Approve or reject?');
      const shown = await page.locator('#compare-code').textContent();
      // The salt is one approver's own, and no part of what they share.
      if (name !== 'salt') assert.notEqual(shown, asked.compareCode);
      await press('Approve');
      await nothingDecided();
      assert.deepEqual(violations, []);
    });
  }
});

test('a document of another log stops the page, also where it fits together', async () => {
  const { page, violations } = alex;
  const { approve } = await documentsOf(asked.id);
  for (const log of ['other.example.com/log', `${approve.log}/`, approve.log.replace('localhost', 'LOCALHOST'), new URL(server.url).host]) {
    const code = await compareCode({ ...approve, log });
    proxy.change.answer = (answer, path) => {
      if (!path.endsWith('/options')) return;
      documents({ log })(answer);
      answer.compareCode = code;
    };
    await page.goto(asked.url);
    await heading(page, 'Stop: do not approve this');
    await page.getByText('The document belongs to the log of another site.').waitFor();
    assert.equal(await page.locator('button:visible').count(), 0);
  }
  await assertReadable(page, violations);
});

/** What stands beside the documents and steers the passkey dialog. */
const STEERS = {
  'another relying party': [(answer) => (answer.rpId = 'example.com'), /does not allow passkeys at this address/],
  'another passkey': [(answer) => (answer.credentials = [{ id: OTHER_32_BYTES }]), /dialog was closed or timed out/],
  'no passkey': [(answer) => (answer.credentials = []), /has no passkey on this server/],
};

test('what steers the passkey decides nothing', async (t) => {
  const { page } = alex;
  // A passkey that nobody has is waited for until somebody gives up.
  for (const [name, [change, words]] of Object.entries(STEERS)) {
    await t.test(name, async () => {
      proxy.change.answer = (answer, path) => path.endsWith('/options') && change(answer);
      await page.goto(asked.url);
      await heading(page, name === 'no passkey' ? 'You cannot decide' : 'Approve or reject?');
      if (name !== 'no passkey') await press('Approve');
      await page.locator('#status, #alert').filter({ hasText: words }).waitFor();
    });
  }
});

test('an answer that was changed on its way, or was given to another request, is refused', async (t) => {
  const { page } = alex;
  const other = await ask({ amount: 121, to: 'ACME' });
  let old;
  proxy.change.question = (body, path) => {
    if (path.endsWith('/decision')) old = body.assertion;
  };
  await page.goto(other.url);
  await press('Approve');
  await heading(page, 'Approved');
  const flip = (text) => encode(Buffer.from(text, 'base64url').map((byte, i, all) => (i === all.length - 1 ? byte ^ 1 : byte)));
  const changes = {
    'the decision turned round': (body) => (body.decision = 'reject'),
    'an assertion of another request': (body) => (body.assertion = old),
    'a bit of the signature': ({ assertion: { response } }) => (response.signature = flip(response.signature)),
    'a bit of the authenticator data': ({ assertion: { response } }) => (response.authenticatorData = flip(response.authenticatorData)),
    'the client data of another answer': (body) => (body.assertion.response.clientDataJSON = old.response.clientDataJSON),
    'another passkey': ({ assertion }) => Object.assign(assertion, { id: OTHER_32_BYTES, rawId: OTHER_32_BYTES }),
  };
  for (const [name, change] of Object.entries(changes)) {
    await t.test(name, async () => {
      proxy.change.question = (body, path) => path.endsWith('/decision') && change(body);
      await page.goto(asked.url);
      await heading(page, 'Approve or reject?');
      await press('Approve');
      await nothingDecided();
    });
  }
});

test('an answer without user verification is refused', async () => {
  const { page, setResponseOverride } = alex;
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  for (const bits of [{ isBadUV: true }, { isBadUP: true }, { isBogusSignature: true }]) {
    await setResponseOverride(bits);
    await press('Approve');
    await nothingDecided();
    await page.locator('#approve:enabled').waitFor();
  }
  await setResponseOverride({});
});

test('an assertion made inside a page of another site is refused, whatever its signature', async () => {
  const { page, violations } = alex;
  const [{ privateKey }] = await alex.passkeys();
  const key = createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' });
  /** Changes the client data, and signs them again with the passkey's own key. */
  const signedAgain = (change) => (body, path) => {
    if (!path.endsWith('/decision')) return;
    const { response } = body.assertion;
    const clientData = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(response.clientDataJSON, 'base64url')), ...change }));
    const signed = Buffer.concat([Buffer.from(response.authenticatorData, 'base64url'), createHash('sha256').update(clientData).digest()]);
    response.clientDataJSON = encode(clientData);
    response.signature = encode(sign('sha256', signed, key));
  };
  const other = await ask({ amount: 122, to: 'ACME' });
  for (const change of [{ crossOrigin: true }, { crossOrigin: true, topOrigin: 'https://evil.example.com' }, { topOrigin: 'https://evil.example.com' }, { origin: 'https://evil.example.com' }]) {
    proxy.change.question = signedAgain(change);
    await page.goto(other.url);
    await heading(page, 'Approve or reject?');
    await press('Approve');
    await page.locator('#status').filter({ hasText: /client data.*Nothing was decided/ }).waitFor();
    assert.equal((await requester.status(other.id)).status, 'pending', JSON.stringify(change));
  }
  // The same way of signing is taken where nothing is wrong: it was the client data.
  proxy.change.question = signedAgain({ crossOrigin: false });
  await press('Approve');
  await heading(page, 'Approved');
  assert.equal((await requester.status(other.id)).status, 'approved');
  assert.deepEqual(violations, []);
});

test('an enrolment that was changed on its way enrols nobody', async (t) => {
  const changes = {
    'another challenge': ({ publicKey }) => (publicKey.challenge = OTHER_32_BYTES),
    'another relying party': ({ publicKey }) => (publicKey.rp.id = 'example.com'),
    'an algorithm that is not taken': ({ publicKey }) => (publicKey.pubKeyCredParams = [{ type: 'public-key', alg: -8 }]),
  };
  for (const [name, change] of Object.entries(changes)) {
    await t.test(name, async () => {
      const { registerUrl } = await requester.invite({ username: 'kim' });
      const kim = await openDevice(browser);
      proxy.change.answer = (answer, path) => path.startsWith('/enrol/') && path.endsWith('/options') && change(answer);
      await kim.page.goto(registerUrl);
      await kim.page.getByRole('button', { name: 'Create passkey' }).click();
      await kim.page.getByText('You are not enrolled. You can try again.').waitFor();
      await kim.context.close();
    });
  }
});

test('a credential that is not of the key made here is never shown as one’s own', async () => {
  const { registerUrl } = await requester.invite({ username: 'kim' });
  const kim = await openDevice(browser);
  proxy.change.answer = (answer, path) => path.startsWith('/enrol/') && answer.credential && (answer.credential = OTHER_32_BYTES);
  await kim.page.goto(registerUrl);
  await kim.page.getByRole('button', { name: 'Create passkey' }).click();
  await heading(kim.page, 'Stop: this is not your key');
  await kim.page.locator('#alert').getByText('another key than the one made here').waitFor();
  assert.doesNotMatch(await kim.page.locator('body').textContent(), new RegExp(OTHER_32_BYTES));
  assert.equal(await kim.page.locator('#credential').count(), 0);
  await assertReadable(kim.page, kim.violations);
  await kim.context.close();
});

test('a browser that does not show the new key enrols, and names no key to compare', async () => {
  const { registerUrl } = await requester.invite({ username: 'lou' });
  const lou = await openDevice(browser);
  await lou.page.addInitScript(() => delete AuthenticatorAttestationResponse.prototype.getPublicKey);
  await enrol(lou.page, registerUrl);
  await lou.page.getByText('does not show the new public key').waitFor();
  assert.equal(await lou.page.locator('#credential').count(), 0);
  await assertReadable(lou.page, lou.violations);
  await lou.context.close();
});

test('after all of this the request is still open, and is approved untouched', async () => {
  const { page } = alex;
  assert.equal((await requester.status(asked.id)).status, 'pending');
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  assert.equal(await page.locator('#compare-code').textContent(), asked.compareCode);
  await press('Approve');
  await heading(page, 'Approved');
  const { receipt } = await requester.status(asked.id);
  assert.equal((await server.verify(receipt)).code, 0);
});

/** The documents as the server has them. */
async function documentsOf(id) {
  const headers = { 'Content-Type': 'application/json', Origin: server.url };
  const response = await fetch(`http://127.0.0.1:${server.port}/approve/${id}/options`, { method: 'POST', headers, body: '{}' });
  const { documents: texts } = await response.json();
  return { approve: JSON.parse(texts.approve) };
}
