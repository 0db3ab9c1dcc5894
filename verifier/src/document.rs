//! Documents and cores: what an approver signs, and what all documents of one confirmation share.
//!
//! ```text
//! document  = RFC 8785 canonical JSON with exactly the fields of `FIELDS`
//! challenge = nonce (32 bytes) ‖ SHA-256(document)
//! core      = the document without approver, decision and salt
//! ```
//!
//! A document binds title, payload, decision, approver, requester, log and times under one signature; its secret salt
//! blinds its hash, so that the public log shows that a decision was signed without showing what it was about.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::encoding;
use crate::fields::{FieldError, Fields};
use crate::json::{self, Limits, Numbers, Object, Value};
use crate::names::{self, NameError, Username};
use crate::time::Timestamp;

/// The largest canonical payload, in bytes.
pub const MAX_PAYLOAD: usize = 256 * 1024;
/// The deepest payload, itself counted as 1.
pub const MAX_PAYLOAD_DEPTH: usize = 32;
/// The most approvers of one confirmation.
pub const MAX_APPROVERS: usize = 32;
/// The shortest and the longest time for a decision, and again for using it, in seconds.
pub const WINDOW: std::ops::RangeInclusive<u64> = 5..=72 * 3600;

/// The largest document: a payload and the fields around it, whose sizes are bounded too.
pub(crate) const MAX_DOCUMENT: usize = MAX_PAYLOAD + 16 * 1024;

const TYPE: &str = "countersign/document/v1";
/// In canonical order, as all names are listed.
const CORE_FIELDS: [&str; 13] = [
    "action",
    "approvers",
    "expires_at",
    "id",
    "issued_at",
    "log",
    "nonce",
    "payload",
    "quorum",
    "requester",
    "reveal",
    "type",
    "use_by",
];
const DOCUMENT_FIELDS: [&str; 16] = [
    "action",
    "approver",
    "approvers",
    "decision",
    "expires_at",
    "id",
    "issued_at",
    "log",
    "nonce",
    "payload",
    "quorum",
    "requester",
    "reveal",
    "salt",
    "type",
    "use_by",
];

/// What all documents of one confirmation share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Core {
    /// The title, in the requester's words.
    pub action: String,
    /// Who is asked, ascending and without repeats.
    pub approvers: Vec<Username>,
    /// The last moment for a decision.
    pub expires_at: Timestamp,
    /// The confirmation's id.
    pub id: ConfirmationId,
    /// When it was asked.
    pub issued_at: Timestamp,
    /// The log origin.
    pub log: String,
    /// 32 random bytes, public, one for each confirmation.
    pub nonce: [u8; 32],
    /// The exact payload.
    pub payload: Object,
    /// How many of the approvers must approve.
    pub quorum: u32,
    /// The name of who asks.
    pub requester: String,
    /// Whether the receipt will be public.
    pub reveal: bool,
    /// The last moment for using an approval.
    pub use_by: Timestamp,
}

/// What one approver signs: the core, who signs, what they decide, and a salt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What the other documents of the confirmation share with this one.
    pub core: Core,
    /// Who signs; one of the core's approvers.
    pub approver: Username,
    /// What they decide.
    pub decision: Decision,
    /// 32 secret random bytes, one for each approver.
    pub salt: [u8; 32],
}

/// Approve or reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// The action may run.
    Approve,
    /// The action must not run.
    Reject,
}

/// A confirmation's id: `cnf_` and 26 symbols of lower-case base32.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConfirmationId(String);

