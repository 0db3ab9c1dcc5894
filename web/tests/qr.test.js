// The QR code of an address, read back by a decoder of somebody else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import decode from 'jsqr';
import { qrModules, remainder } from '../qr.js';

/** The code as a camera sees it: a picture with a white border. */
function read(modules, scale = 4, border = 4) {
  const size = (modules.length + 2 * border) * scale;
  const pixels = new Uint8ClampedArray(size * size * 4).fill(255);
  modules.forEach((row, y) => row.forEach((dark, x) => {
    for (let i = 0; dark && i < scale * scale; i += 1) {
      const at = ((y + border) * scale + Math.floor(i / scale)) * size + (x + border) * scale + (i % scale);
      pixels.fill(0, at * 4, at * 4 + 3);
    }
  }));
  return (decode.default ?? decode)(pixels, size, size)?.data;
}

test('texts of every length up to the limit are read back', () => {
  const address = 'https://approvals.example.com/approve/cnf_4k2m6p3q7a5b2c4d6e3f5g7h2j';
  assert.equal(read(qrModules(address)), address);
  const widths = new Set();
  for (let length = 1; length <= 230; length += 1) {
    const text = `${address}?${'Zq7_-~0'.repeat(40)}`.slice(0, length);
    const modules = qrModules(text);
    widths.add(modules.length);
    assert.equal(read(modules), text, `${length} characters`);
  }
  assert.deepEqual([...widths], [21, 25, 29, 33, 37, 41, 45, 49, 53], 'versions 1 to 9');
});

test('a text that is too long has no code', () => {
  assert.notEqual(qrModules('a'.repeat(230)), undefined);
  assert.equal(qrModules('a'.repeat(231)), undefined);
});

test('the example of the standard', () => {
  const data = [16, 32, 12, 86, 97, 128, 236, 17, 236, 17, 236, 17, 236, 17, 236, 17];
  assert.deepEqual(remainder(data, 10), [165, 36, 212, 193, 237, 54, 199, 135, 44, 85]);
});
