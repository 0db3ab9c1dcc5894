// The verify page: takes a receipt and a trust file, and shows what the one proves to those who believe the other. What it
// asks over the network is this server's trust file, an example, and a consistency proof of this server's log.

import { MAX_RECEIPT, MAX_TRUST, Refusal, parseTrust, verify } from '/verifier/index.js';
import { fromBase64url, fromUtf8, utf8 } from '/verifier/encoding.js';
import { parseNote } from '/verifier/note.js';
import { parseCheckpoint } from '/verifier/checkpoint.js';
import { parseReceipt } from '/verifier/receipt.js';
import { commandLine } from './command-line.js';
import { copyButton } from './copy-button.js';
import { element } from './dom.js';
import { readExpectation, stated } from './expectation-form.js';
import { takeFile } from './given-file.js';
import { memoryView } from './memory-view.js';
import { pathView } from './merkle-drawing.js';
import { climb } from './merkle-path.js';
import { alertText, byId } from './page.js';
import { reportView, verdictOf } from './receipt-view.js';
import { compareWithRemembered } from './remembered.js';
import { visible } from './visible.js';

const isFromDisk = location.protocol === 'file:';

/** What has been given so far. `flipped` is the place of the one bit that the page itself has changed. */
const given = { receipt: undefined, name: '', flipped: undefined, trust: undefined };
let round = 0;

takeFile(byId('receipt-drop'), byId('receipt-file'), byId('receipt-text'), takeReceipt, MAX_RECEIPT);
takeFile(byId('trust-drop'), byId('trust-file'), byId('trust-text'), takeTrust, MAX_TRUST);
takeFile(byId('payload-drop'), byId('payload-file'), byId('expect-payload'), takePayload, 4 * 1024 * 1024);
byId('expectation').addEventListener('submit', (event) => event.preventDefault());
byId('expectation').addEventListener('input', check);
byId('server-trust').addEventListener('click', useServerTrust);
addEventListener('hashchange', takeFragment);
byId('web-origin').textContent = isFromDisk ? 'from disk' : location.origin;
byId('site').hidden = isFromDisk;
byId('server-trust-bar').hidden = isFromDisk;
byId('examples').hidden = isFromDisk;
start();

async function start() {
  const example = new URLSearchParams(location.search).get('example');
  if (!isFromDisk && (example === 'good' || example === 'bad')) await showExample(example === 'bad');
  else takeFragment();
}

/** `#receipt=<base64url>`: a fragment is not sent to any server. A trust file is not taken from a link: its maker chose it. */
function takeFragment() {
  const text = new URLSearchParams(location.hash.slice(1)).get('receipt');
  if (text === null) return;
  const bytes = fromBase64url(text);
  if (bytes) takeReceipt(bytes, '');
  else alertText('The receipt in this link is damaged: it is not base64url.');
}

/** The bad example is the good one with one character of its payload changed. */
async function showExample(isBad) {
  const example = await ask('/web/example.json');
  if (!example) return;
  const { receipt, trust } = JSON.parse(example);
  given.receipt = utf8(isBad ? receipt.replace('replicas\\":3', 'replicas\\":9') : receipt);
  given.name = 'example.receipt.json';
  byId('receipt-state').textContent = 'An example. It comes with a trust file of its own, not this server’s.';
  await takeTrust(utf8(trust), 'the example’s trust file');
}

async function useServerTrust() {
  const text = await ask('/trust.json');
  if (!text) return;
  const warning = 'This server says so itself. That is trust on first use: compare the log key with one that you got over another channel.';
  await takeTrust(utf8(text), '', element('p', { class: 'notice' }, warning));
}

async function ask(path) {
  try {
    const response = await fetch(path, { cache: 'no-store', redirect: 'error' });
    if (response.ok) return await response.text();
    alertText(`The server answered with status ${response.status}.`);
  } catch {
    alertText('No answer from the server. Is this device online?');
  }
  return undefined;
}

function takeReceipt(bytes, name) {
  given.receipt = bytes.length === 0 ? undefined : bytes;
  given.name = name;
  given.flipped = undefined;
  const words = [name === '' ? 'A text' : visible(name), `, ${bytes.length} bytes.`];
  byId('receipt-state').replaceChildren(...(bytes.length === 0 ? ['No receipt yet.'] : words));
  return checkAndShow();
}

async function takeTrust(bytes, name, warning = '') {
  given.trust = undefined;
  try {
    given.trust = await parseTrust(bytes);
    const { logs } = JSON.parse(fromUtf8(bytes));
    const keys = logs.map((key) => element('li', {}, element('code', {}, visible(key))));
    const people = given.trust.approvers ? 'People’s keys are pinned.' : 'No people’s keys are pinned.';
    byId('trust-state').replaceChildren(
      warning,
      element('p', {}, ...(name === '' ? [] : [visible(name), ': ']), 'believes the log keys'),
      element('ul', { id: 'log-keys' }, ...keys),
      element('p', { class: 'hint' }, people),
    );
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const none = element('p', { class: 'hint' }, 'No trust file yet.');
    const wrong = element('p', { class: 'error' }, 'This trust file cannot be used: ', visible(error.message), '.');
    byId('trust-state').replaceChildren(bytes.length === 0 ? none : wrong);
  }
  await checkAndShow();
}

