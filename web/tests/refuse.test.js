// What the pages refuse, and every state in which nothing can be decided. Where a state needs a hostile or a broken
// server, a route between browser and server changes the real answers.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before, test } from 'node:test';
import { assertAccessible, assertReadable, enrol, heading, launchBrowser, openContext, openDevice, picture, shownFields } from './browser.js';
import { connect } from './requester.js';
import { startServer } from './server.js';

const OPTIONS = '**/approve/*/options';
const DECISION = '**/approve/*/decision';

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
  await enrol(page, (await requester.invite({ username: 'alex' })).registerUrl);
});

afterEach(async () => {
  await page?.unrouteAll();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const ask = (more = {}) =>
  requester.ask({ username: 'alex', action: 'Pay an invoice', payload: { amount: 120, to: 'ACME' }, ...more });

/** Lets `change` edit the server's answer to the page's first question. */
async function tamper(change) {
  await page.route(OPTIONS, async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    change(json);
    await route.fulfill({ response, json });
  });
}

/** Lets the server answer that it failed. */
const fail = (route) =>
  route.fulfill({
    status: 500,
    contentType: 'application/problem+json',
    body: JSON.stringify({ type: 'about:blank', title: 'Failed', status: 500, detail: 'Something broke here.' }),
  });

const inBoth = (from, to) => (answer) => {
  for (const decision of ['approve', 'reject']) {
    assert.ok(answer.documents[decision].includes(from), `the document has no ${from}`);
    answer.documents[decision] = answer.documents[decision].replace(from, to);
  }
};

const lies = {
  'another payload in both documents': inBoth('"amount":120', '"amount":121'),
  'another payload in the document to approve': (answer) => {
    answer.documents.approve = answer.documents.approve.replace('"amount":120', '"amount":121');
  },
  'another compare code': (answer) => {
    answer.compareCode = 'aaaa-bbbb-cccc-dddd';
  },
  'the documents swapped': ({ documents }) => {
    [documents.approve, documents.reject] = [documents.reject, documents.approve];
  },
  'the document of somebody else': inBoth('"approver":"alex"', '"approver":"sam"'),
  'another person behind the same document': (answer) => {
    answer.approver = 'sam';
  },
  'a key twice': inBoth('"amount":120', '"amount":120,"amount":121'),
  'a number that a parser rounds': inBoth('"amount":120', '"amount":120.00000000000000001'),
  'white space': inBoth('"amount":120', '"amount": 120'),
  'an unknown field': inBoth('"type":', '"tip":1,"type":'),
  'a short nonce': (answer) => {
    inBoth(/"nonce":"[^"]*"/.exec(answer.documents.approve)[0], '"nonce":"AAAA"')(answer);
  },
  'a document of another log': inBoth('"log":"', '"log":"x.'),
  'no JSON': (answer) => {
    answer.documents.approve = '<b>yes</b>';
  },
};

for (const [name, lie] of Object.entries(lies)) {
  test(`stops at ${name}`, async () => {
    const asked = await ask();
    await tamper(lie);
    await page.goto(asked.url);
    await heading(page, 'Stop: do not approve this');
    assert.equal(await page.locator('button:visible').count(), 0);
    assert.equal(await page.locator('.field').count(), 0);
    assert.notEqual(await page.locator('#reason').textContent(), '');
    await assertReadable(page, alex.violations);
    if (name.startsWith('another payload in both')) await picture(page, 'mismatch');
    assert.equal((await requester.status(asked.id)).status, 'pending');
  });
}

test('a server that lies consistently shows a code that the requester does not have', async () => {
  const asked = await ask();
  const other = await ask({ payload: { amount: 999_999, to: 'ACME' } });
  await page.goto(other.url);
  await heading(page, 'Approve or reject?');
  assert.notEqual(await page.locator('#compare-code').textContent(), asked.compareCode);
});

test('nothing hides behind white space, length, or another way to write a letter', async () => {
  const payload = { note: `see below${'\n'.repeat(5000)}and pay twice`, 'caf\u00e9': 1, 'cafe\u0301': 2 };
  const asked = await ask({ payload });
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  const [plain, decomposed, note] = await shownFields(page);
  // The two keys look alike, in the order of their characters.
  assert.deepEqual([plain, decomposed].map(({ path }) => path).sort(), ['["cafe\u0301[not NFC]"]', '["caf\u00e9"]'].sort());
  assert.equal(note.value, `see below${'[U+000A LINE FEED]'.repeat(5000)}and pay twice`);
  assert.equal(await page.locator('#field-count').textContent(), '3 of 3 fields shown');
  const warning = await page.getByText('characters that are hidden or change the order').boundingBox();
  assert.ok(warning.y + warning.height < 844, 'the warning is on the first screen');
  await requester.cancel(asked.id);
});

test('a text of several lines is shown as one writes it, with a box at each end of a line and no warning', async () => {
  const asked = await ask({ payload: { command: 'set -e\n\nmake release\nmake publish' } });
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  const [command] = await shownFields(page);
  assert.equal(command.value, 'set -e↵↵make release↵make publish');
  assert.equal(await page.locator('.fields dd br').count(), 3);
  assert.equal(await page.getByText('characters that are hidden or change the order').count(), 0);
  await requester.cancel(asked.id);
});

test('letters from right to left move nothing that stands beside them', async () => {
  const values = ['10.6.6.6/א/example.com', 'EUR 1 א 900', 'transfer 100 אב גד 900 to A'];
  const asked = await ask({ action: 'Pay 5 א 10 to B', payload: Object.fromEntries(values.map((value, i) => [`v${i}`, value])) });
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  // The characters that are no letters from right to left, with the first of each run of those, by where they stand.
  const seen = (selector) => page.locator(selector).evaluateAll((all) => all.map((one) => {
    const places = [];
    const walker = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      for (let i = 0; i < node.data.length; i += 1) {
        const range = document.createRange();
        range.setStart(node, i);
        range.setEnd(node, i + 1);
        const [{ left, top }] = range.getClientRects();
        places.push({ character: node.data[i], left, top });
      }
    }
    return places.sort((a, b) => Math.round((a.top - b.top) / 8) || a.left - b.left).map(({ character }) => character).join('').replaceAll(/[א-ת ]+/g, ' א ');
  }));
  const signed = (text) => text.replaceAll(/[א-ת ]+/g, ' א ');
  assert.deepEqual(await seen('.fields dd bdi:not(bdi bdi)'), values.map(signed));
  assert.deepEqual(await seen('#action bdi:not(bdi bdi)'), [signed('Pay 5 א 10 to B')]);
  await requester.cancel(asked.id);
});

