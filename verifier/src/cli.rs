//! The command line of `countersign-verify`, which `countersign verify` shares: what can be typed, and the report.
//!
//! Exit codes: 0 when every receipt shows the expected decision, 1 when one does not, 2 when the call itself was wrong.

mod explained;
mod report;

use std::io::{Read as _, Write};
use std::num::ParseIntError;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use crate::document::{Decision, parse_payload};
use crate::names::Username;
use crate::receipt::MAX_RECEIPT;
use crate::time::Timestamp;
use crate::trust::{MAX_TRUST, Trust};
use crate::verify::{Approvers, Expectation, explain, verify};
use crate::webauthn::SignaturePrimitive;

/// Check receipts offline: who approved or rejected what, and whether it is in the log.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyArgs {
    /// Receipt files; `-` reads standard input.
    #[arg(required = true)]
    receipts: Vec<PathBuf>,
    /// The trust file: log keys, relying party id, web origins, and whom else you pin.
    #[arg(long, env = "COUNTERSIGN_TRUST")]
    trust: PathBuf,
    /// A file with the exact payload that you expect, as JSON in any layout.
    #[arg(long)]
    payload: Option<PathBuf>,
    /// The exact title that you expect.
    #[arg(long)]
    action: Option<String>,
    /// Exactly who must have been asked, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = username)]
    approvers: Vec<Username>,
    /// Exactly how many of them had to approve.
    #[arg(long, requires = "approvers", default_value_t = 1, value_parser = whole_number::<u32>)]
    quorum: u32,
    /// The decision that you expect: approve or reject.
    #[arg(long, default_value = "approve")]
    decision: Decision,
    /// The id of the confirmation that you expect.
    #[arg(long)]
    id: Option<String>,
    /// The name of the requester that you expect.
    #[arg(long)]
    requester: Option<String>,
    /// How many seconds ago it may have been decided.
    #[arg(long, value_name = "SECONDS", value_parser = whole_number::<u64>)]
    max_age: Option<u64>,
    /// Refuse an approval that may not be used any more.
    #[arg(long)]
    usable: bool,
    /// Show the sizes, hashes and signed bytes of each step, to compute them again by hand.
    #[arg(long)]
    explain: bool,
    /// Print the report as one JSON object for each receipt.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples (`countersign verify` takes the same):
  countersign-verify deploy.receipt.json --trust trust.json
  countersign-verify deploy.receipt.json --trust trust.json --payload deploy.json --approvers alex --usable
  countersign-verify - --trust trust.json --decision reject --json < refused.receipt.json
  countersign-verify deploy.receipt.json --trust trust.json --explain

Exit codes: 0 the expected decision was reached and verified, 1 it was not, 2 the call was wrong.";

fn username(text: &str) -> Result<Username, String> {
    Username::new(text).map_err(|error| error.to_string())
}

/// A number of digits alone: `parse` would take a plus before them.
fn whole_number<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<T, String> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("not a whole number".to_owned());
    }
    text.parse().map_err(|error: ParseIntError| error.to_string())
}

/// Why nothing, or not everything, was verified: the call itself was wrong.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// A file could not be read.
    #[error("cannot read {path}: {error}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{path} is not a {what}: {reason}")]
    Content {
        /// The file.
        path: String,
        /// What it should be.
        what: &'static str,
        /// Why it is not.
        reason: String,
    },
    /// Receipts that could not be read, in their order; the others have their reports.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unreadable(Vec<CallError>),
    /// The report could not be written.
    #[error("cannot write the report: {0}")]
    Write(#[from] std::io::Error),
}

impl VerifyArgs {
    /// Verifies the receipts, writes a report for each to `out`, and says whether all are as expected. A receipt that cannot
    /// be read keeps none of the others from its report.
    pub fn run(
        &self,
        now: Timestamp,
        primitive: &dyn SignaturePrimitive,
        out: &mut dyn Write,
    ) -> Result<bool, CallError> {
        let trust = Trust::parse(&read(&self.trust, MAX_TRUST)?).map_err(|e| content(&self.trust, "trust file", e))?;
        let expectation = self.expectation(now)?;
        let (mut good, mut unreadable) = (0, Vec::new());
        let with_summary = self.receipts.len() > 1 && !self.json;
        for path in &self.receipts {
            let receipt = match read(path, MAX_RECEIPT + 1) {
                Ok(receipt) => receipt,
                Err(error) => {
                    if with_summary {
                        writeln!(out, "{}\n\nUNREADABLE", report::visible(&display(path)))?;
                    }
                    unreadable.push(error);
                    continue;
                }
            };
            let report = verify(&receipt, &trust, &expectation, primitive);
            let explained = self.explain.then(|| explain(&receipt, &trust, &expectation, &report));
            good += usize::from(report.as_expected);
            if self.json {
                writeln!(out, "{}", report::to_json(&display(path), &report, &expectation, explained.as_deref()))?;
            } else {
                write!(out, "{}", report::to_text(&display(path), &report, &expectation, explained.as_deref()))?;
            }
        }
        if with_summary {
            let rest = if unreadable.is_empty() { String::new() } else { format!(", {} unreadable", unreadable.len()) };
            writeln!(out, "\n{good} of {} receipts as expected{rest}", self.receipts.len())?;
        }
        if unreadable.is_empty() { Ok(good == self.receipts.len()) } else { Err(CallError::Unreadable(unreadable)) }
    }

    fn expectation(&self, now: Timestamp) -> Result<Expectation, CallError> {
        let payload = match &self.payload {
            Some(path) => {
                let bytes = read(path, MAX_RECEIPT)?;
                Some(parse_payload(&bytes).map_err(|error| content(path, "payload", error))?)
            }
            None => None,
        };
        let approvers = Approvers { names: self.approvers.clone(), quorum: self.quorum };
        Ok(Expectation {
            payload,
            action: self.action.clone(),
            approvers: (!self.approvers.is_empty()).then_some(approvers),
            decision: Some(self.decision),
            id: self.id.clone(),
            core: None,
            requester: self.requester.clone(),
            max_age: self.max_age.map(|limit| (now, limit)),
            usable_at: self.usable.then_some(now),
        })
    }
}

/// Reads a file, or standard input for `-`. What is larger than the limit is cut just behind it and refused later.
fn read(path: &Path, limit: usize) -> Result<Vec<u8>, CallError> {
    let mut bytes = Vec::new();
    let limit = limit as u64 + 1;
    let result = if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    result.map(|_| bytes).map_err(|error| CallError::Read { path: report::visible(&display(path)), error })
}

fn content(path: &Path, what: &'static str, error: impl std::fmt::Display) -> CallError {
    CallError::Content { path: report::visible(&display(path)), what, reason: report::visible(&error.to_string()) }
}

fn display(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}
