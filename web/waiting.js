// Looking again while others have still to decide.

import { postJson } from './http.js';

const EVERY_MILLISECONDS = 3000;

/**
 * Asks the server now and then how a request stands, until it has ended.
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
    let answer;
    try {
      answer = await postJson(path, body);
    } catch {
      // No answer now says nothing about the request: the next one will.
    }
    if (stopped) return;
    if (answer) changed(answer);
    if (!answer || answer.status === 'pending') timer = setTimeout(look, EVERY_MILLISECONDS);
  };
  timer = setTimeout(look, EVERY_MILLISECONDS);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
