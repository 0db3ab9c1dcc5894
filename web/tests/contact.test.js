// An approver hears of a request by mail: confirms the address on the page behind its link, follows the next mail's link to
// an approval, and changes and removes the address on the own page.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertReadable, enrol, heading, launchBrowser, openDevice, picture } from './browser.js';
import { recordMail } from './mail-recorder.js';
import { connect } from './requester.js';
import { startServer } from './server.js';

let mail;
let server;
let requester;
let browser;
let alex;

before(async () => {
  mail = await recordMail();
  const table = `[mail]\nhost = '127.0.0.1'\nport = ${mail.port}\nsecurity = 'plain'\nfrom = 'approvals@example.com'\n`;
  server = await startServer({ config: table });
  browser = await launchBrowser();
  requester = await connect(server);
  alex = await openDevice(browser);
  const { registerUrl } = await requester.invite({ username: 'alex', email: 'alex@example.com' });
  await enrol(alex.page, registerUrl);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  mail?.stop();
});

const press = (name) => alex.page.getByRole('button', { name, exact: true }).click();
const status = (text) => alex.page.locator('#status').getByText(text).waitFor();

async function confirmLink(link) {
  const { page, violations } = alex;
  await page.goto(link);
  await page.getByRole('button', { name: 'Confirm this address' }).waitFor();
  await assertReadable(page, violations);
  await picture(page, 'contact');
  await press('Confirm this address');
  await heading(page, 'The address is confirmed');
  await assertReadable(page, violations);
}

test('a link confirms nothing until its button is pressed, and serves once', async () => {
  const { page, violations } = alex;
  const { link } = await mail.next();
  await page.goto(link);
  await page.locator('#address').getByText('alex@example.com').waitFor();
  await assert.rejects(requester.ask({ username: 'alex', action: 'Deploy', payload: {}, notify: 'email' }));
  await confirmLink(link);
  await page.goto(link);
  await heading(page, 'This link has no use any more');
  await assertReadable(page, violations);
});

test('in a language that is written from right to left', async () => {
  const noor = await openDevice(browser, { locale: 'ar-EG' });
  const { page, violations } = noor;
  await page.goto((await requester.invite({ username: 'noor', email: 'noor@example.com' })).registerUrl);
  await page.getByRole('button', { name: 'إنشاء مفتاح مرور' }).click();
  await heading(page, 'تم تسجيلك');
  await page.goto((await mail.next()).link);
  await page.locator('#address').getByText('noor@example.com').waitFor();
  assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), ['ar', 'rtl']);
  assert.match(await page.title(), /^تأكيد عنوان/);
  await assertReadable(page, violations);
  await picture(page, 'rtl-contact');
  await page.getByRole('button', { name: 'تأكيد هذا العنوان' }).click();
  await heading(page, 'تم تأكيد العنوان');
  await page.goto(`${server.url}/me`);
  await page.getByRole('button', { name: 'تسجيل الدخول بمفتاح المرور' }).click();
  await page.locator('#contacts-list').getByText('noor@example.com').waitFor();
  await page.getByRole('button', { name: 'تغيير العنوان' }).click();
  await page.getByRole('heading', { name: 'أي عنوان؟' }).waitFor();
  await assertReadable(page, violations);
  await picture(page, 'rtl-me-address');
  await noor.context.close();
});

test('the link of a mail leads to an approval', async () => {
  const { page } = alex;
  const asked = await requester.ask({ username: 'alex', action: 'Deploy api-gateway', payload: { env: 'live' }, notify: 'email' });
  const { subject, text, link } = await mail.next();
  assert.equal(subject, 'Deploy api-gateway');
  assert.ok(text.includes(asked.compareCode) && !text.includes('live'), text);
  assert.equal(link, asked.url);
  await page.goto(link);
  await page.getByText(asked.compareCode).first().waitFor();
  await press('Approve');
  await heading(page, 'Approved');
});

test('the address is changed and removed on the own page, with a passkey each time', async () => {
  const { page, violations } = alex;
  await page.goto(`${server.url}/me`);
  await press('Sign in with your passkey');
  await page.locator('#contacts-list').getByText('alex@example.com').waitFor();
  await assertReadable(page, violations);
  await press('Change the address');
  await page.locator('#new-address').fill('new@example.com');
  await assertReadable(page, violations);
  await press('Continue');
  await press('Sign with a passkey');
  await status('A link was sent to the new address.');
  await page.locator('#contacts-list').getByText('new@example.com').waitFor();
  await assertReadable(page, violations);
  await picture(page, 'me-contact-waits');
  await confirmLink((await mail.next()).link);
  assert.match((await mail.next()).subject, /was replaced/);

  await page.goto(`${server.url}/me`);
  await page.locator('#contacts-list').getByText('new@example.com').waitFor();
  await press('Remove the address');
  await press('Remove it, signed with a passkey');
  await status('The address is removed.');
  assert.match((await mail.next()).subject, /was removed/);
  await page.locator('#contacts-list').getByText('No address.').waitFor();
  await assertReadable(page, violations);
});
