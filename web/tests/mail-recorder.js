// A stand-in for an SMTP server that takes every mail and keeps it, in a few lines: what a real one does is tested with
// aiosmtpd in cli/tests/command/mail.rs; here somebody opens the links.

import { createServer } from 'node:net';

/**
 * Listens on a free port of this machine.
 *
 * @returns {Promise<{port: number, next: () => Promise<{subject: string, text: string, link: string}>, stop: () => void}>}
 */
export async function recordMail() {
  const mails = [];
  const waiting = [];
  const arrived = (mail) => (waiting.length ? waiting.shift()(mail) : mails.push(mail));
  const server = createServer((socket) => converse(socket, arrived));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: server.address().port,
    next: () => (mails.length ? Promise.resolve(mails.shift()) : new Promise((done) => waiting.push(done))),
    stop: () => server.close(),
  };
}

function converse(socket, arrived) {
  let received = '';
  let inData = false;
  const say = (line) => socket.write(`${line}\r\n`);
  say('220 recorder');
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    received += bytes.toString('latin1');
    for (;;) {
      const end = received.indexOf(inData ? '\r\n.\r\n' : '\r\n');
      if (end < 0) return;
      const part = received.slice(0, end);
      received = received.slice(end + (inData ? 5 : 2));
      if (inData) {
        inData = false;
        arrived(read(part));
        say('250 taken');
      } else if (part.startsWith('DATA')) {
        inData = true;
        say('354 go on');
      } else if (part.startsWith('QUIT')) {
        say('221 bye');
        return void socket.end();
      } else {
        say('250 fine');
      }
    }
  });
}

/** The subject, the plain part and its link. Enough for mails of ours in ASCII. */
function read(mail) {
  const [head, ...rest] = mail.split('\r\n\r\n');
  const text = rest.join('\r\n\r\n').replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
  const link = text.match(/^http:\/\/\S+$/m)?.[0] ?? '';
  return { subject: head.match(/^Subject: (.*)$/m)?.[1].trim() ?? '', text, link };
}
