// QR codes of short texts, for an address that a phone's camera reads (ISO/IEC 18004): bytes, error correction level L,
// versions 1 to 9, which are 17 + 4·version modules wide. Out of scope: other modes, levels and larger versions.
//
//   text → bits (mode, length, bytes, padding) → blocks with Reed-Solomon codewords, interleaved → modules, masked

/** For each version: data codewords in one block, blocks, error correction codewords in one block, alignment centres. */
const VERSIONS = [
  [19, 1, 7, []], [34, 1, 10, [6, 18]], [55, 1, 15, [6, 22]], [80, 1, 20, [6, 26]], [108, 1, 26, [6, 30]],
  [68, 2, 18, [6, 34]], [78, 2, 20, [6, 22, 38]], [97, 2, 24, [6, 24, 42]], [116, 2, 30, [6, 26, 46]],
];
const BYTE_MODE = 0b0100;
const LEVEL_L = 0b01;
const QUIET = 4;

const MASKS = [
  (x, y) => (x + y) % 2 === 0, (x, y) => y % 2 === 0, (x) => x % 3 === 0, (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0, (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/**
 * The code as a picture, or nothing if the text is too long.
 *
 * @param {string} text
 * @returns {SVGElement | undefined}
 */
export function qrCode(text) {
  const modules = qrModules(text);
  if (!modules) return undefined;
  const make = (name, attributes) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const size = modules.length + 2 * QUIET;
  const svg = make('svg', { viewBox: `0 0 ${size} ${size}`, role: 'img', 'aria-label': 'QR code of this address' });
  const dark = modules.flatMap((row, y) => row.map((on, x) => (on ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : '')));
  svg.append(make('rect', { width: size, height: size, fill: '#ffffff' }), make('path', { d: dark.join(''), fill: '#000000' }));
  return svg;
}

/**
 * The modules of the code, row by row, true for dark, without the quiet zone; or nothing if the text is too long.
 *
 * @param {string} text
 * @returns {boolean[][] | undefined}
 */
export function qrModules(text) {
  const bytes = new TextEncoder().encode(text);
  // Mode and length take a byte and a half.
  const index = VERSIONS.findIndex(([data, blocks]) => data * blocks >= bytes.length + 2);
  if (index < 0) return undefined;
  const codewords = interleaved(dataCodewords(bytes, VERSIONS[index]), VERSIONS[index]);
  const codes = MASKS.map((_, mask) => draw(index + 1, codewords, mask));
  return codes.reduce((best, code) => (penalty(code) < penalty(best) ? code : best));
}

function dataCodewords(bytes, [data, blocks]) {
  const capacity = data * blocks;
  const bits = [...bitsOf(BYTE_MODE, 4), ...bitsOf(bytes.length, 8), ...[...bytes].flatMap((byte) => bitsOf(byte, 8)), 0, 0, 0, 0];
  const words = [];
  for (let i = 0; i < bits.length; i += 8) words.push(parseInt(bits.slice(i, i + 8).join(''), 2));
  for (let pad = 0; words.length < capacity; pad += 1) words.push(pad % 2 === 0 ? 0xec : 0x11);
  return words;
}

function interleaved(words, [data, count, correction]) {
  const blocks = Array.from({ length: count }, (_, i) => words.slice(i * data, (i + 1) * data));
  const checks = blocks.map((block) => remainder(block, correction));
  const turn = (columns, length) => Array.from({ length }, (_, i) => columns.map((column) => column[i])).flat();
  return [...turn(blocks, data), ...turn(checks, correction)];
}

/** The Reed-Solomon codewords of a block: the remainder by a product of (x − 2^i), over GF(256) modulo 0x11d. */
export function remainder(block, length) {
  let generator = [1];
  for (let i = 0, root = 1; i < length; i += 1, root = times(root, 2)) {
    const shifted = [...generator, 0];
    generator = shifted.map((term, at) => term ^ (at > 0 ? times(generator[at - 1], root) : 0));
  }
  const rest = [...block, ...new Array(length).fill(0)];
  for (let i = 0; i < block.length; i += 1) {
    const factor = rest[i];
    generator.forEach((term, at) => (rest[i + at] ^= times(term, factor)));
  }
  return rest.slice(block.length);
}

function times(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ (product & 0x80 ? 0x11d : 0);
    if ((b >> bit) & 1) product ^= a;
  }
  return product;
}

function draw(version, codewords, mask) {
  const size = 17 + 4 * version;
  const code = Array.from({ length: size }, () => new Array(size).fill(undefined));
  const set = (x, y, on) => {
    if (code[y]?.[x] === undefined && x >= 0 && x < size && y >= 0 && y < size) code[y][x] = Boolean(on);
  };
  drawPatterns(set, size, VERSIONS[version - 1][3]);
  drawFormat(set, size, mask);
  if (version >= 7) drawVersion(set, size, version);
  const bits = codewords.flatMap((word) => bitsOf(word, 8));
  // Columns of two from the right, up and down in turn, around the timing column.
  let next = 0;
  for (let right = size - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right = 5;
    for (let i = 0; i < size; i += 1) {
      const y = up ? size - 1 - i : i;
      for (const x of [right, right - 1]) {
        // What is left over in the end is zero.
        if (code[y][x] === undefined) code[y][x] = Boolean((bits[next++] ?? 0) ^ MASKS[mask](x, y));
      }
    }
  }
  return code;
}

function drawPatterns(set, size, centres) {
  const squares = (cx, cy, radius, isDark) => {
    for (let dy = -radius; dy <= radius; dy += 1) {
      for (let dx = -radius; dx <= radius; dx += 1) set(cx + dx, cy + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))));
    }
  };
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) squares(x, y, 4, (ring) => ring !== 2 && ring !== 4);
  const last = centres.length - 1;
  centres.forEach((x, i) => centres.forEach((y, j) => {
    const corner = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0);
    if (!corner) squares(x, y, 2, (ring) => ring !== 1);
  }));
  for (let i = 8; i < size - 8; i += 1) {
    set(i, 6, i % 2 === 0);
    set(6, i, i % 2 === 0);
  }
  set(8, size - 8, true);
}

