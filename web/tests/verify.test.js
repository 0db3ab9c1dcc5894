// The verify page, served and from disk: what passes, what fails and where, and what it says of each.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
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
const good = JSON.parse(readFileSync(new URL('../example-good.json', import.meta.url), 'utf8'));
const bad = JSON.parse(readFileSync(new URL('../example-bad.json', import.meta.url), 'utf8'));

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
  await verdict(`Not verified: the step ${bad.failed_step} failed: `);
  assert.deepEqual(await steps(), stepsFailingAt(bad.failed_step));
  await assertReadable(page, alex.violations);
  await picture(page, 'verify-example-bad');
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
  await assertReadable(page, alex.violations);
  await picture(page, 'verify-path');
});

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
  const { root } = await remembered();
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

test('every module of the folders is served as it is', async () => {
  const list = (folder) => readdirSync(new URL(`../../${folder}/`, import.meta.url)).filter((name) => name.endsWith('.js'));
  const served = [
    ...list('web').filter((name) => name !== 'assemble-verify.js').map((name) => `web/${name}`),
    ...['', '/verify', '/webauthn'].flatMap((folder) => list(`verifier-js${folder}`).map((name) => `verifier${folder}/${name}`)),
  ];
  for (const path of served) {
    const response = await fetch(`${server.url}/${path}`);
    assert.equal(response.status, 200, path);
    assert.ok((await response.text()) === source(path), `${path} is not the file: build the binary again`);
  }
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
  await offline.locator('#receipt-text').fill(bad.receipt);
  await verdict(`Not verified: the step ${bad.failed_step} failed`, offline);
  await assertReadable(offline, violations);
  await picture(offline, 'verify-from-disk');
  await context.close();
});
