// The story in a real browser: enrol, read, approve or reject, and have the receipt verified offline.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { assertReadable, enrol, heading, launchBrowser, openDevice, picture, shownFields } from './browser.js';
import { connect } from './requester.js';
import { startServer } from './server.js';

const ACTION = 'Deploy api-gateway to production';
const PAYLOAD = {
  service: 'api-gateway',
  env: 'production',
  commit: 'a1b2c3d',
  replicas: 12,
  canary: { percent: 12.5, regions: ['eu-1', 'us-1'], 'odd.key': true },
  file: 'invoice\u202Efdp.exe',
  comment: '',
  hosts: [],
  labels: {},
  owner: null,
};
const SHOWN = [
  ['canary["odd.key"]', 'boolean', 'true'],
  ['canary.percent', 'number', '12.5'],
  ['canary.regions[0]', 'string', 'eu-1'],
  ['canary.regions[1]', 'string', 'us-1'],
  ['comment', 'empty string', '[empty string]'],
  ['commit', 'string', 'a1b2c3d'],
  ['env', 'string', 'production'],
  ['file', 'string', 'invoice[U+202E RIGHT-TO-LEFT OVERRIDE]fdp.exe'],
  ['hosts', 'list', '[empty list]'],
  ['labels', 'object', '[empty object]'],
  ['owner', 'null', 'null'],
  ['replicas', 'number', '12'],
  ['service', 'string', 'api-gateway'],
].map(([path, type, value]) => ({ path, type, value }));

let server;
let requester;
let browser;
let alex;

