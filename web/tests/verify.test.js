// The verify page, served and from disk: what passes, what fails and where, and what it says of each.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { assemble, modules, rename, source } from '../assemble-verify.js';
import { assertReadable, enrol, heading, launchBrowser, openDevice, picture } from './browser.js';
import { connect } from './requester.js';
import { startServer } from './server.js';

const STEPS = [
  'receipt', 'checkpoint', 'document', 'entry', 'challenge', 'client-data', 'authenticator-data', 'enrolment', 'signature',
  'inclusion', 'quorum', 'expectation',
];
const AMBER = 'Approved and verified. You stated no expectation: check below that it is about what you think.';
const GOOD = 'Approved, verified, and as you expected.';
const PAYLOAD = { amount: 120, to: 'ACME\u202E' };
const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
const good = JSON.parse(read('../example.json'));

let server;
let requester;
let browser;
let alex;
let page;
let receipt;
let dir;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'countersign-verify-page-'));
  server = await startServer();
  browser = await launchBrowser();
  requester = await connect(server);
  alex = await openDevice(browser);
  page = alex.page;
  await enrol(page, (await requester.invite({ username: 'alex' })).registerUrl);
  receipt = await approve();
});

after(async () => {
  await browser?.close();
  await server?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
});

async function approve() {
  const asked = await requester.ask({ username: 'alex', action: 'Pay an invoice', payload: PAYLOAD });
  await page.goto(asked.url);
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await heading(page, 'Approved');
  return (await requester.wait(asked.id)).receipt;
}

const open = (hash = '') => page.goto(`${server.url}/verify${hash}`);
const paste = (text) => page.getByLabel('Or paste its text').first().fill(text);
const useServerTrust = () => page.getByRole('button', { name: 'Use this server’s trust file' }).click();

/** Waits for the one verdict line. */
async function verdict(text, where = page) {
  await where.locator('#verdict').filter({ hasText: text }).waitFor();
}

function steps(where = page) {
  return where.locator('#steps li').evaluateAll((items) => items.map(({ dataset }) => [dataset.step, dataset.status]));
}

function stepsFailingAt(id) {
  const at = STEPS.indexOf(id);
  return STEPS.map((step, i) => [step, i < at ? 'passed' : i === at ? 'failed' : 'not reached']);
}

const allPassed = STEPS.map((step) => [step, 'passed']);

test('a good receipt passes all steps, first amber and then, as expected, green', async () => {
  await open();
  await assertReadable(page, alex.violations);
  await picture(page, 'verify-empty');
  await paste(receipt);
  await verdict('Now give a trust file');
  await useServerTrust();
  await verdict(AMBER);
  await page.getByText('trust on first use').waitFor();
  assert.equal(await page.locator('#verdict').getAttribute('data-tone'), 'amber');
  assert.deepEqual(await steps(), allPassed);
  assert.equal(await page.locator('#action').textContent(), 'Pay an invoice');
  assert.match(await page.locator('#decisions li').textContent(), /^alex approved it on /);
  assert.match(await page.locator('.fields').textContent(), /ACME\[U\+202E RIGHT-TO-LEFT OVERRIDE\]/);
  await page.getByText('no rejection, revocation or consumption was left out').waitFor();
  await page.locator('#memory-text').waitFor();
  await assertReadable(page, alex.violations);
  await picture(page, 'verify-amber');

  await page.getByLabel('The exact payload, as JSON').fill(JSON.stringify(PAYLOAD, undefined, 2));
  await page.getByLabel('Exactly who was asked').fill('alex');
  await verdict(GOOD);
  assert.equal(
    await page.locator('#command').textContent(),
    'countersign-verify a.receipt.json --trust trust.json --payload payload.json --approvers alex --quorum 1',
  );
  await picture(page, 'verify-good');

  await page.getByLabel('Exactly who was asked').fill('sam');
  await verdict('Not verified: the step expectation failed: the approvers are alex, expected sam.');
  await page.getByLabel('Exactly who was asked').fill('Sam');
  await page.getByText('“Sam” is no username').waitFor();
  await page.getByLabel('Exactly who was asked').fill('');
  await page.getByLabel('The decision').selectOption('reject');
  await verdict('Approved, and not what you expected: the step expectation failed');
  await picture(page, 'verify-unexpected');
});

