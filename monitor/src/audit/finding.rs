//! What an audit finds wrong, in exact words, and where; and the findings that are kept, in the order of the log.

use std::collections::BTreeMap;

use merkle::{Hash, LeafIndex, Tile, TreeSize};

use crate::reader::{ReadError, Resource};
use crate::rules::Rule;

/// Something wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Finding {
    /// The first entry that it concerns; the tree size for the root.
    pub index: u64,
    /// What is wrong there.
    pub what: What,
}

/// What can be wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum What {
    /// An entry breaks a rule.
    #[error("entry {index}: {rule}")]
    Rule {
        /// The entry.
        index: LeafIndex,
        /// Which rule, and how.
        rule: Rule,
    },
    /// A bundle that is there and holds other entries than it must, or none.
    #[error("entry {index}: {resource}: {reason}")]
    Bundle {
        /// The entry at which it goes wrong.
        index: LeafIndex,
        /// The bundle.
        resource: Resource,
        /// How.
        reason: String,
    },
    /// An entry and its place in the tile of level 0 disagree.
    #[error(
        "entry {index}: {} holds bytes with the leaf hash {computed}, tile/{} says {stored}{}",
        Resource::Entries(*tile), tile.path(), and_further(*further)
    )]
    LeafHash {
        /// The first such entry of the bundle.
        index: LeafIndex,
        /// The tile of level 0.
        tile: Tile,
        /// What the bytes give.
        computed: Hash,
        /// What the tile says.
        stored: Hash,
        /// How many other entries of the bundle disagree too.
        further: usize,
    },
    /// A hash of a tile of level 1 or higher is not what the entries give.
    #[error(
        "tile/{}: its hash {slot}, over the entries from {start} on, is {stored}, and the entries give {computed}{}",
        tile.path(), and_further(*further)
    )]
    TileHash {
        /// The tile.
        tile: Tile,
        /// Which of its hashes is the first.
        slot: usize,
        /// The first entry below it.
        start: u64,
        /// What the entries give.
        computed: Hash,
        /// What the tile says.
        stored: Hash,
        /// How many other hashes of the tile disagree too.
        further: usize,
    },
    /// A bundle or tile that could not be read.
    #[error("entries from {start} on: {error}")]
    Unreadable {
        /// The first entry below it.
        start: u64,
        /// Why.
        error: ReadError,
    },
    /// The entries give another root than was signed.
    #[error("root: the {size} entries have the root {computed}, the tree head says {claimed}; {}", blame(*tiles_agree))]
    Root {
        /// How many entries.
        size: TreeSize,
        /// What the entries give, or the tile where entries could not be read.
        computed: Hash,
        /// What the head says.
        claimed: Hash,
        /// Whether the tiles of level 0 give the root of the head.
        tiles_agree: bool,
    },
}

impl Finding {
    /// The resource in which it is, if it is in one.
    pub fn resource(&self) -> Option<Resource> {
        match &self.what {
            What::Rule { .. } | What::Root { .. } => None,
            What::Bundle { resource, .. } => Some(*resource),
            What::LeafHash { tile, .. } => Some(Resource::Entries(*tile)),
            What::TileHash { tile, .. } => Some(Resource::Hashes(*tile)),
            What::Unreadable { error, .. } => Some(error.resource()),
        }
    }

    /// Whether it is about what an entry says, in a tree that may be whole.
    pub fn is_rule(&self) -> bool {
        matches!(self.what, What::Rule { .. })
    }

    /// Entry by entry, and for each entry the bytes before the tree before the rules.
    fn rank(&self) -> u8 {
        match self.what {
            What::Unreadable { .. } => 0,
            What::Bundle { .. } => 1,
            What::LeafHash { .. } => 2,
            What::TileHash { .. } => 3,
            What::Rule { .. } => 4,
            What::Root { .. } => 5,
        }
    }
}

impl From<crate::rules::Finding> for Finding {
    fn from(found: crate::rules::Finding) -> Self {
        Self { index: found.index.get(), what: What::Rule { index: found.index, rule: found.rule } }
    }
}

fn and_further(further: usize) -> String {
    if further == 0 { String::new() } else { format!(" (and {further} further ones do not agree)") }
}

fn blame(tiles_agree: bool) -> &'static str {
    if tiles_agree {
        "the tiles give that root, so the entries were changed"
    } else {
        "no tile gives it either: this is another tree than the one of that head"
    }
}

/// The first findings of a log, whatever the order in which they were made.
#[derive(Debug)]
pub(super) struct Findings {
    kept: BTreeMap<(u64, u8, String), Finding>,
    limit: usize,
    more: u64,
    of_tree: u64,
}

impl Findings {
    pub(super) fn new(limit: usize) -> Self {
        Self { kept: BTreeMap::new(), limit, more: 0, of_tree: 0 }
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.of_tree += u64::from(!finding.is_rule());
        self.kept.insert((finding.index, finding.rank(), finding.to_string()), finding);
        if self.kept.len() > self.limit {
            self.kept.pop_last();
            self.more += 1;
        }
    }

    /// How many findings were about the tree.
    pub(super) fn of_tree(&self) -> u64 {
        self.of_tree
    }

    /// The findings in order, and how many there were beyond those.
    pub(super) fn finish(self) -> (Vec<Finding>, u64) {
        (self.kept.into_values().collect(), self.more)
    }
}
