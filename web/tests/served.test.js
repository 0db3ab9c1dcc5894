// What the server makes of the files before it sends them: every script keeps its meaning, and no page is heavy.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import ts from 'typescript';
import { source } from '../assemble-verify.js';
import { launchBrowser, openContext } from './browser.js';
import { connect } from './requester.js';
import { startServer } from './server.js';

/** What a page may weigh with all it loads, compressed, in bytes. */
const MOST = 40_000;

let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** The syntax tree of a script, one line for each node and token, without comments. */
function tree(text) {
  const file = ts.createSourceFile('a.js', text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const lines = file.parseDiagnostics.map(({ messageText }) => `not a script: ${messageText}`);
  const add = (node, depth) => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(file);
    lines.push(`${' '.repeat(depth)}${ts.SyntaxKind[node.kind]} ${children.length === 0 ? node.getText(file) : ''}`);
    for (const child of children) add(child, depth + 1);
  };
  add(file, 0);
  return lines;
}

test('every module of the folders is served, and says what its source says', async () => {
  const list = (folder) => readdirSync(new URL(`../../${folder}/`, import.meta.url)).filter((name) => name.endsWith('.js'));
  const served = [
    ...list('web').filter((name) => name !== 'assemble-verify.js').map((name) => `web/${name}`),
    ...['', '/verify', '/webauthn'].flatMap((folder) => list(`verifier-js${folder}`).map((name) => `verifier${folder}/${name}`)),
  ];
  for (const path of served) {
    const response = await fetch(`${server.url}/${path}`);
    assert.equal(response.status, 200, path);
    const [sent, written] = [tree(await response.text()), tree(source(path))];
    const at = written.findIndex((line, i) => line !== sent[i]);
    const words = `${path} is sent with “${sent[at]}” for “${written[at]}”: is the binary of these sources?`;
    assert.ok(at === -1 && sent.length === written.length, words);
  }
});

test('the comparison of scripts sees a changed token, a lost line break and no comment', () => {
  const original = tree("// a\nlet a = 1;\nreturn_\n/** b */ (a);\nlet b = /x y/, c = `p  q`, d = 'r  s';\n");
  assert.deepEqual(tree("let a=1;return_(a);let b=/x y/,c=`p  q`,d='r  s';"), original);
  for (const other of ["let a=1;return_(a);let b=/xy/,c=`p  q`,d='r  s';", "let a=1;return_(a);let b=/x y/,c=`p q`,d='r  s';"]) {
    assert.notDeepEqual(tree(other), original);
  }
  assert.notDeepEqual(tree('function f() { return\n1; }'), tree('function f() { return 1; }'));
});

test('no page weighs more than it may, and none asks another site', async (t) => {
  const requester = await connect(server);
  const { registerUrl } = await requester.invite({ username: 'alex' });
  const translated = ['/approve/cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa', new URL(registerUrl).pathname, '/me', '/contact/none'];
  for (const page of [...translated, ...translated.map((path) => `${path}?lang=ar`), '/verify', '/log']) {
    const files = await loaded(page);
    const sum = files.reduce((all, [, size]) => all + size, 0);
    const { pathname, search } = new URL(page, server.url);
    const kind = pathname.split('/')[1] + search;
    const names = files.map(([name, size]) => `${String(size).padStart(6)} ${name}`).join('\n');
    assert.equal(files.some(([name]) => name === '/web/arabic.js'), page.endsWith('=ar'), names);
    t.diagnostic(`/${kind}: ${sum} bytes in ${files.length} files`);
    assert.ok(files.length > 5, names);
    assert.ok(sum <= MOST, `/${kind} weighs ${sum} bytes, ${MOST} are allowed:\n${names}`);
  }
});

/** Opens a page in a browser that has nothing yet: what it loaded, with the encoded bytes of each body. */
async function loaded(path) {
  const context = await openContext(browser);
  const page = await context.newPage();
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(server.url + path, { waitUntil: 'networkidle' });
  if (path.endsWith('lang=ar')) await page.locator('html[lang="ar"]').waitFor();
  const entries = await page.evaluate(() =>
    [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map(
      ({ name, encodedBodySize, decodedBodySize }) => ({ name, encoded: encodedBodySize, decoded: decodedBodySize }),
    ),
  );
  await context.close();
  for (const url of asked) assert.ok(url.startsWith(`${server.url}/`) || url.startsWith('data:'), `a request to ${url}`);
  const files = entries.filter(({ name }) => name.startsWith(server.url));
  for (const { name, encoded, decoded } of files) {
    assert.ok(encoded > 0, `${name} has no size`);
    if (/\.(js|css)$/.test(name)) assert.ok(encoded < decoded, `${name} is not compressed`);
  }
  return files.map(({ name, encoded }) => [name.slice(server.url.length), encoded]).sort(([, a], [, b]) => b - a);
}
