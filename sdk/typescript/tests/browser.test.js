// The SDK in a real browser: its modules as they are, the browser's own fetch and WebCrypto, no bundler.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { FakeClock, timeAt } from './fake-clock.js';
import { root } from './real-server.js';
import { QUESTION, StandIn } from './stand-in.js';

const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
const PAGE = `<!doctype html><title>SDK</title><script type="module">
  const report = (result) => fetch('/result', { method: 'POST', body: JSON.stringify(result) });
  addEventListener('error', ({ message }) => report({ message }));
  try {
    const { Countersign } = await import('/sdk/typescript/src/index.js');
    const trust = await (await fetch('/trust.json')).json();
    const countersign = new Countersign({ apiKey: 'csk_test', baseUrl: location.origin, trust });
    const deploy = countersign.guard((payload, { status }) => ({ payload, status }), { username: 'alex', action: 'Deploy' });
    await report(await deploy(${JSON.stringify(QUESTION.payload)}));
  } catch (error) {
    await report({ message: String(error) });
  }
</script>`;

test('a browser asks, verifies, consumes and acts', async () => {
  assert.ok(existsSync(chromium), `${chromium} is missing: install Chromium, or set CHROMIUM`);
  const standIn = await StandIn.make();
  standIn.clock = Object.defineProperties(new FakeClock(), {
    now: { value: Date.now }, time: { get: () => timeAt(Date.now()) },
  });
  standIn.whileWaiting = (record) => standIn.approve(record);
  /** @type {(result: any) => void} */
  let report = () => {};
  const reported = new Promise((done) => (report = done));
  const server = createServer(async (request, response) => {
    const path = request.url ?? '/';
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    if (path === '/result') report(JSON.parse(body));
    const isModule = path.endsWith('.js') && !path.includes('..');
    if (path === '/' || path === '/result') response.setHeader('Content-Type', 'text/html').end(PAGE);
    else if (isModule) response.setHeader('Content-Type', 'text/javascript').end(readFileSync(join(root, path)));
    else if (/^\/(api|log|trust\.json)/.test(path)) {
      response.setHeader('Content-Type', 'application/json').end(await forward(standIn, request, body));
    } else response.writeHead(404).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const profile = mkdtempSync(join(tmpdir(), 'countersign-chromium-'));
  const options = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${profile}`];
  const browser = spawn(chromium, [...options, '--remote-debugging-port=0', `http://localhost:${port}/`], { stdio: 'ignore' });
  try {
    const ended = once(browser, 'exit').then(() => ({ message: 'the browser ended' }));
    assert.deepEqual(await Promise.race([reported, ended]), { payload: QUESTION.payload, status: 'approved' });
    assert.ok(standIn.record().consumedBy);
  } finally {
    if (browser.exitCode === null && browser.kill('SIGKILL')) await once(browser, 'exit');
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
});

/** @param {StandIn} standIn @param {import('node:http').IncomingMessage} request @param {string} body */
async function forward(standIn, { method, url, headers }, body) {
  const asked = { method, headers: { 'Idempotency-Key': headers['idempotency-key'] }, body: body === '' ? undefined : body };
  return (await standIn.fetch(`http://localhost${url}`, asked)).text();
}
