//! Why there is no report of an audit: one sentence each.

use std::io;
use std::path::PathBuf;

use monitor::ReadError;
use monitor::http::SetupError;
use monitor::signed::SignedHeadError;

/// Why a log was not looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditError {
    /// No log was named.
    #[error("name a log with --url URL or --data-dir DIR, or set COUNTERSIGN_URL")]
    NoLog,
    /// No trust file.
    #[error("{}: {reason}; give the trust file with --trust (countersign trust prints one)", path.display())]
    TrustFile {
        /// Where it should be.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No reader.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The checkpoint could not be read.
    #[error("{place}: {error}; check the URL and that the server runs")]
    Read {
        /// The log's prefix.
        place: String,
        /// Why.
        error: ReadError,
    },
    /// The checkpoint is not one of a pinned log.
    #[error("{place}: {error}")]
    Signed {
        /// The log's prefix.
        place: String,
        /// Why.
        error: SignedHeadError,
    },
    /// There is no log in the directory.
    #[cfg(feature = "server")]
    #[error("there is no log in {}; give a data directory, a backup or a database", .0.display())]
    NoStore(PathBuf),
    /// Its server runs.
    #[cfg(feature = "server")]
    #[error(
        "a running server holds the store in {}; audit it with --url, or stop it first", .0.display()
    )]
    Live(PathBuf),
    /// The log in the directory is another one.
    #[cfg(feature = "server")]
    #[error("{} is of the log {given}, and the trust file pins {pinned}", path.display())]
    OtherLog {
        /// The database.
        path: PathBuf,
        /// Its log.
        given: String,
        /// The logs of the trust file.
        pinned: String,
    },
    /// The store does not give what is needed to begin.
    #[cfg(feature = "server")]
    #[error("{}: {reason}", path.display())]
    Store {
        /// The database.
        path: PathBuf,
        /// Its words.
        reason: String,
    },
    /// The anchor folder that was named.
    #[cfg(feature = "server")]
    #[error("there is no anchor in {}; check --anchor", .0.display())]
    NoAnchor(PathBuf),
    /// The report cannot be written.
    #[error("cannot write the report: {0}")]
    Write(io::Error),
}

impl AuditError {
    /// Whether the call was wrong, so that nothing is said of the log.
    pub(crate) fn is_wrong_call(&self) -> bool {
        match self {
            Self::NoLog | Self::TrustFile { .. } | Self::Setup(SetupError::Url(_)) => true,
            #[cfg(feature = "server")]
            Self::NoStore(_) | Self::NoAnchor(_) => true,
            _ => false,
        }
    }
}
