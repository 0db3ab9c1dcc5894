//! The values behind each step of a verification: sizes, hashes and signed bytes, so that an auditor can compute each of
//! them again and see where two verifiers part. `docs/protocol.md` section 14 lists the names and what they stand for.
//!
//! This is no second verifier: it compares nothing and says of no value whether it is right. What was reached and how it
//! went comes from the [`Report`]. Parts that cannot be read are left out; their sizes and hashes are shown all the same.

mod logged;
mod signed;

use std::fmt::Display;

use sha2::{Digest as _, Sha256};

use super::{Expectation, Outcome, Report, Step};
use crate::checkpoint::Checkpoint;
use crate::document::{Decision, Document};
use crate::entry::{CredentialEntry, DecisionEntry, Entry};
use crate::json::{Object, Value};
use crate::note::Note;
use crate::receipt::{LoggedEntry, MAX_RECEIPT, Receipt};
use crate::trust::Trust;

/// One value of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What of the receipt it belongs to, `decisions[0]` for example; empty for the receipt as a whole.
    pub part: String,
    /// What it is.
    pub name: String,
    /// The value: a number, a text, or bytes in hexadecimal. Texts may hold hidden characters.
    pub value: String,
}

/// The values of each step that was reached, the failed one included, in the order of the steps.
///
/// ```
/// # use verifier::{trust::Trust, verify::{Expectation, Step, explain, verify}, webauthn::PureRust};
/// # let trust = r#"{"logs":["approvals.example.com/log+1c68da3b+AVycbfJhycuEBHV3aq782US0BTKPqyj5s6le9ASQ096E"],
/// #   "rp_id":"localhost","type":"countersign/trust/v1","web_origins":["http://localhost:8080"]}"#;
/// # let trust = Trust::parse(trust.as_bytes())?;
/// let expectation = Expectation::default();
/// let report = verify(b"{}", &trust, &expectation, &PureRust);
/// let explained = explain(b"{}", &trust, &expectation, &report);
/// let [(Step::Receipt, lines)] = &explained[..] else { panic!("the first step fails, and nothing follows it") };
/// assert_eq!((lines[0].name.as_str(), lines[0].value.as_str()), ("size in bytes", "2"));
/// assert!(lines[1].value.starts_with("44136fa355b3678a"), "as sha256sum prints it");
/// # Ok::<(), verifier::trust::TrustError>(())
/// ```
pub fn explain(receipt: &[u8], trust: &Trust, expectation: &Expectation, report: &Report) -> Vec<(Step, Vec<Line>)> {
    let parts = Parts::read(receipt);
    let reached = report.steps.iter().filter(|(_, outcome)| *outcome != Outcome::NotReached);
    reached
        .map(|(step, _)| {
            let mut lines = Lines::default();
            if *step == Step::Receipt {
                of_file(&mut lines, receipt);
            } else if let Some(parts) = &parts {
                parts.show(*step, trust, expectation, &mut lines);
            }
            (*step, lines.lines)
        })
        .collect()
}

fn of_file(lines: &mut Lines, bytes: &[u8]) {
    // A newline may follow the receipt. What is larger was cut by whoever read it, so its hash would mislead.
    if bytes.len() > MAX_RECEIPT + 1 {
        lines.text("size in bytes", format!("more than {}", MAX_RECEIPT + 1));
    } else {
        lines.text("size in bytes", bytes.len());
        lines.sha256("SHA-256 of the file", bytes);
    }
}

/// A receipt, and what could be read of its parts.
struct Parts {
    receipt: Receipt,
    note: Option<Note>,
    checkpoint: Option<Checkpoint>,
    documents: Vec<Option<Document>>,
    decisions: Vec<Option<DecisionEntry>>,
    enrolments: Vec<Option<CredentialEntry>>,
}

