// The other side of the pages: an operator who invites people, and a requester who asks and waits, over the REST API.

import assert from 'node:assert/strict';

/** @param {{url: string, adminKey: string}} server */
export async function connect(server) {
  const admin = caller(server.url, { 'X-Api-Key': server.adminKey });
  const { key } = await admin('POST', '/api/keys', 201, { name: 'deploy-bot', scopes: ['request'] });
  const asKey = caller(server.url, { Authorization: `Bearer ${key}` });
  return {
    invite: (invite) => admin('POST', '/api/invites', 201, { note: 'Approve our deployments', maxUses: 1, ...invite }),
    /** Takes a passkey from its owner. @param {string} credential  as the enrolled page shows it */
    revoke: (credential, reason = 'lost') => admin('DELETE', `/api/credentials/${credential}?reason=${reason}`, 200),
    // Open for an hour, so that no machine is too slow to decide in time.
    ask: (confirmation) => asKey('POST', '/api/confirmations', 201, { expiresIn: 3600, ...confirmation }),
    status: (id) => asKey('GET', `/api/confirmations/${id}`, 200),
    /** Asks again for as long as nothing is decided, as requesters do. */
    wait: async (id) => {
      for (;;) {
        const answer = await asKey('GET', `/api/confirmations/${id}?wait=25`, 200);
        if (answer.status !== 'pending') return answer;
      }
    },
    cancel: (id) => asKey('POST', `/api/confirmations/${id}/cancel`, 200),
  };
}

function caller(url, headers) {
  return async (method, path, expected, body) => {
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const response = await fetch(url + path, { method, headers: { ...headers, ...type }, ...json });
    const text = await response.text();
    assert.equal(response.status, expected, `${method} ${path}: ${text}`);
    return JSON.parse(text);
  };
}
