//! A registration: a new credential from an authenticator (WebAuthn Level 3 §7.1), and its attestation statement as far
//! as we look at it.
//!
//! We ask for attestation `none`, but some authenticators send more unasked. A self attestation is checked; anything with
//! certificates is recorded as unverified, because without a chain to pinned roots it says nothing.

use super::authenticator_data::{AttestedCredential, AuthenticatorData, AuthenticatorDataError};
use super::cbor::{self, CborError, Map, Value};
use super::client_data::{ChallengeMismatch, ClientData, ClientDataError, compare_challenge};
use super::public_key::PublicKey;
use super::signature::{SignaturePrimitive, verify_signature};
use super::{Ceremony, RelyingParty};

/// Largest attestation object, in bytes.
pub const MAX_ATTESTATION_OBJECT: usize = 64 * 1024;

/// Longest name of an attestation statement format (WebAuthn Level 3 §8.1).
const MAX_FORMAT: usize = 32;

/// What is kept of a new credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The credential id; a caller compares it with the one beside the response.
    pub credential_id: Vec<u8>,
    /// The public key, from authenticator data only.
    pub public_key: PublicKey,
    /// BE: the key may be synced to other devices.
    pub backup_eligible: bool,
    /// BS: the key is synced now.
    pub backed_up: bool,
    /// The signature counter.
    pub sign_count: u32,
    /// The authenticator's model by its own word, or zeros.
    pub aaguid: [u8; 16],
    /// `none`, `self` (a checked self attestation) or `unverified:` and the format's name.
    pub attestation_format: String,
}

/// Checks a registration.
pub fn verify_registration(
    attestation_object: &[u8],
    client_data_json: &[u8],
    expected_challenge: &[u8],
    rp: &RelyingParty,
    primitive: &dyn SignaturePrimitive,
) -> Result<Registration, RegistrationError> {
    let client_data = ClientData::decode(client_data_json)?;
    client_data.check_type(Ceremony::Create)?;
    compare_challenge(expected_challenge, &client_data.challenge)?;
    client_data.check_origin(rp)?;
    client_data.check_framing()?;

    if attestation_object.len() > MAX_ATTESTATION_OBJECT {
        return Err(RegistrationError::ObjectTooLong { found: attestation_object.len() });
    }
    let object = cbor::decode(attestation_object)?;
    let object = AttestationObject::of(&object)?;
    let mut data = AuthenticatorData::parse_registration(object.authenticator_data)?;
    data.check(&rp.rp_id)?;
    let Some(credential) = data.attested.take() else {
        return Err(AuthenticatorDataError::NoAttestedCredential.into());
    };

    let attestation_format = object.check_statement(&credential, client_data_json, primitive)?;
    Ok(Registration {
        credential_id: credential.credential_id,
        public_key: credential.public_key,
        backup_eligible: data.flags.backup_eligible(),
        backed_up: data.flags.backed_up(),
        sign_count: data.sign_count,
        aaguid: credential.aaguid,
        attestation_format,
    })
}