/// Why a text is not a document, or why its fields break a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not canonical JSON, or too large.
    #[error(transparent)]
    Json(#[from] json::Error),
    /// Not the fields of a document.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A name or title that breaks a rule.
    #[error("the field {field}: {error}")]
    Name {
        /// The field.
        field: &'static str,
        /// The rule.
        error: NameError,
    },
    /// Another rule that the fields break.
    #[error("{0}")]
    Rule(&'static str),
}

impl Core {
    /// Checks every rule that the types do not: names, counts, order, windows, the payload's size.
    pub fn check(&self) -> Result<(), DocumentError> {
        use DocumentError::Rule;
        names::check_action(&self.action).map_err(|error| DocumentError::Name { field: "action", error })?;
        names::check_requester(&self.requester).map_err(|error| DocumentError::Name { field: "requester", error })?;
        if !(1..=MAX_APPROVERS).contains(&self.approvers.len()) {
            return Err(Rule("approvers must be 1 to 32 usernames"));
        }
        if !self.approvers.is_sorted_by(|a, b| a < b) {
            return Err(Rule("approvers must be ascending, without repeats"));
        }
        if self.quorum == 0 || self.quorum as usize > self.approvers.len() {
            return Err(Rule("quorum must be 1 to the number of approvers"));
        }
        if self.log.is_empty() {
            return Err(Rule("log must not be empty"));
        }
        let window = |from: Timestamp, to: Timestamp| to.unix().checked_sub(from.unix());
        if !window(self.issued_at, self.expires_at).is_some_and(|seconds| WINDOW.contains(&seconds)) {
            return Err(Rule("expires_at must be 5 seconds to 72 hours after issued_at"));
        }
        if !window(self.expires_at, self.use_by).is_some_and(|seconds| WINDOW.contains(&seconds)) {
            return Err(Rule("use_by must be 5 seconds to 72 hours after expires_at"));
        }
        Ok(())
    }

    /// The core as exact text.
    pub fn to_canonical(&self) -> String {
        Value::from(Object::new(self.members())).to_canonical()
    }

    /// Parses canonical text and checks every rule.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        Self::from_fields(Fields::exactly(&parse_text(text)?, &CORE_FIELDS)?, text.len())
    }

    /// SHA-256 of the canonical payload.
    pub fn payload_hash(&self) -> [u8; 32] {
        Sha256::digest(Value::from(self.payload.clone()).to_canonical()).into()
    }

    /// The code that requester and page both show: 80 bits of a hash of the core, in four groups.
    pub fn compare_code(&self) -> String {
        let hash = Sha256::digest(format!("countersign/compare/v1\n{}", self.to_canonical()));
        let code = encoding::base32(&hash[..10]);
        [&code[..4], &code[4..8], &code[8..12], &code[12..]].join("-")
    }

    fn members(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("action", self.action.as_str().into()),
            ("approvers", self.approvers.iter().map(|name| name.as_str().into()).collect()),
            ("expires_at", self.expires_at.to_string().into()),
            ("id", self.id.as_str().into()),
            ("issued_at", self.issued_at.to_string().into()),
            ("log", self.log.as_str().into()),
            ("nonce", encoding::base64url(&self.nonce).into()),
            ("payload", self.payload.clone().into()),
            ("quorum", self.quorum.into()),
            ("requester", self.requester.as_str().into()),
            ("reveal", self.reveal.into()),
            ("type", TYPE.into()),
            ("use_by", self.use_by.to_string().into()),
        ]
    }

    /// `size` is that of the whole canonical text.
    fn from_fields(fields: Fields<'_>, size: usize) -> Result<Self, DocumentError> {
        fields.require_type(TYPE)?;
        let payload = fields.value("payload")?;
        let wrong = |field, expected| FieldError::Wrong { field, expected };
        let core = Self {
            action: fields.string("action")?.to_owned(),
            approvers: fields.strings("approvers")?.into_iter().map(username("approvers")).collect::<Result<_, _>>()?,
            expires_at: fields.time("expires_at")?,
            id: fields.string("id")?.parse()?,
            issued_at: fields.time("issued_at")?,
            log: fields.string("log")?.to_owned(),
            nonce: fields.bytes32("nonce")?,
            payload: payload.as_object().ok_or(wrong("payload", "an object"))?.clone(),
            quorum: u32::try_from(fields.integer("quorum")?).map_err(|_| wrong("quorum", "1 to 32"))?,
            requester: fields.string("requester")?.to_owned(),
            reveal: fields.boolean("reveal")?,
            use_by: fields.time("use_by")?,
        };
        core.check()?;
        // The document's own limits leave room around the payload, so the payload's size is measured by itself where
        // it may be too large. Its depth is one less than the document's.
        if size > MAX_PAYLOAD {
            check_payload_size(payload)?;
        }
        Ok(core)
    }
}

