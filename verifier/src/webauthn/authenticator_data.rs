//! Authenticator data: what the authenticator says about a ceremony (WebAuthn Level 3 §6.1).
//!
//! ```text
//! rpIdHash (32)  flags (1)  signCount (4, big-endian)
//! if AT:  aaguid (16)  length of id (2, big-endian)  credential id  COSE key
//! if ED:  one CBOR map of extension outputs
//! ```
//!
//! An assertion has no AT and a registration must have it. Nothing may follow the last part: trailing bytes are signed,
//! so they are no forgery, but verifiers that read them differently would disagree. Extension outputs are ignored.

use sha2::{Digest, Sha256};

use super::Ceremony;
use super::cbor::{self, CborError};
use super::public_key::{PublicKey, PublicKeyError};
use crate::words::quoted;

/// Largest authenticator data of an assertion, in bytes. That of a registration is bounded by its attestation object.
pub const MAX_AUTHENTICATOR_DATA: usize = 1024;

/// Largest credential id, in bytes.
pub const MAX_CREDENTIAL_ID: usize = 1023;

/// Parsed authenticator data. Its form is right; whether it is acceptable says [`AuthenticatorData::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatorData {
    /// SHA-256 of the relying party id that the authenticator saw.
    pub rp_id_hash: [u8; 32],
    /// The flags, with reserved bits as they were sent.
    pub flags: Flags,
    /// The signature counter: a signal about clones, never a reason to refuse.
    pub sign_count: u32,
    /// The new credential; there in a registration only.
    pub attested: Option<AttestedCredential>,
}

