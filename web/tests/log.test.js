// The log explorer: it lists what it has verified, finds entries in every way, and says so when a log lies.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { assertReadable, enrol, heading, launchBrowser, openContext, openDevice, picture } from './browser.js';
import { connect } from './requester.js';
import { startServer } from './server.js';

const APPROVALS = 24;

let server;
let requester;
let browser;
let alex;
let page;

before(async () => {
  server = await startServer();
  browser = await launchBrowser();
  requester = await connect(server);
  alex = await openDevice(browser);
  page = alex.page;
});

afterEach(async () => {
  await page?.unrouteAll();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const status = (text) => page.locator('#status').filter({ hasText: text }).waitFor();
const indexes = () => page.locator('#entry-list li a').allTextContents();
const entryNames = (from, to) => Array.from({ length: from - to + 1 }, (_, i) => `Entry ${from - i}`);

async function open(path) {
  await page.goto('about:blank');
  await page.goto(server.url + path);
}

async function search(text) {
  await page.getByLabel('Find entries').fill(text);
  await page.keyboard.press('Enter');
}

test('an empty log says so', async () => {
  const response = await page.goto(`${server.url}/log`);
  assert.match(response.headers()['content-security-policy'], /trusted-types 'none'/);
  await status('The log is empty.');
  assert.equal(await page.locator('#size').textContent(), '0');
  await assertReadable(page, alex.violations);
  await picture(page, 'log-empty');
});

test('entries are listed newest first, verified, and paged by keyboard', async () => {
  await enrol(page, (await requester.invite({ username: 'alex' })).registerUrl);
  for (let i = 0; i < APPROVALS; i += 1) {
    const asked = await requester.ask({ username: 'alex', action: 'Pay an invoice', payload: { amount: i } });
    await page.goto(asked.url);
    await page.getByRole('button', { name: i === 3 ? 'Reject' : 'Approve', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: /^(Approved|Rejected)$/ }).waitFor();
  }
  await open('/log');
  await status('20 entries, each hashed and proven in this browser.');
  const head = await (await fetch(`${server.url}/log/tree-head`)).json();
  assert.equal(await page.locator('#size').textContent(), String(head.size));
  assert.equal(await page.locator('#root').textContent(), head.root);
  const trust = await (await fetch(`${server.url}/trust.json`)).json();
  assert.equal(await page.locator('#key').textContent(), trust.logs[0]);
  assert.equal(await page.locator('#checkpoint-checked').textContent(), '✓ Its signature is verified in this browser.');
  assert.deepEqual(await indexes(), entryNames(24, 5));
  assert.equal(await page.locator('#entry-list .checked').count(), 20);
  await assertReadable(page, alex.violations);
  await picture(page, 'log');
  await page.getByRole('link', { name: 'Older entries' }).focus();
  await page.keyboard.press('Enter');
  await status('5 entries, each hashed');
  assert.deepEqual(await indexes(), entryNames(4, 0));
  assert.match(await page.locator('#entry-list li').first().textContent(), /Rejected/);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'entries-heading');
  await page.getByRole('link', { name: 'Newer entries' }).press('Enter');
  await status('20 entries');
  await page.goBack();
  await status('5 entries');
});

test('an entry has a page of its own, with its path and its bytes', async () => {
  await open('/log/entry/4');
  await heading(page, 'Entry 4');
  assert.match(await page.locator('#proven').textContent(), /in the log of size 25/);
  assert.equal(await page.locator('#kind').textContent(), 'decision');
  assert.match(await page.locator('#entry .conditions').textContent(), /Decisionreject/);
  const { entry, leaf_hash: leafHash } = await (await fetch(`${server.url}/log/entries/4`)).json();
  assert.equal(await page.locator('#leaf-hash').textContent(), leafHash);
  await page.getByText('The bytes in hexadecimal').click();
  assert.equal(await page.locator('#raw-hex pre').textContent(), Buffer.from(entry, 'base64').toString('hex'));
  assert.equal(await page.locator('.path .given').count(), 5);
  assert.match(await page.locator('.path').textContent(), /root = signed/);
  await assertReadable(page, alex.violations);
  await picture(page, 'log-entry');
  await open('/log/entry/0');
  await heading(page, 'Entry 0');
  assert.equal(await page.locator('#kind').textContent(), 'credential');
  // From the first leaf of 25, entry 24 stands alone at the right edge, five rows below the root.
  assert.deepEqual((await page.locator('.path .given text:nth-of-type(2)').allTextContents()).at(-1), '16–24');
  await picture(page, 'log-entry-credential');
  for (const path of ['/log/entry/25', '/log/entry/x']) {
    await open(path);
    await heading(page, 'No such entry');
  }
  await assertReadable(page, alex.violations);
  await picture(page, 'log-no-such-entry');
});

test('entries are found by index, leaf hash, name and credential', async () => {
  await open('/log');
  await status('20 entries');
  await search('7');
  await heading(page, 'Entry 7');
  const leafHash = await page.locator('#leaf-hash').textContent();
  await search(leafHash);
  await status('1 entry found.');
  assert.deepEqual(await indexes(), ['Entry 7']);
  await search(Buffer.alloc(32).toString('base64'));
  await status('The server knows no entry with this leaf hash.');

  const sent = [];
  page.on('request', (request) => sent.push(request.url()));
  await search('alex');
  await status('25 entries of the name alex among 25.');
  assert.deepEqual(await indexes(), entryNames(24, 0));
  assert.ok(sent.every((url) => !url.split('#')[0].includes('alex')), 'the name was sent');
  await picture(page, 'log-found');
  await search('sam');
  await status('No entries of the name sam among 25.');
  await assertReadable(page, alex.violations);
  await picture(page, 'log-found-none');
  const decoded = await (await fetch(`${server.url}/log/entries/5`)).json();
  const { credential } = JSON.parse(Buffer.from(decoded.entry, 'base64').toString().split('\n')[1]);
  await search(credential);
  await status('25 entries of this credential among 25.');
  await search('What is this?');
  await status('This is no index, leaf hash, name or credential.');
  await open('/log#q=alex');
  await status('25 entries of the name alex');
  await page.getByRole('link', { name: 'All entries' }).click();
  await status('20 entries');
});

test('bytes of no known type are shown as they are', async () => {
  const { key } = await (
    await fetch(`${server.url}/api/keys`, {
      method: 'POST',
      headers: { 'X-Api-Key': server.adminKey, 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'appender', scopes: ['append'] }),
    })
  ).json();
  const body = '<img src=x onerror=alert(1)>\u202E';
  const headers = { 'X-Api-Key': key, 'Content-Type': 'application/octet-stream' };
  const made = await fetch(`${server.url}/log/entries`, { method: 'POST', headers, body });
  assert.equal(made.status, 200, await made.clone().text());
  const { index } = await made.json();
  await open(`/log/entry/${index}`);
  await heading(page, `Entry ${index}`);
  assert.equal(await page.locator('#kind').textContent(), 'raw');
  await page.getByText('The text', { exact: true }).click();
  assert.equal(await page.locator('#raw-text pre').textContent(), '<img src=x onerror=alert(1)>[U+202E RIGHT-TO-LEFT OVERRIDE]');
  await assertReadable(page, alex.violations);
  await picture(page, 'log-entry-raw');
});