impl Parts {
    fn read(bytes: &[u8]) -> Option<Self> {
        let receipt = Receipt::parse(bytes).ok()?;
        let note = Note::parse(receipt.checkpoint.as_bytes()).ok();
        let decision = |part: &LoggedEntry| match Entry::parse(part.entry.as_bytes()) {
            Ok(Entry::Decision(entry)) => Some(entry),
            _ => None,
        };
        let enrolment = |part: &LoggedEntry| match Entry::parse(part.entry.as_bytes()) {
            Ok(Entry::Credential(entry)) => Some(entry),
            _ => None,
        };
        Some(Self {
            checkpoint: note.as_ref().and_then(|note| Checkpoint::from_text(note.text()).ok()),
            documents: receipt.decisions.iter().map(|part| Document::parse(&part.document).ok()).collect(),
            decisions: receipt.decisions.iter().map(|part| decision(&part.logged)).collect(),
            enrolments: receipt.enrolments.iter().map(enrolment).collect(),
            note,
            receipt,
        })
    }

    fn show(&self, step: Step, trust: &Trust, expectation: &Expectation, lines: &mut Lines) {
        match step {
            Step::Receipt => {}
            Step::Checkpoint => logged::checkpoint(self, trust, lines),
            Step::Document => signed::documents(self, lines),
            Step::Entry => logged::entries(self, lines),
            Step::Challenge => signed::challenges(self, lines),
            Step::ClientData => signed::client_data(self, lines),
            Step::AuthenticatorData => signed::authenticator_data(self, trust, lines),
            Step::Enrolment => logged::enrolments(self, lines),
            Step::Signature => signed::signatures(self, lines),
            Step::Inclusion => logged::inclusion(self, lines),
            Step::Quorum => self.quorum(lines),
            Step::Expectation => self.expectation(expectation, lines),
        }
    }

    fn quorum(&self, lines: &mut Lines) {
        let count = |decision| self.documents.iter().flatten().filter(|document| document.decision == decision).count();
        lines.text("approvals", count(Decision::Approve));
        lines.text("rejections", count(Decision::Reject));
        if let Some(Some(first)) = self.documents.first() {
            lines.text("quorum", first.core.quorum);
        }
        for (n, document) in self.documents.iter().enumerate() {
            lines.part(format!("decisions[{n}]"));
            if let Some(document) = document {
                lines.sha256("core hash", document.core.to_canonical().as_bytes());
            }
        }
    }

    fn expectation(&self, expectation: &Expectation, lines: &mut Lines) {
        if let Some(Some(first)) = self.documents.first() {
            lines.hex("payload hash", &first.core.payload_hash());
        }
        if let Some(payload) = &expectation.payload {
            lines.sha256("payload hash expected", canonical(payload).as_bytes());
        }
    }
}

fn canonical(object: &Object) -> String {
    Value::from(object.clone()).to_canonical()
}

/// Bytes beyond this are shown as their size and hash. No part of a receipt that verifies is as long, except texts.
const MAX_SHOWN: usize = 2048;

/// The lines of one step.
#[derive(Default)]
struct Lines {
    part: String,
    lines: Vec<Line>,
}

impl Lines {
    /// The following lines belong to this part.
    fn part(&mut self, part: impl Into<String>) {
        self.part = part.into();
    }

    fn text(&mut self, name: impl Into<String>, value: impl Display) {
        self.lines.push(Line { part: self.part.clone(), name: name.into(), value: value.to_string() });
    }

    fn hex(&mut self, name: impl Into<String>, bytes: &[u8]) {
        if bytes.len() > MAX_SHOWN {
            let hash = hex(&Sha256::digest(bytes));
            self.text(name, format!("{} bytes, too many to show; their SHA-256 is {hash}", bytes.len()));
        } else {
            self.text(name, hex(bytes));
        }
    }

    fn sha256(&mut self, name: impl Into<String>, bytes: &[u8]) {
        self.hex(name, &Sha256::digest(bytes));
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
