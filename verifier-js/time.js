// Times of documents and entries: whole seconds in UTC from 1970 to 9999, written `YYYY-MM-DDTHH:MM:SSZ` and in no other
// way. In this form the order of texts is the order of times.

/** A time's text that was checked. @typedef {string} Time */

/**
 * Seconds since 1970, or undefined if the text is not in the one accepted form.
 *
 * @param {string} text
 * @returns {number | undefined}
 */
export function secondsOf(text) {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/.exec(text);
  if (!parts) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number);
  if (year < 1970) return undefined;
  const seconds = Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
  // Writing it again refuses every impossible date and hour, which Date would carry over.
  return timeOf(seconds) === text ? seconds : undefined;
}

/**
 * The text of seconds since 1970; what lies after the year 9999 becomes its last second.
 *
 * @param {number} seconds
 * @returns {Time}
 */
export function timeOf(seconds) {
  return new Date(Math.min(seconds, 253_402_300_799) * 1000).toISOString().replace('.000Z', 'Z');
}
