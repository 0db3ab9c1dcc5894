// Going through an inclusion proof one hash at a time: what goes in and what comes out, in words and marked in the drawing.

import { hex } from '/verifier/encoding.js';
import { element } from './dom.js';

/** The entries that a node covers. @param {import('./merkle-path.js').TreeNode} node */
export function covers({ start, end }) {
  return end - start === 1n ? String(start) : `${start}–${end - 1n}`;
}

/** The start of a node's hash. @param {import('./merkle-path.js').TreeNode} node */
export function short({ hash }) {
  return `${hex(hash).slice(0, 8)}…`;
}

/**
 * @param {import('./merkle-path.js').Path} path
 * @param {boolean} same  whether it leads to the signed root
 * @param {Element[]} boxes  of the drawing: the leaf, then of each step the given box and the computed one
 * @returns {HTMLElement}
 */
export function stepper(path, same, boxes) {
  const words = element('p', { id: 'step-words', 'aria-live': 'polite' });
  const buttons = [['Previous step', -1], ['Next step', 1]].map(([text, by]) => {
    const button = element('button', { type: 'button' }, text);
    button.addEventListener('click', () => show(at + by));
    return [button, by];
  });
  let at = 0;
  show(0);
  return element(
    'div',
    { role: 'group', 'aria-label': 'Step by step' },
    words,
    element('div', { class: 'bar' }, ...buttons.map(([button]) => button)),
  );

  function show(wanted) {
    const last = path.steps.length;
    at = Math.min(Math.max(wanted, 0), last);
    // A button at its end stays a button: disabled, it would lose the focus of whoever just pressed it.
    for (const [button, by] of buttons) button.setAttribute('aria-disabled', String(at === (by < 0 ? 0 : last)));
    for (const box of boxes) delete box.dataset.now;
    boxes[2 * at].dataset.now = 'result';
    if (at > 0) for (const input of [boxes[2 * at - 2], boxes[2 * at - 1]]) input.dataset.now = 'input';
    words.textContent = at === 0 ? leafWords(path) : stepWords(path, at, same);
  }
}

function leafWords({ leaf, steps }) {
  return `Step 0 of ${steps.length}. Entry ${leaf.start} is hashed: ${short(leaf)}`;
}

function stepWords({ leaf, steps }, at, same) {
  const { side, sibling, parent } = steps[at - 1];
  const own = at === 1 ? leaf : steps[at - 2].parent;
  const [given, computed] = [named(sibling, 'given'), named(own, 'computed')];
  const [left, right] = side === 'left' ? [given, computed] : [computed, given];
  const end = at < steps.length ? '' : same ? ' This is the signed root.' : ' This is not the signed root.';
  return `Step ${at} of ${steps.length}. Left: ${left}. Right: ${right}. Both are hashed together: ${named(parent)}.${end}`;
}

function named(node, ...origin) {
  return `${short(node)} (${[`${node.end - node.start === 1n ? 'entry' : 'entries'} ${covers(node)}`, ...origin].join(', ')})`;
}
