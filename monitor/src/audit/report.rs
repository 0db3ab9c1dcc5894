//! What an audit comes to.

use merkle::{Hash, TreeSize};

use super::Head;
use super::finding::Finding;
use crate::reader::ReadError;

/// What an audit looked at and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The log's name.
    pub log_origin: String,
    /// What was said of the log.
    pub head: Head,
    /// What is wrong, in the order of the log.
    pub findings: Vec<Finding>,
    /// How many findings there are beyond those.
    pub more_findings: u64,
    /// How many of all findings are about the tree, and not about what its entries say.
    pub tree_findings: u64,
    /// Why the audit ended before it had looked at everything.
    pub stopped: Option<Stop>,
    /// The root of what could be read; none if it could not be computed.
    pub root: Option<Hash>,
    /// The entries that were held against the rules: all before the first that could not be read.
    pub rules: TreeSize,
    /// Those entries by what they are.
    pub kinds: Kinds,
    /// Approvers with an enrolled key, by their labels.
    pub approvers: u64,
    /// Signatures that were verified, good and bad.
    pub signatures: u64,
    /// Tiles of hashes that were compared.
    pub tiles: u64,
    /// Bytes of bundles and tiles that were read.
    pub bytes: u64,
}

/// Entries by what they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Enrolments of keys.
    pub credentials: u64,
    /// Revocations of keys.
    pub revocations: u64,
    /// Approvals and rejections.
    pub decisions: u64,
    /// Approvals that were used.
    pub consumptions: u64,
    /// Entries of other services.
    pub raw: u64,
    /// Entries that claim to be ours and are not.
    pub malformed: u64,
}

/// Why an audit ended before it had looked at everything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The log does not answer any more.
    #[error("the log could not be read to the end: {0}")]
    Unavailable(ReadError),
    /// Most of it seems to be missing, and a head may claim any size.
    #[error("{0} bundles and tiles could not be read, and no further ones were asked for")]
    TooManyUnreadable(usize),
}

impl Report {
    /// Whether everything was looked at and nothing is wrong.
    pub fn passed(&self) -> bool {
        self.findings.is_empty()
            && self.more_findings == 0
            && self.stopped.is_none()
            && self.root == Some(self.head.root)
            && self.rules == self.head.size
    }

    /// Whether the tree was read whole and is the one of the head, whatever its entries say.
    pub fn tree_is_whole(&self) -> bool {
        self.tree_findings == 0
            && self.stopped.is_none()
            && self.root == Some(self.head.root)
            && self.rules == self.head.size
    }
}