before(async () => {
  server = await startServer();
  browser = await launchBrowser();
  requester = await connect(server);
  alex = await openDevice(browser);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const ask = (more = {}) => requester.ask({ username: 'alex', action: ACTION, payload: PAYLOAD, ...more });

test('an invite with a fixed name enrols', async () => {
  const { page, violations } = alex;
  const { registerUrl } = await requester.invite({ username: 'alex' });
  const response = await page.goto(registerUrl);
  assert.match(response.headers()['content-security-policy'], /trusted-types 'none'/);
  await page.getByText('Approve our deployments').waitFor();
  await page.getByText('findable in the public log for ever').waitFor();
  assert.equal(await page.locator('#chosen-name').textContent(), 'alex');
  assert.equal(await page.locator('#username').isVisible(), false);
  await assertReadable(page, violations);
  await picture(page, 'enrol', { first: true });
  await page.getByRole('button', { name: 'Create passkey' }).click();
  await heading(page, 'You are enrolled');
  assert.match(await page.locator('#log-index').textContent(), /^\d+$/);
  assert.match(await page.locator('#log-index a').getAttribute('href'), /^\/log\/entry\/\d+$/);
  assert.match(await page.locator('#credential').textContent(), /^[A-Za-z0-9_-]{43}$/);
  await assertReadable(page, violations);
  await picture(page, 'enrolled');
  await page.goto(registerUrl);
  await heading(page, 'Invite not found');
});

test('every field is shown, and an approval verifies offline', async () => {
  const { page, violations } = alex;
  const asked = await ask();
  const answer = requester.wait(asked.id);
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  assert.equal(await page.locator('#action').textContent(), ACTION);
  assert.deepEqual(await shownFields(page), SHOWN);
  assert.equal(await page.locator('#field-count').textContent(), `${SHOWN.length} of ${SHOWN.length} fields shown`);
  assert.equal(await page.locator('#compare-code').textContent(), asked.compareCode);
  await page.getByText('characters that are hidden').waitFor();
  await page.getByText('Display verified.').waitFor();
  await page.getByText('knows of no approved request of this requester with this title').waitFor();
  assert.equal(await page.locator('#qr svg').count(), 1);
  assert.match(await page.locator('#time-left').textContent(), /left$/);
  assert.match(await page.locator('#reveal').textContent(), /^Not published/);
  await assertReadable(page, violations);
  await assertEqualWeight(page);
  await picture(page, 'approve', { first: true });
  await page.locator('#raw summary').click();
  await assertReadable(page, violations);
  await picture(page, 'approve-raw');

  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await heading(page, 'Approved');
  const decided = await answer;
  assert.equal(decided.status, 'approved');
  assert.equal(await page.locator('#request-status').textContent(), 'approved');
  assert.equal(await page.locator('#log-index').textContent(), String(decided.decisions[0].logIndex));
  await assertReadable(page, violations);
  await picture(page, 'approved', { first: true });
  await assertVerifies(decided.receipt, 0);
  await assertVerifies(decided.receipt, 1, '--decision', 'reject');
  await assertVerifies(await downloadReceipt(page, asked.id), 0);

  await page.goto(asked.url);
  await heading(page, 'Already approved');
  assert.equal(await page.locator('#log-index').textContent(), String(decided.decisions[0].logIndex));
  assert.equal(await page.locator('main button:visible').count(), 0);
  await page.getByText('there you also get the receipt').waitFor();
  await assertReadable(page, violations);
  await picture(page, 'already-approved');
});

test('what one must see of a small request fits on the first screen of a phone', async () => {
  const { page, violations } = alex;
  const asked = await ask({ payload: { service: 'api-gateway', env: 'production', commit: 'a1b2c3d' }, expiresIn: 600 });
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  // What a phone's browser leaves of its screen.
  await page.setViewportSize({ width: 390, height: 664 });
  const bar = await page.locator('.answer').boundingBox();
  for (const what of ['#heading', '.asked figcaption', '#action', '#time-left', '#compare-code', '.field >> nth=0', '.field >> nth=1', '.field >> nth=2']) {
    const { y, height } = await page.locator(what).boundingBox();
    assert.ok(y >= 0 && y + height <= bar.y, `${what} ends at ${y + height}, the buttons begin at ${bar.y}`);
  }
  assert.ok(bar.y + bar.height <= 664);
  assert.equal(await page.locator('#reject').evaluate((button) => getComputedStyle(button).backgroundColor),
    await page.locator('#approve').evaluate((button) => getComputedStyle(button).backgroundColor));
  // What has the focus is never under the buttons.
  await page.locator('#raw summary').focus();
  const focused = await page.locator('#raw summary').boundingBox();
  assert.ok(focused.y + focused.height <= (await page.locator('.answer').boundingBox()).y);
  await assertReadable(page, violations);
  await page.evaluate(() => scrollTo(0, 0));
  await picture(page, 'approve-small', { first: true });
  await requester.cancel(asked.id);
});

test('by keyboard alone: past the header, through the page, and to the outcome', async () => {
  const { page, violations } = alex;
  const asked = await ask({ payload: { service: 'by-keyboard' } });
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Skip to the request');
  await page.keyboard.press('Enter');
  const order = [];
  for (let i = 0; i < 20 && order.at(-1) !== 'approve'; i += 1) {
    await page.keyboard.press('Tab');
    order.push(await focused());
  }
  assert.deepEqual(order.filter((id) => ['note', 'reject', 'approve'].includes(id)), ['note', 'reject', 'approve'], order.join(' | '));
  await page.keyboard.press('Enter');
  await heading(page, 'Approved');
  assert.equal(await focused(), 'heading', 'the outcome is read out');
  assert.equal((await requester.status(asked.id)).status, 'approved');
  assert.deepEqual(violations, []);
});

test('a rejection is signed too, with a note beside it', async () => {
  const { page, violations } = alex;
  const asked = await ask({ reveal: true, payload: { ...PAYLOAD, replicas: 13 } });
  const answer = requester.wait(asked.id);
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  assert.match(await page.locator('#reveal').textContent(), /^Public/);
  await page.getByLabel('Reason, if you reject').fill('Not before the freeze ends');
  await page.getByRole('button', { name: 'Reject', exact: true }).click();
  await heading(page, 'Rejected');
  const decided = await answer;
  assert.equal(decided.status, 'rejected');
  await assertReadable(page, violations);
  await picture(page, 'rejected');
  await assertVerifies(decided.receipt, 0, '--decision', 'reject');
  await assertVerifies(decided.receipt, 1);
});

test('a refused prompt decides nothing and can be repeated', async () => {
  const { page, violations, setUserVerified } = alex;
  const asked = await ask();
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  await setUserVerified(false);
  const approve = page.getByRole('button', { name: 'Approve', exact: true });
  await approve.click();
  await page.getByText('Nothing was decided. You can try again.').waitFor();
  assert.equal((await requester.status(asked.id)).status, 'pending');
  await assertReadable(page, violations);
  await picture(page, 'prompt-closed');
  await setUserVerified(true);
  await approve.click();
  await heading(page, 'Approved');
  assert.equal((await requester.status(asked.id)).status, 'approved');
});

test('two people must approve, and each says who they are', async () => {
  const sam = await openDevice(browser);
  const { registerUrl } = await requester.invite({});
  await sam.page.goto(registerUrl);
  await sam.page.getByLabel('Username').fill('Sam');
  await sam.page.getByRole('button', { name: 'Continue' }).click();
  assert.equal(await sam.page.locator('#username:invalid').count(), 1);
  await assertReadable(sam.page, sam.violations);
  await picture(sam.page, 'enrol-name');
  await sam.page.getByLabel('Username').fill('sam');
  await sam.page.getByRole('button', { name: 'Continue' }).click();
  await sam.page.getByRole('button', { name: 'Create passkey' }).click();
  await heading(sam.page, 'You are enrolled');

  const asked = await requester.ask({ approvers: ['alex', 'sam'], quorum: 2, action: ACTION, payload: PAYLOAD });
  const answer = requester.wait(asked.id);
  for (const [person, name, title] of [[sam, 'sam', 'Waiting for others'], [alex, 'alex', 'Approved']]) {
    const { page } = person;
    await page.goto(asked.url);
    await page.getByRole('heading', { name: 'Who are you?' }).waitFor();
    await assertReadable(page, person.violations);
    await picture(page, `who-${name}`);
    await page.getByRole('button', { name, exact: true }).click();
    await heading(page, 'Approve or reject?');
    assert.equal(await page.locator('#compare-code').textContent(), asked.compareCode);
    await page.getByText('2 approvals are needed').waitFor();
    const others = await page.locator('#people-asked').textContent();
    assert.match(others, name === 'sam' ? /^alex: has not decidedsam \(you\): has not decided$/ : /sam: approved, /);
    if (name === 'alex') {
      await assertReadable(page, person.violations);
      await picture(page, 'approve-second');
    }
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await heading(page, title);
    if (name === 'sam') {
      assert.equal(await page.locator('#request-status').textContent(), 'pending: others must decide too');
      assert.equal(await page.locator('#receipt').count(), 0);
      await assertReadable(page, person.violations);
      await picture(page, 'waiting');
    }
  }
  const decided = await answer;
  assert.equal(decided.status, 'approved');
  await assertVerifies(decided.receipt, 0);
  // The page of the first one finds out by itself, and gets the receipt too.
  await heading(sam.page, 'Approved');
  assert.equal(await sam.page.locator('#request-status').textContent(), 'approved');
  await assertReadable(sam.page, sam.violations);
  await picture(sam.page, 'approved-later');
  await assertVerifies(await downloadReceipt(sam.page, asked.id), 0);
  await sam.page.goto(asked.url);
  await heading(sam.page, 'Already approved');
  await sam.context.close();
});

test('three people in three browsers must approve, and each page finds the end by itself', async () => {
  const people = [['alex', alex]];
  for (const name of ['max', 'pat']) {
    const person = await openDevice(browser);
    await enrol(person.page, (await requester.invite({ username: name })).registerUrl);
    people.push([name, person]);
  }
  const payload = { service: 'for-three' };
  const asked = await requester.ask({ approvers: people.map(([name]) => name), quorum: 3, action: ACTION, payload });
  for (const [i, [name, { page }]] of people.entries()) {
    await page.goto(asked.url);
    await page.getByRole('button', { name, exact: true }).click();
    await heading(page, 'Approve or reject?');
    await page.getByText('3 approvals are needed, of 3 who are asked').waitFor();
    assert.equal((await page.locator('#people-asked').textContent()).match(/: approved, /g)?.length ?? 0, i);
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await heading(page, i < 2 ? 'Waiting for others' : 'Approved');
    assert.equal((await requester.status(asked.id)).status, i < 2 ? 'pending' : 'approved');
  }
  const { receipt, decisions } = await requester.status(asked.id);
  assert.deepEqual(decisions.map(({ approver }) => approver).sort(), ['alex', 'max', 'pat']);
  await assertVerifies(receipt, 0, '--approvers', 'alex,max,pat', '--quorum', '3');
  for (const [, { page, violations }] of people) {
    await heading(page, 'Approved');
    assert.equal((await page.locator('#others').textContent()).match(/: approved, /g).length, 3);
    await assertReadable(page, violations);
    await assertVerifies(await downloadReceipt(page, asked.id), 0);
  }
  for (const [, { context }] of people.slice(1)) await context.close();
});

test('a waiting page says so when the other one rejects', async () => {
  const kim = await openDevice(browser);
  await enrol(kim.page, (await requester.invite({ username: 'kim' })).registerUrl);
  const payload = { service: 'rejected-by-the-second' };
  const asked = await requester.ask({ approvers: ['alex', 'kim'], quorum: 2, action: ACTION, payload });
  for (const [page, name, button, title] of [
    [kim.page, 'kim', 'Approve', 'Waiting for others'],
    [alex.page, 'alex', 'Reject', 'Rejected'],
  ]) {
    await page.goto(asked.url);
    await page.getByRole('button', { name, exact: true }).click();
    await page.getByRole('button', { name: button, exact: true }).click();
    await heading(page, title);
  }
  await heading(kim.page, 'Rejected');
  assert.match(await kim.page.locator('#others').textContent(), /alex: rejected, /);
  await kim.context.close();
});

test('whoever comes when others have decided sees who did', async () => {
  const asked = await requester.ask({ approvers: ['alex', 'sam'], quorum: 1, action: ACTION, payload: PAYLOAD });
  await alex.page.goto(asked.url);
  await alex.page.getByRole('button', { name: 'alex', exact: true }).click();
  await alex.page.getByRole('button', { name: 'Approve', exact: true }).click();
  await heading(alex.page, 'Approved');
  const { page, violations, context } = await openDevice(browser);
  await page.goto(asked.url);
  await heading(page, 'Already approved');
  await page.getByText(/^alex: approved, /).waitFor();
  await page.getByText('There is nothing left to decide').waitFor();
  await assertReadable(page, violations);
  await picture(page, 'decided-by-others');
  await context.close();
});

test('what differs from the last approved is shown by words and signs', async () => {
  const { page, violations } = alex;
  const action = 'Change the limits';
  const before = { kept: 'x', level: 1, old: ['a', 'b'], text: 'one' };
  const first = await ask({ action, payload: before });
  await page.goto(first.url);
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await heading(page, 'Approved');
  const second = await ask({ action, payload: { kept: 'x', level: '1', old: ['a'], text: 'two', fresh: 'invoice\u202Efdp' } });
  await page.goto(second.url);
  await heading(page, 'Approve or reject?');
  assert.equal(await page.locator('#difference-count').textContent(), '4 fields differ:');
  assert.deepEqual(await page.locator('.changes li').evaluateAll((items) => items.map((item) => item.textContent)), [
    '+fresh addedinvoice[U+202E RIGHT-TO-LEFT OVERRIDE]fdp',
    '~level changed1 (number) → 1 (string)',
    '−old[1] removedb',
    '~text changedone → two',
  ]);
  await page.getByText('this comparison is not signed').waitFor();
  await assertReadable(page, violations);
  await picture(page, 'difference');
});

test('a request under a title that one has just rejected says so, whatever its payload', async () => {
  const { page, violations } = alex;
  const rejected = await ask({ action: 'Delete the archive', payload: { archive: '2020' } });
  await page.goto(rejected.url);
  await page.getByRole('button', { name: 'Reject', exact: true }).click();
  await heading(page, 'Rejected');
  const again = await ask({ action: 'Delete the archive', payload: { archive: '2020/' } });
  await page.goto(again.url);
  await page.getByText(/^You rejected a request with this title before, at /).waitFor();
  await assertReadable(page, violations);
  await picture(page, 'rejected-title');
});

test('a request that was rejected before says so', async () => {
  const { page, violations } = alex;
  const payload = { service: 'asked-again' };
  const first = await ask({ payload });
  await page.goto(first.url);
  await page.getByRole('button', { name: 'Reject', exact: true }).click();
  await heading(page, 'Rejected');
  // The server refuses to ask again at once, so its answer is changed on the way.
  const second = await ask({ payload: { service: 'another' } });
  await page.route('**/approve/*/options', async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    const { decidedAt: at } = (await requester.status(first.id)).decisions[0];
    json.rejectedBefore = { times: 2, last: [{ at, by: 'alex' }, { at }] };
    await route.fulfill({ response, json });
  });
  await page.goto(second.url);
  await page.getByText(/was rejected 2 times before, last by alex at /).waitFor();
  await assertReadable(page, violations);
  await picture(page, 'rejected-before');
  await page.unrouteAll();
});

test('markup in a request is text', async () => {
  const { page, violations } = alex;
  const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>&lt;b&gt;{{1+1}}';
  const payload = { [markup]: markup, link: 'javascript:alert(1)' };
  const asked = await ask({ action: markup, payload });
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  assert.equal(await page.locator('#action').textContent(), markup);
  const values = (await shownFields(page)).map(({ value }) => value);
  assert.deepEqual(values, [markup, 'javascript:alert(1)']);
  assert.equal(await page.locator('main img, main script, main a[href^="javascript"]').count(), 0);
  assert.match(await page.title(), /^Approve or reject/);
  await assertReadable(page, violations);
});

test('a word that mixes alphabets names its letters', async () => {
  const { page, violations } = alex;
  const asked = await ask({ payload: { to: 'p\u0430ypal', word: 'привет', greek: 'αβγ', fruit: '\u0430\u0440\u0440\u04cf\u0435' } });
  await page.goto(asked.url);
  await page.getByText('mixes alphabets whose letters look alike').waitFor();
  const values = (await shownFields(page)).map(({ value }) => value);
  assert.deepEqual(values, ['\u0430\u0440\u0440\u04cf\u0435[all Cyrillic]', 'αβγ', 'p\u0430ypal[Cyrillic: U+0430]', 'привет']);
  await page.getByText('characters that look like others').waitFor();
  await assertReadable(page, violations);
  await picture(page, 'mixed-alphabets', { first: true });
});

test('characters of other alphabets and signs that look like plain ones are named, and one warning is given for each kind', async () => {
  const { page, violations } = alex;
  const payload = {
    account: '\u{1d429}\u{1d41a}\u{1d432}pal',
    amount: '\uff11\uff12\uff10',
    company: '\u057d\u057d\u0578',
    host: 'example\u2024com\u2215pay',
    name: 'Ren\u0065\u0301',
    note: '東京（株）の Աննա Հակոբյան',
    struck: '1\u033800',
  };
  const asked = await ask({ action: 'Pay out', payload });
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  const values = Object.fromEntries((await shownFields(page)).map(({ path, value }) => [path, value.replaceAll('\u00a0', ' ')]));
  assert.deepEqual(values, {
    account: '\u{1d429}\u{1d41a}\u{1d432}pal[U+1D429 ≈ p, U+1D41A ≈ a, U+1D432 ≈ y]',
    amount: '\uff11\uff12\uff10[U+FF11 ≈ 1, U+FF12 ≈ 2, U+FF10 ≈ 0]',
    company: '\u057d\u057d\u0578[all Armenian]',
    host: 'example\u2024[U+2024 ≈ .]com\u2215[U+2215 ≈ /]pay',
    name: 'Ren\u0065\u0301[not NFC]',
    note: payload.note,
    struck: '1\u033800[U+0338]',
  });
  assert.equal(await page.locator('.warnings li').count(), 2);
  await page.getByText('characters that look like others').waitFor();
  await page.getByText('A word in this request is written in an unusual way').waitFor();
  await assertReadable(page, violations);
  await picture(page, 'look-alikes', { first: true });
  await requester.cancel(asked.id);
});

test('honest writing of other languages has no box and no warning', async () => {
  const { page, violations } = alex;
  const payload = { am: 'Աննա Հակոբյան', ar: 'محمد ١٢٠ ريال', fr: 'François Lœuvre, l’Été', ja: '山田太郎（株式会社）ＡＢＣ！', ru: 'Привет, мир', tr: 'Aydın Işık' };
  const asked = await ask({ action: 'Greet people', payload });
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  assert.deepEqual((await shownFields(page)).map(({ value }) => value), Object.values(payload));
  assert.equal(await page.locator('.warnings, #request .hidden-character').count(), 0);
  await assertReadable(page, violations);
  await picture(page, 'languages');
  await requester.cancel(asked.id);
});

test('nothing at all, and a text that says so, cannot be mistaken for each other', async () => {
  const { page, violations } = alex;
  const action = 'Set the texts';
  const texts = ['', '[empty string]', '(empty string)'];
  const [first, second] = [Object.fromEntries(texts.map((text, i) => [`t${i}`, text])), { t0: '[empty string]', t1: '', t2: '' }];
  const asked = await ask({ action, payload: first });
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  assert.deepEqual((await shownFields(page)).map(({ type, value }) => [type, value]),
    [['empty string', '[empty string]'], ['string', '[empty string]'], ['string', '(empty string)']]);
  const boxes = (selector) => page.locator(selector).evaluateAll((all) => all.map((one) => one.querySelectorAll('.hidden-character').length));
  assert.deepEqual(await boxes('.fields dd'), [1, 0, 0]);
  await picture(page, 'empty');
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await heading(page, 'Approved');
  const again = await ask({ action, payload: second });
  await page.goto(again.url);
  await heading(page, 'Approve or reject?');
  assert.deepEqual(await boxes('.changes del'), [1, 0, 0]);
  assert.deepEqual(await boxes('.changes ins'), [0, 1, 1]);
  await assertReadable(page, violations);
  await requester.cancel(again.id);
});

test('what the request is compared with stands at the head: none before, the same, or how many fields differ', async () => {
  const { page, violations } = alex;
  const action = 'Change the quota';
  const shown = async (payload, words) => {
    const asked = await ask({ action, payload });
    await page.goto(asked.url);
    await heading(page, 'Approve or reject?');
    assert.equal(await page.locator('#difference-summary').textContent(), words);
    return asked;
  };
  await shown({ quota: 1, unit: 'GiB' }, 'nothing was approved before');
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await heading(page, 'Approved');
  await requester.cancel((await shown({ quota: 1, unit: 'GiB' }, 'the same in every field')).id);
  const differs = await shown({ quota: 1, unit: 'TiB' }, '1 field differs');
  await page.locator('#difference-summary').click();
  const section = await page.locator('#difference').boundingBox();
  assert.ok(section.y >= 0 && section.y < 844, 'a press leads to the comparison');
  await assertReadable(page, violations);
  await requester.cancel(differs.id);
});

test('long numbers stand in groups, and every value can be copied as it is', async () => {
  const { page, context, violations } = alex;
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const payload = { amount: 1250000, blank: '', id: 9007199254740991, key: 'p\u0430y\u200bpal', ratio: -123456.125, small: 1200 };
  const asked = await ask({ action: 'Pay in', payload });
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  const groups = await page.locator('.digits').evaluateAll((all) => all.map((one) => [...one.children].map((group) => group.textContent)));
  assert.deepEqual(groups, [['1', '250', '000'], ['9', '007', '199', '254', '740', '991'], ['123', '456']]);
  const selected = await page.locator('.digits').evaluateAll((all) => all.map((one) => {
    getSelection().selectAllChildren(one);
    return getSelection().toString();
  }));
  assert.deepEqual(selected, ['1250000', '9007199254740991', '-123456.125'], 'what is selected has no blanks');
  const [first, second] = await page.locator('.digits >> nth=0').locator('span').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON()));
  assert.ok(second.left - first.right >= 3, 'the groups stand apart');
  await picture(page, 'numbers');
  assert.equal(await page.getByRole('button', { name: /^Copy / }).count(), 1);
  await page.getByRole('button', { name: 'Copy values' }).click();
  const copied = {};
  for (const name of Object.keys(payload).filter((one) => one !== 'blank')) {
    await page.getByRole('button', { name: `Copy ${name}`, exact: true }).click();
    await page.locator('.field', { has: page.getByRole('button', { name: `Copy ${name}`, exact: true }) }).getByText('Copied.').waitFor();
    copied[name] = await page.evaluate(() => navigator.clipboard.readText());
  }
  assert.deepEqual(copied, { amount: '1250000', id: '9007199254740991', key: payload.key, ratio: '-123456.125', small: '1200' });
  assert.equal(await page.getByRole('button', { name: 'Copy blank' }).count(), 0);
  await assertReadable(page, violations);
  await picture(page, 'copy-values');
  await page.getByRole('button', { name: 'Copy values' }).click();
  assert.equal(await page.locator('.copy-value').count(), 0);
  await requester.cancel(asked.id);
});

async function assertVerifies(receipt, code, ...args) {
  assert.equal(typeof receipt, 'string', 'the answer has no receipt');
  const verdict = await server.verify(receipt, ...args);
  assert.equal(verdict.code, code, `countersign-verify ${args.join(' ')}:\n${verdict.output}`);
}

async function downloadReceipt(page, id) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#receipt').click()]);
  assert.equal(download.suggestedFilename(), `${id}.receipt.json`);
  return readFile(await download.path(), 'utf8');
}

async function assertEqualWeight(page) {
  const reject = await page.locator('#reject').boundingBox();
  const approve = await page.locator('#approve').boundingBox();
  assert.equal(reject.width, approve.width);
  assert.equal(reject.height, approve.height);
  assert.ok(approve.x - (reject.x + reject.width) >= 24, 'the buttons are less than 24 pixels apart');
}
