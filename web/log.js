// The log explorer: the verified checkpoint, its entries newest first, a search, and a page for each entry. What is looked
// for stands in the fragment of the address, which browsers do not send.

import { element } from './dom.js';
import { decode, decodedView, fold, rawViews } from './entry-view.js';
import { LogError, findLeaf, openLog, prove, readEntries } from './log-reader.js';
import { detect, scan } from './log-search.js';
import { copyButton } from './copy-button.js';
import { lookAlikes } from './look-alikes.js';
import { memoryView } from './memory-view.js';
import { pathView } from './merkle-drawing.js';
import { climb } from './merkle-path.js';
import { alertText, byId } from './page.js';
import { compareWithRemembered } from './remembered.js';
import { offerRetry, say, showOnly } from './sections.js';
import { row } from './term-row.js';
import { markWith, visible } from './visible.js';

const PAGE = 20n;
const ENTRY_PATH = /^\/log\/entry\/([^/]*)\/?$/;

/** @type {import('./log-reader.js').View} */
let view;
let search = new AbortController();

markWith(lookAlikes);
byId('web-origin').textContent = location.origin;
byId('search-form').addEventListener('submit', (event) => {
  event.preventDefault();
  submit(byId('query').value);
});
addEventListener('hashchange', () => guarded(route));
guarded(start);

async function start() {
  say('Reading the log …');
  view = await openLog();
  await showCheckpoint();
  await route();
}

/** Runs a part of the page; what goes wrong is said, and can be tried again. */
async function guarded(run) {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    say('');
    alertText(error.isOffence ? `Do not trust this log. ${error.message}` : error.message);
    offerRetry('Try again', () => guarded(view ? run : start), ...(view ? ['checkpoint'] : []));
  }
}

async function route() {
  search.abort();
  alertText('');
  byId('progress').replaceChildren();
  const permalink = ENTRY_PATH.exec(location.pathname);
  if (permalink) return showEntry(permalink[1]);
  const parameters = new URLSearchParams(location.hash.slice(1));
  const typed = parameters.get('q');
  if (typed !== null) return find(typed);
  const before = parameters.get('before');
  const end = /^\d{1,16}$/.test(before ?? '') ? smaller(BigInt(before), view.size) : view.size;
  return showPage(end);
}

async function showCheckpoint() {
  const { logOrigin, size, root, key, note } = view;
  const memory = await compareWithRemembered({ logOrigin, size, root });
  const rootText = note.split('\n')[2];
  byId('checkpoint').replaceChildren(
    element('h2', { id: 'checkpoint-heading' }, 'Checkpoint'),
    element('p', { class: 'checked', id: 'checkpoint-checked' }, '✓ Its signature is verified in this browser.'),
    element(
      'dl',
      { class: 'conditions' },
      ...row('Log', visible(logOrigin)),
      ...row('Size', element('span', { id: 'size' }, String(size))),
      ...row('Root hash', element('code', { id: 'root' }, rootText)),
      ...row('Verifier key', element('code', { id: 'key' }, visible(key)), ' ', copyButton(key, 'Copy the key')),
    ),
    element('p', { class: 'hint' }, 'The key comes from this server: compare it with one that you got over another channel.'),
    element('p', { id: 'memory-text', class: memory.tone === 'bad' ? 'error' : '' }, memory.text),
    ...memoryView(logOrigin),
    fold('raw-note', 'The signed note', note),
  );
  if (memory.tone === 'bad') throw new LogError(memory.text, true);
}

async function showPage(end) {
  const start = end > PAGE ? end - PAGE : 0n;
  byId('entries-heading').textContent = end === 0n ? 'No entries' : `Entries ${end - 1n} to ${start} of ${view.size}`;
  byId('entry-list').replaceChildren();
  byId('pages').replaceChildren();
  showOnly('search', 'entries', 'checkpoint');
  if (end === 0n) {
    const empty = 'The log is empty. Its first entry will be the first passkey that is enrolled.';
    say(view.size === 0n ? empty : 'There is nothing before the first entry.');
    return;
  }
  const entries = (await readEntries(start, end)).reverse();
  byId('entry-list').replaceChildren(...(await Promise.all(entries.map(listed))));
  byId('pages').replaceChildren(
    ...(end < view.size ? [pageLink('Newer entries', smaller(end + PAGE, view.size))] : []),
    ...(start > 0n ? [pageLink('Older entries', start)] : []),
  );
  say(`${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}, each hashed and proven in this browser.`);
}

function pageLink(text, before) {
  const href = before === view.size ? '/log#' : `/log#before=${before}`;
  const link = element('a', { class: 'button', href }, text);
  // The link goes away with its page, and the focus must not be lost with it.
  link.addEventListener('click', () => byId('entries-heading').focus());
  return link;
}