test('a flipped bit fails and names the step; flipping it back passes', async () => {
  await open();
  await useServerTrust();
  await paste(receipt);
  await verdict(AMBER);
  for (let i = 0; i < 5; i += 1) {
    await page.getByRole('button', { name: 'Flip one bit of the receipt' }).click();
    await verdict('Not verified: the step ');
    const failed = (await steps()).find(([, status]) => status === 'failed');
    assert.deepEqual(await steps(), stepsFailingAt(failed[0]));
    await verdict(`the step ${failed[0]} failed: `);
    if (i === 0) {
      await assertReadable(page, alex.violations);
      await picture(page, 'verify-flipped');
    }
    await page.getByRole('button', { name: 'Flip it back' }).click();
    await verdict(AMBER);
  }
  assert.deepEqual(await steps(), allPassed);
});

test('garbage, another log’s trust file, and a damaged one', async () => {
  await open();
  await useServerTrust();
  await paste('<b>approved</b>');
  await verdict('Not verified: the step receipt failed: ');
  assert.deepEqual(await steps(), stepsFailingAt('receipt'));
  await assertReadable(page, alex.violations);
  await picture(page, 'verify-garbage');
  await paste(receipt);
  await verdict(AMBER);
  await page.getByLabel('Or paste its text').nth(1).fill(good.trust);
  await verdict('Not verified: the step checkpoint failed: ');
  await page.getByLabel('Or paste its text').nth(1).fill('{}');
  await page.getByText('This trust file cannot be used').waitFor();
  await verdict('Now give a trust file');
  await assertReadable(page, alex.violations);
  await picture(page, 'verify-damaged-trust');
});

test('a receipt and a trust file can be chosen and dropped', async () => {
  await open();
  const trust = await (await fetch(`${server.url}/trust.json`)).text();
  const file = (name, text) => ({ name, mimeType: 'application/json', buffer: Buffer.from(text) });
  await page.locator('#trust-file').setInputFiles(file('pinned.json', trust));
  await page.locator('#receipt-file').setInputFiles(file('deploy it.receipt.json', receipt));
  await verdict(AMBER);
  assert.match(await page.locator('#command').textContent(), /^countersign-verify 'deploy it.receipt.json' --trust /);
  const data = await page.evaluateHandle((text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], 'dropped.json'));
    return transfer;
  }, 'no receipt');
  await page.dispatchEvent('#receipt-drop', 'drop', { dataTransfer: data });
  await verdict('Not verified: the step receipt failed: ');
});

test('a receipt in the fragment is verified and sent nowhere', async () => {
  const sent = [];
  const listen = (request) => sent.push(request.url() + (request.postData() ?? ''));
  const encoded = Buffer.from(receipt).toString('base64url');
  page.on('request', listen);
  await page.goto('about:blank');
  await open(`#receipt=${encoded}`);
  await verdict('Now give a trust file');
  await useServerTrust();
  await verdict(AMBER);
  page.off('request', listen);
  assert.ok(sent.length > 0);
  for (const url of sent) {
    assert.ok(url.startsWith(server.url), `a request to ${url}`);
    assert.ok(!url.split('#')[0].includes(encoded.slice(0, 40)), 'the receipt was sent');
  }
  await page.goto('about:blank');
  await open('#receipt=%');
  await page.getByText('The receipt in this link is damaged').waitFor();
});

test('the examples pass and fail as they say', async () => {
  await open('?example=good');
  await verdict(AMBER);
  assert.deepEqual(await steps(), allPassed);
  await open('?example=bad');
  await verdict('Not verified: the step challenge failed: ');
  assert.deepEqual(await steps(), stepsFailingAt('challenge'));
  await assertReadable(page, alex.violations);
  await picture(page, 'verify-example-bad');
});

test('the example is a case of testdata', () => {
  assert.equal(read('../example.json'), read('../../testdata/receipts/genuine/approved.json'));
});

