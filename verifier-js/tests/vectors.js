// Third-party test vectors. They are data of others, so they lie outside this tree, in the folder that COUNTERSIGN_VECTORS
// names. Without it their tests are reported as skipped, never as passed.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.env.COUNTERSIGN_VECTORS;

/** The option of a test that needs the vectors. */
export const needsVectors = {
  skip: folder ? false : 'COUNTERSIGN_VECTORS is not set: it must name the folder with the third-party test vectors',
};

/**
 * @param {...string} path
 * @returns {string}
 */
export function readText(...path) {
  return readFileSync(join(folder ?? '', ...path), 'utf8');
}

/**
 * @param {...string} path
 * @returns {any}
 */
export function readJson(...path) {
  return JSON.parse(readText(...path));
}

/**
 * The files below a folder, as paths from the vectors' own folder.
 *
 * @param {string} path
 * @returns {string[]}
 */
export function filesBelow(path) {
  return readdirSync(join(folder ?? '', path), { withFileTypes: true }).flatMap((entry) => {
    const inner = join(path, entry.name);
    return entry.isDirectory() ? filesBelow(inner) : [inner];
  });
}

/**
 * @param {string} hex
 * @returns {Uint8Array}
 */
export function fromHex(hex) {
  if (!/^([0-9a-f]{2})*$/i.test(hex)) throw new Error(`not hexadecimal: ${hex}`);
  return new Uint8Array(Buffer.from(hex, 'hex'));
}
