//! An assertion: one signature by an enrolled key over one challenge (WebAuthn Level 3 §7.2), checked from beginning to
//! end. Each check has the id that [`AssertionError::code`] returns.

use super::authenticator_data::{AuthenticatorData, AuthenticatorDataError};
use super::client_data::{ChallengeMismatch, ClientData, ClientDataError, compare_challenge};
use super::public_key::PublicKey;
use super::signature::{SignatureError, SignaturePrimitive, verify_signature};
use super::{Ceremony, RelyingParty};

/// The three parts of an assertion, as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// The authenticator data.
    pub authenticator_data: Vec<u8>,
    /// The client data: the bytes that were hashed, never a new serialisation of them.
    pub client_data_json: Vec<u8>,
    /// The signature: DER for ES256, as long as the modulus for RS256.
    pub signature: Vec<u8>,
}

/// Checks an assertion with the enrolled key. The key comes from the enrolment, never from the request.
pub fn verify_assertion(
    assertion: &Assertion,
    expected_challenge: &[u8],
    rp: &RelyingParty,
    key: &PublicKey,
    primitive: &dyn SignaturePrimitive,
) -> Result<AuthenticatorData, AssertionError> {
    let Assertion { authenticator_data, client_data_json, signature } = assertion;
    let client_data = ClientData::decode(client_data_json)?;
    client_data.check_type(Ceremony::Get)?;
    compare_challenge(expected_challenge, &client_data.challenge)?;
    client_data.check_origin(rp)?;
    client_data.check_framing()?;

    let data = AuthenticatorData::parse_assertion(authenticator_data)?;
    data.check(&rp.rp_id)?;

    verify_signature(key, authenticator_data, client_data_json, signature, primitive)?;
    Ok(data)
}

/// Why an assertion is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// The client data (A4, A5, A7, A8).
    #[error(transparent)]
    ClientData(#[from] ClientDataError),
    /// Another challenge than this ceremony's (A6).
    #[error(transparent)]
    Challenge(#[from] ChallengeMismatch),
    /// The authenticator data (A9 to A12, A14).
    #[error(transparent)]
    AuthenticatorData(#[from] AuthenticatorDataError),
    /// The signature (A15, A16).
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl AssertionError {
    /// The id of the check, for logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ClientData(error) => error.code(Ceremony::Get),
            Self::Challenge(_) => "A6",
            Self::AuthenticatorData(error) => error.code(Ceremony::Get),
            Self::Signature(error) => error.code(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::super::{PureRust, made, signed_message};
    use super::*;

    const CHALLENGE: [u8; 64] = [5; 64];

    /// A correctly signed assertion of these parts.
    fn signed(authenticator_data: Vec<u8>, client_data: &str) -> Assertion {
        let client_data_json = client_data.as_bytes().to_vec();
        let signature = made::sign(&signed_message(&authenticator_data, &client_data_json));
        Assertion { authenticator_data, client_data_json, signature }
    }

    fn good() -> Assertion {
        signed(made::assertion_data(0x1d), &made::client_data("webauthn.get", &CHALLENGE))
    }

    fn verify(assertion: &Assertion) -> Result<AuthenticatorData, AssertionError> {
        verify_assertion(assertion, &CHALLENGE, &made::relying_party(), &made::public_key(), &PureRust)
    }

    #[test]
    fn accepts_a_good_one() {
        let data = verify(&good()).unwrap();
        assert_eq!(data.sign_count, 7);
        assert!(data.flags.backed_up());
    }

    #[test]
    fn every_check_refuses_what_is_signed_correctly_but_wrong() {
        let client = made::client_data("webauthn.get", &CHALLENGE);
        let with_client = |text: String| signed(made::assertion_data(0x05), &text);
        let with_data = |data: Vec<u8>| signed(data, &client);
        let cases = [
            ("A4", with_client(format!("{client}x"))),
            ("A5", with_client(made::client_data("webauthn.create", &CHALLENGE))),
            ("A6", with_client(made::client_data("webauthn.get", &[6; 64]))),
            ("A6", with_client(made::client_data("webauthn.get", &CHALLENGE[..32]))),
            ("A7", with_client(client.replace("approve.example.com", "evil.example.com"))),
            ("A8", with_client(client.replace("false", "true"))),
            ("A8", with_client(client.replace("crossOrigin\":false", "topOrigin\":\"https://approve.example.com\""))),
            ("A9", with_data([&[0; 32][..], &made::assertion_data(0x05)[32..]].concat())),
            ("A10", with_data(made::assertion_data(0x04))),
            ("A11", with_data(made::assertion_data(0x01))),
            ("A12", with_data(made::assertion_data(0x15))),
            ("A14", with_data([made::assertion_data(0x05), vec![0]].concat())),
            ("A14", with_data(made::registration_data(0x45, &[]))),
            ("A15", Assertion { signature: made::sign(b"other bytes"), ..good() }),
            ("A16", Assertion { signature: [good().signature, vec![0]].concat(), ..good() }),
            ("A16", Assertion { signature: vec![0], ..good() }),
        ];
        for (code, assertion) in cases {
            assert_eq!(verify(&assertion).unwrap_err().code(), code);
        }
    }

    #[test]
    fn a_primitive_cannot_widen_the_encoding() {
        struct AcceptsAll;
        impl SignaturePrimitive for AcceptsAll {
            fn verify(&self, _: &PublicKey, _: &[u8], _: &[u8]) -> bool {
                true
            }
        }
        let lax = Assertion { signature: [good().signature, vec![0]].concat(), ..good() };
        let result = verify_assertion(&lax, &CHALLENGE, &made::relying_party(), &made::public_key(), &AcceptsAll);
        assert_eq!(result.unwrap_err().code(), "A16");
    }

    #[test]
    fn errors_say_what_was_found() {
        let error = verify(&signed(made::assertion_data(0x01), &made::client_data("webauthn.get", &CHALLENGE)));
        assert_eq!(error.unwrap_err().to_string(), "authenticator data flags are 0x01: no user verification (UV)");
        let error = verify(&signed(made::assertion_data(0x05), &made::client_data("webauthn.create", &CHALLENGE)));
        assert_eq!(
            error.unwrap_err().to_string(),
            r#"client data field type is "webauthn.create", expected "webauthn.get""#
        );
    }
}
