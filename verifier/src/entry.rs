//! Log entries of ours: a type line and canonical JSON, `countersign/decision/v1\n{…}`. No optional fields, no null.
//!
//! What is public is what others need to check the log, and nothing about the payload. Raw entries of other services may
//! hold any bytes that do not begin with `countersign/`.

use crate::bundle::MAX_ENTRY;
use crate::document::{self, Decision};
use crate::encoding;
use crate::fields::{FieldError, Fields};
use crate::json::{self, Limits, Numbers, Object, Value};
use crate::names::Label;
use crate::time::Timestamp;
use crate::webauthn::Assertion;

/// What entries of ours begin with; raw entries must not.
pub const PREFIX: &str = "countersign/";

/// The name of a key in the log: SHA-256 of its SPKI DER.
pub type CredentialHash = [u8; 32];

/// An entry that the approval engine writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A key was enrolled for an approver.
    Credential(CredentialEntry),
    /// A key must not be accepted from here on.
    Revocation(RevocationEntry),
    /// An approver decided.
    Decision(DecisionEntry),
    /// An approval was used.
    Consumption(ConsumptionEntry),
}

/// A key was enrolled for an approver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialEntry {
    /// Whose key it is.
    pub approver: Label,
    /// `ES256` or `RS256`; verifiers compare it with the key.
    pub alg: String,
    /// The key as SPKI DER.
    pub public_key: Vec<u8>,
    /// The relying party id that it was made for.
    pub rp_id: String,
    /// Whether the authenticator may copy it to other devices.
    pub backup_eligible: bool,
    /// When, by the server's clock.
    pub enrolled_at: Timestamp,
    /// Who allowed it.
    pub authorised_by: Authorisation,
}

/// Who allowed an enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorisation {
    /// An invite: SHA-256 of `countersign/invite/v1\n` and 32 random bytes made for this use.
    Invite([u8; 32]),
    /// An earlier key of the same approver, which signed the new one.
    Credential {
        /// The earlier key.
        credential: CredentialHash,
        /// Its signature.
        assertion: Assertion,
    },
}

/// A key must not be accepted from here on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationEntry {
    /// Whose key it was.
    pub approver: Label,
    /// The key.
    pub credential: CredentialHash,
    /// Why.
    pub reason: RevocationReason,
    /// When, by the server's clock.
    pub revoked_at: Timestamp,
}

/// Why a key was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationReason {
    /// The device was lost.
    Lost,
    /// The device was stolen.
    Stolen,
    /// The person left.
    Left,
    /// Another key took its place.
    Replaced,
    /// Any other reason.
    Other,
}

/// An approver decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionEntry {
    /// Who decided.
    pub approver: Label,
    /// With which key.
    pub credential: CredentialHash,
    /// What.
    pub decision: Decision,
    /// When, by the server's clock.
    pub decided_at: Timestamp,
    /// The signature over a document's challenge.
    pub assertion: Assertion,
}

/// An approval was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumptionEntry {
    /// The confirmation's nonce.
    pub nonce: [u8; 32],
    /// When, by the server's clock.
    pub consumed_at: Timestamp,
}

/// Why bytes are not an entry of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// No known type line.
    #[error("no type line of a known entry")]
    UnknownType,
    /// Larger than an entry may be.
    #[error("an entry of {0} bytes, at most {MAX_ENTRY} are allowed")]
    TooLarge(usize),
    /// Not canonical JSON after the type line.
    #[error(transparent)]
    Json(#[from] json::Error),
    /// Not the fields of its type.
    #[error(transparent)]
    Field(#[from] FieldError),
}

const CREDENTIAL: &str = "countersign/credential/v1";
const REVOCATION: &str = "countersign/revocation/v1";
const DECISION: &str = "countersign/decision/v1";
const CONSUMPTION: &str = "countersign/consumption/v1";

impl Entry {
    /// Parses an entry: a type line, then canonical JSON with exactly the fields of that type.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > MAX_ENTRY {
            return Err(EntryError::TooLarge(bytes.len()));
        }
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(EntryError::UnknownType)?;
        let (line, json) = (&bytes[..end], &bytes[end + 1..]);
        let parse: fn(&Value) -> Result<Self, FieldError> = match str::from_utf8(line) {
            Ok(CREDENTIAL) => |value| CredentialEntry::from_value(value).map(Self::Credential),
            Ok(REVOCATION) => |value| RevocationEntry::from_value(value).map(Self::Revocation),
            Ok(DECISION) => |value| DecisionEntry::from_value(value).map(Self::Decision),
            Ok(CONSUMPTION) => |value| ConsumptionEntry::from_value(value).map(Self::Consumption),
            _ => return Err(EntryError::UnknownType),
        };
        let limits = Limits { max_bytes: MAX_ENTRY, max_depth: 2, numbers: Numbers::Exact };
        Ok(parse(&json::parse_canonical(json, limits)?)?)
    }

    /// The entry's exact bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (line, object) = match self {
            Self::Credential(entry) => (CREDENTIAL, entry.to_object()),
            Self::Revocation(entry) => (REVOCATION, entry.to_object()),
            Self::Decision(entry) => (DECISION, entry.to_object()),
            Self::Consumption(entry) => (CONSUMPTION, entry.to_object()),
        };
        format!("{line}\n{}", Value::from(object).to_canonical()).into_bytes()
    }
}

