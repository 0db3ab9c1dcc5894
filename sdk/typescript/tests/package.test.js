// The package as its users get it: packed, installed into an empty project, and every block of docs/typescript.md, the README's
// program and every example run there against the real server. testdata/documents.json says which blocks there are.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { root, run, startServer } from './real-server.js';

/** @typedef {{language: string, text: string}} Block */

const blocks = blocksOf('docs/typescript.md');
const project = mkdtempSync(join(tmpdir(), 'countersign-project-'));
/** @type {import('./real-server.js').Server} */
let server;

before(async () => {
  server = await startServer();
  const shell = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text).join('\n');
  const env = { ...process.env, project, npm_config_loglevel: 'error' };
  execFileSync('bash', ['-euc', shell], { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] });
});
after(async () => {
  await server?.stop();
  rmSync(project, { recursive: true });
});

test('the package holds the SDK, the verifier and their types, and nothing else', () => {
  const folder = join(project, 'node_modules/countersign');
  assert.deepEqual(readdirSync(folder).sort(), ['README.md', 'dist', 'package.json']);
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  assert.equal(dependencies, undefined);
  const files = readdirSync(join(folder, 'dist'), { recursive: true }).map(String);
  for (const name of files.filter((file) => file.endsWith('.js'))) {
    assert.ok(files.includes(name.replace(/\.js$/, '.d.ts')), name);
    for (const [, path] of readFileSync(join(folder, 'dist', name), 'utf8').matchAll(/from '([^']+)'/g)) {
      assert.ok(existsSync(join(folder, 'dist', name, '..', path)), `${name} imports ${path}`);
    }
  }
  assert.ok(files.includes('LICENSE') && files.includes('verifier/index.js'));
});

for (const [i, { language, text }] of blocks.entries()) {
  if (language !== 'js') continue;
  const [expected] = blocks.slice(i + 1);
  const name = expected.text.trim();
  test(`the guide's block that prints ${JSON.stringify(name)}`, async () => {
    assert.equal(expected.language, 'text', 'a block of what is printed follows each program');
    writeFileSync(join(project, `block-${i}.mjs`), text);
    const { code, output } = await run(server, process.execPath, [`block-${i}.mjs`], { cwd: project });
    assert.equal(code, 0, output);
    for (const line of name.split('\n')) assert.ok(output.includes(line), `${line} is missing in:\n${output}`);
  });
}

test("the README's program wires what was approved", async () => {
  const [{ text }] = blocksOf('README.md');
  writeFileSync(join(project, 'readme.mjs'), text);
  const { code, output } = await run(server, process.execPath, ['readme.mjs'], { cwd: project });
  assert.equal(code, 0, output);
  assert.ok(output.includes('wired 12.5 to ACME'), output);
});

test("the guide's TypeScript is accepted by a strict compiler, and so are all our types", () => {
  const names = blocks.filter(({ language }) => language === 'ts').map(({ text }, i) => {
    writeFileSync(join(project, `block-${i}.mts`), text);
    return `block-${i}.mts`;
  });
  assert.equal(names.length, 1);
  const compiler = join(root, 'sdk/typescript/node_modules/typescript/bin/tsc');
  const options = ['--strict', '--noEmit', '--target', 'ES2022', '--module', 'NodeNext', '--lib', 'ES2022,DOM', '--skipLibCheck', 'false'];
  execFileSync(process.execPath, [compiler, ...options, ...names], { cwd: project, stdio: ['ignore', 'inherit', 'inherit'] });
});

for (const example of ['typescript', 'rest-fetch']) {
  test(`examples/${example} deploys what was approved, and nothing that was rejected`, async () => {
    copyFileSync(join(root, 'examples', example, 'deploy.mjs'), join(project, `${example}.mjs`));
    const approved = await run(server, process.execPath, [`${example}.mjs`, 'shop', 'b2c3d4e'], { cwd: project });
    assert.equal(approved.code, 0, approved.output);
    assert.ok(approved.output.includes('deploying shop at b2c3d4e'), approved.output);
    const options = { cwd: project, decision: /** @type {const} */ ('reject') };
    const rejected = await run(server, process.execPath, [`${example}.mjs`, `no-${example}`, 'b2c3d4e'], options);
    assert.equal(rejected.code, 1, rejected.output);
    assert.ok(rejected.output.includes('rejected') && !rejected.output.includes('deploying'), rejected.output);
    assert.ok(readFileSync(join(project, `${example}.mjs`), 'utf8').split('\n').length <= 40);
  });
}

/**
 * The blocks of a page that the table says this file runs: all in their languages, in their order.
 *
 * @param {string} page
 * @returns {Block[]}
 */
function blocksOf(page) {
  const table = JSON.parse(readFileSync(join(root, 'testdata/documents.json'), 'utf8'));
  const self = 'sdk/typescript/tests/package.test.js';
  const rows = table.filter((/** @type {any} */ row) => row.page === page && row.run_by === self);
  const all = readFileSync(join(root, page), 'utf8').matchAll(/^```(\w+)\n(.*?)^```$/gms);
  const found = Array.from(all, ([, language, text]) => ({ language, text }));
  for (const { language, blocks } of rows) {
    const count = found.filter((block) => block.language === language).length;
    assert.equal(count, blocks, `${page} has other blocks in ${language} than the table says`);
  }
  const ours = found.filter(({ language }) => rows.some((/** @type {any} */ row) => row.language === language));
  assert.ok(ours.length > 0, `the table has nothing of ${page}`);
  return ours;
}
