// A stand-in for Telegram's Bot API in a few lines, written from its documentation: it keeps what is sent and lets a test
// write to the bot. How ours deals with refusals, limits and delays is tested in log-server/tests/http/telegram.rs.

import { createServer } from 'node:http';

export const TOKEN = '4839574812:AAFD39kkdpWt3ywyRZergyOLMaJhac60qcK';

/**
 * Listens on a free port of this machine.
 *
 * @returns {Promise<{url: string, write: (chat: number, text: string) => void, next: (method: string) => Promise<any>, stop: () => void}>}
 */
export async function recordBot() {
  const recorded = { sendMessage: recorder(), editMessageText: recorder() };
  const written = recorder();
  let numbers = 0;
  const answers = {
    getMe: () => ({ id: 1, is_bot: true, first_name: 'Test', username: 'countersign_test_bot' }),
    deleteWebhook: () => true,
    getUpdates: async () => [await written.next()],
    sendMessage: (body) => {
      recorded.sendMessage.add(body);
      return { message_id: (numbers += 1), chat: { id: body.chat_id } };
    },
    editMessageText: (body) => {
      recorded.editMessageText.add(body);
      return { message_id: body.message_id };
    },
  };
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const [, bot, method] = request.url.split('/');
    const known = bot === `bot${TOKEN}` && answers[method];
    const answer = known ? { ok: true, result: await known(JSON.parse(text)) } : { ok: false, error_code: 404, description: 'Not Found' };
    response.writeHead(known ? 200 : 404, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    write: (id, text) => {
      numbers += 1;
      written.add({ update_id: numbers, message: { message_id: numbers, chat: { id, type: 'private', username: 'alex_t' }, text } });
    },
    next: (method) => recorded[method].next(),
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function recorder() {
  const kept = [];
  const waiting = [];
  return {
    add: (one) => (waiting.length ? waiting.shift()(one) : kept.push(one)),
    next: () => (kept.length ? Promise.resolve(kept.shift()) : new Promise((done) => waiting.push(done))),
  };
}