fn bytes(bytes: &[u8]) -> Value {
    encoding::base64url(bytes).into()
}

impl CredentialEntry {
    /// What an earlier key of the approver signs to allow this one: a nonce, then the hash of the enrolment document.
    pub fn enrolment_challenge(&self, log_origin: &str, nonce: &[u8; 32]) -> [u8; 64] {
        document::challenge(nonce, self.enrolment_document(log_origin).as_bytes())
    }

    /// The enrolment as the earlier key signs it, in canonical form (`docs/protocol.md` section 9).
    pub fn enrolment_document(&self, log_origin: &str) -> String {
        Value::from(Object::new([
            ("approver", bytes(&self.approver.0)),
            ("log", log_origin.into()),
            ("public_key", bytes(&self.public_key)),
            ("rp_id", self.rp_id.as_str().into()),
            ("type", "countersign/enrolment/v1".into()),
        ]))
        .to_canonical()
    }

    fn from_value(value: &Value) -> Result<Self, FieldError> {
        let fields = Fields::exactly(
            value,
            &["alg", "approver", "authorised_by", "backup_eligible", "enrolled_at", "public_key", "rp_id"],
        )?;
        Ok(Self {
            approver: Label(fields.bytes32("approver")?),
            alg: fields.string("alg")?.to_owned(),
            public_key: fields.bytes("public_key")?,
            rp_id: fields.string("rp_id")?.to_owned(),
            backup_eligible: fields.boolean("backup_eligible")?,
            enrolled_at: fields.time("enrolled_at")?,
            authorised_by: Authorisation::from_value(fields.value("authorised_by")?)?,
        })
    }

    fn to_object(&self) -> Object {
        Object::new([
            ("alg", self.alg.as_str().into()),
            ("approver", bytes(&self.approver.0)),
            ("authorised_by", self.authorised_by.to_value()),
            ("backup_eligible", self.backup_eligible.into()),
            ("enrolled_at", self.enrolled_at.to_string().into()),
            ("public_key", bytes(&self.public_key)),
            ("rp_id", self.rp_id.as_str().into()),
        ])
    }
}

impl Authorisation {
    fn from_value(value: &Value) -> Result<Self, FieldError> {
        if value.as_object().is_some_and(|object| object.get("invite").is_some()) {
            return Ok(Self::Invite(Fields::exactly(value, &["invite"])?.bytes32("invite")?));
        }
        let fields = Fields::exactly(value, &["authenticator_data", "client_data_json", "credential", "signature"])?;
        Ok(Self::Credential { credential: fields.bytes32("credential")?, assertion: assertion_from(fields)? })
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Invite(hash) => Object::new([("invite", bytes(hash))]).into(),
            Self::Credential { credential, assertion } => {
                Object::new(assertion_members(assertion).into_iter().chain([("credential", bytes(credential))])).into()
            }
        }
    }
}

impl RevocationEntry {
    fn from_value(value: &Value) -> Result<Self, FieldError> {
        let fields = Fields::exactly(value, &["approver", "credential", "reason", "revoked_at"])?;
        Ok(Self {
            approver: Label(fields.bytes32("approver")?),
            credential: fields.bytes32("credential")?,
            reason: fields.string("reason")?.parse()?,
            revoked_at: fields.time("revoked_at")?,
        })
    }

    fn to_object(&self) -> Object {
        Object::new([
            ("approver", bytes(&self.approver.0)),
            ("credential", bytes(&self.credential)),
            ("reason", self.reason.as_str().into()),
            ("revoked_at", self.revoked_at.to_string().into()),
        ])
    }
}

impl RevocationReason {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Lost, "lost"),
        (Self::Stolen, "stolen"),
        (Self::Left, "left"),
        (Self::Replaced, "replaced"),
        (Self::Other, "other"),
    ];

    /// The reason as it stands in the log.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(reason, _)| *reason == self).map_or("other", |(_, name)| name)
    }
}

