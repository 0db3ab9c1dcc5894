//! What the errors of proving and reading say, and which of them come from another error.

use std::error::Error;
use std::fmt;

use merkle::{LeafIndex, MissingNode, Node, PlanError, ProveError, Tile, TileError, TreeSize};

const NODE: Node = Node { level: 3, index: 9 };

/// An error of a reader that has a cause.
#[derive(Debug)]
struct Caused(MissingNode);

impl fmt::Display for Caused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the disk is gone")
    }
}

impl Error for Caused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn source_of(error: &dyn Error) -> Option<String> {
    error.source().map(ToString::to_string)
}

#[test]
fn a_question_without_an_answer_is_repeated() {
    let outside = PlanError::IndexOutsideTree { index: LeafIndex::new(7), size: TreeSize::new(6) };
    assert_eq!(outside.to_string(), "a tree of size 6 has no leaf 7");
    let order = PlanError::SizesOutOfOrder { from: TreeSize::new(8), to: TreeSize::new(7) };
    assert_eq!(order.to_string(), "the old tree of size 8 is larger than the new one of size 7");

    // The prover has nothing to add to it.
    let asked: ProveError<MissingNode> = order.into();
    assert_eq!(asked.to_string(), order.to_string());
    assert_eq!(source_of(&asked), None);
}

#[test]
fn a_prover_says_what_its_reader_did() {
    let missing = MissingNode(NODE);
    assert_eq!(missing.to_string(), "not enough leaves for the node of level 3 at index 9");
    let failed = ProveError::Reader(missing);
    assert_eq!(
        failed.to_string(),
        "cannot read the nodes of the tree: not enough leaves for the node of level 3 at index 9"
    );
    assert_eq!(source_of(&failed), None, "its words are not said twice");

    let short = ProveError::<MissingNode>::WrongCount { asked: 5, got: 4 };
    assert_eq!(short.to_string(), "the reader was asked for 5 nodes and returned 4");
    assert_eq!(source_of(&short), None);
}

#[test]
fn tiles_say_what_their_reader_did() {
    let failed = TileError::Reader(MissingNode(NODE));
    assert_eq!(failed.to_string(), "cannot read the tiles: not enough leaves for the node of level 3 at index 9");
    assert_eq!(source_of(&failed), None, "its words are not said twice");
    let behind: ProveError<_> = ProveError::Reader(TileError::Reader(Caused(MissingNode(NODE))));
    assert_eq!(source_of(&behind), Some(MissingNode(NODE).to_string()), "what its error comes from is not lost");

    let none: [(TileError<MissingNode>, &str); 3] = [
        (
            TileError::NotInTree { node: NODE, size: TreeSize::new(79) },
            "a tree of size 79 has no complete node of level 3 at index 9",
        ),
        (TileError::WrongCount { asked: 2, got: 3 }, "the reader was asked for 2 tiles and returned 3"),
        (
            TileError::TooNarrow { tile: Tile { level: 1, index: 0, width: 17 }, got: 16 },
            "tile 1/000.p/17 should have 17 hashes and has 16",
        ),
    ];
    for (error, words) in none {
        assert_eq!(error.to_string(), words);
        assert_eq!(source_of(&error), None);
    }
}