/** An entry of a list, proven before it is shown. */
async function listed(entry) {
  await prove(view, entry);
  const { kind, summary } = await decode(entry.bytes);
  return element(
    'li',
    { 'data-kind': kind },
    element('a', { href: `/log/entry/${entry.index}` }, `Entry ${entry.index}`),
    ' ',
    element('span', { class: 'type' }, kind),
    element('div', {}, visible(summary)),
    element('div', { class: 'checked' }, '✓ in the log'),
  );
}

async function showEntry(text) {
  const index = /^\d{1,16}$/.test(text) ? BigInt(text) : undefined;
  if (index === undefined || index >= view.size) {
    title('No such entry');
    say(`The log has ${view.size} entries${view.size === 0n ? '' : `, from 0 to ${view.size - 1n}`}.`);
    return showOnly('search', 'checkpoint');
  }
  const [entry] = await readEntries(index, index + 1n);
  const { leaf, hashes } = await prove(view, entry);
  const decoded = await decode(entry.bytes);
  const path = await climb(entry.bytes, index, view.size, hashes);
  title(`Entry ${index}`);
  byId('entry').replaceChildren(
    element('p', { class: 'checked', id: 'proven' }, `✓ It is in the log of size ${view.size}: hashed and proven in this browser.`),
    element('h2', {}, 'What it says: ', element('span', { id: 'kind' }, decoded.kind)),
    decodedView(decoded),
    element('h2', {}, 'The bytes'),
    ...rawViews(entry.bytes, leaf),
    element('p', {}, element('a', { href: `/log/entries/${index}` }, 'As JSON')),
    element('h2', {}, 'The way into the log'),
    ...(path ? [pathView(path, view.root)] : []),
    neighbours(index),
  );
  say('');
  showOnly('entry', 'search', 'checkpoint');
}

function neighbours(index) {
  const link = (to, text) => element('a', { class: 'button', href: `/log/entry/${to}` }, text);
  return element(
    'nav',
    { 'aria-label': 'Neighbouring entries', class: 'neighbours' },
    ...(index > 0n ? [link(index - 1n, `Entry ${index - 1n}`), ' '] : []),
    ...(index + 1n < view.size ? [link(index + 1n, `Entry ${index + 1n}`), ' '] : []),
    element('a', { class: 'button', href: `/log#before=${smaller(index + PAGE / 2n, view.size)}` }, 'In the list'),
  );
}

function submit(typed) {
  const query = detect(typed);
  if (query?.kind === 'index') return location.assign(`/log/entry/${query.index}`);
  const hash = `#q=${encodeURIComponent(typed.trim())}`;
  if (ENTRY_PATH.test(location.pathname)) return location.assign(`/log${hash}`);
  if (location.hash === hash) return guarded(route);
  location.hash = hash;
}

async function find(typed) {
  byId('query').value = typed;
  byId('entry-list').replaceChildren();
  byId('pages').replaceChildren(element('a', { class: 'button', href: '/log#' }, 'All entries'));
  byId('entries-heading').textContent = 'Found';
  showOnly('search', 'entries', 'checkpoint');
  const query = detect(typed);
  if (!query) return say('This is no index, leaf hash, name or credential.');
  if (query.kind === 'index') return location.assign(`/log/entry/${query.index}`);
  if (query.kind === 'leaf') return findByLeaf(query.leaf);
  return findByScanning(query);
}

async function findByLeaf(leaf) {
  const entry = await findLeaf(view, leaf);
  if (!entry) return say('The server knows no entry with this leaf hash.');
  byId('entry-list').replaceChildren(await listed(entry));
  say('1 entry found.');
}

async function findByScanning(query) {
  search = new AbortController();
  const { signal } = search;
  const bar = element('progress', { max: String(view.size), value: '0', 'aria-label': 'Entries read' });
  const stop = element('button', { type: 'button', id: 'stop' }, 'Stop');
  const own = new AbortController();
  stop.addEventListener('click', () => own.abort());
  byId('progress').replaceChildren(bar, stop);
  say('Searching …');
  let found = 0;
  let read = 0n;
  const progress = (count) => {
    read = count;
    bar.value = Number(count);
  };
  for await (const entry of scan(view, query, progress, AbortSignal.any([signal, own.signal]))) {
    const item = await listed(entry);
    if (signal.aborted) return;
    byId('entry-list').append(item);
    found += 1;
  }
  if (signal.aborted) return;
  byId('progress').replaceChildren();
  const what = query.kind === 'name' ? `the name ${query.name}` : 'this credential';
  const ended = own.signal.aborted ? `, stopped after ${read}` : '';
  say(`${found === 0 ? 'No entries' : found === 1 ? '1 entry' : `${found} entries`} of ${what} among ${view.size}${ended}.`);
}

function title(text) {
  byId('heading').textContent = text;
  document.title = `${text} – Countersign`;
}

function smaller(a, b) {
  return a < b ? a : b;
}
