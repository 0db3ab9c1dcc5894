//! Why an action does not run: the same codes in every door and language.

use std::fmt;

use verifier::words::visible;

/// What kept the action from running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A person said no.
    Rejected,
    /// Nobody decided in time.
    Expired,
    /// Somebody else cancelled the request.
    Cancelled,
    /// The caller's own time was over. The request is cancelled and a later yes is ignored.
    TimedOut,
    /// The caller was told to stop.
    Aborted,
    /// The server gave no usable answer.
    Unreachable,
    /// The server refused the request.
    Refused,
    /// The answer is about something else than what was asked.
    Mismatch,
    /// `approved`, without a receipt that proves it.
    NotVerified,
    /// The receipt's tree head is smaller than one seen before, or not consistent with it.
    RolledBack,
    /// The approval was used before.
    AlreadyConsumed,
    /// The last moment for using the approval has passed.
    TooLate,
}

impl Code {
    /// The code as status files and answers name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
            Self::Aborted => "aborted",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Mismatch => "mismatch",
            Self::NotVerified => "not_verified",
            Self::RolledBack => "rolled_back",
            Self::AlreadyConsumed => "already_consumed",
            Self::TooLate => "too_late",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The action does not run. Its words are safe for a terminal: hidden characters are written out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Denied {
    /// What kept the action from running.
    pub code: Code,
    /// Why, in words.
    pub detail: String,
    /// The HTTP status and the problem's type, when the server refused.
    pub problem: Option<(u16, String)>,
    /// What the approver wrote on a rejection. Nobody signed it.
    pub note: Option<String>,
}

impl Denied {
    /// A denial with its reason.
    pub fn new(code: Code, detail: impl AsRef<str>) -> Self {
        Self { code, detail: visible(detail.as_ref()), problem: None, note: None }
    }

    /// A rejection, with what the approver wrote.
    pub(crate) fn rejected(by: &str, note: Option<&str>) -> Self {
        let detail = match note {
            Some(note) => format!("{by} rejected it: {}", verifier::words::quoted(note)),
            None => format!("{by} rejected it"),
        };
        Self { note: note.map(visible), ..Self::new(Code::Rejected, detail) }
    }

    /// What the server refused.
    pub(crate) fn refused(status: u16, kind: &str, detail: &str) -> Self {
        Self { problem: Some((status, visible(kind))), ..Self::new(Code::Refused, format!("{detail} ({status})")) }
    }
}