test('two spaces are never shown as one', async () => {
  const action = 'Delete   the   backup';
  const decide = async (payload) => {
    const asked = await ask({ action, payload });
    await page.goto(asked.url);
    await heading(page, 'Approve or reject?');
    return asked;
  };
  // What a reader sees, without the white space that a browser drops.
  const seen = (selector) => page.locator(`${selector} bdi`).evaluateAll((all) => all.map((one) => one.innerText));
  await decide({ 'a b': 1, 'a  b': 2, note: 'x    y' });
  assert.deepEqual(await seen('#action'), [action]);
  assert.deepEqual(await seen('.fields dt'), ['["a  b"]', '["a b"]', 'note']);
  assert.deepEqual(await seen('.fields dd'), ['2', '1', 'x    y']);
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await heading(page, 'Approved');
  const asked = await decide({ 'a b': 2, 'a  b': 1, note: 'x  y' });
  assert.deepEqual(await seen('.changes strong'), ['["a  b"]', '["a b"]', 'note']);
  assert.deepEqual(await seen('.changes del'), ['2', '1', 'x    y']);
  assert.deepEqual(await seen('.changes ins'), ['1', '2', 'x  y']);
  await page.locator('#raw summary').click();
  assert.deepEqual(await seen('#raw-document'), [await page.locator('#raw-document').textContent()]);
  await assertReadable(page, alex.violations);
  await requester.cancel(asked.id);
});

test('a device whose clock is wrong counts by the server’s', async () => {
  const asked = await ask();
  const context = await openContext(browser);
  await context.addInitScript(() => {
    const { now } = Date;
    Date.now = () => now() + 3_600_000;
  });
  const late = await context.newPage();
  await late.goto(asked.url);
  await late.getByText(/^\d+ minutes left$/).waitFor();
  await heading(late, 'Approve or reject?');
  await context.close();
});

