//! What a model is told about a request. Every answer but a verified approval says in words not to act.

use api::Status;
use serde::Serialize;
use serde_json::value::RawValue;
use verifier::time::Timestamp;
use verifier::words::visible;

use crate::desk::Seen;

/// When to ask again, in milliseconds: at once, because the waiting is the call's.
const POLL_AFTER: u64 = 1000;

/// The structured content of an answer, and its text. The first three fields are what matters.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    approved: bool,
    status: &'static str,
    next: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    action: String,
    payload: Box<RawValue>,
    payload_hash: String,
    approvers: Vec<String>,
    url: String,
    compare_code: String,
    expires_at: String,
    use_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    poll_after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
}

impl Answer {
    pub(crate) fn of(seen: Seen, now: Timestamp) -> Result<Self, serde_json::Error> {
        let (approved, reason, next) = judge(&seen, now);
        let Seen { confirmation, core, .. } = seen;
        let status = confirmation.status;
        let note = confirmation.decisions.into_iter().find_map(|decision| decision.note);
        let payload = verifier::json::Value::from(core.payload.clone()).to_canonical();
        Ok(Self {
            approved,
            status: status.as_str(),
            next,
            id: confirmation.id,
            reason,
            payload: RawValue::from_string(payload)?,
            // Out of the core, not out of the answer beside it: this is what was signed.
            payload_hash: verifier::encoding::base64url(&core.payload_hash()),
            approvers: core.approvers.iter().map(ToString::to_string).collect(),
            url: visible(&confirmation.url),
            compare_code: core.compare_code(),
            expires_at: core.expires_at.to_string(),
            use_by: core.use_by.to_string(),
            decided_at: confirmation.decided_at,
            note: note.as_deref().map(visible),
            poll_after_ms: (status == Status::Pending).then_some(POLL_AFTER),
            receipt: confirmation.receipt.filter(|_| matches!(status, Status::Approved | Status::Rejected)),
            action: core.action,
        })
    }
}

/// Whether to act, why not, and what to do now.
fn judge(seen: &Seen, now: Timestamp) -> (bool, Option<&'static str>, String) {
    let Seen { confirmation, core, flaw } = seen;
    let no = |reason, words: String| (false, Some(reason), words);
    let ask_again = "Do not act. If it is still wanted, ask again with request_human_approval.";
    match confirmation.status {
        Status::Pending => (false, None, pending(seen)),
        Status::Rejected => no(
            "rejected",
            "A person rejected this. Do not act, do not ask again for the same thing, and tell the user.".to_owned(),
        ),
        Status::Expired => no("expired", format!("Nobody decided in time. {ask_again}")),
        Status::Cancelled => no("cancelled", format!("The request was cancelled. {ask_again}")),
        Status::Approved => {
            if let Some(flaw) = flaw {
                return no(
                    flaw.code,
                    format!("The approval is not proved: {}. Do not act; tell the user.", flaw.words),
                );
            }
            if let Some(at) = &confirmation.consumed_at {
                return no("already_consumed", format!("This approval was used at {at}. {ask_again}"));
            }
            if now > core.use_by {
                return no("too_late", format!("This approval could be used until {}. {ask_again}", core.use_by));
            }
            let words = format!(
                "Approved and verified. Do exactly what the payload says, once, before {}. For another run ask again.",
                core.use_by
            );
            (true, None, words)
        }
    }
}

fn pending(seen: &Seen) -> String {
    let approvers = seen.core.approvers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    format!(
        "Not decided yet: do not act. Call wait_for_approval with id {} again until the status is no longer pending. \
         {approvers} decides at {} (compare code {}) until {}.",
        seen.confirmation.id,
        visible(&seen.confirmation.url),
        seen.core.compare_code(),
        seen.core.expires_at
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use serde_json::{Value, json};

    use super::*;
    use crate::desk::Flaw;
    use crate::made::{NOW, ask, seen};

    fn told(seen: Seen, now: u64) -> Value {
        serde_json::to_value(Answer::of(seen, Timestamp::from_unix(now)).unwrap()).unwrap()
    }

    #[test]
    fn only_a_proved_unused_timely_approval_is_approved() {
        let base = || seen(&ask(), 1, NOW);
        let with = |status: Status, change: fn(&mut Seen)| {
            let mut seen = base();
            seen.confirmation.status = status;
            change(&mut seen);
            seen
        };
        let flawed = |seen: &mut Seen| seen.flaw = Some(Flaw { code: "rolled_back", words: "smaller".to_owned() });
        let used = |seen: &mut Seen| seen.confirmation.consumed_at = Some("2027-01-01T00:00:00Z".to_owned());
        for (seen, now, approved, reason) in [
            (with(Status::Approved, |_| ()), NOW, true, Value::Null),
            (with(Status::Approved, |_| ()), NOW + 4500, true, Value::Null),
            (with(Status::Approved, |_| ()), NOW + 4501, false, json!("too_late")),
            (with(Status::Approved, flawed), NOW, false, json!("rolled_back")),
            (with(Status::Approved, used), NOW, false, json!("already_consumed")),
            (with(Status::Rejected, |_| ()), NOW, false, json!("rejected")),
            (with(Status::Expired, |_| ()), NOW, false, json!("expired")),
            (with(Status::Cancelled, |_| ()), NOW, false, json!("cancelled")),
            (base(), NOW, false, Value::Null),
        ] {
            let answer = told(seen, now);
            assert_eq!((&answer["approved"], &answer["reason"]), (&json!(approved), &reason), "{answer}");
            let next = answer["next"].as_str().unwrap();
            assert_eq!(next.to_lowercase().contains("do not act"), !approved, "{next}");
        }
    }

    #[test]
    fn what_it_is_about_comes_out_of_the_core() {
        let answer = told(seen(&ask(), 1, NOW), NOW);
        assert_eq!(answer["action"], "Pay the invoice");
        assert_eq!(answer["payload"], json!({"amount": "12.50"}));
        assert_eq!(answer["approvers"], json!(["alex"]));
        assert_ne!(answer["compareCode"], "zzzz");
        assert_eq!(answer["pollAfterMs"], 1000);
    }
}
