// A signed answer that has not reached the server outlives a reload of the page in this tab. It can be sent again as often
// as one likes: its signature covers one document, and a person decides a request once.

const KEY = 'countersign/unsent/v1/';

/** @param {string} id  of the confirmation @param {object} body  what is sent */
export function keepUnsent(id, body) {
  try {
    sessionStorage.setItem(KEY + id, JSON.stringify(body));
  } catch {
    // A browser that keeps nothing still has the answer as long as the page stays open.
  }
}

/** What was kept for a confirmation. @param {string} id @returns {any} */
export function unsentOf(id) {
  try {
    return JSON.parse(sessionStorage.getItem(KEY + id)) ?? undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} id */
export function forgetUnsent(id) {
  try {
    sessionStorage.removeItem(KEY + id);
  } catch {
    // Then nothing was kept either.
  }
}