/** The level and the mask, twice, with a BCH code. */
function drawFormat(set, size, mask) {
  const bits = bitsOf(withCheck((LEVEL_L << 3) | mask, 10, 0x537) ^ 0x5412, 15).reverse();
  for (let i = 0; i < 15; i += 1) {
    const [x, y] = i < 6 ? [8, i] : i < 8 ? [8, i + 1] : i < 9 ? [7, 8] : [14 - i, 8];
    set(x, y, bits[i]);
    const [x2, y2] = i < 8 ? [size - 1 - i, 8] : [8, size - 15 + i];
    set(x2, y2, bits[i]);
  }
}

function drawVersion(set, size, version) {
  const bits = bitsOf(withCheck(version, 12, 0x1f25), 18).reverse();
  bits.forEach((bit, i) => {
    const [near, far] = [Math.floor(i / 3), size - 11 + (i % 3)];
    set(near, far, bit);
    set(far, near, bit);
  });
}

function withCheck(value, length, generator) {
  let rest = value << length;
  for (let bit = 31 - Math.clz32(rest); bit >= length; bit -= 1) {
    if ((rest >> bit) & 1) rest ^= generator << (bit - length);
  }
  return (value << length) | rest;
}

/** How hard a code is to read: long runs of one colour, and blocks of it. */
function penalty(code) {
  let points = 0;
  for (let i = 0; i < code.length; i += 1) {
    for (const line of [code[i], code.map((row) => row[i])]) {
      for (const run of line.map((on) => (on ? '1' : '0')).join('').match(/0+|1+/g)) points += run.length >= 5 ? run.length - 2 : 0;
    }
    for (let j = 0; j + 1 < code.length && i + 1 < code.length; j += 1) {
      if (new Set([code[i][j], code[i][j + 1], code[i + 1][j], code[i + 1][j + 1]]).size === 1) points += 3;
    }
  }
  return points;
}

function bitsOf(value, length) {
  return Array.from({ length }, (_, i) => (value >> (length - 1 - i)) & 1);
}
