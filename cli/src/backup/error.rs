//! Why a backup is not made or not restored: one sentence each, which says what to do.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use log_server::anchor::AnchorError;
use log_server::start::StartError;
use log_server::store::StoreError;

use crate::client::ClientError;
use crate::secret_file::SecretFileError;
use crate::serve::ServeError;

/// What somebody does who has only an older copy.
const WAY_ON: &str = "the way on from an older copy is a new log, and `countersign restore BACKUP --tiles DIR` keeps the \
                      old one readable (docs/backup.md)";

/// Why there is no backup, or no restored server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    /// The running server does not make one.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// No API key.
    #[error("an API key of scope admin is needed; give its file with --api-key-file, or set COUNTERSIGN_API_KEY")]
    NoKey,
    /// The file of the API key is missing.
    #[error("there is no API key in {}; give the file of one of scope admin with --api-key-file", .0.display())]
    NoSuchKey(PathBuf),
    /// A file with a key.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    /// The server runs, and it alone may read its store.
    #[error(
        "a server is running with the anchor folder {}; back it up through the server, with `countersign backup --url URL`",
        anchor.display()
    )]
    Running {
        /// The locked anchor folder.
        anchor: PathBuf,
    },
    /// The server runs where something should be restored.
    #[error("a server is running with the anchor folder {}; stop it first, nothing was restored", .0.display())]
    RestoreOverRunning(PathBuf),
    /// A stopped server without its anchor.
    #[error("there is no anchor for {} in {}; name the anchor folder of this data with --anchor", data_dir.display(), anchor.display())]
    NoAnchor {
        /// Where it should be.
        anchor: PathBuf,
        /// The data.
        data_dir: PathBuf,
    },
    /// The anchor is another log's.
    #[error("the anchor belongs to the log {anchor}; {other}; give the anchor folder of this log")]
    OtherLog {
        /// The anchor's log.
        anchor: String,
        /// What it is compared with.
        other: String,
    },
    /// The anchor does not accept the backup.
    #[error("{0}; nothing was restored; {WAY_ON}")]
    Refused(String),
    /// There is something where the backup should go.
    #[error("{} is not empty, and nothing is overwritten; give another directory or move that one away", .0.display())]
    NotEmpty(PathBuf),
    /// The copy could not be made.
    #[error("no backup was made in {}: {reason}; check that there is room and that this user may write there", folder.display())]
    Copy {
        /// Where.
        folder: PathBuf,
        /// The store's words.
        reason: String,
    },
    /// A backup that is not what it was.
    #[error("the backup {} is damaged: {reason}; take another copy of it, or an older backup", path.display())]
    Damaged {
        /// The backup, or a part of it.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The rules of a start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The anchor folder.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// Folders, keys and database, as for a server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file system failed.
    #[error("{}: {error}; check the path, its permissions and the disk", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl BackupError {
    pub(crate) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_owned(), error }
    }

    pub(crate) fn damaged(path: &Path, reason: impl Display) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.to_string() }
    }

    /// Whether another try would fail in the same way.
    pub(crate) fn is_permanent(&self) -> bool {
        match self {
            Self::NoAnchor { .. }
            | Self::OtherLog { .. }
            | Self::Refused(_)
            | Self::NotEmpty(_)
            | Self::Damaged { .. }
            | Self::RestoreOverRunning(_) => true,
            Self::Start(error) => error.is_permanent(),
            Self::Serve(error) => error.is_permanent(),
            Self::Anchor(error) => !matches!(error, AnchorError::Io { .. }),
            _ => false,
        }
    }
}
