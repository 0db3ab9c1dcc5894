// A receiver of webhooks on a free port of this machine, for the tests: every call is checked with the library of Standard
// Webhooks, and then with verifyWebhook of our own SDK.
//
//     receiver.mjs FOLDER [PORT]
//
// It writes FOLDER/port once it listens, and each call as FOLDER/N.json, whole or not at all. What it checks with stands in
// FOLDER/webhook.json (the answer of the registration) and FOLDER/trust.json. How it answers:
//
//     FOLDER/status is there   with the status that stands in it
//     FOLDER/hold is there     not before that is gone
//     otherwise                204 if both found nothing wrong, 400 if not

import { existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { Webhook } from 'standardwebhooks';

import { verifyWebhook } from '../../../sdk/typescript/src/index.js';

const [folder, port = '0'] = process.argv.slice(2);
let calls = readdirSync(folder).filter((name) => /^[0-9]+\.json$/.test(name)).length;

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  const { headers, method, url } = request;
  const number = calls++;
  const found = await checked(body, headers);
  write(`${number}.json`, JSON.stringify({ method, url, headers, body, ...found }));
  while (existsSync(join(folder, 'hold'))) await setTimeout(20);
  const asked = join(folder, 'status');
  response.statusCode = existsSync(asked) ? Number(readFileSync(asked, 'utf8')) : found.errors.length === 0 ? 204 : 400;
  response.end();
});

async function checked(body, headers) {
  const errors = [];
  const { secret, publicKey } = JSON.parse(readFileSync(join(folder, 'webhook.json'), 'utf8'));
  const trust = readFileSync(join(folder, 'trust.json'), 'utf8');
  const note = (who) => (error) => void errors.push(`${who}: ${error}`);
  try {
    new Webhook(secret).verify(body, headers);
  } catch (error) {
    note('library')(error);
  }
  const event = await verifyWebhook(body, headers, { trust, secret, publicKey, core: null }).catch(note('ours'));
  return { errors, status: event?.status, verdict: event?.report?.verdict };
}

function write(name, text) {
  writeFileSync(join(folder, `${name}.new`), text);
  renameSync(join(folder, `${name}.new`), join(folder, name));
}

server.listen(Number(port), '127.0.0.1', () => write('port', String(server.address().port)));
