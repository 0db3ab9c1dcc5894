// A memory that survives the process: one JSON file, replaced as a whole, so that a crash leaves the old or the new one.

import { fileSystem } from './settings.js';

const TYPE = 'countersign/memory/v1';

/**
 * Keeps a client's memory in a file (not in browsers). Several processes may share it: each looks at the file every time.
 *
 * @param {string} path  its folder must exist
 * @returns {import('./memory.js').Memory}
 */
export function fileMemory(path) {
  const fs = fileSystem('fileMemory');
  return {
    get: (key) => readTexts(fs, path)[key],
    set: (key, value) => replace(fs, path, { ...readTexts(fs, path), [key]: value }),
  };
}

/**
 * @param {any} fs
 * @param {string} path
 * @returns {Record<string, string>}
 * @throws {Error} if it is there and not ours: to begin anew would forget what it is there for
 */
function readTexts(fs, path) {
  /** @type {string} */
  let text;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (Object(error).code === 'ENOENT') return {};
    throw error;
  }
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    // Said below.
  }
  const { type, texts } = Object(file);
  const isOurs = type === TYPE && Object(texts) === texts;
  if (!isOurs) throw new Error(`${path} is not a Countersign memory; move it away to begin a new one`);
  return texts;
}

/**
 * @param {any} fs
 * @param {string} path
 * @param {Record<string, string>} texts
 */
function replace(fs, path, texts) {
  const random = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16)).join('');
  const draft = `${path}.${random}.tmp`;
  const file = fs.openSync(draft, 'wx', 0o600);
  try {
    fs.writeFileSync(file, `${JSON.stringify({ type: TYPE, texts }, null, 1)}\n`);
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
  fs.renameSync(draft, path);
}
