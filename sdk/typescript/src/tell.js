// Telling the caller that a request is pending, while its decision is waited for. Where the telling fails, now or later, nobody
// may have heard whom to ask: the waiting ends as if the caller had aborted it, and the failure is what the caller gets.

/**
 * @template T
 * @param {() => unknown} say  may be asynchronous; nothing waits for it
 * @param {AbortSignal | undefined} caller
 * @param {(ended: AbortSignal) => Promise<T>} wait
 * @returns {Promise<T>}
 * @throws what `say` threw or was rejected with before the waiting ended
 */
export async function whileTelling(say, caller, wait) {
  const controller = new AbortController();
  /** @type {{error: unknown} | undefined} */
  let failed;
  const fail = (/** @type {unknown} */ error) => {
    failed ??= { error };
    controller.abort(error);
  };
  const abort = () => controller.abort(caller?.reason);
  if (caller?.aborted) abort();
  caller?.addEventListener('abort', abort);
  try {
    Promise.resolve(say()).catch(fail);
  } catch (error) {
    fail(error);
  }
  try {
    return await wait(controller.signal);
  } catch (error) {
    throw failed && controller.signal.reason === failed.error ? failed.error : error;
  } finally {
    caller?.removeEventListener('abort', abort);
  }
}
