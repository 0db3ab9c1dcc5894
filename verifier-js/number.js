// Numbers of RFC 8785 §3.2.2.3, and which literals denote exactly what their canonical form denotes.
//
// RFC 8785 writes numbers as ECMAScript does, so `String` is the canonical form. A literal is exact when the decimal value
// that was written and the decimal value of that form are the same: 9007199254740993, 1e400 and 0.1234567890123456789 are
// refused, 1.0 and 12.50 are fine.

/**
 * The canonical text of a JSON number literal (RFC 8259 §6), or undefined when it would denote another decimal value.
 *
 * @param {string} literal
 * @returns {string | undefined}
 */
export function canonicalNumber(literal) {
  const double = Number(literal);
  if (!Number.isFinite(double)) return undefined;
  const text = String(double);
  return decimalOf(literal) === decimalOf(text) ? text : undefined;
}

/**
 * An exact decimal value as one text: sign, digits without zeros at either end, exponent. Zero is `0`.
 *
 * @param {string} literal
 */
function decimalOf(literal) {
  const negative = literal.startsWith('-');
  const [mantissa, power = '0'] = literal.slice(negative ? 1 : 0).split(/[eE]/);
  const [whole, fraction = ''] = mantissa.split('.');
  const all = whole + fraction;
  const significant = all.replace(/0+$/, '');
  const digits = significant.replace(/^0+/, '');
  if (digits === '') return '0';
  const exponent = BigInt(power.replace('+', '')) + BigInt(all.length - significant.length - fraction.length);
  return `${negative ? '-' : ''}${digits}e${exponent}`;
}
