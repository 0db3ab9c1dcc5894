// The page behind a link that was sent to an address: shows whose contact it would be, and confirms it when the button is
// pressed. Opening the page changes nothing, because scanners of mail open links.

import { element } from './dom.js';
import { Problem, postJson } from './http.js';
import { lookAlikes } from './look-alikes.js';
import { alertText, byId } from './page.js';
import { announce, lastPathSegment, offerRetry, say, showOnly } from './sections.js';
import { markWith, visible } from './visible.js';
import { nodes, speak, text } from './words.js';

const path = `/contact/${encodeURIComponent(lastPathSegment())}`;

markWith(lookAlikes);
byId('web-origin').textContent = location.origin;
byId('confirm').addEventListener('click', confirm);
speak().then(load);

async function load() {
  say(text('loadingPage'));
  try {
    const { username, address } = await postJson(`${path}/options`, {});
    say('');
    byId('question').replaceChildren(...nodes('shallMessagesGo', { name: element('strong', {}, visible(username)) }));
    byId('address').replaceChildren(visible(address));
    showOnly('proposal');
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    say('');
    if (error.status === 404) return over();
    announce(text('addressNotFound'), 'bad');
    alertText(error.message);
    offerRetry(text('again'), load);
  }
}

async function confirm() {
  const button = byId('confirm');
  button.disabled = true;
  alertText('');
  say(text('confirming'));
  try {
    await postJson(path, {});
    showOnly();
    announce(text('addressConfirmed'), 'good');
    say(text('messagesGoThere'));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    say('');
    if (error.status === 404) return over();
    alertText(error.unknown ? text('confirmUnknown', { why: error.message }) : error.message);
  }
  button.disabled = false;
}

function over() {
  showOnly();
  announce(text('linkIsOver'), 'bad');
  say(text('linkIsOverText'));
}
