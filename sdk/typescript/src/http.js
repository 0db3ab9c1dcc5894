// One HTTP call: what was asked, and an answer that is known to be whole, JSON and of a bearable size; or why there is none.
//
// Redirects are not followed: the API key and the question go to the address that the caller named, and nowhere else.

/** The largest answer, in bytes: a receipt of 32 MiB and what stands around it. */
const MAX_ANSWER = 34 * 1024 * 1024;

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {any} value  the parsed JSON
 * @property {string} text  as it came
 * @property {number} [retryAfter]  in seconds
 */

/** No usable answer. */
export class Unusable extends Error {
  /**
   * @param {string} why
   * @param {{cause?: unknown, status?: number, retryAfter?: number, final?: boolean}} [about]  final: asking again is no use
   */
  constructor(why, { cause, status, retryAfter, final = false } = {}) {
    super(why, { cause });
    this.status = status;
    this.retryAfter = retryAfter;
    this.final = final;
  }
}

/**
 * @typedef {object} Call
 * @property {'GET' | 'POST'} method
 * @property {string} path
 * @property {string} [body]  JSON
 * @property {string} [idempotencyKey]
 * @property {number} [wait]  seconds that the server may take before it answers
 */

/** A server, and the key to it. */
export class Http {
  #settings;

  /** @param {import('./settings.js').Settings} settings */
  constructor(settings) {
    this.#settings = settings;
  }

  /**
   * Asks once.
   *
   * @param {Call} call
   * @param {AbortSignal} signal
   * @returns {Promise<Answer>}  whatever its status is
   * @throws {Unusable}
   */
  async once(call, signal) {
    const { clock, requestTimeout } = this.#settings;
    const controller = new AbortController();
    const end = () => controller.abort();
    const limit = requestTimeout + (call.wait ?? 0);
    const stop = clock.after(limit * 1000, end);
    signal.addEventListener('abort', end);
    // Listens before anything can happen. A custom fetch may not look at its signal.
    const ended = whenAborted(controller.signal, limit);
    if (signal.aborted) end();
    try {
      return await Promise.race([ended, this.#exchange(call, controller.signal)]);
    } finally {
      stop();
      signal.removeEventListener('abort', end);
      // Ends what a custom fetch would otherwise go on with.
      controller.abort();
    }
  }

  /**
   * @param {Call} call
   * @param {AbortSignal} signal
   * @returns {Promise<Answer>}
   */
  async #exchange({ method, path, body, idempotencyKey }, signal) {
    const { fetch, baseUrl, apiKey } = this.#settings;
    /** @type {Record<string, string>} */
    const headers = { Accept: 'application/json', Authorization: `Bearer ${apiKey}` };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (idempotencyKey !== undefined) headers['Idempotency-Key'] = idempotencyKey;
    try {
      const plain = /** @type {const} */ ({ redirect: 'manual', cache: 'no-store', credentials: 'omit' });
      return await readAnswer(await fetch(baseUrl + path, { method, headers, body, signal, ...plain }));
    } catch (cause) {
      throw cause instanceof Unusable ? cause : new Unusable(reasonOf(cause), { cause });
    }
  }
}

/**
 * @param {Response} response
 * @returns {Promise<Answer>}
 */
async function readAnswer(response) {
  const { status } = response;
  const isRedirect = response.type === 'opaqueredirect' || (status >= 300 && status < 400);
  if (isRedirect) throw new Unusable('it redirects, which is not followed', { status, final: true });
  const retryAfter = readRetryAfter(response.headers.get('retry-after'));
  const text = await textOf(response);
  try {
    return { status, value: JSON.parse(text), text, retryAfter };
  } catch {
    // The status of a refusal counts, whatever the page says that came with it.
    if (status >= 400) return { status, value: null, text, retryAfter };
    throw new Unusable(`an answer with status ${status} that is not JSON`, { status });
  }
}

/**
 * The body as text, read only as far as its size is allowed.
 *
 * @param {Response} response
 */
async function textOf(response) {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let [text, size] = ['', 0];
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > MAX_ANSWER) {
      await reader.cancel().catch(() => {});
      throw new Unusable(`an answer of more than ${MAX_ANSWER} bytes`, { status: response.status, final: true });
    }
    text += decoder.decode(value, { stream: true });
  }
  return text + decoder.decode();
}

/**
 * @param {AbortSignal} signal
 * @param {number} limit
 * @returns {Promise<never>}
 */
function whenAborted(signal, limit) {
  return new Promise((_, failed) => {
    signal.addEventListener('abort', () => failed(new Unusable(`no answer within ${limit} seconds`)));
  });
}

/** @param {unknown} cause  what fetch throws: `fetch failed`, with the reason one level below in Node */
function reasonOf(cause) {
  const { message, cause: below } = Object(cause);
  const inner = Object(below);
  const deeper = inner.message || inner.code;
  return [message, deeper].filter((part) => typeof part === 'string' && part !== '').join(': ') || 'the request failed';
}

/** @param {string | null} header  seconds; a date is not what our server sends */
function readRetryAfter(header) {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}
