// A function that runs only after a person approved exactly what it is about to do.

import { frozenValue, payloadText } from './payload.js';
import { refuseUnknown } from './request.js';

/**
 * @typedef {Omit<import('./client.js').ApprovalRequest, 'payload' | 'action' | 'idempotencyKey'>} Fixed
 */

/**
 * @template P
 * @typedef {(payload: Readonly<P>) => string} TextOf
 */

/**
 * What is asked for each call: as in `requestApproval`, without the payload, which is the function's argument.
 *
 * @template P
 * @typedef {Fixed & {action: string | TextOf<P>, idempotencyKey?: TextOf<P>}} GuardOptions
 */

/**
 * What one call may say beside its payload.
 *
 * @typedef {'signal' | 'timeout' | 'onPending' | 'idempotencyKey' | 'metadata'} OfOneCall
 * @typedef {Pick<import('./client.js').ApprovalRequest, OfOneCall>} CallOptions
 */

const OF_ONE_CALL = new Set(['signal', 'timeout', 'onPending', 'idempotencyKey', 'metadata']);

/**
 * Wraps a function of one plain object. The function that comes out asks for approval of that object, waits, verifies,
 * consumes, and then runs the given one with a frozen copy of what was approved. Whatever else happens, it throws.
 *
 * @template {object} P
 * @template R
 * @param {import('./client.js').Countersign} client
 * @param {import('./clock.js').Clock} clock
 * @param {(payload: Readonly<P>, decision: import('./decision.js').ApprovedDecision) => R | Promise<R>} run
 * @param {GuardOptions<P>} options
 * @returns {(payload: P, call?: CallOptions) => Promise<R>}
 */
export function guard(client, clock, run, { action, idempotencyKey, ...fixed }) {
  return async (payload, call = {}) => {
    refuseUnknown(call, OF_ONE_CALL);
    const { signal, timeout, onPending, metadata, idempotencyKey: key } = call;
    // From here on nobody else can change it, not even while a person decides.
    const copy = frozenValue(payloadText(payload));
    const given = Object.entries({ signal, timeout, onPending, metadata }).filter(([, value]) => value !== undefined);
    const request = {
      ...fixed,
      ...Object.fromEntries(given),
      payload: copy,
      action: typeof action === 'function' ? action(copy) : action,
      idempotencyKey: key ?? idempotencyKey?.(copy),
    };
    const start = clock.moment();
    const decision = (await client.requestApproval(request)).orThrow();
    // The caller's timeout is for all of it: the function does not run later.
    const left = request.timeout === undefined ? undefined : Math.max(0, start + request.timeout * 1000 - clock.moment()) / 1000;
    await decision.consume({ signal: request.signal, timeout: left });
    return run(decision.payload, decision);
  };
}
