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
