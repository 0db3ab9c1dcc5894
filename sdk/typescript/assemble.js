// Assembles the package into dist/: the modules of src/, the repository's verifier under dist/verifier, and the types of all.
//
// The verifier exists once in the repository, in verifier-js/. In a package it has to lie beside the SDK, so the one module
// that names it, src/verifier.js, gets another path here. npm runs this on `npm pack` and `npm publish`.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const verifier = join(here, '../../verifier-js');
const dist = join(here, 'dist');
const IN_REPOSITORY = '../../../verifier-js/';
const IN_PACKAGE = './verifier/';

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
for (const name of modulesOf(join(here, 'src'))) {
  const text = readFileSync(join(here, 'src', name), 'utf8');
  if (text.includes(IN_REPOSITORY) !== (name === 'verifier.js')) {
    throw new Error(`src/${name}: src/verifier.js, and no other module, imports from ${IN_REPOSITORY}`);
  }
  writeFileSync(join(dist, name), text.replaceAll(IN_REPOSITORY, IN_PACKAGE));
}
for (const folder of ['.', 'verify', 'webauthn']) {
  for (const name of modulesOf(join(verifier, folder))) {
    cpSync(join(verifier, folder, name), join(dist, 'verifier', folder, name));
  }
}
cpSync(join(here, '../../LICENSE'), join(dist, 'LICENSE'));
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
execFileSync(process.execPath, [compiler, '-p', join(here, 'tsconfig.declarations.json')], { stdio: 'inherit' });

/** @param {string} folder */
function modulesOf(folder) {
  return readdirSync(folder).filter((name) => name.endsWith('.js'));
}
