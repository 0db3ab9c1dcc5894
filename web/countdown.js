// The time left, in words that change each minute, and each ten seconds in the last one, so that they can be read out.

import { serverNow } from './http.js';
import { text } from './words.js';

/**
 * Keeps an element's text up to date until the time is over.
 *
 * @param {HTMLElement} target
 * @param {string} end  a time of the document
 * @param {() => void} over  called once, when the time has passed
 * @returns {() => void} stops it and takes the text away
 */
export function countDown(target, end, over) {
  const last = Date.parse(end);
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
    timer = setTimeout(tick, untilChange(left));
  };
  tick();
  return () => {
    clearTimeout(timer);
    target.textContent = '';
  };
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
