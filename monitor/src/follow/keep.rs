//! What a monitor remembers between two runs, and the narrow door to where it is kept.

use merkle::CompactRange;
use sha2::{Digest as _, Sha256};

use super::evidence::Evidence;
use super::report::Report;
use crate::rules::{Fact, FactError, Pins, State};
use crate::signed::SignedHead;

/// How far a monitor is.
///
/// ```text
/// entries   0 ......... cursor ................ head.size
///           checked,    in the signed tree,     not signed yet
///           reported    not reported yet
/// ```
///
/// The head moves as soon as it is shown to extend the one before: from then on the log is bound to it. The cursor, which is
/// the size of the range, moves only after the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The largest checkpoint that was shown to extend all before.
    pub head: SignedHead,
    /// The tree of the entries that are checked and reported.
    pub range: CompactRange,
    /// The facts that those entries left.
    pub facts: FactsMark,
}

/// Where the facts end, and a digest over all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FactsMark {
    /// How many bytes they are.
    pub length: u64,
    /// `d(n) = SHA-256(d(n-1) ‖ fact n)`, and zeros for none, so that facts that were changed on the disk are found out.
    pub digest: [u8; 32],
}

impl FactsMark {
    /// The mark behind one more fact.
    #[must_use]
    pub fn after(self, fact: &[u8]) -> Self {
        let digest = Sha256::new().chain_update(self.digest).chain_update(fact).finalize();
        Self { length: self.length + fact.len() as u64, digest: digest.into() }
    }
}

/// Keeps what a monitor remembers. Each call is all or nothing, also when the process is killed in it.
pub trait Keeper {
    /// What was kept last, with the bytes of its facts. None before the first time.
    fn load(&mut self) -> Result<Option<(Kept, Vec<u8>)>, KeepError>;

    /// Keeps how far the monitor is. `facts` are those since the last time.
    fn save(&mut self, kept: &Kept, facts: &[u8]) -> Result<(), KeepError>;

    /// The evidence of an inconsistency, if there is some: where it is, and the report of it.
    fn evidence(&self) -> Result<Option<(String, Report)>, KeepError>;

    /// Keeps evidence and says where.
    fn accuse(&mut self, evidence: &Evidence, report: &Report) -> Result<String, KeepError>;
}

/// Why a state cannot be used or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// Two monitors of one state would each report half.
    #[error("{0} is locked: another monitor uses this state")]
    Locked(String),
    /// Not what this program writes.
    #[error(
        "{path} is damaged: {reason}; bring a copy back, or remove it with its .facts to read the log again from entry 0"
    )]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// Written by a later version.
    #[error("{path} is of another version of this program ({given:?}); use that one")]
    Version {
        /// The file.
        path: String,
        /// The type that it says.
        given: String,
    },
    /// The state is gone and its facts are there.
    #[error(
        "{state} is missing, but {facts} is there; bring the state back, or remove both to read the log again from entry 0"
    )]
    Half {
        /// The state file.
        state: String,
        /// The facts file.
        facts: String,
    },
    /// The file system failed.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
}

/// Takes up the rules' state where it was left.
pub(super) fn restore(pins: Pins, kept: &Kept, facts: &[u8]) -> Result<State, FactsError> {
    let mut mark = FactsMark::default();
    let mut rest = facts;
    while !rest.is_empty() {
        let before = rest;
        Fact::decode(&mut rest)?;
        mark = mark.after(&before[..before.len() - rest.len()]);
    }
    if mark != kept.facts {
        return Err(FactsError::Digest);
    }
    Ok(State::restore(pins, kept.range.size(), Fact::decode_all(facts))?)
}

/// Why facts are not those that were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FactsError {
    #[error(transparent)]
    Fact(#[from] FactError),
    #[error("the facts are not those that the state was written with")]
    Digest,
}
