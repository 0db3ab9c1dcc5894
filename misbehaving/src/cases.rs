//! The cases: what the server does, what the caller asks, and how every door must end.

use serde_json::{Value, json};

use crate::broken::Broken;
use crate::front::Trick;

/// One case.
pub(crate) struct Case {
    /// Its name, which is the port's name too.
    pub(crate) name: &'static str,
    /// What happens, in words.
    what: &'static str,
    /// Who misbehaves.
    pub(crate) behaviour: Behaviour,
    /// What the caller asks besides action and payload, as JSON; alex alone if it is empty.
    request: &'static str,
    /// The caller's own timeout in seconds; none where the server ends it.
    timeout: Option<u64>,
    /// Whether the caller first gets an approval from `approves`, with the same memory.
    after_approval: bool,
    /// The outcome code of a door; none where the action runs.
    code: Option<&'static str>,
}

/// Who misbehaves.
#[derive(Clone, Copy)]
pub(crate) enum Behaviour {
    /// No server at all, or something else than one.
    Broken(Broken),
    /// The server behind a trick.
    Server(Trick),
}

use Behaviour::{Broken as Net, Server};

const fn case(name: &'static str, behaviour: Behaviour, code: &'static str, what: &'static str) -> Case {
    Case { name, what, behaviour, request: "{}", timeout: None, after_approval: false, code: Some(code) }
}

impl Case {
    const fn asks(self, request: &'static str) -> Self {
        Self { request, ..self }
    }

    const fn within(self, seconds: u64) -> Self {
        Self { timeout: Some(seconds), ..self }
    }

    const fn runs(self) -> Self {
        Self { code: None, ..self }
    }

    const fn after_approval(self) -> Self {
        Self { after_approval: true, ..self }
    }
}

const BOTH: &str = r#"{"approvers":["alex","kim"],"quorum":2}"#;
const SHORT: &str = r#"{"expiresIn":5,"useWithin":5}"#;

/// All of them; `approves` first, because others lead to it.
#[rustfmt::skip]
pub(crate) const CASES: &[Case] = &[
    case("approves", Server(Trick::Approve), "", "the approver approves at once").runs(),
    case("both_approve", Server(Trick::Approve), "", "two of two approve").asks(BOTH).runs(),
    case("rejects", Server(Trick::Reject), "rejected", "the approver rejects, with a note"),
    case("cancels", Server(Trick::Cancel), "cancelled", "somebody else cancels"),
    case("expires", Server(Trick::Expire), "expired", "nobody decides in time"),
    case("refuses", Server(Trick::Nothing), "refused", "the server refuses the request: nobody of that name is enrolled")
        .asks(r#"{"username":"nobody"}"#),
    case("never", Server(Trick::Nothing), "timed_out", "pending for ever").within(8),
    case("late_yes", Server(Trick::LateYes), "timed_out", "approved in the moment in which the caller cancels").within(8),

    case("down", Net(Broken::Down), "unreachable", "nothing listens").within(2),
    case("hangs", Net(Broken::Hangs), "unreachable", "connections are taken and never answered").within(2),
    case("closes_mid_body", Net(Broken::ClosesMidBody), "unreachable", "half an answer, then the connection ends").within(2),
    case("error_500", Net(Broken::Status500), "unreachable", "status 500 to everything").within(2),
    case("not_json", Net(Broken::Html), "unreachable", "a page where JSON should be").within(2),
    case("redirects", Server(Trick::Redirect), "unreachable", "a redirect to a server that approves").within(2),
    case("unknown_status", Server(Trick::UnknownStatus), "unreachable", "a status that no version has").within(2),

    case("wrong_id", Server(Trick::WrongId), "mismatch", "the answer is about another id"),
    case("wrong_core", Server(Trick::WrongCore), "mismatch", "the server asks the approver for another action"),
    case("old_request", Server(Trick::OldRequest), "mismatch", "a request of 200 seconds ago in place of the new one"),

    case("no_receipt", Server(Trick::NoReceipt), "not_verified", "approved, without a receipt"),
    case("other_payload", Server(Trick::OtherPayload), "not_verified", "approved, with the receipt of another payload"),
    case("other_approver", Server(Trick::OtherApprover), "not_verified", "approved, with the receipt of another approver"),
    case("other_log", Server(Trick::OtherLog), "not_verified", "approved, in a log with another key"),
    case("older_receipt", Server(Trick::OlderReceipt), "not_verified", "approved, with the receipt of an older request for the same"),
    case("weaker_quorum", Server(Trick::WeakerQuorum), "not_verified", "approved, with the receipt of a request for one of two").asks(BOTH),
    case("one_of_two", Server(Trick::OneOfTwo), "not_verified", "approved, with one of the two decisions taken out of the receipt").asks(BOTH),
    case("decided_after_expiry", Server(Trick::DecidedLate), "not_verified", "approved, three days after it expired"),
    case("tampered", Server(Trick::Tampered), "not_verified", "approved, with one bit of the signature changed"),
    case("rejection_as_approval", Server(Trick::RejectionAsApproval), "not_verified", "approved, says the status; the receipt is of a rejection"),

    case("rolled_back", Server(Trick::RolledBack), "rolled_back", "a valid receipt of a log that is smaller than before").after_approval(),
    case("forked", Server(Trick::Forked), "rolled_back", "a valid receipt of a larger log that does not extend what was seen").after_approval(),

    case("use_by_passed", Server(Trick::UseByPassed), "too_late", "approved, and answered after it may be used").asks(SHORT),
    case("already_consumed", Server(Trick::AlreadyConsumed), "already_consumed", "approved, and used by somebody else"),
    case("replayed_consumption", Server(Trick::ReplayedConsumption), "already_consumed", "used by somebody else, and answered with the proof of that use"),
    case("old_consumption", Server(Trick::OldConsumption), "already_consumed", "answered with the proof of a use of 200 seconds ago"),
    case("late_consumption", Server(Trick::LateConsumption), "too_late", "answered with the proof of a use after it may be used").asks(SHORT),
    case("forked_consumption", Server(Trick::ForkedConsumption), "rolled_back", "used in a log that does not extend that of the receipt"),
    case("consume_500", Server(Trick::Consume500), "unreachable", "status 500 when it is to be used").within(12),
    case("consume_hangs", Server(Trick::ConsumeHangs), "unreachable", "no answer when it is to be used").within(12),
];

/// The table as it stands in `testdata/doors.json`, one case a line.
pub(crate) fn table() -> String {
    let lines: Vec<String> = CASES.iter().map(|case| format!(" {}", case.to_json())).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

impl Case {
    fn to_json(&self) -> Value {
        let request: Value = serde_json::from_str(self.request).unwrap();
        json!({
            "case": self.name,
            "what": self.what,
            "request": request,
            "timeout": self.timeout,
            "after_approval": self.after_approval,
            "runs": self.code.is_none(),
            "code": self.code,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_these_cases() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/doors.json");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(file, table()).unwrap();
        }
        let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let same = parsed(&std::fs::read_to_string(file).unwrap()) == parsed(&table());
        assert!(same, "write it again with UPDATE_GOLDEN=1");
    }
}
