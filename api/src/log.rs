//! The JSON beside the tiles. Here, as in the checkpoint, hashes and entries are standard base64.

use serde::{Deserialize, Serialize};

/// `GET /log/tree-head`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeHead {
    /// The log's name.
    pub log_origin: String,
    /// How many entries.
    pub size: u64,
    /// The root hash.
    pub root: String,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// `GET /log/proof/inclusion`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogInclusionProof {
    /// Which entry.
    pub index: u64,
    /// In the tree of which size.
    pub size: u64,
    /// The entry's leaf hash.
    pub leaf_hash: String,
    /// The hashes from the leaf's sibling up.
    pub hashes: Vec<String>,
    /// The newest signed checkpoint.
    pub checkpoint: String,
}

/// `GET /log/proof/consistency`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsistencyProof {
    /// The smaller size.
    pub from: u64,
    /// The larger size.
    pub to: u64,
    /// The proof of RFC 6962 §2.1.2.
    pub hashes: Vec<String>,
}

/// `GET /log/entries/{index}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Where in the log.
    pub index: u64,
    /// The entry's bytes.
    pub entry: String,
    /// Its leaf hash.
    pub leaf_hash: String,
}

/// `GET /log/entries`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntryList {
    /// The entries, ascending.
    pub entries: Vec<LogEntry>,
}

/// `POST /log/entries`, for one entry
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    /// Where in the log.
    pub index: u64,
    /// Its leaf hash.
    pub leaf_hash: String,
    /// A signed checkpoint that covers it.
    pub checkpoint: String,
}

/// `POST /log/entries`, for a list of entries
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendedList {
    /// Where each is, in the order in which they were sent.
    pub entries: Vec<AppendedEntry>,
    /// A signed checkpoint that covers them all.
    pub checkpoint: String,
}

/// One of [`AppendedList`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendedEntry {
    /// Where in the log.
    pub index: u64,
    /// Its leaf hash.
    pub leaf_hash: String,
}
