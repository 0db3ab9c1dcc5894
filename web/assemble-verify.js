// Assembles the verify page into one file that works from disk, without a bundler: an import map gives every module as a
// data: URL of its own text. A data: module has no folder, so each import names its module by its path on the server,
// without the first slash (`./dom.js` in web/ becomes `web/dom.js`); nothing else is changed.
//
//   node web/assemble-verify.js OUTPUT

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const ENTRY = 'web/verify.js';
/** Folders on the server and in the repository. */
const FOLDERS = [['web/', 'web/'], ['verifier/', 'verifier-js/']];
const IMPORT = /^((?:import|export)\b[^;']*?from ')([^']+)(';)$/gm;

const STYLE_TAG = '<link rel="stylesheet" href="/web/style.css">\n';
const SCRIPT_TAG = '<script type="module" src="/web/verify.js"></script>\n';

/** The text of a module in the repository. @param {string} name  its path on the server without the first slash */
export function source(name) {
  const [folder, real] = FOLDERS.find(([prefix]) => name.startsWith(prefix)) ?? [];
  if (!folder) throw new Error(`no folder of ours holds ${name}`);
  return readFileSync(join(root, real, name.slice(folder.length)), 'utf8');
}

/** A module's text with its imports renamed, and their names. @param {string} name @param {string} text */
export function rename(name, text) {
  const imports = [];
  const renamed = text.replace(IMPORT, (_, before, specifier, after) => {
    const to = posix.join('/', posix.dirname(name), specifier).slice(1);
    const target = specifier.startsWith('/') ? specifier.slice(1) : to;
    imports.push([specifier, target]);
    return before + target + after;
  });
  return { renamed, imports };
}

/** Every module that the page needs, in the order in which they are met. @returns {Map<string, string>} renamed texts */
export function modules() {
  const found = new Map();
  const waiting = [ENTRY];
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    if (found.has(name)) continue;
    const { renamed, imports } = rename(name, source(name));
    found.set(name, renamed);
    waiting.push(...imports.map(([, target]) => target));
  }
  return found;
}

/** The page as one file. @returns {string} */
export function assemble() {
  const urls = [...modules()].map(([name, text]) => [name, `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`]);
  // No `<` stands in JSON made of paths and base64, so nothing in it can end the element.
  const map = JSON.stringify({ imports: Object.fromEntries(urls) });
  const start = `import '${ENTRY}';`;
  const style = readFileSync(join(root, 'web/style.css'), 'utf8');
  // `data:` lets the modules of the import map load. Whoever could add others to the page could change the file as well.
  const policy = [
    "default-src 'none'", `script-src data: ${hash(map)} ${hash(start)}`, `style-src ${hash(style)}`, 'img-src data:',
    "form-action 'none'", "base-uri 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
  ].join('; ');
  const page = readFileSync(join(root, 'web/verify.html'), 'utf8');
  return [
    [/<meta charset="utf-8">\n/, (tag) => `${tag}<meta http-equiv="Content-Security-Policy" content="${policy}">\n`],
    [STYLE_TAG, () => `<style>${style}</style>\n`],
    [SCRIPT_TAG, () => `<script type="importmap">${map}</script>\n<script type="module">${start}</script>\n`],
    ['<!-- banner -->\n', () => ''],
  ].reduce(replaceOnce, page);
}

function replaceOnce(page, [tag, make]) {
  const changed = page.replace(tag, make);
  if (changed === page) throw new Error(`web/verify.html has no ${tag}`);
  return changed;
}

function hash(text) {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const output = process.argv[2];
  if (output === undefined) {
    console.error('usage: node web/assemble-verify.js OUTPUT');
    process.exit(2);
  }
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, assemble());
}
