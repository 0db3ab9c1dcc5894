//! Receipts: one canonical JSON file with everything that a stranger needs to check a decision, except the trust anchors.
//!
//! ```json
//! {"checkpoint": "<signed note>",
//!  "decisions": [{"document": "<text>", "entry": "<text>", "hashes": ["…"], "index": 7}],
//!  "enrolments": [{"entry": "<text>", "hashes": ["…"], "index": 3}],
//!  "type": "countersign/receipt/v1"}
//! ```
//!
//! All proofs are against the one checkpoint. Decisions and enrolments stand in the order of the log, so that there is one
//! receipt for one set of parts.

use merkle::{Hash, LeafIndex};

use crate::encoding;
use crate::fields::{FieldError, Fields};
use crate::json::{self, Limits, Numbers, Object, Value};
use crate::note::MAX_NOTE;

/// The largest receipt, in bytes.
pub const MAX_RECEIPT: usize = 32 * 1024 * 1024;
/// The most decisions in a receipt.
pub const MAX_DECISIONS: usize = 32;
/// The most enrolments. Eight for each decision: the key that signed it, and the keys that authorised keys.
pub const MAX_ENROLMENTS: usize = 256;
/// The longest inclusion proof of a tree of fewer than 2^63 entries.
const MAX_HASHES: usize = 63;

const TYPE: &str = "countersign/receipt/v1";

/// A parsed receipt. Nothing in it is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The signed note of the tree head that all proofs are against.
    pub checkpoint: String,
    /// The decisions, ascending by index.
    pub decisions: Vec<DecisionPart>,
    /// The enrolments of the keys that decided, ascending by index.
    pub enrolments: Vec<LoggedEntry>,
}

/// One decision: the document that was signed and its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionPart {
    /// The exact document.
    pub document: String,
    /// The entry that holds the signature.
    pub logged: LoggedEntry,
}

/// An entry with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEntry {
    /// The entry's text: type line and JSON.
    pub entry: String,
    /// The inclusion proof.
    pub hashes: Vec<Hash>,
    /// Where in the log.
    pub index: LeafIndex,
}

/// Why bytes are not a receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not canonical JSON, or too large.
    #[error(transparent)]
    Json(#[from] json::Error),
    /// Not the fields of a receipt.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// Too many or too few of something, or parts out of order.
    #[error("{0}")]
    Rule(&'static str),
}

impl Receipt {
    /// Parses a receipt; one newline may follow it.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let limits = Limits { max_bytes: MAX_RECEIPT, max_depth: 5, numbers: Numbers::Exact };
        let value = json::parse_canonical(bytes, limits)?;
        let fields = Fields::exactly(&value, &["checkpoint", "decisions", "enrolments", "type"])?;
        fields.require_type(TYPE)?;
        let (decisions, enrolments) = (fields.array("decisions")?, fields.array("enrolments")?);
        if !(1..=MAX_DECISIONS).contains(&decisions.len()) || !(1..=MAX_ENROLMENTS).contains(&enrolments.len()) {
            return Err(ReceiptError::Rule("a receipt has 1 to 32 decisions and 1 to 256 enrolments"));
        }
        let receipt = Self {
            checkpoint: fields.string("checkpoint")?.to_owned(),
            decisions: decisions.iter().map(DecisionPart::from_value).collect::<Result<_, _>>()?,
            enrolments: enrolments.iter().map(LoggedEntry::from_value).collect::<Result<_, _>>()?,
        };
        receipt.check()?;
        Ok(receipt)
    }

    /// The receipt's exact text, without a final newline.
    pub fn to_canonical(&self) -> String {
        Value::from(Object::new([
            ("checkpoint", self.checkpoint.as_str().into()),
            ("decisions", self.decisions.iter().map(DecisionPart::to_value).collect()),
            ("enrolments", self.enrolments.iter().map(|part| Object::new(part.members()).into()).collect()),
            ("type", TYPE.into()),
        ]))
        .to_canonical()
    }

    fn check(&self) -> Result<(), ReceiptError> {
        use ReceiptError::Rule;
        if self.checkpoint.len() > MAX_NOTE {
            return Err(Rule("the checkpoint is larger than 16384 bytes"));
        }
        let ascending = self.decisions.is_sorted_by(|a, b| a.logged.index < b.logged.index)
            && self.enrolments.is_sorted_by(|a, b| a.index < b.index);
        if ascending { Ok(()) } else { Err(Rule("decisions and enrolments must be ascending by index")) }
    }
}

impl DecisionPart {
    fn from_value(value: &Value) -> Result<Self, ReceiptError> {
        let fields = Fields::exactly(value, &["document", "entry", "hashes", "index"])?;
        Ok(Self { document: fields.string("document")?.to_owned(), logged: LoggedEntry::from_fields(fields)? })
    }

    fn to_value(&self) -> Value {
        let document = [("document", self.document.as_str().into())];
        Object::new(self.logged.members().into_iter().chain(document)).into()
    }
}

impl LoggedEntry {
    fn from_value(value: &Value) -> Result<Self, ReceiptError> {
        Self::from_fields(Fields::exactly(value, &["entry", "hashes", "index"])?)
    }

    fn from_fields(fields: Fields<'_>) -> Result<Self, ReceiptError> {
        let hashes = fields.strings("hashes")?;
        if hashes.len() > MAX_HASHES {
            return Err(ReceiptError::Rule("a proof has at most 63 hashes"));
        }
        let hash = |text: &str| encoding::array_from_base64url(text).map(Hash::from_bytes);
        let wrong = FieldError::Wrong { field: "hashes", expected: "an array of base64url of 32 bytes" };
        Ok(Self {
            entry: fields.string("entry")?.to_owned(),
            hashes: hashes.into_iter().map(hash).collect::<Result<_, _>>().map_err(|_| wrong)?,
            index: LeafIndex::new(fields.integer("index")?),
        })
    }

    /// # Panics
    /// Beyond 2^53 entries, where JSON numbers end.
    fn members(&self) -> Vec<(&'static str, Value)> {
        let Ok(index) = Value::try_from(self.index.get()) else { panic!("a log has fewer than 2^53 entries") };
        vec![
            ("entry", self.entry.as_str().into()),
            ("hashes", self.hashes.iter().map(|hash| encoding::base64url(hash.as_bytes()).into()).collect()),
            ("index", index),
        ]
    }
}