const lies = {
  'another checkpoint': ['**/log/checkpoint', (text) => text.replace('\n26\n', '\n27\n')],
  'another entry': ['**/log/entries?*', (text) => text.replace(/"entry":"...../, '"entry":"AAAAA')],
  'another proof': ['**/log/proof/inclusion*', (text) => text.replace(/"hashes":\["...../, '"hashes":["AAAAA')],
};
for (const [name, [url, change]] of Object.entries(lies)) {
  test(`a log that answers with ${name} is not believed`, async () => {
    await page.route(url, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: change(await response.text()) });
    });
    await open('/log');
    await page.locator('#alert').filter({ hasText: 'Do not trust this log.' }).waitFor();
    assert.equal(await page.locator('#entry-list li:visible').count(), 0);
    await assertReadable(page, alex.violations);
    if (name === 'another entry') await picture(page, 'log-lies');
  });
}

test('a log that forgot its past is not believed', async () => {
  const key = `countersign.checkpoint.${new URL(server.url).host}/log`;
  const value = JSON.stringify({ size: '1000', root: Buffer.alloc(32, 7).toString('base64') });
  await page.evaluate(([name, text]) => localStorage.setItem(name, text), [key, value]);
  await open('/log');
  await page.locator('#alert').filter({ hasText: 'Do not trust this log.' }).waitFor();
  await assertReadable(page, alex.violations);
  await picture(page, 'log-split-view');
  await page.evaluate((name) => localStorage.removeItem(name), key);
});

test('a log that grew proves it, and one that is out of reach is not accused', async () => {
  const key = `countersign.checkpoint.${new URL(server.url).host}/log`;
  // The root of a tree of one entry is its leaf hash.
  const { leaf_hash: root } = await (await fetch(`${server.url}/log/entries/0`)).json();
  await page.evaluate(([name, value]) => localStorage.setItem(name, value), [key, JSON.stringify({ size: '1', root })]);
  await page.route('**/log/proof/consistency*', (route) => route.fulfill({ status: 503 }));
  await open('/log');
  await page.getByText('has not proven that the trees of size 1 and 26 fit together').waitFor();
  await status('20 entries');
  assert.equal(await page.locator('#alert').textContent(), '');
  await page.unrouteAll();
  await open('/log');
  await page.getByText('The log has proven that the tree of size 1 is the beginning of the tree of size 26').waitFor();
});

test('a server that does not answer at first', async () => {
  await page.route('**/log/checkpoint', (route) => route.abort());
  await open('/log');
  await page.getByText('No answer from the server.').waitFor();
  await assertReadable(page, alex.violations);
  await picture(page, 'log-no-answer');
  await page.unrouteAll();
  await page.getByRole('button', { name: 'Try again' }).click();
  await status('20 entries');
});

test('without JavaScript the pages say so', async () => {
  const context = await openContext(browser, { javaScriptEnabled: false });
  const bare = await context.newPage();
  for (const path of ['/log', '/log/entry/0', '/verify']) {
    await bare.goto(server.url + path);
    assert.match(await bare.locator('noscript p').textContent(), /^This page needs JavaScript/);
  }
  await context.close();
});