impl std::str::FromStr for RevocationReason {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let wrong = FieldError::Wrong { field: "reason", expected: "lost, stolen, left, replaced or other" };
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(reason, _)| *reason).ok_or(wrong)
    }
}

impl DecisionEntry {
    fn from_value(value: &Value) -> Result<Self, FieldError> {
        let fields = Fields::exactly(
            value,
            &[
                "approver",
                "authenticator_data",
                "client_data_json",
                "credential",
                "decided_at",
                "decision",
                "signature",
            ],
        )?;
        Ok(Self {
            approver: Label(fields.bytes32("approver")?),
            credential: fields.bytes32("credential")?,
            decision: fields.string("decision")?.parse()?,
            decided_at: fields.time("decided_at")?,
            assertion: assertion_from(fields)?,
        })
    }

    fn to_object(&self) -> Object {
        Object::new(assertion_members(&self.assertion).into_iter().chain([
            ("approver", bytes(&self.approver.0)),
            ("credential", bytes(&self.credential)),
            ("decided_at", self.decided_at.to_string().into()),
            ("decision", self.decision.as_str().into()),
        ]))
    }
}

impl ConsumptionEntry {
    fn from_value(value: &Value) -> Result<Self, FieldError> {
        let fields = Fields::exactly(value, &["consumed_at", "nonce"])?;
        Ok(Self { nonce: fields.bytes32("nonce")?, consumed_at: fields.time("consumed_at")? })
    }

    fn to_object(&self) -> Object {
        Object::new([("consumed_at", self.consumed_at.to_string().into()), ("nonce", bytes(&self.nonce))])
    }
}

fn assertion_from(fields: Fields<'_>) -> Result<Assertion, FieldError> {
    Ok(Assertion {
        authenticator_data: fields.bytes("authenticator_data")?,
        client_data_json: fields.bytes("client_data_json")?,
        signature: fields.bytes("signature")?,
    })
}

fn assertion_members(assertion: &Assertion) -> [(&'static str, Value); 3] {
    [
        ("authenticator_data", bytes(&assertion.authenticator_data)),
        ("client_data_json", bytes(&assertion.client_data_json)),
        ("signature", bytes(&assertion.signature)),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn examples() -> Vec<Entry> {
        let time = Timestamp::from_unix(1_800_000_000);
        let assertion =
            || Assertion { authenticator_data: vec![1; 37], client_data_json: b"{}".to_vec(), signature: vec![2; 70] };
        let enrolment = |authorised_by| {
            Entry::Credential(CredentialEntry {
                approver: Label([3; 32]),
                alg: "ES256".into(),
                public_key: vec![4; 91],
                rp_id: "localhost".into(),
                backup_eligible: true,
                enrolled_at: time,
                authorised_by,
            })
        };
        vec![
            enrolment(Authorisation::Invite([5; 32])),
            enrolment(Authorisation::Credential { credential: [6; 32], assertion: assertion() }),
            Entry::Revocation(RevocationEntry {
                approver: Label([3; 32]),
                credential: [6; 32],
                reason: RevocationReason::Stolen,
                revoked_at: time,
            }),
            Entry::Decision(DecisionEntry {
                approver: Label([3; 32]),
                credential: [6; 32],
                decision: Decision::Reject,
                decided_at: time,
                assertion: assertion(),
            }),
            Entry::Consumption(ConsumptionEntry { nonce: [7; 32], consumed_at: time }),
        ]
    }

    #[test]
    fn entries_round_trip() {
        for entry in examples() {
            assert_eq!(Entry::parse(&entry.to_bytes()), Ok(entry));
        }
    }

    #[test]
    fn what_parses_is_what_is_written() {
        // Every one-byte change is refused or gives another entry: never the same entry from other bytes.
        for entry in examples() {
            let bytes = entry.to_bytes();
            for i in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[i] ^= 1;
                assert_ne!(Entry::parse(&changed).ok().as_ref(), Some(&entry), "byte {i}");
            }
            assert!(Entry::parse(&bytes[..bytes.len() - 1]).is_err());
            assert!(Entry::parse(&[bytes, b"\n".to_vec()].concat()).is_err());
        }
    }

    #[test]
    fn foreign_bytes_are_not_entries() {
        for bytes in ["", "countersign/", "countersign/decision/v1", "countersign/decision/v2\n{}", "x\n{}"] {
            assert_eq!(Entry::parse(bytes.as_bytes()), Err(EntryError::UnknownType), "{bytes}");
        }
        let missing = Entry::parse(b"countersign/consumption/v1\n{}");
        assert_eq!(missing, Err(EntryError::Field(FieldError::Missing("consumed_at"))));
        assert_eq!(Entry::parse(&vec![b'x'; 65_536]), Err(EntryError::TooLarge(65_536)));
    }
}
