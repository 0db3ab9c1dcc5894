//! The report of an audit: lines for people, or one JSON object for scripts (docs/audit.md).

use std::io::{self, Write as _};
use std::time::Duration;

use monitor::audit::{Finding, Kinds, Report, What};
use serde_json::{Value, json};
use verifier::words::escaped;

use super::AuditError;
use crate::client::visible;

const TYPE: &str = "countersign/audit/v1";

/// A log that was audited.
pub(super) struct Audited {
    /// Where it is.
    pub(super) place: String,
    /// Where the head comes from.
    pub(super) head_is: HeadIs,
    pub(super) report: Report,
    /// What is wrong beside the log: with an anchor or a backup's description.
    pub(super) problems: Vec<String>,
    pub(super) took: Duration,
}

/// Where the head that a log is compared with comes from.
pub(super) enum HeadIs {
    /// From a checkpoint that was opened with the trust file.
    Signed {
        /// How many pinned witnesses cosigned it.
        witnesses: usize,
    },
    /// From a store.
    #[cfg(feature = "server")]
    Stored,
}

impl Audited {
    /// Whether everything was looked at and nothing is wrong.
    pub(super) fn passed(&self) -> bool {
        self.report.passed() && self.problems.is_empty()
    }
}

/// Prints the report on standard output.
pub(super) fn print(audited: &Audited, json: bool) -> io::Result<()> {
    let text = if json { escaped(&to_json(audited).to_string()) + "\n" } else { to_text(audited) };
    io::stdout().lock().write_all(text.as_bytes())
}

/// Prints that there is no report, for scripts.
pub(super) fn print_error(error: &AuditError) -> io::Result<()> {
    let object = json!({ "type": TYPE, "passed": false, "error": error.to_string() });
    writeln!(io::stdout().lock(), "{}", escaped(&object.to_string()))
}

fn to_text(audited: &Audited) -> String {
    let Audited { place, head_is, report, problems, took } = audited;
    let Kinds { credentials, revocations, decisions, consumptions, raw, malformed } = report.kinds;
    let head = match head_is {
        HeadIs::Signed { witnesses: 0 } => "signed".to_owned(),
        HeadIs::Signed { witnesses } => format!("signed, and cosigned by {witnesses}"),
        #[cfg(feature = "server")]
        HeadIs::Stored => "as stored, not signed".to_owned(),
    };
    let mut lines = vec![
        format!("log        {}", report.log_origin),
        format!("read from  {place}"),
        format!("head       {} entries, root {}, {head}", report.head.size, report.head.root),
        format!(
            "entries    {credentials} enrolments, {revocations} revocations, {decisions} decisions, {consumptions} \
             consumptions, {raw} of other services, {malformed} malformed"
        ),
        format!("approvers  {}", report.approvers),
        format!("checked    {}", speed(report, *took)),
        String::new(),
    ];
    lines.extend(report.findings.iter().map(|finding| format!("✗ {finding}")));
    if report.more_findings > 0 {
        lines.push(format!("✗ and {} further findings", report.more_findings));
    }
    if report.rules < report.head.size && report.stopped.is_none() {
        let words = format!("the entries from {} on were not held against the rules", report.rules);
        lines.push(format!("✗ {words}, because what comes before cannot be read"));
    }
    lines.extend(report.stopped.iter().map(|stop| format!("✗ {stop}")));
    lines.extend(problems.iter().map(|problem| format!("✗ {problem}")));
    lines.push(verdict(audited));
    lines.iter().map(|line| visible(line) + "\n").collect()
}

fn verdict(audited: &Audited) -> String {
    let report = &audited.report;
    if audited.passed() {
        return "PASSED: every entry, tile and signature was checked, and they give the root of the head".to_owned();
    }
    let count = report.findings.len() as u64 + report.more_findings + audited.problems.len() as u64;
    match &report.stopped {
        Some(_) => format!("FAILED: not everything could be read; {count} findings until then"),
        None => format!("FAILED: {count} findings"),
    }
}

/// What was done, and how fast.
#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
fn speed(report: &Report, took: Duration) -> String {
    let seconds = took.as_secs_f64().max(0.001);
    let megabytes = report.bytes as f64 / 1e6;
    format!(
        "{} tiles and {} signatures in {seconds:.1} s: {:.0} entries/s, {:.1} MB/s",
        report.tiles,
        report.signatures,
        report.rules.get() as f64 / seconds,
        megabytes / seconds
    )
}

fn to_json(audited: &Audited) -> Value {
    let Audited { place, head_is, report, problems, took } = audited;
    let Kinds { credentials, revocations, decisions, consumptions, raw, malformed } = report.kinds;
    let (signed, witnesses) = match head_is {
        HeadIs::Signed { witnesses } => (true, *witnesses),
        #[cfg(feature = "server")]
        HeadIs::Stored => (false, 0),
    };
    json!({
        "type": TYPE,
        "passed": audited.passed(),
        "log": report.log_origin,
        "place": place,
        "size": report.head.size.get(),
        "root": report.head.root.to_string(),
        "computed_root": report.root.map(|root| root.to_string()),
        "signed": signed,
        "witnesses": witnesses,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "more_findings": report.more_findings,
        "problems": problems,
        "stopped": report.stopped.as_ref().map(ToString::to_string),
        "rules_checked": report.rules.get(),
        "entries": {
            "credentials": credentials, "revocations": revocations, "decisions": decisions,
            "consumptions": consumptions, "raw": raw, "malformed": malformed,
        },
        "approvers": report.approvers,
        "signatures": report.signatures,
        "tiles": report.tiles,
        "bytes": report.bytes,
        "seconds": took.as_secs_f64(),
    })
}

fn finding(finding: &Finding) -> Value {
    let kind = match finding.what {
        What::Rule { .. } => "rule",
        What::Bundle { .. } => "bundle",
        What::LeafHash { .. } => "leaf hash",
        What::TileHash { .. } => "tile hash",
        What::Unreadable { .. } => "unreadable",
        What::Root { .. } => "root",
    };
    let resource = finding.resource().map(|resource| resource.to_string());
    json!({ "index": finding.index, "kind": kind, "resource": resource, "words": finding.to_string() })
}