impl Document {
    /// Parses canonical text and checks every rule.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let value = parse_text(text)?;
        let fields = Fields::exactly(&value, &DOCUMENT_FIELDS)?;
        let document = Self {
            core: Core::from_fields(fields, text.len())?,
            approver: username("approver")(fields.string("approver")?)?,
            decision: fields.string("decision")?.parse()?,
            salt: fields.bytes32("salt")?,
        };
        if !document.core.approvers.contains(&document.approver) {
            return Err(DocumentError::Rule("approver must be one of approvers"));
        }
        Ok(document)
    }

    /// The exact text that is hashed into the challenge.
    pub fn to_canonical(&self) -> String {
        let own = [
            ("approver", self.approver.as_str().into()),
            ("decision", self.decision.as_str().into()),
            ("salt", encoding::base64url(&self.salt).into()),
        ];
        Value::from(Object::new(self.core.members().into_iter().chain(own))).to_canonical()
    }

    /// The 64 bytes that the approver's authenticator signs as its challenge.
    pub fn challenge(&self) -> [u8; 64] {
        challenge(&self.core.nonce, self.to_canonical().as_bytes())
    }
}

fn parse_text(text: &str) -> Result<Value, json::Error> {
    let limits = Limits { max_bytes: MAX_DOCUMENT, max_depth: MAX_PAYLOAD_DEPTH + 1, numbers: Numbers::Exact };
    json::parse_canonical(text.as_bytes(), limits)
}

/// nonce ‖ SHA-256(text)
pub(crate) fn challenge(nonce: &[u8; 32], text: &[u8]) -> [u8; 64] {
    let mut challenge = [0; 64];
    challenge[..32].copy_from_slice(nonce);
    challenge[32..].copy_from_slice(&Sha256::digest(text));
    challenge
}

/// Parses a payload strictly: an object of at most 256 KiB in canonical form and 32 levels, with exact numbers.
pub fn parse_payload(bytes: &[u8]) -> Result<Object, json::Error> {
    // White space and escapes may make the text longer than its canonical form, which is what the limit is about.
    let limits = Limits { max_bytes: 4 * MAX_PAYLOAD, max_depth: MAX_PAYLOAD_DEPTH, numbers: Numbers::Exact };
    let value = json::parse(bytes, limits)?;
    check_payload_size(&value)?;
    let Value::Object(payload) = value else {
        let kind = json::ErrorKind::Syntax { offset: 0, expected: "an object" };
        return Err(json::Error { path: String::new(), kind });
    };
    Ok(payload)
}

fn check_payload_size(payload: &Value) -> Result<(), json::Error> {
    let given = payload.to_canonical().len();
    if given <= MAX_PAYLOAD {
        return Ok(());
    }
    Err(json::Error { path: String::new(), kind: json::ErrorKind::TooLarge { given, limit: MAX_PAYLOAD } })
}

fn username(field: &'static str) -> impl Fn(&str) -> Result<Username, DocumentError> {
    move |text| Username::new(text).map_err(|error| DocumentError::Name { field, error })
}

impl Decision {
    /// `approve` or `reject`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }
}

impl std::str::FromStr for Decision {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        match text {
            "approve" => Ok(Self::Approve),
            "reject" => Ok(Self::Reject),
            _ => Err(FieldError::Wrong { field: "decision", expected: "approve or reject" }),
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ConfirmationId {
    /// How many base32 symbols follow the prefix.
    pub const SYMBOLS: usize = 26;

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ConfirmationId {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let symbols = text.strip_prefix("cnf_").unwrap_or_default();
        if symbols.len() == Self::SYMBOLS && encoding::is_base32(symbols) {
            Ok(Self(text.to_owned()))
        } else {
            Err(FieldError::Wrong { field: "id", expected: "cnf_ and 26 symbols of lower-case base32" })
        }
    }
}

impl fmt::Display for ConfirmationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const EXAMPLE: &str = concat!(
        r#"{"action":"Deploy api-gateway to production","approver":"alex","approvers":["alex"],"decision":"approve","#,
        r#""expires_at":"2026-11-21T22:35:00Z","id":"cnf_4k2m6p3q7a5b2c4d6e3f5g7h2j","#,
        r#""issued_at":"2026-11-21T22:30:00Z","log":"approvals.example.com/log","#,
        r#""nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","#,
        r#""payload":{"commit":"a1b2c3d","env":"production","service":"api-gateway"},"quorum":1,"#,
        r#""requester":"deploy-bot","reveal":false,"salt":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE","#,
        r#""type":"countersign/document/v1","use_by":"2026-11-21T23:35:00Z"}"#,
    );

