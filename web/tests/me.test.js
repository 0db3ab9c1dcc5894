// An approver's own page in a real browser: sign in, see what waits and what was decided, add a second passkey, decide with
// it, remove the first, sign out.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { assertReadable, enrol, heading, launchBrowser, openDevice, picture } from './browser.js';
import { connect } from './requester.js';
import { startServer } from './server.js';

const REQUEST = { action: 'Deploy api-gateway to production', payload: { service: 'api-gateway' } };

let server;
let requester;
let browser;
let alex;

before(async () => {
  server = await startServer();
  browser = await launchBrowser();
  requester = await connect(server);
  alex = await openDevice(browser);
  const { registerUrl } = await requester.invite({ username: 'alex' });
  await enrol(alex.page, registerUrl);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const ask = (more = {}) => requester.ask({ username: 'alex', ...REQUEST, ...more });
const press = (name) => alex.page.getByRole('button', { name, exact: true }).click();
const alert = (text) => alex.page.locator('#alert').getByText(text).waitFor();

async function signIn({ page, context } = alex) {
  await context.clearCookies();
  await page.goto(`${server.url}/me`);
  await page.getByRole('button', { name: 'Sign in with your passkey' }).click();
  await page.locator('#username').getByText('alex').waitFor();
}

test('the result of an enrolment leads here, and nothing is shown before the sign-in', async () => {
  const { page, violations } = alex;
  await page.getByRole('link', { name: 'Your approvals' }).click();
  await page.getByRole('button', { name: 'Sign in with your passkey' }).waitFor();
  await heading(page, 'Your approvals');
  assert.equal(await page.locator('#passkeys').isVisible(), false);
  await assertReadable(page, violations);
  await picture(page, 'me-signed-out');
});

test('no passkey here, a closed prompt, and an unknown passkey', async () => {
  const { page, setUserVerified, violations } = alex;
  await page.goto(`${server.url}/me`);
  await setUserVerified(false);
  await press('Sign in with your passkey');
  await page.getByText('You are not signed in. You can try again.').waitFor();
  await assertReadable(page, violations);
  await picture(page, 'me-prompt-closed');
  await setUserVerified(true);

  const sam = await openDevice(browser);
  await sam.page.goto(`${server.url}/me`);
  await sam.page.getByRole('button', { name: 'Sign in with your passkey' }).click();
  await sam.page.getByText('You are not signed in. You can try again.').waitFor();
  await sam.context.close();

  await signIn();
  await press('Sign out');
  await heading(page, 'Signed out');
});

test('empty lists', async () => {
  await signIn();
  const { page, violations } = alex;
  await page.getByText('Nothing waits for you.').waitFor();
  await page.getByText('You have not decided anything yet.').waitFor();
  assert.equal(await page.locator('#passkeys-list li').count(), 1);
  assert.equal(await page.getByRole('button', { name: 'Remove passkey 1' }).count(), 0, 'the last passkey stays');
  await assertReadable(page, violations);
  await picture(page, 'me-empty');
});

test('words that are not what they look like are marked here and on an invite, too', async () => {
  const { page, violations } = alex;
  const asked = await ask({ action: 'Pay \uff21CME' });
  await signIn();
  await page.locator('#waiting').getByText('[U+FF21\u00a0≈\u00a0A]').waitFor();
  await assertReadable(page, violations);
  await requester.cancel(asked.id);
  const { registerUrl } = await requester.invite({ username: 'eve', note: 'Pl\u0435ase' });
  const eve = await openDevice(browser);
  await eve.page.goto(registerUrl);
  await eve.page.getByText('[Cyrillic: U+0435]').waitFor();
  assert.deepEqual(eve.violations, []);
  await eve.context.close();
});

test('a device that holds a passkey makes no second one', async () => {
  await signIn();
  const { page, violations } = alex;
  await press('Add a passkey');
  await press('Create the new passkey');
  await alert('This device already holds a passkey for this person and server. No passkey was added.');
  await assertReadable(page, violations);
  await press('Cancel');
  assert.equal(await page.locator('#passkeys-list li').count(), 1);
});

test('what waits leads to its request, and what was decided to its receipt', async () => {
  const { page, violations } = alex;
  const asked = await ask();
  await ask({ action: 'Delete the old database', expiresIn: 900 });
  await signIn();
  await page.getByRole('heading', { name: 'Waiting for you (2)' }).waitFor();
  await page.getByRole('link', { name: REQUEST.action }).click();
  await heading(page, 'Approve or reject?');
  await press('Approve');
  await heading(page, 'Approved');
  await page.getByRole('link', { name: 'Your approvals' }).click();
  await page.getByText('You approved it').waitFor();
  await page.getByRole('heading', { name: 'Waiting for you (1)' }).waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Receipt of' }).click()]);
  assert.equal(download.suggestedFilename(), `${asked.id}.receipt.json`);
  const receipt = await readFile(await download.path(), 'utf8');
  assert.equal(receipt, (await requester.status(asked.id)).receipt);
  assert.equal((await server.verify(receipt)).code, 0);
  await assertReadable(page, violations);
  await picture(page, 'me');
});

test('a second passkey, allowed by the first, decides; then the first is removed', async () => {
  const { page, violations } = alex;
  await signIn();
  // Only now: a browser asks every authenticator at once, and one without the passkey that is touched ends the ceremony.
  const key = await alex.addAuthenticator('usb');
  alex.key = key;
  await press('Add a passkey');
  await page.getByRole('heading', { name: 'Add a passkey' }).waitFor();
  await assertReadable(page, violations);
  await picture(page, 'me-add');
  await alex.setPresent(false);
  await press('Create the new passkey');
  await page.getByRole('heading', { name: 'Allow the new passkey' }).waitFor();
  await alex.setPresent(true);
  await key.setPresent(false);
  await assertReadable(page, violations);
  await picture(page, 'me-allow');
  const credential = await page.locator('#new-credential').textContent();
  await press('Allow it with a passkey I have');
  await page.getByText('The new passkey is enrolled').waitFor();
  assert.equal(await page.locator('#passkeys-list li').count(), 2);
  await page.locator('#passkeys-list li').nth(1).getByText(credential).waitFor();
  await page.locator('#passkeys-list li').nth(1).getByText('passkey 1', { exact: true }).waitFor();
  await assertReadable(page, violations);
  await picture(page, 'me-two-passkeys');

  // The first device is gone: from here on there is the second passkey alone.
  await alex.takeAway();
  await key.setPresent(true);
  const asked = await ask();
  await page.goto(asked.url);
  await press('Approve');
  await heading(page, 'Approved');
  const { receipt } = await requester.status(asked.id);
  assert.equal(JSON.parse(receipt).enrolments.length, 2);
  assert.equal((await server.verify(receipt)).code, 0);

  await page.goto(`${server.url}/me`);
  await press('Remove passkey 1');
  await page.getByRole('heading', { name: 'Remove passkey 1?' }).waitFor();
  await page.getByText('You signed in with it').waitFor();
  await page.getByLabel('Why, for the public log').selectOption('lost');
  await assertReadable(page, violations);
  await picture(page, 'me-remove');
  await press('Cancel');
  await page.getByRole('heading', { name: 'Your passkeys' }).waitFor();
  await press('Remove passkey 1');
  await page.getByLabel('Why, for the public log').selectOption('lost');
  await page.locator('#step').getByRole('button', { name: 'Remove passkey 1' }).click();
  await heading(page, 'Your session is over');
  await assertReadable(page, violations);
  await picture(page, 'me-session-over');
  await press('Sign in with your passkey');
  await page.getByRole('heading', { name: 'Passkey 1 (removed)' }).waitFor();
  await page.getByRole('heading', { name: 'Passkey 2 (used to sign in)' }).waitFor();
  assert.equal(await page.getByRole('button', { name: /^Remove/ }).count(), 0);

  await press('Sign out');
  await heading(page, 'Signed out');
  assert.equal(await page.locator('#passkeys-list li').count(), 0, 'nothing stays in the page');
  await page.reload();
  await page.getByRole('button', { name: 'Sign in with your passkey' }).waitFor();
});

test('in a language that is written from right to left', async () => {
  const noor = await openDevice(browser, { locale: 'ar-EG' });
  const { page, violations } = noor;
  await page.goto((await requester.invite({ username: 'noor' })).registerUrl);
  await page.getByRole('button', { name: 'إنشاء مفتاح مرور' }).click();
  await page.getByRole('link', { name: 'موافقاتك' }).click();
  await page.getByRole('button', { name: 'تسجيل الدخول بمفتاح المرور' }).waitFor();
  assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), ['ar', 'rtl']);
  assert.equal(await page.locator('#sign-in').getAttribute('aria-label'), 'تسجيل الدخول');
  await assertReadable(page, violations);
  await picture(page, 'rtl-me-signed-out');
  const [asked] = [await ask({ username: 'noor' }), await ask({ username: 'noor', action: 'Delete the old database' })];
  await page.goto(asked.url);
  await page.getByRole('button', { name: 'موافقة', exact: true }).click();
  await heading(page, 'تمت الموافقة');
  await page.goto(`${server.url}/me`);
  await page.getByRole('button', { name: 'تسجيل الدخول بمفتاح المرور' }).click();
  await page.getByRole('heading', { name: 'ما ينتظرك (1)' }).waitFor();
  await page.getByText('وافقتَ عليه').waitFor();
  await page.getByRole('heading', { name: 'مفتاح المرور 1 (سجّلت الدخول به)' }).waitFor();
  await assertReadable(page, violations);
  await picture(page, 'rtl-me');
  await page.getByRole('button', { name: 'إضافة مفتاح مرور' }).click();
  await page.getByRole('button', { name: 'إنشاء المفتاح الجديد' }).waitFor();
  await assertReadable(page, violations);
  await noor.context.close();
});

