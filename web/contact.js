// The page behind a link that was sent to an address: shows whose contact it would be, and confirms it when the button is
// pressed. Opening the page changes nothing, because scanners of mail open links.

import { Problem, postJson } from './http.js';
import { alertText, byId } from './page.js';
import { announce, lastPathSegment, offerRetry, say, showOnly } from './sections.js';
import { visible } from './visible.js';

const path = `/contact/${encodeURIComponent(lastPathSegment())}`;

byId('web-origin').textContent = location.origin;
byId('confirm').addEventListener('click', confirm);
load();

async function load() {
  say('Loading…');
  try {
    const { username, address } = await postJson(`${path}/options`, {});
    say('');
    byId('username').replaceChildren(visible(username));
    byId('address').replaceChildren(visible(address));
    showOnly('proposal');
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    say('');
    if (error.status === 404) return over();
    announce('The address could not be looked up', 'bad');
    alertText(error.message);
    offerRetry('Try again', load);
  }
}

async function confirm() {
  const button = byId('confirm');
  button.disabled = true;
  alertText('');
  say('Confirming…');
  try {
    await postJson(path, {});
    showOnly();
    announce('The address is confirmed', 'good');
    say('Messages go there from now on. You can change or remove it on your own page.');
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    say('');
    if (error.status === 404) return over();
    alertText(error.unknown ? `${error.message} It is not known whether it was confirmed. Press again.` : error.message);
  }
  button.disabled = false;
}

function over() {
  showOnly();
  announce('This link has no use any more', 'bad');
  say('It was used, it is older than three days, or another address took its place. On your own page you can give an address again.');
}
