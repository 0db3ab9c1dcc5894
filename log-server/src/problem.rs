//! Why a request is not answered with what it asked for. One enum for the whole server; HTTP maps it in one place.

use crate::store::StoreError;
use crate::writer::SubmitError;

/// What went wrong, and whose fault it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The request is not what this route takes.
    #[error("{0}")]
    Malformed(String),
    /// No API key, or one that is unknown or revoked.
    #[error("an API key is needed: X-Api-Key or Authorization: Bearer")]
    NoKey,
    /// Nobody is signed in, or the session is over.
    #[error("sign in with your passkey first")]
    NoSession,
    /// The API key may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// There is nothing here, or nothing that the caller may know of: both look the same.
    #[error("there is nothing here")]
    NotFound,
    /// It is too late, or somebody else was first.
    #[error("{0}")]
    Conflict(String),
    /// Larger than a limit.
    #[error("{what} of more than {limit} bytes")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// Another content type or encoding than the route takes.
    #[error("{0}")]
    UnsupportedMedia(String),
    /// A well-formed request with a value that breaks a rule.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field, or the place in it as a JSON pointer.
        field: String,
        /// The rule.
        reason: String,
    },
    /// Too much from one caller.
    #[error("{reason}")]
    TooMany {
        /// Of what.
        reason: String,
        /// Seconds until another try makes sense.
        retry_after: u64,
    },
    /// The server has more to do than it accepts.
    #[error("{0}")]
    Busy(&'static str),
    /// The disk is nearly full.
    #[error("the server's disk is nearly full; nothing new is accepted until there is room")]
    DiskFull,
    /// No backup was made.
    #[error("{0}")]
    BackupFailed(String),
    /// The server is stopping, or could not read its store: what was asked may have happened or not.
    #[error("the server is stopping or cannot read its store; whether this was done is unknown, look again")]
    Unknown,
}

impl Problem {
    /// A value that breaks a rule.
    pub(crate) fn invalid(field: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self::Invalid { field: field.into(), reason: reason.to_string() }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a read failed");
        Self::Unknown
    }
}

impl From<SubmitError<Self>> for Problem {
    fn from(error: SubmitError<Self>) -> Self {
        match error {
            SubmitError::Refused(problem) => problem,
            SubmitError::Full => Self::Busy("the queue to the writer is full"),
            SubmitError::Unknown => Self::Unknown,
        }
    }
}
