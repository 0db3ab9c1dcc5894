// What may stand between a browser and the server: passes everything on, and changes the JSON on its way as a test tells it.

import { createServer } from 'node:http';

/**
 * @param {{listenOn: number, server: number}} ports
 * @returns {Promise<{change: {answer?: Change, question?: Change}, close: () => Promise<void>}>}
 * @typedef {(json: any, path: string) => void} Change  changes what is on its way, in place
 */
export async function startProxy({ listenOn, server }) {
  const change = {};
  const proxy = createServer(async (request, response) => {
    const path = request.url;
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = changed(Buffer.concat(chunks), path, change.question);
    const { host, connection, 'content-length': _, 'accept-encoding': __, ...headers } = request.headers;
    const answer = await fetch(`http://127.0.0.1:${server}${path}`, {
      method: request.method,
      headers,
      ...(request.method === 'POST' && { body }),
    });
    const sent = changed(Buffer.from(await answer.arrayBuffer()), path, answer.ok ? change.answer : undefined);
    const kept = [...answer.headers].filter(([name]) => !['connection', 'content-length', 'transfer-encoding'].includes(name));
    const own = Object.fromEntries(kept);
    // The scripts stay the same all the time: asking for them again would only take long.
    if (path.startsWith('/web/')) own['cache-control'] = 'max-age=600';
    response.writeHead(answer.status, own).end(sent);
  });
  await new Promise((done) => proxy.listen(listenOn, '127.0.0.1', done));
  const close = () => {
    proxy.closeAllConnections();
    return new Promise((done) => proxy.close(done));
  };
  return { change, close };
}

function changed(bytes, path, change) {
  if (!change || bytes[0] !== '{'.charCodeAt(0)) return bytes;
  const json = JSON.parse(bytes.toString());
  change(json, path);
  return Buffer.from(JSON.stringify(json));
}