test('everything that can be expected is compared, and stands in the command', async () => {
  await open();
  await useServerTrust();
  await paste(receipt);
  await verdict(AMBER);
  await page.getByText('More to compare').click();
  const { id } = JSON.parse(JSON.parse(receipt).decisions[0].document);
  const cases = [
    ['The id of the request', id, 'cnf_4k2m6p3q7a5b2c4d6e3f5g7h2j', 'the id is'],
    ['Who asked', 'deploy-bot', 'somebody', 'the requester is'],
    ['Decided at most so many minutes ago', '60', undefined, ''],
  ];
  for (const [label, right, wrong, words] of cases) {
    await page.getByLabel(label, { exact: true }).fill(right);
    await verdict(GOOD);
    if (wrong === undefined) continue;
    await page.getByLabel(label, { exact: true }).fill(wrong);
    await verdict(`Not verified: the step expectation failed: ${words} `);
    await page.getByLabel(label, { exact: true }).fill(right);
  }
  await page.getByLabel('It may still be used now').check();
  await verdict(GOOD);
  assert.equal(
    await page.locator('#command').textContent(),
    `countersign-verify a.receipt.json --trust trust.json --id ${id} --requester deploy-bot --max-age 3600 --usable`,
  );
  await assertReadable(page, alex.violations);
  await picture(page, 'verify-more-expected');
  await page.getByLabel('Decided at most so many minutes ago').fill('an hour');
  await page.getByText('How many minutes ago is a whole number.').waitFor();
  await verdict('Your expectation cannot be read');
});

test('an old decision is too old, and cannot be used any more', async () => {
  await open('?example=good');
  await verdict(AMBER);
  await page.getByText('More to compare').click();
  await page.getByLabel('Decided at most so many minutes ago').fill('60');
  await verdict('Not verified: the step expectation failed: decided ');
  await page.getByLabel('Decided at most so many minutes ago').fill('');
  await verdict(AMBER);
  await page.getByLabel('It may still be used now').check();
  await verdict('Not verified: the step expectation failed: it could be used until ');
});

test('the path is drawn as the tree is, unbalanced right edge included', async () => {
  // Five entries in all: the last one has no sibling until the top.
  for (let size = 2; size < 5; size += 1) receipt = await approve();
  await open();
  await useServerTrust();
  await paste(receipt);
  await verdict(AMBER);
  const boxes = () => page.locator('.path g').evaluateAll((groups) =>
    groups.map((group) => [group.getAttribute('class'), ...[...group.querySelectorAll('text')].map((text) => text.textContent).slice(1)]),
  );
  assert.deepEqual(await boxes(), [
    ['computed leaf', '4', 'leaf'],
    ['given', '0–3', 'given'],
    ['computed', '0–4', 'root = signed'],
  ]);
  await page.getByLabel('Which entry').selectOption('1');
  assert.deepEqual(await boxes(), [
    ['computed leaf', '0', 'leaf'],
    ['given', '1', 'given'],
    ['computed', '0–1', 'computed'],
    ['given', '2–3', 'given'],
    ['computed', '0–3', 'computed'],
    ['given', '4', 'given'],
    ['computed', '0–4', 'root = signed'],
  ]);
  await page.getByText('The same as a table').click();
  assert.equal(await page.locator('table tbody tr').count(), 5);
  await stepThrough();
  await assertReadable(page, alex.violations);
  await picture(page, 'verify-path');
});