/// The flags byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// UP: somebody touched the authenticator.
    pub fn user_present(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// UV: the authenticator says that it verified who.
    pub fn user_verified(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// BE: the key may be synced to other devices.
    pub fn backup_eligible(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// BS: the key is synced now.
    pub fn backed_up(self) -> bool {
        self.0 & 0x10 != 0
    }

    /// AT: an attested credential follows.
    pub fn has_attested_credential(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// ED: extension outputs follow.
    pub fn has_extensions(self) -> bool {
        self.0 & 0x80 != 0
    }
}

/// The credential that a registration made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestedCredential {
    /// The authenticator's model, or zeros.
    pub aaguid: [u8; 16],
    /// The credential id, 1 to 1,023 bytes.
    pub credential_id: Vec<u8>,
    /// Its public key.
    pub public_key: PublicKey,
}

impl AuthenticatorData {
    /// Reads the authenticator data of an assertion.
    pub fn parse_assertion(bytes: &[u8]) -> Result<Self, AuthenticatorDataError> {
        if bytes.len() > MAX_AUTHENTICATOR_DATA {
            return Err(AuthenticatorDataError::TooLong { found: bytes.len() });
        }
        let (data, rest) = parse_header(bytes)?;
        if data.flags.has_attested_credential() {
            return Err(AuthenticatorDataError::AttestedInAssertion);
        }
        skip_extensions(data.flags, rest)?;
        Ok(data)
    }

    /// Reads the authenticator data of a registration.
    pub fn parse_registration(bytes: &[u8]) -> Result<Self, AuthenticatorDataError> {
        let (mut data, rest) = parse_header(bytes)?;
        if !data.flags.has_attested_credential() {
            return Err(AuthenticatorDataError::NoAttestedCredential);
        }
        let (attested, rest) = parse_attested(rest)?;
        data.attested = Some(attested);
        skip_extensions(data.flags, rest)?;
        Ok(data)
    }

    /// Checks that it is for this relying party, that the user was present and verified, and that the backup flags are
    /// not contradictory.
    pub fn check(&self, rp_id: &str) -> Result<(), AuthenticatorDataError> {
        let flags = self.flags;
        if self.rp_id_hash[..] != Sha256::digest(rp_id)[..] {
            return Err(AuthenticatorDataError::RpIdHash { expected: rp_id.to_owned() });
        }
        if !flags.user_present() {
            return Err(AuthenticatorDataError::UserNotPresent { flags: flags.0 });
        }
        if !flags.user_verified() {
            return Err(AuthenticatorDataError::UserNotVerified { flags: flags.0 });
        }
        if flags.backed_up() && !flags.backup_eligible() {
            return Err(AuthenticatorDataError::BackupFlags { flags: flags.0 });
        }
        Ok(())
    }
}

/// Why authenticator data is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticatorDataError {
    /// Larger than the limit (A14).
    #[error("authenticator data is {found} bytes, at most {MAX_AUTHENTICATOR_DATA} are accepted")]
    TooLong {
        /// Its length.
        found: usize,
    },
    /// It ends before the part named (R16, A14).
    #[error("authenticator data ends inside its {part}")]
    Truncated {
        /// The part that is not complete.
        part: &'static str,
    },
    /// An assertion with an attested credential (A14).
    #[error("authenticator data of an assertion has the flag AT")]
    AttestedInAssertion,
    /// A registration without an attested credential (R16).
    #[error("authenticator data of a registration lacks the flag AT")]
    NoAttestedCredential,
    /// A credential id of a length that the specification forbids (R16).
    #[error("credential id is {found} bytes, expected 1 to {MAX_CREDENTIAL_ID}")]
    CredentialIdLength {
        /// Its length.
        found: usize,
    },
    /// The credential's key (R18).
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
    /// Extension outputs that are not one strict CBOR map (R19, A14).
    #[error("authenticator data extensions: {0}")]
    Extensions(CborError),
    /// Extension outputs of another type (R19, A14).
    #[error("authenticator data extensions are not a CBOR map")]
    ExtensionsNotAMap,
    /// Bytes after the last part, without the flag ED (R19, A14).
    #[error("{extra} bytes follow the authenticator data")]
    Trailing {
        /// How many.
        extra: usize,
    },
    /// For another relying party (R11, A9).
    #[error("authenticator data rpIdHash is not that of the relying party id {}", quoted(.expected))]
    RpIdHash {
        /// The pinned relying party id.
        expected: String,
    },
    /// UP is not set (R12, A10).
    #[error("authenticator data flags are 0x{flags:02x}: no user presence (UP)")]
    UserNotPresent {
        /// The flags byte.
        flags: u8,
    },
    /// UV is not set (R13, A11).
    #[error("authenticator data flags are 0x{flags:02x}: no user verification (UV)")]
    UserNotVerified {
        /// The flags byte.
        flags: u8,
    },
    /// BS without BE (R14, A12).
    #[error("authenticator data flags are 0x{flags:02x}: backed up (BS) but not eligible for it (BE)")]
    BackupFlags {
        /// The flags byte.
        flags: u8,
    },
}

impl AuthenticatorDataError {
    /// The id of the check in this ceremony, for logs.
    pub fn code(&self, ceremony: Ceremony) -> &'static str {
        match self {
            Self::TooLong { .. } | Self::AttestedInAssertion => "A14",
            Self::Truncated { .. } => ceremony.row("R16", "A14"),
            Self::NoAttestedCredential | Self::CredentialIdLength { .. } => "R16",
            Self::PublicKey(error) => error.code(),
            Self::Extensions(_) | Self::ExtensionsNotAMap | Self::Trailing { .. } => ceremony.row("R19", "A14"),
            Self::RpIdHash { .. } => ceremony.row("R11", "A9"),
            Self::UserNotPresent { .. } => ceremony.row("R12", "A10"),
            Self::UserNotVerified { .. } => ceremony.row("R13", "A11"),
            Self::BackupFlags { .. } => ceremony.row("R14", "A12"),
        }
    }
}

fn parse_header(bytes: &[u8]) -> Result<(AuthenticatorData, &[u8]), AuthenticatorDataError> {
    let part = "header of 37 bytes";
    let (rp_id_hash, rest) = split::<32>(bytes, part)?;
    let (flags, rest) = split::<1>(rest, part)?;
    let (sign_count, rest) = split::<4>(rest, part)?;
    let data = AuthenticatorData {
        rp_id_hash,
        flags: Flags(flags[0]),
        sign_count: u32::from_be_bytes(sign_count),
        attested: None,
    };
    Ok((data, rest))
}

/// The key ends where its CBOR item ends, not at the end of the buffer: extension outputs may follow it.
fn parse_attested(bytes: &[u8]) -> Result<(AttestedCredential, &[u8]), AuthenticatorDataError> {
    let (aaguid, rest) = split::<16>(bytes, "AAGUID")?;
    let (length, rest) = split::<2>(rest, "credential id length")?;
    let length = usize::from(u16::from_be_bytes(length));
    if !(1..=MAX_CREDENTIAL_ID).contains(&length) {
        return Err(AuthenticatorDataError::CredentialIdLength { found: length });
    }
    let Some((credential_id, rest)) = rest.split_at_checked(length) else {
        return Err(AuthenticatorDataError::Truncated { part: "credential id" });
    };
    let (cose_key, length) = cbor::decode_prefix(rest).map_err(PublicKeyError::from)?;
    let public_key = PublicKey::from_cose_value(&cose_key)?;
    Ok((AttestedCredential { aaguid, credential_id: credential_id.to_vec(), public_key }, &rest[length..]))
}

