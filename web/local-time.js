// Times for people.

/** The same moment in the reader's own time zone. @param {string} time  as in a document */
export function localTime(time) {
  return new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** This device's time, as in a document. */
export function timeNow() {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
