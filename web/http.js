// JSON over HTTP for the pages: one kind of call, and one error that says whether anything can have happened.

import { text as words } from './words.js';

/** An answer that is not a success, or no answer at all (`status` 0). */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} detail  the server's own words (RFC 9457), plain text
   */
  constructor(status, detail) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
  }

  /** Whether the request may have taken effect all the same: no readable answer, or the server does not know either. */
  get unknown() {
    return this.status < 400 || (this.status >= 500 && this.status !== 503 && this.status !== 507);
  }

  /** Whether the same request may succeed later. */
  get temporary() {
    return this.status < 400 || this.status === 429 || this.status >= 500;
  }
}

let serverAhead = 0;

/** The server's clock, as far as its answers tell, in milliseconds: expiry is its to judge, and this one may be wrong. */
export function serverNow() {
  return Date.now() + serverAhead;
}

/**
 * Posts JSON and reads JSON.
 *
 * @param {string} path
 * @param {object} body
 * @returns {Promise<any>}
 * @throws {Problem}
 */
export async function postJson(path, body) {
  let response;
  let text;
  try {
    response = await fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json, application/problem+json' },
      body: JSON.stringify(body),
      cache: 'no-store',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      credentials: 'same-origin',
    });
    text = await response.text();
  } catch {
    throw new Problem(0, words('noAnswer'));
  }
  const date = Date.parse(response.headers.get('Date') ?? '');
  if (!Number.isNaN(date)) serverAhead = date - Date.now();
  const value = parse(text);
  if (!response.ok) throw new Problem(response.status, describe(response, value));
  if (value === undefined) throw new Problem(response.status, words('notJson'));
  return value;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describe(response, value) {
  const said = typeof value?.detail === 'string' ? value.detail : value?.title;
  if (typeof said === 'string' && said !== '') return said;
  return words('statusOf', { status: response.status });
}
