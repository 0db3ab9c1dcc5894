// An inclusion proof as a drawing and as a table. The leaf is at the bottom; every node stands in the row of its height, so
// an unbalanced right edge shows as a long line. What the proof gives is a box with square corners, what was computed here
// is a round one, and both say so in words.

import { hex, sameBytes } from '/verifier/encoding.js';
import { element } from './dom.js';
import { covers, short, stepper } from './merkle-steps.js';

const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT, GAP, PITCH] = [88, 50, 10, 76];
const [LEFT, PATH, RIGHT, EDGE] = [0, 1, 2, 3];
// A wide drawing scrolls by itself, which must also be possible with the keyboard.
const SCROLLED = { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': 'Drawing of the Merkle path' };
const LEGEND =
  'Square boxes are given by the proof, round ones are computed here: the leaf from the entry, the others from what is ' +
  'below them. Each has the start of its hash and the entries that it covers.';

/**
 * @param {import('./merkle-path.js').Path} path
 * @param {Uint8Array} root  of the checkpoint
 * @returns {HTMLElement}
 */
export function pathView(path, root) {
  const same = sameBytes(path.root.hash, root);
  const end = same
    ? 'The computed root is the root of the checkpoint, so the entry is in the log.'
    : 'The computed root is not the root of the checkpoint: the entry is not in that log.';
  const svg = drawing(path, same);
  return element(
    'div',
    { class: 'merkle' },
    element('div', SCROLLED, svg),
    element('p', { class: 'hint' }, LEGEND),
    ...(path.steps.length === 0 ? [] : [stepper(path, same, [...svg.querySelectorAll('g')])]),
    element('p', { class: same ? '' : 'error' }, end),
    element('details', {}, element('summary', {}, 'The same as a table'), table(path, root)),
  );
}

function drawing(path, same) {
  const columns = columnsOf(path);
  const most = path.root.height;
  const width = (Math.max(...columns, RIGHT) + 1) * (WIDTH + GAP) - GAP;
  const height = most * PITCH + HEIGHT;
  const y = (node) => (most - node.height) * PITCH + 1;
  const title = `Merkle path of entry ${path.index} in a tree of ${path.size}`;
  const description = `From the leaf at the bottom to the root at the top, with ${path.steps.length} given hashes.`;
  // A margin for the lines' own width, the thick ones too.
  const viewBox = `-3 -2 ${width + 6} ${height + 6}`;
  const svg = make('svg', { class: 'path', role: 'img', width: width + 6, height: height + 6, viewBox });
  svg.setAttribute('aria-label', `${title}. ${description}`);
  let own = path.leaf;
  for (const [i, { sibling, parent }] of path.steps.entries()) {
    svg.append(line(PATH, y(parent), PATH, y(own)), line(PATH, y(parent), columns[i], y(sibling)));
    own = parent;
  }
  svg.append(box(path.leaf, PATH, y(path.leaf), path.steps.length === 0 ? 'leaf and root' : 'leaf', 'computed leaf'));
  for (const [i, { sibling, parent }] of path.steps.entries()) {
    svg.append(box(sibling, columns[i], y(sibling), 'given', 'given'));
    const last = i === path.steps.length - 1;
    const kind = last ? `root ${same ? '=' : '≠'} signed` : 'computed';
    svg.append(box(parent, PATH, y(parent), kind, last && !same ? 'computed wrong' : 'computed'));
  }
  return svg;
}

// Only the last sibling on the right can be a smaller tree than its row has. If its line would cross others it stands apart.
function columnsOf({ steps }) {
  return steps.map(({ side, sibling }, i) => {
    if (side === 'left') return LEFT;
    const crosses = steps.slice(0, i).some((below) => below.side === 'right' && below.sibling.height >= sibling.height);
    return crosses ? EDGE : RIGHT;
  });
}

/** From a parent down to the lane under its row, along to the column, and down to the child. */
function line(fromColumn, fromY, toColumn, toY) {
  const lane = fromY + HEIGHT + (PITCH - HEIGHT) / 2;
  const [from, to] = [middle(fromColumn), middle(toColumn)];
  const points = [[from, fromY + HEIGHT], [from, lane], [to, lane], [to, toY]];
  return make('polyline', { points: points.map((point) => point.join(',')).join(' ') });
}

function box(node, column, y, kind, classes) {
  const x = column * (WIDTH + GAP);
  const round = classes.startsWith('computed') ? 18 : 0;
  const texts = [[short(node), 'hash'], [covers(node), ''], [kind, '']];
  return make(
    'g',
    { class: classes },
    make('rect', { x, y, width: WIDTH, height: HEIGHT, rx: round }),
    ...texts.map(([text, name], i) => make('text', { x: middle(column), y: y + 16 + 13 * i, class: name }, text)),
  );
}

function table({ leaf, steps }, root) {
  const heads = ['Step', 'Given sibling', 'Computed from both'];
  const rows = steps.map(({ side, sibling, parent }, i) => [
    String(i + 1),
    `${side}, entries ${covers(sibling)}: ${hex(sibling.hash)}`,
    `entries ${covers(parent)}: ${hex(parent.hash)}`,
  ]);
  const cells = (name, texts) => texts.map((text) => element(name, name === 'th' ? { scope: 'col' } : {}, text));
  return element(
    'table',
    {},
    element('caption', {}, 'From the leaf to the root'),
    element('thead', {}, element('tr', {}, ...cells('th', heads))),
    element(
      'tbody',
      {},
      element('tr', {}, ...cells('td', ['leaf', 'none', `entry ${leaf.start}: ${hex(leaf.hash)}`])),
      ...rows.map((row) => element('tr', {}, ...cells('td', row))),
      element('tr', {}, ...cells('td', ['compare', `the signed root: ${hex(root)}`, ''])),
    ),
  );
}

function middle(column) {
  return column * (WIDTH + GAP) + WIDTH / 2;
}

function make(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}
