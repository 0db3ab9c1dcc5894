// JSON as it should be (RFC 8785) and as it should not: the same value in other bytes. None of it is a verifier's own code,
// which is under test here.

/** The canonical text of a value from `JSON.parse`. @param {any} value @returns {string} */
export function canonical(value) {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}

/**
 * The value in another spelling, mostly a valid one, changed in about one place of `rarity`.
 *
 * @param {any} value
 * @param {import('./random.mjs').Random} random
 * @param {number} rarity
 * @returns {string}
 */
export function respelt(value, random, rarity = 8) {
  const odd = () => random.below(rarity) === 0;
  const space = () => (odd() ? random.pick([' ', '\n', '\t', '\r\n', '\u00a0', '\ufeff', '\f', '']) : '');
  /** @type {(it: any) => string} */
  const write = (it) => {
    if (typeof it === 'string') return odd() ? oddString(it, random) : JSON.stringify(it);
    if (typeof it === 'number') return odd() ? oddNumber(it, random) : String(it);
    if (it === null || typeof it !== 'object') return JSON.stringify(it);
    if (Array.isArray(it)) return `[${space()}${it.map(write).join(`${space()},${space()}`)}${odd() ? ',' : ''}]`;
    const keys = Object.keys(it).sort();
    if (odd()) keys.reverse();
    if (odd() && keys.length > 0) keys.push(random.pick(keys));
    return `{${keys.map((key) => `${space()}${write(key)}${space()}:${space()}${write(it[key])}`).join(',')}${space()}}`;
  };
  return `${space()}${write(value)}${space()}`;
}

/** @param {string} text @param {import('./random.mjs').Random} random */
function oddString(text, random) {
  const at = random.below(text.length + 1);
  const unit = text.charCodeAt(at) || 0;
  const hex = unit.toString(16).padStart(4, '0');
  const spelling = random.pick([
    `\\u${hex}`, `\\u${hex.toUpperCase()}`, `\\U${hex}`, `\\${text[at] ?? '/'}`, '\\/', '\\x41',
  ]);
  return `"${JSON.stringify(text.slice(0, at)).slice(1, -1)}${spelling}${JSON.stringify(text.slice(at + 1)).slice(1)}`;
}

/** @param {number} number @param {import('./random.mjs').Random} random */
function oddNumber(number, random) {
  return random.pick([
    `${number}.0`, `${number}e0`, `0${number}`, `-${number}`, `+${number}`, number.toExponential(), `${number}.`,
    `${number}E+0`, `${number}0e-1`, `"${number}"`, `${number}.00000000000000000001`, 'NaN', '-0', '1e400',
  ]);
}