fn skip_extensions(flags: Flags, rest: &[u8]) -> Result<(), AuthenticatorDataError> {
    if !flags.has_extensions() {
        return match rest.len() {
            0 => Ok(()),
            extra => Err(AuthenticatorDataError::Trailing { extra }),
        };
    }
    let extensions = cbor::decode(rest).map_err(AuthenticatorDataError::Extensions)?;
    extensions.as_map().map(|_| ()).ok_or(AuthenticatorDataError::ExtensionsNotAMap)
}

fn split<'a, const N: usize>(
    bytes: &'a [u8],
    part: &'static str,
) -> Result<([u8; N], &'a [u8]), AuthenticatorDataError> {
    let (head, rest) = bytes.split_first_chunk().ok_or(AuthenticatorDataError::Truncated { part })?;
    Ok((*head, rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::super::made;
    use super::*;
    use proptest::prelude::*;

    const RP_ID: &str = "approve.example.com";
    const UP_UV: u8 = 0x05;

    fn assertion(flags: u8, rest: &[u8]) -> Vec<u8> {
        [&Sha256::digest(RP_ID)[..], &[flags, 0, 0, 1, 2], rest].concat()
    }

    fn check(bytes: &[u8]) -> Result<(), AuthenticatorDataError> {
        AuthenticatorData::parse_assertion(bytes)?.check(RP_ID)
    }

    fn register(bytes: &[u8]) -> Result<AuthenticatorData, AuthenticatorDataError> {
        AuthenticatorData::parse_registration(bytes)
    }

    #[test]
    fn reads_an_assertion() {
        let data = AuthenticatorData::parse_assertion(&assertion(0x3f, &[])).unwrap();
        assert_eq!(data.sign_count, 0x0102);
        assert_eq!(data.flags, Flags(0x3f), "reserved bits are kept");
        assert!(data.flags.backup_eligible() && data.flags.backed_up());
        assert_eq!(data.attested, None);
        assert_eq!(data.check(RP_ID), Ok(()));
    }

    #[test]
    fn reads_extensions_of_an_assertion_to_their_end() {
        use AuthenticatorDataError::{Extensions, ExtensionsNotAMap, Trailing};
        assert_eq!(check(&assertion(0x85, b"\xa1\x63uvm\x81\x83\x02\x04\x02")), Ok(()));
        assert_eq!(check(&assertion(0x85, b"\xa0")), Ok(()));
        let cases: [(u8, &[u8], AuthenticatorDataError); 7] = [
            (0x05, b"\xa0", Trailing { extra: 1 }),
            (0x05, &[0; 32], Trailing { extra: 32 }),
            (0x85, b"", Extensions(CborError::Truncated { at: 0 })),
            (0x85, b"\xa0\xa0", Extensions(CborError::Trailing { extra: 1 })),
            (0x85, b"\xbf\xff", Extensions(CborError::Indefinite { at: 0 })),
            (0x85, b"\xa2\x61a\x00\x61a\x00", Extensions(CborError::RepeatedKey { at: 4 })),
            (0x85, b"\x80", ExtensionsNotAMap),
        ];
        for (flags, rest, error) in cases {
            assert_eq!((error.code(Ceremony::Create), error.code(Ceremony::Get)), ("R19", "A14"));
            assert_eq!(check(&assertion(flags, rest)), Err(error), "{rest:02x?}");
        }
    }

    #[test]
    fn refuses_every_shorter_assertion_and_one_too_long() {
        let good = assertion(UP_UV, &[]);
        for length in 0..good.len() {
            let error = check(&good[..length]).unwrap_err();
            assert_eq!(error, AuthenticatorDataError::Truncated { part: "header of 37 bytes" });
            assert_eq!((error.code(Ceremony::Create), error.code(Ceremony::Get)), ("R16", "A14"));
        }
        let extension = |length: u16| [&b"\xa1\x61a\x59"[..], &length.to_be_bytes(), &vec![0; length.into()]].concat();
        assert_eq!(check(&assertion(0x85, &extension(981))), Ok(()));
        let error = check(&assertion(0x85, &extension(982))).unwrap_err();
        assert_eq!((error.code(Ceremony::Get), error), ("A14", AuthenticatorDataError::TooLong { found: 1025 }));
    }

    #[test]
    fn refuses_an_attested_credential_in_an_assertion() {
        let error = check(&made::registration_data(0x45, &[])).unwrap_err();
        assert_eq!((error.code(Ceremony::Get), error), ("A14", AuthenticatorDataError::AttestedInAssertion));
    }

    #[test]
    fn refuses_other_relying_parties_and_flags() {
        let other = AuthenticatorData::parse_assertion(&assertion(UP_UV, &[])).unwrap().check("example.com");
        let flags = |flags| check(&assertion(flags, &[]));
        let cases = [
            (other, AuthenticatorDataError::RpIdHash { expected: "example.com".into() }, "R11", "A9"),
            (flags(0x04), AuthenticatorDataError::UserNotPresent { flags: 0x04 }, "R12", "A10"),
            (flags(0x01), AuthenticatorDataError::UserNotVerified { flags: 0x01 }, "R13", "A11"),
            (flags(0x15), AuthenticatorDataError::BackupFlags { flags: 0x15 }, "R14", "A12"),
        ];
        for (result, error, create, get) in cases {
            assert_eq!((error.code(Ceremony::Create), error.code(Ceremony::Get)), (create, get));
            assert_eq!(result, Err(error));
        }
        for accepted in [0x05, 0x0d, 0x1d, 0x07, 0x25] {
            assert_eq!(flags(accepted), Ok(()), "flags 0x{accepted:02x}");
        }
    }

    #[test]
    fn reads_a_registration() {
        for (flags, extensions) in [(0x45, &b""[..]), (0xc5, b"\xa1\x6bcredProtect\x03")] {
            let data = register(&made::registration_data(flags, extensions)).unwrap();
            let attested = data.attested.clone().unwrap();
            assert_eq!(attested.public_key, made::public_key(), "the key ends where its CBOR ends");
            assert_eq!(attested.credential_id, made::CREDENTIAL_ID);
            assert_eq!(attested.aaguid, made::AAGUID);
            assert_eq!(data.check(RP_ID), Ok(()));
        }
    }

    #[test]
    fn refuses_every_shorter_registration() {
        let good = made::registration_data(0x45, &[]);
        for length in 0..good.len() {
            let error = register(&good[..length]).unwrap_err();
            assert!(matches!(error.code(Ceremony::Create), "R16" | "R18"), "{length}: {error}");
        }
    }

    #[test]
    fn refuses_registrations_out_of_form() {
        use AuthenticatorDataError::{CredentialIdLength, Extensions, NoAttestedCredential, PublicKey, Trailing};
        let with_id = |length: u16, id: &[u8]| {
            let good = made::registration_data(0x45, &[]);
            let key = &good[55 + made::CREDENTIAL_ID.len()..];
            register(&[&good[..53], &length.to_be_bytes(), id, key].concat())
        };
        assert!(with_id(1, &[1]).is_ok());
        assert!(with_id(1023, &[1; 1023]).is_ok());
        let cases = [
            (register(&assertion(UP_UV, &[])), NoAttestedCredential, "R16"),
            (with_id(0, &[]), CredentialIdLength { found: 0 }, "R16"),
            (with_id(1024, &[1; 1024]), CredentialIdLength { found: 1024 }, "R16"),
            (with_id(1000, &[]), AuthenticatorDataError::Truncated { part: "credential id" }, "R16"),
            (register(&made::registration_data(0x45, b"\xa0")), Trailing { extra: 1 }, "R19"),
            (register(&made::registration_data(0xc5, b"")), Extensions(CborError::Truncated { at: 0 }), "R19"),
            (
                register(&made::registration_data_with_key(0x45, b"\xa0", &[])),
                PublicKey(PublicKeyError::ParameterType { name: "alg", expected: "an integer" }),
                "R18",
            ),
        ];
        for (result, error, code) in cases {
            assert_eq!(error.code(Ceremony::Create), code);
            assert_eq!(result, Err(error));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = AuthenticatorData::parse_assertion(&bytes);
            let _ = AuthenticatorData::parse_registration(&bytes);
        }

        #[test]
        fn no_change_of_a_registration_panics(at in 0usize..150, byte: u8, length in 0usize..200) {
            let mut bytes = made::registration_data(0xc5, b"\xa1\x6bcredProtect\x03");
            bytes[at] = byte;
            bytes.truncate(length);
            let _ = register(&bytes);
        }
    }
}
