// What the parts of a client share: its settings, its HTTP, and which logs it trusts.

/**
 * @typedef {import('./settings.js').Settings & {http: import('./http.js').Http, trusted: import('./trust.js').TrustSource}} Link
 */

export {};
