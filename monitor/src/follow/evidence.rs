//! Two checkpoints of one log that no one tree can have, and what shows it.

use std::fmt;

use merkle::{Hash, TileNodes, TreeSize, prove_consistency, root_at, verify_consistency};

use super::error::FollowError;
use crate::reader::{LogReader, Tiles};
use crate::signed::SignedHead;

/// Two signed checkpoints that accuse the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The one that was seen and checked before.
    pub known: SignedHead,
    /// The one that was served now.
    pub shown: SignedHead,
    /// What is wrong with the two.
    pub why: Why,
    /// The consistency proof from the smaller size, as the tiles of the log give it. Empty if there is none to be had.
    pub proof: Vec<Hash>,
    /// The root at the smaller size, to which that proof leads under the larger checkpoint's root.
    pub prefix: Option<Hash>,
}

/// How two checkpoints contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// One size and two roots.
    TwoRoots(TreeSize),
    /// The larger tree does not begin with the smaller one.
    NotAPrefix {
        /// The size of the smaller one.
        smaller: TreeSize,
        /// The size of the larger one.
        larger: TreeSize,
    },
    /// The log went back, and what it shows is an older state of the same tree.
    Backwards {
        /// The size that was known.
        from: TreeSize,
        /// The size that was served.
        to: TreeSize,
    },
    /// The log went back, and its tiles do not show whether to an older state of the same tree.
    BackwardsUnproven {
        /// The size that was known.
        from: TreeSize,
        /// The size that was served.
        to: TreeSize,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwoRoots(size) => write!(f, "it signed two different roots for the size {size}"),
            Self::NotAPrefix { smaller, larger } => {
                write!(
                    f,
                    "it signed a tree of size {larger} that does not begin with the tree of size {smaller} that it signed"
                )
            }
            Self::Backwards { from, to } => write!(
                f,
                "it went back from size {from} to size {to}, an older state of the same tree: a copy that was brought \
                 back, or a cache that serves old checkpoints"
            ),
            Self::BackwardsUnproven { from, to } => {
                write!(f, "it went back from size {from} to size {to}, and does not show that this is the same tree")
            }
        }
    }
}

/// What a served checkpoint is to the one that is known.
pub(super) enum Compared {
    /// The same tree.
    Same,
    /// A larger tree that begins with the known one.
    Grown,
    /// Neither.
    Contradiction(Box<Evidence>),
}

/// Holds a served checkpoint against the known one. The proof is made here from the log's tiles.
pub(super) fn compare(known: &SignedHead, shown: &SignedHead, reader: &dyn LogReader) -> Result<Compared, FollowError> {
    let (from, to) = (known.checkpoint.size, shown.checkpoint.size);
    let contradiction = |why, proof, prefix| {
        Compared::Contradiction(Box::new(Evidence { known: known.clone(), shown: shown.clone(), why, proof, prefix }))
    };
    if from == to {
        let same = known.checkpoint.root == shown.checkpoint.root;
        return Ok(if same { Compared::Same } else { contradiction(Why::TwoRoots(from), Vec::new(), None) });
    }
    if to < from {
        // The tiles of the known size may be gone; going back is enough for an accusation.
        return Ok(match prefix(shown, known, reader) {
            Ok((proof, root)) if root == shown.checkpoint.root => {
                contradiction(Why::Backwards { from, to }, proof, Some(root))
            }
            Ok((proof, root)) => contradiction(Why::NotAPrefix { smaller: to, larger: from }, proof, Some(root)),
            Err(_) => contradiction(Why::BackwardsUnproven { from, to }, Vec::new(), None),
        });
    }
    let (proof, root) = prefix(known, shown, reader)?;
    if root == known.checkpoint.root {
        return Ok(Compared::Grown);
    }
    Ok(contradiction(Why::NotAPrefix { smaller: from, larger: to }, proof, Some(root)))
}

/// The root at the size of the smaller head within the tree of the larger one, and the proof that it is.
///
/// Tiles are signed by nobody. Tiles that do not lead to the larger head's root accuse whoever serves them, but do not
/// show two histories; only a root that is proven to be in the larger tree may be held against the smaller head.
fn prefix(smaller: &SignedHead, larger: &SignedHead, reader: &dyn LogReader) -> Result<(Vec<Hash>, Hash), FollowError> {
    let (from, to) = (smaller.checkpoint.size, larger.checkpoint.size);
    let nodes = TileNodes { size: to, reader: Tiles(reader) };
    let root = root_at(from, &nodes).map_err(FollowError::tiles)?;
    let proof = prove_consistency(from, to, &nodes).map_err(FollowError::tiles)?;
    match verify_consistency(from, to, &root, &larger.checkpoint.root, &proof) {
        Ok(()) => Ok((proof, root)),
        Err(error) => Err(FollowError::WrongTiles { size: to, reason: error.to_string() }),
    }
}
