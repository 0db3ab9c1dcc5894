// A software passkey for tests, over the routes that the pages use (docs/protocol.md sections 6 and 9): it enrols by an invite,
// and decides. WebAuthn Level 3, ES256, attestation `none`.

import { base64url, concat, fromBase64url, sha256, utf8 } from '../../../verifier-js/encoding.js';
import { makeKey } from '../../../verifier-js/tests/made.js';

export class Passkey {
  /** @param {string} url  the server's, which is the web origin too */
  static async make(url) {
    return new Passkey(url, await makeKey('ES256'));
  }

  /** @param {string} url @param {Awaited<ReturnType<typeof makeKey>>} key */
  constructor(url, key) {
    this.url = url;
    this.rpId = new URL(url).hostname;
    this.key = key;
    this.id = base64url(crypto.getRandomValues(new Uint8Array(16)));
  }

  /** @param {string} code  of the invite */
  async enrol(code) {
    const { publicKey } = await this.#post(`/enrol/${code}/options`, {});
    const clientData = this.#clientData('webauthn.create', publicKey.challenge);
    const point = this.key.spki.subarray(-64);
    const id = fromBase64url(this.id) ?? new Uint8Array();
    // COSE_Key (RFC 9053 section 7.1.1): kty 2, alg -7, crv 1, x, y.
    const cose = concat(Uint8Array.of(0xa5, 1, 2, 3, 0x26, 0x20, 1), field(0x21, point.subarray(0, 32)), field(0x22, point.subarray(32)));
    const authData = concat(await this.#header(0x45), new Uint8Array(16), Uint8Array.of(0, 16), id, cose);
    const object = concat(
      Uint8Array.of(0xa3), text('fmt'), text('none'), text('attStmt'), Uint8Array.of(0xa0), text('authData'), field(undefined, authData),
    );
    const response = { attestationObject: base64url(object), clientDataJSON: base64url(clientData), transports: ['internal'] };
    await this.#post(`/enrol/${code}`, { credential: { id: this.id, rawId: this.id, type: 'public-key', response } });
  }

  /** @param {string} id @param {'approve' | 'reject'} decision @param {string} [note] */
  async decide(id, decision, note) {
    const approver = 'alex';
    const { documents } = await this.#post(`/approve/${id}/options`, { approver });
    const document = documents[decision];
    const nonce = fromBase64url(JSON.parse(document).nonce) ?? new Uint8Array();
    const clientData = this.#clientData('webauthn.get', base64url(concat(nonce, await sha256(document))));
    const header = await this.#header(0x05);
    const signature = await this.key.sign(concat(header, await sha256(clientData)));
    const response = {
      authenticatorData: base64url(header), clientDataJSON: base64url(clientData), signature: base64url(signature), userHandle: null,
    };
    const assertion = { id: this.id, rawId: this.id, type: 'public-key', response };
    await this.#post(`/approve/${id}/decision`, { approver, decision, assertion, note });
  }

  /** @param {string} type @param {string} challenge */
  #clientData(type, challenge) {
    return utf8(JSON.stringify({ type, challenge, origin: this.url, crossOrigin: false }));
  }

  /** @param {number} flags */
  async #header(flags) {
    return concat(await sha256(this.rpId), Uint8Array.of(flags, 0, 0, 0, 0));
  }

  /** @param {string} path @param {object} body @returns {Promise<any>} */
  async #post(path, body) {
    const headers = { 'Content-Type': 'application/json', Origin: this.url };
    const response = await fetch(this.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${answer}`);
    return JSON.parse(answer);
  }
}

/** CBOR: a short text. @param {string} value */
function text(value) {
  return concat(Uint8Array.of(0x60 + value.length), utf8(value));
}

/** CBOR: bytes of 24 to 255, after the key of a map if there is one. @param {number | undefined} key @param {Uint8Array} bytes */
function field(key, bytes) {
  return concat(Uint8Array.from(key === undefined ? [] : [key]), Uint8Array.of(0x58, bytes.length), bytes);
}