    #[test]
    fn the_example_round_trips() {
        let document = Document::parse(EXAMPLE).unwrap();
        assert_eq!(document.to_canonical(), EXAMPLE);
        let challenge = document.challenge();
        assert_eq!(challenge[..32], document.core.nonce);
        assert_eq!(challenge[32..], Sha256::digest(EXAMPLE)[..]);
        let core = document.core.to_canonical();
        assert!(["approver\"", "decision", "salt"].iter().all(|own| !core.contains(own)), "{core}");
        assert_eq!(document.core.compare_code().len(), 19);
    }

    #[test]
    fn approve_and_reject_are_two_documents_with_one_core() {
        let approve = Document::parse(EXAMPLE).unwrap();
        let reject = Document { decision: Decision::Reject, ..approve.clone() };
        assert_ne!(approve.challenge()[32..], reject.challenge()[32..]);
        assert_eq!(approve.core.to_canonical(), reject.core.to_canonical());
    }

    #[test]
    fn a_broken_rule_is_named() {
        for (from, to, words) in [
            ("\"quorum\":1", "\"quorum\":2", "quorum"),
            ("\"quorum\":1", "\"quorum\":0", "quorum"),
            ("\"approvers\":[\"alex\"]", "\"approvers\":[\"alex\",\"alex\"]", "ascending"),
            ("\"approvers\":[\"alex\"]", "\"approvers\":[\"alex\",\"Sam\"]", "approvers"),
            ("\"approvers\":[\"alex\"]", "\"approvers\":[\"sam\"]", "one of approvers"),
            ("\"approvers\":[\"alex\"]", "\"approvers\":[]", "1 to 32"),
            ("22:35:00Z", "22:30:04Z", "expires_at"),
            ("23:35:00Z", "22:35:00Z", "use_by"),
            ("2026-11-21T22:30:00Z", "2026-11-18T22:30:00Z", "expires_at"),
            ("Deploy api", "Deploy\u{202e}api", "U+202E"),
            ("deploy-bot", "deploy\u{200b}bot", "requester"),
            ("\"decision\":\"approve\"", "\"decision\":\"approved\"", "decision"),
            ("\"reveal\":false", "\"reveal\":0", "reveal"),
            ("cnf_4k2m", "cnf_4k2M", "id"),
            ("document/v1", "document/v2", "type"),
            ("\"log\":\"approvals.example.com/log\"", "\"log\":\"\"", "log"),
            ("\"salt\":\"AQ", "\"salt\":\"A", "salt"),
            ("\"type\":", "\"typ\":\"\",\"type\":", "typ"),
            ("\"reveal\":false,", "", "reveal"),
            (
                "\"payload\":{\"commit\":\"a1b2c3d\",\"env\":\"production\",\"service\":\"api-gateway\"}",
                "\"payload\":[]",
                "payload",
            ),
        ] {
            assert!(EXAMPLE.contains(from), "{from}");
            let error = Document::parse(&EXAMPLE.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(words), "{from} -> {to}: {error}");
        }
    }

    #[test]
    fn payload_limits() {
        let nested = |depth: usize| format!("{}{{}}{}", "{\"a\":".repeat(depth - 1), "}".repeat(depth - 1));
        assert!(parse_payload(nested(32).as_bytes()).is_ok());
        assert!(parse_payload(nested(33).as_bytes()).is_err());
        let sized = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        assert!(parse_payload(sized(MAX_PAYLOAD).as_bytes()).is_ok());
        let error = parse_payload(sized(MAX_PAYLOAD + 1).as_bytes()).unwrap_err();
        assert_eq!(error.kind, json::ErrorKind::TooLarge { given: MAX_PAYLOAD + 1, limit: MAX_PAYLOAD });
        assert!(parse_payload(b"[]").is_err());
    }
}