test('a link to nothing, and a cancelled request', async () => {
  await page.goto(`${server.url}/approve/cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa`);
  await heading(page, 'Request not found');
  await assertReadable(page, alex.violations);
  await picture(page, 'not-found');
  const asked = await ask();
  await requester.cancel(asked.id);
  await page.goto(asked.url);
  await heading(page, 'Cancelled');
  await page.getByText('The requester has cancelled this request').waitFor();
  await assertReadable(page, alex.violations);
  await picture(page, 'cancelled');
  assert.equal(await page.locator('button:visible').count(), 0);
});

test('a request that is cancelled while it is read says so by itself', async () => {
  const asked = await ask();
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  await requester.cancel(asked.id);
  await heading(page, 'Cancelled');
  assert.equal(await page.locator('button:visible').count(), 0);
  assert.equal(await page.locator('.field').count(), 0);
});

test('a request that was cancelled while the page was open', async () => {
  const asked = await ask();
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  await requester.cancel(asked.id);
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await heading(page, 'Cancelled');
});

test('an open page turns to expired by itself, and stays so', async () => {
  const asked = await openSoonOver();
  await heading(page, 'Expired');
  await page.getByText('The time for a decision is over').waitFor();
  assert.equal(await page.locator('button:visible').count(), 0);
  await assertReadable(page, alex.violations);
  await picture(page, 'expired');
  const { status } = await requester.wait(asked.id);
  assert.equal(status, 'expired');
  await page.goto(asked.url);
  await heading(page, 'Expired');
});

/** Opens a request that is over soon, but not before this machine has shown it. */
async function openSoonOver() {
  for (const expiresIn of [5, 20, 80, 320]) {
    const asked = await ask({ expiresIn });
    await page.goto(asked.url);
    await page.getByRole('heading', { level: 1, name: /^(Approve or reject\?|Expired)$/ }).waitFor();
    if (await page.locator('#approve').isVisible()) return asked;
  }
  throw new Error('no request was shown before it was over');
}

test('a server that fails while the request is loaded decides nothing, and is asked again', async () => {
  const asked = await ask();
  await page.route(OPTIONS, fail);
  await page.goto(asked.url);
  await heading(page, 'The request could not be loaded');
  await page.getByText('Something broke here. Nothing was decided.').waitFor();
  assert.equal(await page.locator('#approve:visible, #reject:visible, .field').count(), 0);
  await assertReadable(page, alex.violations);
  await picture(page, 'failed-to-load');
  await page.unrouteAll();
  await page.getByRole('button', { name: 'Try again' }).click();
  await heading(page, 'Approve or reject?');
  await requester.cancel(asked.id);
});

test('a server that fails while the answer is sent: nobody knows, and the same answer is sent again', async () => {
  const asked = await ask();
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  await page.route(DECISION, fail);
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await page.getByText('Something broke here. It is not known whether your decision was recorded.').waitFor();
  assert.equal(await page.locator('#approve:visible, #reject:visible').count(), 0);
  await assertReadable(page, alex.violations);
  await picture(page, 'failed-to-send');
  await page.unrouteAll();
  await page.getByRole('button', { name: 'Send again' }).click();
  await heading(page, 'Approved');
  assert.equal((await requester.status(asked.id)).decisions.length, 1);
});

test('an open request that one cannot decide says so', async () => {
  const asked = await ask();
  await tamper((answer) => delete answer.documents);
  await page.goto(asked.url);
  await heading(page, 'You cannot decide');
  await page.getByText('This request is open, but you cannot decide it.').waitFor();
  assert.equal(await page.locator('button:visible, .field').count(), 0);
  await assertReadable(page, alex.violations);
  await picture(page, 'cannot-decide');
  await requester.cancel(asked.id);
});

