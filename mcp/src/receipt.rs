//! The tool `verify_receipt`: the offline verification, with what the model states as expectation.

use serde::Serialize;
use serde_json::value::RawValue;
use verifier::time::Timestamp;
use verifier::trust::Trust;
use verifier::verify::{Approvers, Expectation, Report, verify};
use verifier::webauthn::SignaturePrimitive;

use crate::arguments::Arguments;
use crate::desk::Trouble;

/// The structured content of an answer, and its text.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verified {
    verdict: &'static str,
    as_expected: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_step: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten)]
    facts: Option<Facts>,
    not_stated: Vec<&'static str>,
    limits: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    id: String,
    action: String,
    payload: Box<RawValue>,
    approvers: Vec<String>,
    requester: String,
    decided_at: String,
    use_by: String,
}

/// Verifies the receipt that the arguments hold.
pub(crate) fn check(
    arguments: &Arguments,
    trust: &Trust,
    primitive: &dyn SignaturePrimitive,
    now: Timestamp,
) -> Result<Verified, Trouble> {
    let receipt = arguments.text("receipt")?;
    let approver = arguments.optional_username("approver_username")?;
    let expectation = Expectation {
        payload: arguments.optional_payload("payload")?,
        action: arguments.optional_text("action")?.map(str::to_owned),
        approvers: approver.map(|name| Approvers { names: vec![name], quorum: 1 }),
        id: arguments.optional_text("id")?.map(str::to_owned),
        usable_at: Some(now),
        ..Expectation::default()
    };
    let report = verify(receipt.as_bytes(), trust, &expectation, primitive);
    let facts = report.facts.as_ref().map(facts).transpose();
    let facts = facts.map_err(|error| Trouble::new("bug", format!("a canonical payload is not JSON: {error}")))?;
    Ok(described(&report, facts, &expectation))
}

fn described(report: &Report, facts: Option<Facts>, expectation: &Expectation) -> Verified {
    let failure = report.failure();
    Verified {
        verdict: report.verdict.as_str(),
        as_expected: report.as_expected,
        failed_step: failure.map(|(step, _)| step.id()),
        reason: failure.map(|(_, reason)| reason.to_owned()),
        facts,
        not_stated: expectation.not_stated(),
        limits: report.facts.as_ref().map(verifier::verify::Facts::limits).unwrap_or_default(),
    }
}

fn facts(facts: &verifier::verify::Facts) -> Result<Facts, serde_json::Error> {
    let core = &facts.core;
    Ok(Facts {
        id: core.id.to_string(),
        action: core.action.clone(),
        payload: RawValue::from_string(verifier::json::Value::from(core.payload.clone()).to_canonical())?,
        approvers: core.approvers.iter().map(ToString::to_string).collect(),
        requester: core.requester.clone(),
        decided_at: facts.decided_at().to_string(),
        use_by: core.use_by.to_string(),
    })
}