/// Why a registration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// The client data (R3, R4, R6 to R8).
    #[error(transparent)]
    ClientData(#[from] ClientDataError),
    /// Another challenge than this ceremony's (R5).
    #[error(transparent)]
    Challenge(#[from] ChallengeMismatch),
    /// The attestation object is larger than the limit (R10).
    #[error("attestation object is {found} bytes, at most {MAX_ATTESTATION_OBJECT} are accepted")]
    ObjectTooLong {
        /// Its length.
        found: usize,
    },
    /// The attestation object is not strict CBOR (R10).
    #[error("attestation object: {0}")]
    ObjectCbor(#[from] CborError),
    /// The attestation object is not a map of exactly the three fields (R10).
    #[error("attestation object is not a map of exactly fmt (text), attStmt (map) and authData (bytes)")]
    ObjectFields,
    /// The authenticator data (R11 to R14, R16, R18, R19).
    #[error(transparent)]
    AuthenticatorData(#[from] AuthenticatorDataError),
    /// The name of the attestation format (R20).
    #[error("attestation fmt {found:?} is not 1 to {MAX_FORMAT} printable ASCII characters")]
    Format {
        /// The name.
        found: String,
    },
    /// Format `none` with a statement (R20).
    #[error("attestation fmt is \"none\" but attStmt has {found} entries")]
    NoneWithStatement {
        /// How many.
        found: usize,
    },
    /// A self attestation that does not hold (R20).
    #[error("self attestation: {reason}")]
    SelfAttestation {
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl RegistrationError {
    /// The id of the check, for logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ClientData(error) => error.code(Ceremony::Create),
            Self::Challenge(_) => "R5",
            Self::ObjectTooLong { .. } | Self::ObjectCbor(_) | Self::ObjectFields => "R10",
            Self::AuthenticatorData(error) => error.code(Ceremony::Create),
            Self::Format { .. } | Self::NoneWithStatement { .. } | Self::SelfAttestation { .. } => "R20",
        }
    }
}

struct AttestationObject<'v, 'a> {
    format: &'a str,
    statement: Map<'v, 'a>,
    authenticator_data: &'a [u8],
}

impl<'v, 'a> AttestationObject<'v, 'a> {
    fn of(value: &'v Value<'a>) -> Result<Self, RegistrationError> {
        let read = || {
            let map = value.as_map().filter(|map| map.len() == 3)?;
            Some(Self {
                format: map.by_text("fmt")?.as_text()?,
                statement: map.by_text("attStmt")?.as_map()?,
                authenticator_data: map.by_text("authData")?.as_bytes()?,
            })
        };
        read().ok_or(RegistrationError::ObjectFields)
    }

    /// What is recorded of the attestation.
    fn check_statement(
        &self,
        credential: &AttestedCredential,
        client_data_json: &[u8],
        primitive: &dyn SignaturePrimitive,
    ) -> Result<String, RegistrationError> {
        match self.format {
            "none" if self.statement.len() == 0 => Ok("none".to_owned()),
            "none" => Err(RegistrationError::NoneWithStatement { found: self.statement.len() }),
            "packed" if self.is_self_attestation() => {
                self.check_self_attestation(&credential.public_key, client_data_json, primitive)?;
                Ok("self".to_owned())
            }
            // The name goes into records and onto screens, so it is kept to what the specification allows.
            format
                if (1..=MAX_FORMAT).contains(&format.len()) && format.bytes().all(|byte| byte.is_ascii_graphic()) =>
            {
                Ok(format!("unverified:{format}"))
            }
            format => Err(RegistrationError::Format { found: format.to_owned() }),
        }
    }

    /// §8.2: a packed statement without certificates is signed by the credential itself. `ecdaaKeyId` is of Level 1.
    fn is_self_attestation(&self) -> bool {
        self.statement.by_text("x5c").is_none() && self.statement.by_text("ecdaaKeyId").is_none()
    }

    fn check_self_attestation(
        &self,
        key: &PublicKey,
        client_data_json: &[u8],
        primitive: &dyn SignaturePrimitive,
    ) -> Result<(), RegistrationError> {
        let refuse = |reason| RegistrationError::SelfAttestation { reason };
        if self.statement.by_text("alg").and_then(Value::as_int) != Some(i128::from(key.algorithm().cose())) {
            return Err(refuse("alg is not the credential's algorithm"));
        }
        let Some(signature) = self.statement.by_text("sig").and_then(Value::as_bytes) else {
            return Err(refuse("sig is absent or not a byte string"));
        };
        verify_signature(key, self.authenticator_data, client_data_json, signature, primitive)
            .map_err(|_| refuse("sig is not the credential's signature over this registration"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::super::{PureRust, made, signed_message};
    use super::*;
    use proptest::prelude::*;

    const CHALLENGE: [u8; 32] = [5; 32];

    fn client_data() -> String {
        made::client_data("webauthn.create", &CHALLENGE)
    }

    fn entry(key: &str, value: Vec<u8>) -> Vec<u8> {
        [made::cbor_text(key), value].concat()
    }

    fn object(format: &str, statement: &[Vec<u8>], authenticator_data: &[u8]) -> Vec<u8> {
        made::cbor_map(&[
            entry("fmt", made::cbor_text(format)),
            entry("attStmt", made::cbor_map(statement)),
            entry("authData", made::cbor_bytes(authenticator_data)),
        ])
    }

    fn good() -> Vec<u8> {
        object("none", &[], &made::registration_data(0x4d, &[]))
    }

    fn verify(object: &[u8], client_data: &str) -> Result<Registration, RegistrationError> {
        verify_registration(object, client_data.as_bytes(), &CHALLENGE, &made::relying_party(), &PureRust)
    }

    fn self_attestation(alg: i64, signature: &[u8]) -> Vec<u8> {
        let statement = [entry("alg", made::cbor_int(alg)), entry("sig", made::cbor_bytes(signature))];
        object("packed", &statement, &made::registration_data(0x45, &[]))
    }

    #[test]
    fn accepts_a_good_one() {
        let registration = verify(&good(), &client_data()).unwrap();
        assert_eq!(
            registration,
            Registration {
                credential_id: made::CREDENTIAL_ID.to_vec(),
                public_key: made::public_key(),
                backup_eligible: true,
                backed_up: false,
                sign_count: 0,
                aaguid: made::AAGUID,
                attestation_format: "none".into(),
            }
        );
    }

    #[test]
    fn accepts_any_order_of_fields() {
        let data = made::registration_data(0x45, &[]);
        let fields = [
            entry("authData", made::cbor_bytes(&data)),
            entry("attStmt", made::cbor_map(&[])),
            entry("fmt", made::cbor_text("none")),
        ];
        assert!(verify(&made::cbor_map(&fields), &client_data()).is_ok());
    }

    #[test]
    fn every_check_of_client_data_refuses() {
        let client = client_data();
        let cases = [
            ("R3", format!("{client}x")),
            ("R4", made::client_data("webauthn.get", &CHALLENGE)),
            ("R5", made::client_data("webauthn.create", &[6; 32])),
            ("R5", made::client_data("webauthn.create", &[5; 64])),
            ("R6", client.replace("approve.example.com", "evil.example.com")),
            ("R7", client.replace("false", "true")),
            ("R8", client.replace("crossOrigin\":false", "topOrigin\":\"https://approve.example.com\"")),
        ];
        for (code, client) in cases {
            assert_eq!(verify(&good(), &client).unwrap_err().code(), code, "{client}");
        }
    }

    #[test]
    fn every_check_of_authenticator_data_refuses() {
        let with = |data: Vec<u8>| object("none", &[], &data);
        let other_rp = [&[0; 32][..], &made::registration_data(0x45, &[])[32..]].concat();
        let rs256 = made::cose_map(&[(1, made::cbor_int(3)), (3, made::cbor_int(-257))]);
        let cases = [
            ("R11", with(other_rp)),
            ("R12", with(made::registration_data(0x44, &[]))),
            ("R13", with(made::registration_data(0x41, &[]))),
            ("R14", with(made::registration_data(0x55, &[]))),
            ("R16", with(made::assertion_data(0x05))),
            ("R18", with(made::registration_data_with_key(0x45, &rs256, &[]))),
            ("R19", with(made::registration_data(0x45, &[0]))),
        ];
        for (code, object) in cases {
            assert_eq!(verify(&object, &client_data()).unwrap_err().code(), code);
        }
    }

    #[test]
    fn refuses_attestation_objects_out_of_form() {
        let data = made::registration_data(0x45, &[]);
        let format = || entry("fmt", made::cbor_text("none"));
        let statement = || entry("attStmt", made::cbor_map(&[]));
        let authenticator_data = || entry("authData", made::cbor_bytes(&data));
        let cases = [
            made::cbor_map(&[format(), statement()]),
            made::cbor_map(&[format(), statement(), authenticator_data(), entry("epAtt", vec![0xf4])]),
            made::cbor_map(&[format(), statement(), entry("authdata", made::cbor_bytes(&data))]),
            made::cbor_map(&[entry("fmt", made::cbor_bytes(b"none")), statement(), authenticator_data()]),
            made::cbor_map(&[format(), entry("attStmt", vec![0x80]), authenticator_data()]),
            made::cbor_map(&[format(), statement(), entry("authData", made::cbor_text("x"))]),
            made::cbor_map(&[format(), format(), statement(), authenticator_data()]),
            [good(), vec![0]].concat(),
            good()[..good().len() - 1].to_vec(),
            vec![0x80],
            vec![],
            vec![0; MAX_ATTESTATION_OBJECT + 1],
        ];
        for bytes in cases {
            assert_eq!(verify(&bytes, &client_data()).unwrap_err().code(), "R10", "{bytes:02x?}");
        }
    }

    #[test]
    fn records_what_the_attestation_is_worth() {
        let data = made::registration_data(0x45, &[]);
        let signature = made::sign(&signed_message(&data, client_data().as_bytes()));
        let certificates = [entry("x5c", vec![0x80])];
        for (bytes, expected) in [
            (self_attestation(-7, &signature), "self"),
            (object("packed", &certificates, &data), "unverified:packed"),
            (object("tpm", &[], &data), "unverified:tpm"),
        ] {
            assert_eq!(verify(&bytes, &client_data()).unwrap().attestation_format, expected);
        }
    }

    #[test]
    fn refuses_attestation_statements_that_do_not_hold() {
        let data = made::registration_data(0x45, &[]);
        let signature = made::sign(&signed_message(&data, client_data().as_bytes()));
        let cases = [
            object("none", &[entry("alg", made::cbor_int(-7))], &data),
            object("packed", &[], &data),
            object("packed", &[entry("alg", made::cbor_int(-7))], &data),
            self_attestation(-8, &signature),
            self_attestation(-7, &made::sign(b"other bytes")),
            object("", &[], &data),
            object("with space", &[], &data),
            object("na\u{ef}ve", &[], &data),
            object(&"x".repeat(33), &[], &data),
        ];
        for bytes in cases {
            assert_eq!(verify(&bytes, &client_data()).unwrap_err().code(), "R20");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = verify(&bytes, &client_data());
        }

        #[test]
        fn no_change_of_an_object_panics(at in 0usize..150, byte: u8, length in 0usize..250) {
            let mut bytes = good();
            bytes[at] = byte;
            bytes.truncate(length);
            let _ = verify(&bytes, &client_data());
        }
    }
}