test('who has no passkey any more reads the request and cannot decide it; what one decided before does not count', async () => {
  const lou = await openDevice(browser);
  await enrol(lou.page, (await requester.invite({ username: 'lou' })).registerUrl);
  const credential = await lou.page.locator('#credential').textContent();
  const own = await ask({ username: 'lou', payload: { amount: 8, to: 'ACME' } });
  const both = await requester.ask({ approvers: ['alex', 'lou'], quorum: 2, action: 'Pay an invoice', payload: { amount: 9, to: 'ACME' } });
  await lou.page.goto(both.url);
  await lou.page.getByRole('button', { name: 'lou', exact: true }).click();
  await lou.page.getByRole('button', { name: 'Approve', exact: true }).click();
  await heading(lou.page, 'Waiting for others');
  await requester.revoke(credential);
  // The page finds out by itself.
  await heading(lou.page, 'Your decision does not count');
  await lou.page.getByText('The passkey that signed it was revoked while others had still to decide.').waitFor();
  assert.doesNotMatch(await lou.page.locator('main').innerText(), /Your decision is recorded/);
  assert.match(await lou.page.locator('#others').textContent(), /lou \(you\): approved, .*; the passkey was revoked since, so it does not count/);
  await assertReadable(lou.page, lou.violations);
  await picture(lou.page, 'taken-back');
  await lou.page.reload();
  await lou.page.getByRole('button', { name: 'lou', exact: true }).click();
  await heading(lou.page, 'Your decision does not count');
  await requester.cancel(both.id);
  await heading(lou.page, 'Cancelled');

  await lou.page.goto(own.url);
  await heading(lou.page, 'You cannot decide');
  await lou.page.getByText('lou has no passkey on this server, so nothing can be decided. Ask its operator for an invite.').waitFor();
  assert.equal((await shownFields(lou.page)).length, 2);
  assert.equal(await lou.page.locator('#approve:visible, #reject:visible').count(), 0);
  await assertReadable(lou.page, lou.violations);
  await picture(lou.page, 'no-passkey', { first: true });
  await lou.context.close();
});

test('a busy server: the signed answer is kept and sent again', async () => {
  const asked = await ask();
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  const detail = 'The queue is full.';
  await page.route(DECISION, (route) =>
    route.fulfill({
      status: 503,
      contentType: 'application/problem+json',
      body: JSON.stringify({ type: 'about:blank', title: 'Busy', status: 503, detail }),
    }),
  );
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await page.getByText(`${detail} Nothing was decided.`).waitFor();
  await assertReadable(page, alex.violations);
  await picture(page, 'busy');
  await page.unrouteAll();
  await page.getByRole('button', { name: 'Send again' }).click();
  await heading(page, 'Approved');
  assert.equal((await requester.status(asked.id)).status, 'approved');
});

