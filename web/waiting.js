// Looking again, now and then, how a request stands: gently, and not at all while nobody sees the page.

import { postJson } from './http.js';

const EVERY_MILLISECONDS = 3000;

/**
 * Asks the server how a request stands, until it has ended.
 *
 * @param {string} path  where to ask
 * @param {object} body  what to ask with
 * @param {(answer: any) => void} changed  called with every answer; the last one has another status than pending
 * @returns {() => void} stops it
 */
export function watch(path, body, changed) {
  let stopped = false;
  let timer;
  const look = async () => {
    const answer = document.hidden ? undefined : await ask(path, body);
    if (stopped) return;
    if (answer) changed(answer);
    if (!stopped && (!answer || answer.status === 'pending')) timer = setTimeout(look, EVERY_MILLISECONDS);
  };
  timer = setTimeout(look, EVERY_MILLISECONDS);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

async function ask(path, body) {
  try {
    return await postJson(path, body);
  } catch {
    // No answer now says nothing about the request: the next one will.
    return undefined;
  }
}
