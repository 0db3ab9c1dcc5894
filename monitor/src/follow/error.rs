//! Why a monitor does not get further.

use merkle::{ProveError, TileError, TreeSize};

use super::keep::KeepError;
use crate::reader::ReadError;
use crate::signed::SignedHeadError;

/// Why a round ended early. Nothing is skipped: the next round begins with the first entry that is not done.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The log does not answer, or not with what was asked for.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The checkpoint does not count.
    #[error(transparent)]
    Head(#[from] SignedHeadError),
    /// The checkpoint of another log than the one that is followed.
    #[error("the state is of the log {known:?}, and a checkpoint of {given:?} is served")]
    OtherLog {
        /// The log of the state.
        known: String,
        /// The checkpoint's.
        given: String,
    },
    /// Tiles that do not belong to the checkpoint.
    #[error("the tiles do not lead to the root of the checkpoint of size {size}: {reason}")]
    WrongTiles {
        /// The checkpoint's size.
        size: TreeSize,
        /// What does not fit.
        reason: String,
    },
    /// Entries that do not belong to the checkpoint.
    #[error("the entries from {from} up to {to} do not hash to the tree of the checkpoint of size {size}: {reason}")]
    WrongEntries {
        /// The first of them.
        from: TreeSize,
        /// The first after them.
        to: TreeSize,
        /// The checkpoint's size.
        size: TreeSize,
        /// What does not fit.
        reason: String,
    },
    /// The log contradicts itself, now or in an earlier run; the report says how.
    #[error(
        "the log contradicts itself, so nothing more is checked until {place} is moved away; keep it, it is the evidence"
    )]
    Inconsistent {
        /// Where the evidence is.
        place: String,
    },
    /// A report was not delivered.
    #[error("{0}; the report is made again by the next run")]
    Undelivered(String),
    /// The state cannot be kept.
    #[error(transparent)]
    Keep(#[from] KeepError),
}

impl FollowError {
    /// Whether it lies with the log, so that another round may get further.
    pub fn is_passing(&self) -> bool {
        !matches!(self, Self::Inconsistent { .. } | Self::Undelivered(_) | Self::Keep(_))
    }

    /// Whether the log only did not answer. Everything else that passes is something that the log did wrong.
    pub fn is_silence(&self) -> bool {
        matches!(self, Self::Read(error) if error.is_retryable())
    }

    pub(super) fn tiles(error: ProveError<TileError<ReadError>>) -> Self {
        match error {
            ProveError::Reader(TileError::Reader(error)) => Self::Read(error),
            other => unreachable!("only nodes of the tree are asked for, and all are returned: {other}"),
        }
    }
}