test('a signed answer outlives a reload of the page, and is sent then', async () => {
  const asked = await ask();
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  await page.route(DECISION, (route) => route.abort());
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await page.getByText(/Your signed answer \(to (approve|reject)\) is kept in this tab/).waitFor();
  assert.equal((await requester.status(asked.id)).status, 'pending');
  await page.reload();
  await page.getByText(/Your signed answer \(to (approve|reject)\) is kept in this tab/).waitFor();
  await page.unrouteAll();
  await page.reload();
  await heading(page, 'Approved');
  assert.equal((await requester.status(asked.id)).status, 'approved');
  await page.reload();
  await heading(page, 'Already approved');
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test('a signed answer that comes too late says so, and one that is not wanted any more is dropped', async () => {
  const asked = await ask();
  await page.goto(asked.url);
  await page.route(DECISION, (route) => route.abort());
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await page.getByRole('button', { name: 'Do not send it' }).click();
  await page.locator('#approve:enabled').waitFor();
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await page.getByText(/Your signed answer \(to (approve|reject)\) is kept in this tab/).waitFor();
  await requester.cancel(asked.id);
  await page.unrouteAll();
  await page.reload();
  await heading(page, 'Cancelled');
  await page.getByText('did not count: the request had ended before it came').waitFor();
  await assertReadable(page, alex.violations);
  await picture(page, 'too-late');
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

/** Approves, and the answer is lost on its way back. */
async function approveUnheard(page) {
  await page.route(DECISION, async (route) => {
    await route.fetch();
    await route.abort();
  });
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await page.getByText('It is not known whether your decision was recorded.').waitFor();
  await page.unrouteAll();
}

test('an answer that is lost after it was recorded', async () => {
  const asked = await ask();
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  await approveUnheard(page);
  await page.getByRole('button', { name: 'Send again' }).click();
  // The server may take the same answer again as the same decision, or say that it has been made.
  await page.getByRole('heading', { level: 1, name: /^(Approved|Already approved)$/ }).waitFor();
  assert.equal((await requester.status(asked.id)).decisions.length, 1);
});

test('the heading says what became of the request, not what one decided oneself', async () => {
  const kai = await openDevice(browser);
  await enrol(kai.page, (await requester.invite({ username: 'kai' })).registerUrl);
  const asked = await askTwo();
  await page.goto(asked.url);
  await page.getByRole('button', { name: 'alex', exact: true }).click();
  await approveUnheard(page);
  const kept = await page.evaluate(() => ({ ...sessionStorage }));
  await kai.page.goto(asked.url);
  await kai.page.getByRole('button', { name: 'kai', exact: true }).click();
  await kai.page.getByRole('button', { name: 'Reject', exact: true }).click();
  await heading(kai.page, 'Rejected');
  await kai.context.close();
  const rejected = async () => {
    await page.getByText('You approved it').waitFor();
    assert.match(await page.locator('#heading').textContent(), /^(Rejected|Already rejected)$/);
    assert.equal(await page.locator('#request-status').textContent(), 'rejected');
    assert.match(await page.locator('#others').textContent(), /alex \(you\): approved, .*kai: rejected, /);
  };
  await page.getByRole('button', { name: 'Send again' }).click();
  await rejected();
  await assertReadable(page, alex.violations);
  // The answer that was kept is sent anew when the page is loaded again.
  await page.evaluate((all) => Object.entries(all).forEach(([key, value]) => sessionStorage.setItem(key, value)), kept);
  await page.reload();
  await rejected();
});

test('a request that one approved and that expires does not say that one approved nothing', async () => {
  await approveSoonOver();
  await heading(page, 'Expired');
  const tooFew = page.getByText('The time for a decision is over, and too few had approved.');
  await tooFew.waitFor();
  assert.equal(await page.locator('#own-decision').textContent(), 'You approved it');
  assert.doesNotMatch(await page.locator('main').innerText(), /approved by you/);
  await assertReadable(page, alex.violations);
  await picture(page, 'expired-approved');
  // Whoever comes back is not known, and may be the one who approved.
  await page.reload();
  await heading(page, 'Expired');
  await tooFew.waitFor();
  assert.doesNotMatch(await page.locator('main').innerText(), /approved by you/);
});

test('a request that one approved and that is cancelled does not say that nothing was approved', async () => {
  const asked = await askTwo({ payload: { amount: 70, to: 'Both' } });
  await page.goto(asked.url);
  await page.getByRole('button', { name: 'alex', exact: true }).click();
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await heading(page, 'Waiting for others');
  await requester.cancel(asked.id);
  await heading(page, 'Cancelled');
  const before = page.getByText(
    'Before enough had approved, the requester has cancelled this request, or its API key was revoked. It is not approved.',
  );
  await before.waitFor();
  assert.ok((await before.boundingBox()).y < (await page.locator('#own-decision').boundingBox()).y, 'why it ended stands at the head');
  assert.equal(await page.locator('#own-decision').textContent(), 'You approved it');
  assert.doesNotMatch(await page.locator('main').innerText(), /Nothing was approved/);
  await assertReadable(page, alex.violations);
  await picture(page, 'cancelled-approved');
  // Whoever comes back is not known, and may be the one who approved.
  await page.reload();
  await heading(page, 'Cancelled');
  await before.waitFor();
  assert.doesNotMatch(await page.locator('main').innerText(), /Nothing was approved/);
});

test('little time left is marked, and said beside the buttons', async () => {
  const asked = await ask();
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  assert.equal(await page.locator('#time-left[data-short]').count(), 0);
  // The server's clock is what counts, so another one brings the end near.
  await page.route(OPTIONS, async (route) => {
    const response = await route.fetch();
    const { expires_at: end } = JSON.parse((await response.json()).documents.approve);
    await route.fulfill({ response, headers: { ...response.headers(), date: new Date(Date.parse(end) - 50_000).toUTCString() } });
  });
  await page.goto(asked.url);
  await page.locator('#time-left[data-short]').getByText('50 seconds left').waitFor();
  await page.locator('#status').getByText('Little time is left. If you do not answer, you approve nothing.').waitFor();
  assert.equal(await page.locator('#status').getAttribute('aria-live'), 'polite');
  await assertReadable(page, alex.violations);
  await picture(page, 'little-time', { first: true });
  await page.unrouteAll();
  await requester.cancel(asked.id);
  await heading(page, 'Cancelled');
  assert.equal(await page.getByText('Little time is left').count(), 0);
});

/** Asks two people, who must both approve. */
const askTwo = (more = {}) =>
  requester.ask({ approvers: ['alex', 'kai'], quorum: 2, action: 'Pay an invoice', payload: { amount: 7, to: 'Both' }, ...more });

/** Approves, as one of two, a request that is over soon, but not before this machine has done so. */
async function approveSoonOver() {
  for (const expiresIn of [10, 40, 160]) {
    const asked = await askTwo({ expiresIn, payload: { amount: expiresIn, to: 'Both' } });
    await page.goto(asked.url);
    await page.getByRole('button', { name: 'alex', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: /^(Approve or reject\?|Expired)$/ }).waitFor();
    if (!(await page.locator('#approve').isVisible())) continue;
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: /^(Waiting for others|Expired)$/ }).waitFor();
    if (await page.locator('#own-decision').isVisible()) return;
  }
  throw new Error('no request was approved before it was over');
}

test('a device that goes offline keeps the signed answer, and sends it once it is online again', async () => {
  const asked = await ask();
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  await alex.context.setOffline(true);
  await page.getByText('This device is offline. What is shown stays readable').waitFor();
  await assertReadable(page, alex.violations);
  await picture(page, 'offline-before');
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await page.getByText('your decision is not sent yet').waitFor();
  await assertReadable(page, alex.violations);
  await picture(page, 'offline-after');
  assert.equal((await requester.status(asked.id)).status, 'pending');
  await alex.context.setOffline(false);
  await heading(page, 'Approved');
  assert.equal(await page.locator('#offline').isVisible(), false);
});

test('a page of another site cannot frame the request', async () => {
  const asked = await ask();
  const site = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end(`<iframe src="${asked.url}" allow="publickey-credentials-get *"></iframe>`);
  });
  await new Promise((done) => site.listen(0, '127.0.0.1', done));
  const context = await openContext(browser);
  try {
    const foreign = await context.newPage();
    const refused = foreign.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
    await foreign.goto(`http://127.0.0.1:${site.address().port}/`);
    await refused;
    const [, frame] = foreign.frames();
    assert.equal(await frame.locator('#heading').count(), 0);
  } finally {
    await context.close();
    site.close();
  }
});

