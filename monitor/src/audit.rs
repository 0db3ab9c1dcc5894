//! A whole log at one size, checked: every entry bundle, every tile of hashes, the root, every rule and every signature.
//!
//! ```text
//!            workers                        one thread, in the order of the log          workers
//! bundle and tile of level 0 ─ prepare ─→ State::apply ─────────── signatures ─────────→ verify
//!       (fetch, hash, compare)            tree of bundle roots ── tiles of level 1 and up → fetch, compare
//! ```
//!
//! A worker hashes the entries of a bundle up to the bundle's own root, so the thread in the middle has little to do for
//! each entry. The number of bundles, and of other tasks, that are under way at one moment is fixed, so memory is too, but
//! for what the rules must remember.
//!
//! **What is blamed.** Beside the tree that the entries give there is a second one, which the tiles of level 0 give. They
//! differ only where a bundle and its tile do, and that is a finding. A hash higher up that agrees with either is not found
//! wrong again, and a root that differs says whether the tiles give the signed one.
//!
//! **What cannot be read** is a finding, and the rest is still checked: the tree with the hashes of the tile in place of
//! the entries, the rules up to there, because what comes later depends on what is missing. A server that does not answer
//! any more ends the audit. Neither ever passes.

mod bundle;
mod conduct;
mod finding;
mod pool;
mod report;
mod tree;

use std::num::NonZeroUsize;

use merkle::{Hash, TreeSize};
use verifier::webauthn::SignaturePrimitive;

use crate::reader::LogReader;
use crate::rules::Pins;

pub use finding::{Finding, What};
pub use report::{Kinds, Report, Stop};

/// What is said of a log, to be compared with the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many entries it has.
    pub size: TreeSize,
    /// Their root.
    pub root: Hash,
}

/// One audit: what is read, and what it is held against.
pub struct Audit<'a> {
    /// The log.
    pub reader: &'a dyn LogReader,
    /// The head that somebody signed or stored.
    pub head: Head,
    /// What the trust file says about this log.
    pub pins: Pins,
    /// Who verifies signatures.
    pub primitive: &'a (dyn SignaturePrimitive + Sync),
    /// How much is done at the same time.
    pub options: Options,
}

/// How much an audit does at the same time, and keeps.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Threads that read, hash and verify.
    pub threads: NonZeroUsize,
    /// Bundles under way, read or waiting for their turn: each takes up to 16 MiB, and some 100 KiB as a rule.
    pub in_flight: NonZeroUsize,
    /// Findings that are kept. Of further ones it is counted how many there are.
    pub max_findings: usize,
}

impl Options {
    /// The findings that are kept if nobody says otherwise.
    pub const MAX_FINDINGS: usize = 1_000;

    /// The options for so many threads.
    pub fn of(threads: NonZeroUsize) -> Self {
        let in_flight = threads.saturating_mul(NonZeroUsize::MIN.saturating_add(3));
        Self { threads, in_flight, max_findings: Self::MAX_FINDINGS }
    }
}

/// How far an audit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Entries whose bundle was read, or could not be, and that were held against the rules.
    pub entries: u64,
    /// Bytes of bundles and tiles that were read.
    pub bytes: u64,
}

impl Audit<'_> {
    /// Checks everything, and calls `progress` after each bundle from the thread of the caller.
    pub fn run(self, mut progress: impl FnMut(Progress)) -> Report {
        conduct::conduct(&self, &mut progress)
    }
}

#[cfg(test)]
mod tests;