test('a server that asks to allow another key gets no signature', async () => {
  const { page, violations } = alex;
  await signIn();
  const other = await alex.addAuthenticator('internal');
  let sent = 0;
  await page.route('**/me/passkeys/authorisation', async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    json.document = json.document.replace(/"public_key":"MFk/, '"public_key":"MFl');
    await route.fulfill({ response, json });
  });
  page.on('request', (request) => (sent += request.url().endsWith('/me/passkeys') ? 1 : 0));
  await press('Add a passkey');
  await alex.key.setPresent(false);
  await press('Create the new passkey');
  await alert('Stop: The server asks you to allow another key');
  await alex.key.setPresent(true);
  await other.takeAway();
  assert.equal(sent, 0);
  await assertReadable(page, violations);
  await picture(page, 'me-mismatch');
  await page.unroute('**/me/passkeys/authorisation');
});

test('a session that ended elsewhere, and a server that does not answer', async () => {
  const { page, context, violations } = alex;
  await signIn();
  await context.clearCookies();
  await press('Add a passkey');
  await heading(page, 'Your session is over');
  await page.getByText('Nothing was lost').waitFor();
  await page.route('**/me', (route) => (route.request().method() === 'POST' ? route.abort() : route.continue()));
  await page.goto(`${server.url}/me`);
  await heading(page, 'Your approvals could not be loaded');
  await alert('No answer from the server');
  await assertReadable(page, violations);
  await picture(page, 'me-error');
  await page.unroute('**/me');
  await press('Try again');
  await page.getByRole('button', { name: 'Sign in with your passkey' }).waitFor();
});
