// 200 approvals in a row in one browser, by the page's own modules without its looks: Chromium adds a junk key to the client
// data now and then, which a reader that is too strict would refuse now and then. All are accepted, and all receipts verify.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { enrol, launchBrowser, openDevice } from './browser.js';
import { connect } from './requester.js';
import { startServer } from './server.js';

const ALL = 200;
/** As many as one API key may have pending for one approver. */
const AT_A_TIME = 20;

let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test('200 approvals in a row are all accepted and verify', async (t) => {
  const requester = await connect(server);
  const { page, violations } = await openDevice(browser);
  await enrol(page, (await requester.invite({ username: 'alex' })).registerUrl);
  const receipts = [];
  let junk = 0;
  for (let done = 0; done < ALL; done += AT_A_TIME) {
    const numbers = Array.from({ length: AT_A_TIME }, (_, i) => done + i);
    const asked = await Promise.all(numbers.map((number) => requester.ask({ username: 'alex', action: 'Count', payload: { number } })));
    const made = await page.evaluate(decideAll, asked.map(({ id }) => id));
    for (const { status, clientData, receipt } of made) {
      assert.equal(status, 'approved');
      junk += 'other_keys_can_be_added_here' in JSON.parse(clientData) ? 1 : 0;
      receipts.push(receipt);
    }
  }
  t.diagnostic(`${junk} of ${ALL} had a junk key in their client data`);
  assert.deepEqual(violations, []);
  assert.equal(new Set(receipts).size, ALL);
  const { code, output } = await server.verify(receipts, '--approvers', 'alex');
  assert.equal(code, 0, output);
});

/** Runs in the page, which has the modules: asks, reads, signs and sends, one request after the other. */
async function decideAll(ids) {
  const [{ readRequest }, { askForAssertion, assertionToJson }, { postJson }] = await Promise.all(
    ['document', 'credential', 'http'].map((name) => import(`/web/${name}.js`)),
  );
  const made = [];
  for (const id of ids) {
    const answer = await postJson(`/approve/${id}/options`, {});
    const request = await readRequest(answer.documents, { id, approver: answer.approver, log: `${location.host}/log`, compareCode: answer.compareCode });
    const { challenge } = request.choices.approve;
    const assertion = assertionToJson(await askForAssertion({ challenge, rpId: answer.rpId, credentials: answer.credentials }));
    const body = { approver: answer.approver, decision: 'approve', assertion };
    const { status, receipt } = await postJson(`/approve/${id}/decision`, body);
    const clientData = atob(assertion.response.clientDataJSON.replaceAll('-', '+').replaceAll('_', '/'));
    made.push({ status, clientData, receipt });
  }
  return made;
}
