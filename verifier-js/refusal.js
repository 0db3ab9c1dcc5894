// Why bytes from outside are refused, in the words that every verifier uses.

/** Bytes or texts from outside that are not acceptable. Anything else that is thrown is a bug of ours or a wrong call. */
export class Refusal extends Error {
  /**
   * @param {string} reason  in words: lower case, no final full stop
   * @param {string} [code]  the id of a WebAuthn check, `A4` to `A16` or `R18`
   */
  constructor(reason, code) {
    super(reason);
    this.name = 'Refusal';
    /** The id of the WebAuthn check that refused, if one did. */
    this.code = code;
  }
}

/**
 * A text in quotes, with everything escaped that cannot be seen.
 *
 * @param {string} text
 * @returns {string}
 */
export function quoted(text) {
  return `"${text.replace(ESCAPED, escapeOf)}"`;
}

/**
 * Several texts in quotes.
 *
 * @param {readonly string[]} texts
 * @returns {string}
 */
export function quotedList(texts) {
  return `[${texts.map(quoted).join(', ')}]`;
}

// Everything but what prints by itself: categories C and Z, the plain space apart, and marks that sit on what precedes.
const ESCAPED = /["\\]|(?! )[\p{C}\p{Z}\p{Grapheme_Extend}]/gu;
/** @type {Record<string, string>} */
const SHORT = { '"': '\\"', '\\': '\\\\', '\0': '\\0', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** @param {string} character */
function escapeOf(character) {
  return SHORT[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