function takePayload(bytes) {
  const [field, text] = [byId('expect-payload'), fromUtf8(bytes) ?? ''];
  // What is typed is in the field already, and the form sees it.
  if (field.value === text) return;
  field.value = text;
  check();
}

/** The verdict stands above the fields, so it is brought into view once there is one. */
async function checkAndShow() {
  await check();
  if (!byId('report').hidden) byId('verdict').scrollIntoView();
}

/** Verifies what is given and shows the result. A later call overtakes an earlier one. */
async function check() {
  const mine = ++round;
  alertText('');
  const { expectation, problem } = readExpectation();
  byId('expectation-error').replaceChildren(...(problem ? [visible(problem)] : []));
  const missing = missingWords();
  if (missing !== undefined || problem) {
    if (given.receipt === undefined) byId('verdict').textContent = '';
    else setVerdict({ tone: 'plain', text: missing ?? 'Your expectation cannot be read: see below.' });
    byId('report').hidden = true;
    return;
  }
  const bytes = withFlip();
  const report = await verify(bytes, given.trust, expectation);
  const proof = await proofView(bytes);
  if (mine !== round) return;
  setVerdict(verdictOf(report, expectation));
  const memory = element('div', { id: 'memory' });
  byId('report').replaceChildren(...reportView(report, expectation), ...proof, memory, tamperView(), commandView());
  byId('report').hidden = false;
  if (report.facts && given.flipped === undefined) await showMemory(report.facts.checkpoint, memory);
}

function missingWords() {
  if (given.receipt === undefined) return '';
  return given.trust === undefined ? 'Now give a trust file: whom do you believe?' : undefined;
}

function setVerdict({ tone, text }) {
  byId('verdict').dataset.tone = tone;
  byId('verdict').replaceChildren(visible(text));
}

/** The Merkle path of a chosen entry, if the receipt is readable at all. */
async function proofView(bytes) {
  let receipt;
  let checkpoint;
  try {
    receipt = parseReceipt(bytes);
    checkpoint = parseCheckpoint(parseNote(utf8(receipt.checkpoint)).text);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [];
  }
  const named = (kind, list) => list.map((part) => [kind, part]);
  const parts = [...named('decision', receipt.decisions), ...named('enrolment', receipt.enrolments)];
  const option = ([kind, { index }], i) => element('option', { value: String(i) }, `${kind}, entry ${index}`);
  const choice = element('select', { id: 'entry-choice' }, ...parts.map(option));
  const place = element('div', {});
  const draw = async () => {
    const [, { entry, index, hashes }] = parts[Number(choice.value)];
    const path = await climb(utf8(entry), index, checkpoint.size, hashes);
    const none = `A proof of ${hashes.length} hashes cannot lead from entry ${index} to the root of a tree of size ${checkpoint.size}.`;
    place.replaceChildren(path ? pathView(path, checkpoint.root) : element('p', {}, none));
  };
  choice.addEventListener('change', draw);
  await draw();
  const label = element('label', { for: 'entry-choice' }, 'Which entry');
  return [element('h2', {}, 'The way into the log'), label, choice, place];
}

async function showMemory(checkpoint, place) {
  const { tone, text } = await compareWithRemembered(checkpoint);
  place.replaceChildren(
    element('h2', {}, 'The checkpoint that you already have'),
    element('p', { id: 'memory-text', class: tone === 'bad' ? 'error' : '' }, text),
    ...memoryView(checkpoint.logOrigin),
  );
  if (tone === 'bad') alertText(text);
}

function withFlip() {
  if (!given.flipped) return given.receipt;
  const bytes = given.receipt.slice();
  bytes[given.flipped.byte] ^= 1 << given.flipped.bit;
  return bytes;
}

/** Changes one bit of the receipt, or changes it back, so that people see for themselves that it matters. */
function tamperView() {
  const { flipped } = given;
  const button = element('button', { type: 'button', id: 'flip' }, flipped ? 'Flip it back' : 'Flip one bit of the receipt');
  button.addEventListener('click', async () => {
    given.flipped = flipped ? undefined : randomPlace(given.receipt.length);
    await check();
    byId('flip').focus();
  });
  const words = flipped
    ? `Bit ${flipped.bit} of byte ${flipped.byte} of ${given.receipt.length} is flipped. The file itself is untouched.`
    : 'Any bit of what was signed will do: changed in one bit, a receipt is not verified.';
  return element('div', {}, element('h2', {}, 'Try to forge it'), element('p', { id: 'flip-words' }, words), button);
}

function randomPlace(length) {
  const [number] = crypto.getRandomValues(new Uint32Array(1));
  return { byte: number % length, bit: (number >>> 29) % 8 };
}

function commandView() {
  const line = commandLine(given.name, stated());
  return element(
    'div',
    {},
    element('h2', {}, 'The same on the command line'),
    element('pre', { id: 'command', tabindex: '0' }, visible(line)),
    copyButton(line, 'Copy the command'),
    element('p', { class: 'hint' }, 'With the files of these names in the folder where you run it.'),
  );
}
