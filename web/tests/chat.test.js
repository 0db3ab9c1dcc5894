// An approver links a Telegram chat on the own page, follows a message of the bot to an approval, and removes the chat.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TOKEN, recordBot } from './bot-recorder.js';
import { assertReadable, enrol, heading, launchBrowser, openDevice, picture } from './browser.js';
import { connect } from './requester.js';
import { startServer } from './server.js';

const CHAT = 7_000_000_001;

let bot;
let server;
let requester;
let browser;
let alex;

before(async () => {
  bot = await recordBot();
  server = await startServer({ config: `[telegram]\napi = '${bot.url}'\n`, environment: { COUNTERSIGN_TELEGRAM_TOKEN: TOKEN } });
  browser = await launchBrowser();
  requester = await connect(server);
  alex = await openDevice(browser);
  const { registerUrl } = await requester.invite({ username: 'alex' });
  await enrol(alex.page, registerUrl);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  bot?.stop();
});

const press = (name) => alex.page.getByRole('button', { name, exact: true }).click();
const shows = (text) => alex.page.locator('#contacts-list').getByText(text).waitFor();

test('a chat is linked by a code that is made with a passkey', async () => {
  const { page, violations } = alex;
  await page.goto(`${server.url}/me`);
  await press('Sign in with your passkey');
  await shows('No Telegram chat.');
  await press('Link a Telegram chat');
  await assertReadable(page, violations);
  await press('Make the link, signed with a passkey');
  const href = await page.locator('#chat-link').getAttribute('href');
  assert.match(href, /^https:\/\/t\.me\/countersign_test_bot\?start=[A-Za-z0-9_-]{43}$/);
  await assertReadable(page, violations);
  await picture(page, 'me-chat-link');
  bot.write(CHAT, `/start ${new URL(href).searchParams.get('start')}`);
  assert.match((await bot.next('sendMessage')).text, /^This chat is linked/);
  await press('Look again');
  await shows(`@alex_t (chat ${CHAT})`);
  await assertReadable(page, violations);
});

test('a message leads to an approval, and says then that it was approved', async () => {
  const { page } = alex;
  const asked = await requester.ask({ username: 'alex', action: 'Deploy api-gateway', payload: { env: 'live' }, notify: 'telegram' });
  const { chat_id: chat, text } = await bot.next('sendMessage');
  assert.equal(chat, CHAT);
  assert.ok(text.includes(asked.compareCode) && !text.includes('live'), text);
  await page.goto(text.match(/^http:\/\/\S+\/approve\/\S+$/m)[0]);
  await page.getByText(asked.compareCode).first().waitFor();
  await press('Approve');
  await heading(page, 'Approved');
  assert.match((await bot.next('editMessageText')).text, /It was approved\.$/);
});

test('the chat is removed on the own page, and is told', async () => {
  const { page, violations } = alex;
  await page.goto(`${server.url}/me`);
  await shows(`@alex_t (chat ${CHAT})`);
  await press('Remove the chat');
  await press('Remove it, signed with a passkey');
  await shows('No Telegram chat.');
  assert.match((await bot.next('sendMessage')).text, /was removed/);
  await assertReadable(page, violations);
});
