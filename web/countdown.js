// The time left, in words that change each minute, and each ten seconds in the last one, so that they can be read out.

import { serverNow } from './http.js';
import { text } from './words.js';

/** Short is the last minute; of a longer time its last tenth, but no more than this. */
const SHORT_MILLISECONDS = [60_000, 300_000];

/**
 * Keeps an element's text up to date until the time is over.
 *
 * @param {HTMLElement} target  marked with `data-short` when little time is left
 * @param {{issued_at: string, expires_at: string}} fields  times of the document
 * @param {{short: () => void, over: () => void}} told  each called once, when little is left and when it has passed
 * @returns {() => void} stops it and takes the text away
 */
export function countDown(target, { issued_at: start, expires_at: end }, { short, over }) {
  const last = Date.parse(end);
  const few = shortOf(last - Date.parse(start));
  let timer;
  const tick = () => {
    const left = last - serverNow();
    // The whole last second still counts.
    if (left <= -1000) {
      target.textContent = text('over');
      over();
      return;
    }
    const words = describe(left);
    // The same words again would be read out again.
    if (target.textContent !== words) target.textContent = words;
    if (left <= few && target.dataset.short === undefined) {
      target.dataset.short = '';
      short();
    }
    timer = setTimeout(tick, Math.min(untilChange(left), left > few ? left - few + 5 : Infinity));
  };
  tick();
  return () => {
    clearTimeout(timer);
    target.textContent = '';
  };
}

/** How much of a time is its short rest. @param {number} all  milliseconds */
export function shortOf(all) {
  const [least, most] = SHORT_MILLISECONDS;
  return Math.min(most, Math.max(least, all / 10));
}

/** @param {number} left  milliseconds */
export function describe(left) {
  const seconds = Math.max(0, Math.ceil(left / 1000));
  if (seconds <= 60) return text('secondsLeft', { count: Math.ceil(seconds / 10) * 10 });
  const minutes = Math.ceil(seconds / 60);
  if (minutes <= 120) return text('minutesLeft', { count: minutes });
  return text('hoursLeft', { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

function untilChange(left) {
  const step = left > 60_000 ? 60_000 : 10_000;
  const next = left <= 0 ? left + 1000 : left % step || step;
  return Math.max(50, next + 5);
}
