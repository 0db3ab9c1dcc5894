//! Makes proofs: plan, one read, fold.

use alloc::vec::Vec;
use core::fmt;

use crate::{EMPTY_ROOT, Hash, LeafIndex, NodeReader, Plan, PlanError, TreeSize};

/// The inclusion proof of a leaf (RFC 6962 §2.1.1): its siblings on the way to the root, lowest first.
///
/// The reader may belong to a larger tree than `size`.
///
/// ```
/// use merkle::{Hash, LeafIndex, TreeSize, leaf_hash, prove_inclusion, root, verify_inclusion};
///
/// let leaves: Vec<Hash> = (0..10).map(|n| leaf_hash(&[n])).collect();
/// let (index, size) = (LeafIndex::new(3), TreeSize::new(10));
/// let proof = prove_inclusion(index, size, leaves.as_slice())?;
/// assert_eq!(verify_inclusion(&leaves[3], index, size, &proof, &root(&leaves)), Ok(()));
/// # Ok::<(), merkle::ProveError<merkle::MissingNode>>(())
/// ```
pub fn prove_inclusion<R: NodeReader + ?Sized>(
    index: LeafIndex,
    size: TreeSize,
    reader: &R,
) -> Result<Vec<Hash>, ProveError<R::Error>> {
    read_and_fold(&Plan::inclusion(index, size)?, reader)
}

/// The consistency proof between the trees of two sizes (RFC 6962 §2.1.2). It is empty if they are equal, or if the
/// old tree is empty.
///
/// ```
/// use merkle::{Hash, TreeSize, leaf_hash, prove_consistency, root, verify_consistency};
///
/// let leaves: Vec<Hash> = (0..10).map(|n| leaf_hash(&[n])).collect();
/// let (from, to) = (TreeSize::new(3), TreeSize::new(10));
/// let proof = prove_consistency(from, to, leaves.as_slice())?;
/// assert_eq!(verify_consistency(from, to, &root(&leaves[..3]), &root(&leaves), &proof), Ok(()));
/// # Ok::<(), merkle::ProveError<merkle::MissingNode>>(())
/// ```
pub fn prove_consistency<R: NodeReader + ?Sized>(
    from: TreeSize,
    to: TreeSize,
    reader: &R,
) -> Result<Vec<Hash>, ProveError<R::Error>> {
    read_and_fold(&Plan::consistency(from, to)?, reader)
}

/// The root of the tree of that size, which may be older than what the reader holds.
///
/// It is made of what the reader returns, and of no more than it needs. That it is the root that somebody signed shows nothing of
/// the nodes below those: whoever checks a whole log hashes it from the leaves.
///
/// ```
/// use merkle::{Hash, TreeSize, leaf_hash, root, root_at};
///
/// let leaves: Vec<Hash> = (0..10).map(|n| leaf_hash(&[n])).collect();
/// assert_eq!(root_at(TreeSize::new(3), leaves.as_slice())?, root(&leaves[..3]));
/// # Ok::<(), merkle::ProveError<merkle::MissingNode>>(())
/// ```
pub fn root_at<R: NodeReader + ?Sized>(size: TreeSize, reader: &R) -> Result<Hash, ProveError<R::Error>> {
    let root = read_and_fold(&Plan::root(size), reader)?;
    Ok(root.first().copied().unwrap_or(EMPTY_ROOT))
}

fn read_and_fold<R: NodeReader + ?Sized>(plan: &Plan, reader: &R) -> Result<Vec<Hash>, ProveError<R::Error>> {
    let asked = plan.nodes().len();
    let hashes = if asked == 0 { Vec::new() } else { reader.read_nodes(plan.nodes()).map_err(ProveError::Reader)? };
    plan.fold(&hashes).ok_or(ProveError::WrongCount { asked, got: hashes.len() })
}

/// Why there is no proof.
///
/// ```
/// use merkle::{Hash, LeafIndex, MissingNode, Node, ProveError, TreeSize, leaf_hash, prove_inclusion};
///
/// let leaves: [Hash; 2] = [leaf_hash(b"a"), leaf_hash(b"b")];
/// let error = prove_inclusion(LeafIndex::new(0), TreeSize::new(3), leaves.as_slice());
/// assert_eq!(error, Err(ProveError::Reader(MissingNode(Node { level: 0, index: 2 }))));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProveError<E> {
    /// The caller asked for what cannot be.
    Plan(PlanError),
    /// The reader failed.
    Reader(E),
    /// The reader broke its promise to return a hash for each node.
    WrongCount {
        /// How many nodes it was asked for.
        asked: usize,
        /// How many hashes it returned.
        got: usize,
    },
}

impl<E> From<PlanError> for ProveError<E> {
    fn from(error: PlanError) -> ProveError<E> {
        ProveError::Plan(error)
    }
}

impl<E: fmt::Display> fmt::Display for ProveError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProveError::Plan(error) => error.fmt(f),
            ProveError::Reader(error) => write!(f, "cannot read the nodes of the tree: {error}"),
            ProveError::WrongCount { asked, got } => {
                write!(f, "the reader was asked for {asked} nodes and returned {got}")
            }
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for ProveError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            ProveError::Plan(_) | ProveError::WrongCount { .. } => None,
            // Its own words stand in ours already.
            ProveError::Reader(error) => error.source(),
        }
    }
}

#[cfg(test)]
mod tests {
    use core::{cell::Cell, convert::Infallible};

    use super::*;
    use crate::Node;

    /// Returns one hash too few, and counts the calls.
    struct Short(Cell<usize>);

    impl NodeReader for Short {
        type Error = Infallible;

        fn read_nodes(&self, nodes: &[Node]) -> Result<Vec<Hash>, Infallible> {
            self.0.set(self.0.get() + 1);
            Ok(nodes.iter().skip(1).map(|_| EMPTY_ROOT).collect())
        }
    }

    #[test]
    fn a_reader_that_returns_too_little_is_an_error() {
        let reader = Short(Cell::new(0));
        let (three, seven) = (TreeSize::new(3), TreeSize::new(7));
        let wrong = |asked| Err(ProveError::WrongCount { asked, got: asked - 1 });
        assert_eq!(prove_inclusion(LeafIndex::new(5), seven, &reader), wrong(3));
        assert_eq!(prove_consistency(three, seven, &reader), wrong(5));
        assert_eq!(root_at(seven, &reader), Err(ProveError::WrongCount { asked: 3, got: 2 }));
        assert_eq!(reader.0.get(), 3, "one read each");
    }

    #[test]
    fn reads_nothing_where_nothing_is_needed() {
        let reader = Short(Cell::new(0));
        let (one, nine) = (TreeSize::new(1), TreeSize::new(9));
        assert_eq!(prove_inclusion(LeafIndex::new(0), one, &reader), Ok(Vec::new()));
        assert_eq!(prove_consistency(TreeSize::ZERO, nine, &reader), Ok(Vec::new()));
        assert_eq!(prove_consistency(nine, nine, &reader), Ok(Vec::new()));
        assert_eq!(root_at(TreeSize::ZERO, &reader), Ok(EMPTY_ROOT));
        assert_eq!(reader.0.get(), 0);
    }
}