test('another device: the address, as a text and as a code', async () => {
  const asked = await ask();
  await page.goto(asked.url);
  await heading(page, 'Approve or reject?');
  await page.getByText('My passkey is on another device').click();
  await page.locator('#qr svg').waitFor();
  assert.match(await page.locator('#link').textContent(), new RegExp(`^${asked.url} `));
  await assertReadable(page, alex.violations);
  await picture(page, 'other-device');
});

test('a request of somebody else, on a device without that passkey', async () => {
  const sam = await openDevice(browser);
  await enrol(sam.page, (await requester.invite({ username: 'sam' })).registerUrl);
  const asked = await ask();
  await sam.page.goto(asked.url);
  await sam.page.getByText('Not you? Then this request is not yours to decide').waitFor();
  await sam.page.getByRole('button', { name: 'Approve', exact: true }).click();
  await sam.page.getByText('Only a passkey of alex can decide; it may be on another device.').waitFor();
  await sam.page.getByText('My passkey is on another device').waitFor();
  await assertReadable(sam.page, sam.violations);
  await picture(sam.page, 'not-yours');
  await sam.context.close();
  assert.equal((await requester.status(asked.id)).status, 'pending');
});

test('a server that does not answer at first', async () => {
  const asked = await ask();
  await page.route(OPTIONS, (route) => route.abort());
  await page.goto(asked.url);
  await heading(page, 'The request could not be loaded');
  await assertReadable(page, alex.violations);
  await picture(page, 'server-error');
  await page.unrouteAll();
  await page.getByRole('button', { name: 'Try again' }).click();
  await heading(page, 'Approve or reject?');
});

