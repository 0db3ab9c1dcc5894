// What may be typed into the search box, and a search that reads the log from its newest entry down. A name is turned into
// its label here, so that the server does not learn whom somebody looks for.

import { fromBase64, hashFromBase64url } from '/verifier/encoding.js';
import { labelOf } from '/verifier/names.js';
import { decode } from './entry-view.js';
import { BATCH, readEntries } from './log-reader.js';

/**
 * @typedef {{kind: 'index', index: bigint} | {kind: 'leaf', leaf: Uint8Array} | {kind: 'credential', credential: string} |
 *   {kind: 'name', name: string}} Query
 */

/** What a text stands for; undefined if for nothing. @param {string} typed @returns {Query | undefined} */
export function detect(typed) {
  const text = typed.trim();
  if (/^\d{1,16}$/.test(text)) return { kind: 'index', index: BigInt(text) };
  const leaf = text.endsWith('=') ? fromBase64(text) : undefined;
  if (leaf?.length === 32) return { kind: 'leaf', leaf };
  const isName = /^[a-z0-9._@-]{1,64}$/.test(text);
  // A name could have the form of a credential only if 43 symbols happened to have no capital letter.
  if (!isName && hashFromBase64url(text)) return { kind: 'credential', credential: text };
  return isName ? { kind: 'name', name: text } : undefined;
}

/**
 * The entries that a name or a credential stands in, newest first.
 *
 * @param {import('./log-reader.js').View} view
 * @param {Query} query
 * @param {(read: bigint) => void} progress
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<import('./log-reader.js').Entry>}
 */
export async function* scan(view, query, progress, signal) {
  const label = query.kind === 'name' ? await labelOf(query.name, view.logOrigin) : undefined;
  for (let end = view.size; end > 0n && !signal.aborted; ) {
    const start = end > BATCH ? end - BATCH : 0n;
    for (const entry of (await readEntries(start, end)).reverse()) {
      const { labels, credentials } = await decode(entry.bytes);
      if (label ? labels.includes(label) : credentials.includes(query.credential)) yield entry;
    }
    end = start;
    progress(view.size - end);
  }
}
