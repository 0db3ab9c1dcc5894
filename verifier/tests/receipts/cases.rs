//! Every receipt with its verdict, one list for the tests here and for the files in testdata/ that verifiers in all
//! languages run. A folder for each step that can fail, in which the receipts fail at this step and at none before it,
//! and one for those that are genuine.
//!
//! Each bad receipt differs from a genuine one in one thing, and everything that depends on that thing was hashed,
//! signed and logged again, so that only the step that looks at it can refuse.

mod authenticator_data;
mod authorised;
mod browsers;
mod challenge;
mod checkpoint;
mod client_data;
mod document;
mod enrolment;
mod entry;
mod every_field;
mod expectation;
mod genuine;
mod huge_log;
mod inclusion;
mod mixed;
mod payload;
mod pinned;
mod public_key;
mod quorum;
mod receipt;
mod rs256;
mod signature;
mod witnesses;

use std::sync::OnceLock;

use verifier::json::{Limits, Numbers, Object, Value, parse};
use verifier::verify::{Step, Verdict};

use super::made::{Changes, Stage, Story};

/// One receipt, what it is checked with, and what comes out.
pub(crate) struct Case {
    /// `genuine`, or the id of the step that fails.
    pub(crate) folder: &'static str,
    /// The file's name.
    pub(crate) name: String,
    pub(crate) receipt: Bytes,
    pub(crate) trust: String,
    /// As in the file: see testdata/README.md.
    pub(crate) expectation: Object,
    pub(crate) verdict: Verdict,
    pub(crate) failed_step: Option<Step>,
}

/// A receipt's bytes, as they are kept in the file.
pub(crate) enum Bytes {
    Text(String),
    /// Not UTF-8.
    Raw(Vec<u8>),
    /// Too large to be kept.
    Repeated {
        text: &'static str,
        times: usize,
    },
}

/// All of them, made once: RSA takes its time.
pub(crate) fn all() -> &'static [Case] {
    static ALL: OnceLock<Vec<Case>> = OnceLock::new();
    ALL.get_or_init(every)
}

fn every() -> Vec<Case> {
    [
        genuine::cases(),
        browsers::cases(),
        payload::cases(),
        rs256::cases(),
        receipt::cases(),
        checkpoint::cases(),
        witnesses::cases(),
        document::cases(),
        entry::cases(),
        challenge::cases(),
        client_data::cases(),
        authenticator_data::cases(),
        enrolment::cases(),
        authorised::cases(),
        public_key::cases(),
        pinned::cases(),
        signature::cases(),
        inclusion::cases(),
        huge_log::cases(),
        quorum::cases(),
        expectation::cases(),
        mixed::cases(),
        every_field::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Case {
    /// An approval in which every step passes.
    fn genuine(name: &str, story: &Story) -> Self {
        Self::of("genuine", name, Bytes::Text(story.text()))
    }

    /// A receipt that is refused at this step.
    fn fails(step: Step, name: &str, story: &Story) -> Self {
        Self::refused(step, name, Bytes::Text(story.text()))
    }

    fn refused(step: Step, name: &str, receipt: Bytes) -> Self {
        let case = Self::of(step.id(), name, receipt);
        Self { verdict: Verdict::NotVerified, failed_step: Some(step), ..case }
    }

    fn of(folder: &'static str, name: &str, receipt: Bytes) -> Self {
        Self {
            folder,
            name: file_name(name),
            receipt,
            trust: Story::trust().to_json(),
            expectation: Object::default(),
            verdict: Verdict::Approved,
            failed_step: None,
        }
    }

    /// What the caller expects, as the file has it.
    fn expecting(self, json: &str) -> Self {
        let limits = Limits { max_bytes: 1 << 16, max_depth: 40, numbers: Numbers::Exact };
        let Value::Object(expectation) = parse(json.as_bytes(), limits).unwrap() else { panic!("{json}") };
        Self { expectation, ..self }
    }

    /// With these fields in the trust file.
    fn trusting<const N: usize>(self, fields: [(&'static str, Value); N]) -> Self {
        Self { trust: trust_with(fields), ..self }
    }

    fn with_verdict(self, verdict: Verdict) -> Self {
        Self { verdict, ..self }
    }

    /// The receipt's bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match &self.receipt {
            Bytes::Text(text) => text.clone().into_bytes(),
            Bytes::Raw(bytes) => bytes.clone(),
            Bytes::Repeated { text, times } => text.repeat(*times).into_bytes(),
        }
    }
}

/// Words, with what is no letter or digit made a hyphen.
fn file_name(words: &str) -> String {
    let parts: Vec<_> = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    parts.join("-").to_ascii_lowercase()
}

/// The usual trust file with these fields more, or in place of its own.
fn trust_with<const N: usize>(fields: [(&'static str, Value); N]) -> String {
    let limits = Limits { max_bytes: 1 << 16, max_depth: 4, numbers: Numbers::Exact };
    let Value::Object(usual) = parse(Story::trust().to_json().as_bytes(), limits).unwrap() else { panic!("an object") };
    let usual = usual.without(&fields.each_ref().map(|(name, _)| *name));
    let usual = usual.iter().map(|(name, value)| (name.to_owned(), value.clone()));
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
    Value::from(Object::new(usual.chain(fields))).to_canonical()
}

/// Receipts of which one text differs: a name, what stands there in the genuine one, and what in its place.
fn edited(step: Step, stage: Stage, rows: &[(&str, &str, &str)]) -> Vec<Case> {
    rows.iter().map(|(name, from, to)| Case::fails(step, name, &Story::one().edit(stage, from, to))).collect()
}

fn changed(changes: Changes) -> Story {
    Story::one().with(changes)
}

fn none() -> Changes {
    Changes::default()
}

/// Replaces what must be there, so that no case tests nothing.
fn replace(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1)
}

/// `{"a":{"a":0}}` and so on.
fn nested(levels: usize) -> String {
    format!("{}0{}", "{\"a\":".repeat(levels), "}".repeat(levels))
}