/** Through the path of entry 0 of 5 with the keyboard: in words, and marked in the drawing. */
async function stepThrough() {
  const words = page.locator('#step-words');
  const marked = () => page.locator('.path g').evaluateAll((boxes) => boxes.map((box) => box.dataset.now ?? '-').join(' '));
  assert.equal(await words.getAttribute('aria-live'), 'polite');
  assert.match(await words.textContent(), /^Step 0 of 3\. Entry 0 is hashed: [0-9a-f]{8}…$/);
  assert.equal(await marked(), 'result - - - - - -');
  await page.getByRole('button', { name: 'Next step' }).focus();
  await page.keyboard.press('Enter');
  const first = /^Step 1 of 3\. Left: [0-9a-f]{8}… \(entry 0, computed\)\. Right: [0-9a-f]{8}… \(entry 1, given\)\. Both are hashed together: /;
  assert.match(await words.textContent(), first);
  assert.equal(await marked(), 'input input result - - - -');
  await picture(page, 'verify-path-step');
  await page.getByRole('button', { name: 'Next step' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  assert.match(await words.textContent(), /^Step 3 of 3\. .* \(entries 0–4\)\. This is the signed root\.$/);
  assert.equal(await marked(), '- - - - input input result');
  assert.equal(await page.locator(':focus').textContent(), 'Next step', 'the end takes the focus from nobody');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Space');
  assert.match(await words.textContent(), /^Step 2 of 3\./);
}

test('the log proves that it grew, and a log that changed its past is called out', async () => {
  const key = `countersign.checkpoint.${new URL(server.url).host}/log`;
  const remembered = () => page.evaluate((name) => JSON.parse(localStorage.getItem(name)), key);
  assert.equal((await remembered()).size, '5');
  receipt = await approve();
  await open();
  await useServerTrust();
  await paste(receipt);
  await page.getByText('The log has proven that the tree of size 5 is the beginning of the tree of size 6').waitFor();
  assert.equal((await remembered()).size, '6');
  const { root, since } = await remembered();
  const kept = await page.locator('#memory-kept').textContent();
  for (const part of [root, since, 'Remembered size6']) assert.ok(kept.includes(part), `${part} is not in ${kept}`);
  await page.getByRole('button', { name: 'Forget it' }).click();
  await page.getByText('Forgotten. The next verified checkpoint').waitFor();
  assert.equal(await remembered(), null);
  const other = Buffer.alloc(32, 7).toString('base64');
  const lies = [['6', 'two different trees of size 6'], ['5', 'cannot prove that the trees of size 5 and 6 fit together']];
  for (const [size, words] of lies) {
    await page.evaluate(([name, value]) => localStorage.setItem(name, value), [key, JSON.stringify({ size, root: other })]);
    await open();
    await useServerTrust();
    await paste(receipt);
    await page.locator('#alert').filter({ hasText: words }).waitFor();
    assert.equal((await remembered()).root, other);
  }
  await assertReadable(page, alex.violations);
  await picture(page, 'verify-split-view');
  await page.evaluate(([name, value]) => localStorage.setItem(name, value), [key, JSON.stringify({ size: '6', root })]);
});

test('the assembled file holds its sources, but for the names of imports', () => {
  const page = assemble();
  const map = JSON.parse(/<script type="importmap">(.*)<\/script>/.exec(page)[1]).imports;
  assert.deepEqual(Object.keys(map), [...modules().keys()]);
  for (const [name, url] of Object.entries(map)) {
    let text = Buffer.from(url.slice('data:text/javascript;base64,'.length), 'base64').toString();
    const original = source(name);
    for (const [specifier, target] of rename(name, original).imports) {
      assert.ok(text.includes(`from '${target}';`), `${name} imports ${target}`);
      text = text.replace(`from '${target}';`, `from '${specifier}';`);
    }
    assert.equal(text, original, name);
  }
  assert.ok(page.includes(`<style>${readFileSync(new URL('../style.css', import.meta.url), 'utf8')}</style>`));
  assert.doesNotMatch(page, /(?:src|href)="\/web\//);
});

test('the assembled file verifies from disk with the network off', async () => {
  const file = join(dir, 'verify.html');
  writeFileSync(file, assemble());
  const { context, page: offline, violations } = await openDevice(browser);
  await context.setOffline(true);
  await offline.goto(pathToFileURL(file).href);
  await offline.getByText('No receipt yet.').waitFor();
  assert.equal(await offline.locator('#server-trust').isVisible(), false);
  await offline.locator('#receipt-text').fill(good.receipt);
  await offline.locator('#trust-text').fill(good.trust);
  await verdict(AMBER, offline);
  assert.deepEqual(await steps(offline), allPassed);
  await offline.locator('#receipt-text').fill(good.receipt.replace('production', 'Production'));
  await verdict('Not verified: the step challenge failed', offline);
  await assertReadable(offline, violations);
  await picture(offline, 'verify-from-disk');
  await context.close();
});