test('a refused prompt enrols nobody and can be repeated', async () => {
  const kim = await openDevice(browser);
  const { registerUrl } = await requester.invite({ username: 'kim' });
  await kim.page.goto(registerUrl);
  await kim.setUserVerified(false);
  const create = kim.page.getByRole('button', { name: 'Create passkey' });
  await create.click();
  await kim.page.getByText('You are not enrolled. You can try again.').waitFor();
  await assertReadable(kim.page, kim.violations);
  await picture(kim.page, 'enrol-prompt-closed');
  await kim.setUserVerified(true);
  await create.click();
  await heading(kim.page, 'You are enrolled');
  await kim.context.close();
});

test('a browser without passkeys shows the request and no buttons', async () => {
  const asked = await ask();
  const context = await openContext(browser);
  await context.addInitScript(() => delete globalThis.PublicKeyCredential);
  const bare = await context.newPage();
  await bare.goto(asked.url);
  await bare.getByText('This browser cannot use passkeys here').waitFor();
  await heading(bare, 'You cannot decide here');
  assert.equal(await bare.locator('.field').count(), 2);
  assert.equal(await bare.locator('#approve:visible, #reject:visible').count(), 0);
  await bare.locator('#alert').getByRole('button', { name: 'Copy the address' }).waitFor();
  await bare.setViewportSize({ width: 390, height: 664 });
  const told = await bare.locator('#alert').boundingBox();
  assert.ok(told.y >= 0 && told.y + told.height <= 664, 'why nothing can be decided is on the first screen');
  await assertAccessible(bare);
  await picture(bare, 'no-passkeys');
  await bare.goto((await requester.invite({ username: 'lee' })).registerUrl);
  await bare.getByText('This browser cannot use passkeys here').waitFor();
  assert.equal(await bare.getByRole('button', { name: 'Create passkey' }).isVisible(), false);
  await assertAccessible(bare);
  await picture(bare, 'enrol-no-passkeys');
  await context.close();
});

test('in a language that is written from right to left', async () => {
  const { registerUrl } = await requester.invite({ username: 'noor' });
  const noor = await openDevice(browser, { locale: 'ar-EG' });
  await noor.page.goto(registerUrl);
  await noor.page.getByRole('button', { name: 'إنشاء مفتاح مرور' }).waitFor();
  await assertReadable(noor.page, noor.violations);
  await picture(noor.page, 'rtl-enrol');
  await noor.page.getByRole('button', { name: 'إنشاء مفتاح مرور' }).click();
  await heading(noor.page, 'تم تسجيلك');
  const asked = await requester.ask({ username: 'noor', action: 'Pay an invoice', payload: { amount: 120, to: 'ACME', note: 'مرحبا abc' } });
  await noor.page.goto(asked.url);
  await heading(noor.page, 'موافقة أم رفض؟');
  assert.deepEqual(await noor.page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), ['ar', 'rtl']);
  assert.equal(await noor.page.locator('#compare-code').textContent(), asked.compareCode);
  const [reject, approve] = [await noor.page.locator('#reject').boundingBox(), await noor.page.locator('#approve').boundingBox()];
  assert.ok(reject.x > approve.x, 'the first answer stands on the right');
  await assertReadable(noor.page, noor.violations);
  await picture(noor.page, 'rtl-approve', { first: true });
  await noor.page.getByRole('button', { name: 'موافقة', exact: true }).click();
  await heading(noor.page, 'تمت الموافقة');
  assert.equal((await requester.status(asked.id)).status, 'approved');
  await noor.page.goto(`${asked.url}?lang=en`);
  await heading(noor.page, 'Already approved');
  await noor.context.close();
});

test('without JavaScript the pages say so', async () => {
  const context = await openContext(browser, { javaScriptEnabled: false });
  const bare = await context.newPage();
  for (const path of ['/approve/cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa', '/enrol/none', '/me', '/contact/none']) {
    await bare.goto(server.url + path);
    // Searches by text pass over noscript, so it is named.
    await bare.locator('noscript p').waitFor();
    assert.match(await bare.locator('noscript p').textContent(), /^This page needs JavaScript/);
    await picture(bare, `no-javascript-${path.split('/')[1]}`);
  }
  await context.close();
});
