//! A verification report as text for people and as JSON for scripts.

use crate::encoding::base64url;
use crate::json::{Object, Value};
use crate::verify::{Expectation, Facts, Outcome, Report, Verdict};
use crate::words::escaped;
pub(super) use crate::words::visible;

use super::explained::{self, Explained};

/// The report as text: the file, who decided what, the steps, one verdict line, and what a receipt cannot show.
pub(super) fn to_text(
    name: &str,
    report: &Report,
    expectation: &Expectation,
    explained: Option<&[Explained]>,
) -> String {
    let mut lines = vec![visible(name)];
    if let Some(facts) = &report.facts {
        lines.extend(summary(facts));
    }
    if explained.is_some() {
        lines.push(explained::NOTE.to_owned());
    }
    lines.push(String::new());
    for (step, outcome) in &report.steps {
        let (mark, words) = match outcome {
            Outcome::Passed(words) => ("✓", words.as_str()),
            Outcome::Failed(reason) => ("✗", reason.as_str()),
            Outcome::NotReached => ("·", "not reached"),
        };
        lines.push(format!("  {mark} {:<18}  {}", step.id(), visible(words)));
        lines.extend(explained::to_text(*step, explained.unwrap_or_default()));
    }
    lines.push(String::new());
    lines.push(verdict_line(report));
    if let Some(facts) = report.facts.as_ref().filter(|_| report.as_expected) {
        lines.push(String::new());
        lines.push("What this receipt does not show:".to_owned());
        lines.extend(facts.limits().into_iter().map(|limit| format!("  - {limit}")));
        let not_stated = expectation.not_stated();
        if !not_stated.is_empty() {
            lines.push(format!("  - Not compared, because you stated no expectation: {}.", not_stated.join(", ")));
        }
    }
    lines.join("\n") + "\n"
}

fn summary(facts: &Facts) -> Vec<String> {
    let core = &facts.core;
    let mut lines = vec![
        format!("  {} asked: {}", visible(&core.requester), visible(&core.action)),
        format!("  payload: {}", visible(&Value::from(core.payload.clone()).to_canonical())),
    ];
    lines.extend(facts.decisions.iter().map(|decision| {
        let verb = decision.decision.as_str();
        format!("  {} decided to {verb} at {}, log index {}", decision.approver, decision.decided_at, decision.index)
    }));
    lines.push(format!(
        "  {} could decide, {} had to approve; usable until {}",
        names(facts),
        core.quorum,
        core.use_by
    ));
    lines
}

fn names(facts: &Facts) -> String {
    facts.core.approvers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn verdict_line(report: &Report) -> String {
    let verdict = report.verdict.as_str();
    let Some((step, reason)) = report.failure() else { return verdict.to_uppercase() };
    // A script that looks for APPROVED at the start of a line must not find it where the exit code is 1.
    let verdict = match report.verdict {
        Verdict::NotVerified => verdict.to_uppercase(),
        Verdict::Approved | Verdict::Rejected => format!("NOT AS EXPECTED ({verdict})"),
    };
    format!("{verdict}: the step {} failed: {}", step.id(), visible(reason))
}

/// The report as one line of JSON, with every hidden character escaped: it may be read on a terminal too.
pub(super) fn to_json(
    name: &str,
    report: &Report,
    expectation: &Expectation,
    explained: Option<&[Explained]>,
) -> String {
    let step = |(step, outcome): &(crate::verify::Step, Outcome)| {
        let (status, detail) = match outcome {
            Outcome::Passed(words) => ("passed", words.as_str()),
            Outcome::Failed(reason) => ("failed", reason.as_str()),
            Outcome::NotReached => ("not reached", ""),
        };
        Value::from(Object::new([("id", step.id().into()), ("status", status.into()), ("detail", detail.into())]))
    };
    let mut members = vec![
        ("type", "countersign/report/v1".into()),
        ("receipt", name.into()),
        ("verdict", report.verdict.as_str().into()),
        ("as_expected", report.as_expected.into()),
        ("failed_step", report.failure().map_or(Value::Null, |(step, _)| step.id().into())),
        ("steps", report.steps.iter().map(step).collect()),
        ("not_stated", expectation.not_stated().into_iter().map(Value::from).collect()),
        ("facts", Value::Null),
    ];
    if let Some(facts) = &report.facts {
        members.pop();
        members.push(("facts", facts_json(facts)));
    }
    members.extend(explained.map(|explained| ("explain", explained::to_json(explained))));
    escaped(&Value::from(Object::new(members)).to_canonical())
}

fn facts_json(facts: &Facts) -> Value {
    let decision = |fact: &crate::verify::DecisionFact| {
        Value::from(Object::new([
            ("approver", fact.approver.as_str().into()),
            ("credential", base64url(&fact.credential).into()),
            ("decided_at", fact.decided_at.to_string().into()),
            ("decision", fact.decision.as_str().into()),
            ("index", fact.index.to_string().into()),
        ]))
    };
    Object::new([
        ("core", facts.core.to_canonical().into()),
        ("decisions", facts.decisions.iter().map(decision).collect()),
        ("keys_pinned", facts.pinned.into()),
        ("limits", facts.limits().into_iter().map(Value::from).collect()),
        ("witnessed_at", facts.witnessed_at.map_or(Value::Null, |time| time.to_string().into())),
    ])
    .into()
}
