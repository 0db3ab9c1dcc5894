// base64url without padding, the only binary encoding of the pages, in its one canonical form (RFC 4648 §5).

/**
 * @param {ArrayBuffer | Uint8Array} bytes
 * @returns {string}
 */
export function encode(bytes) {
  let binary = '';
  for (const byte of new Uint8Array(bytes)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * @param {string} text
 * @returns {Uint8Array}
 * @throws {Error} when the text is not what `encode` makes of any bytes
 */
export function decode(text) {
  if (typeof text !== 'string' || !/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) {
    throw new Error('not base64url without padding');
  }
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  // Spare bits that are not zero would give the same bytes two texts.
  if (encode(bytes) !== text) throw new Error('base64url with spare bits that are not zero');
  return bytes;
}
