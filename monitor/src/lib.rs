//! A log seen from outside: how its resources are read, and the rules that its entries must keep.
//!
//! An auditor reads a whole log once; a monitor follows it and reads what is new. Both do the same thing to each entry, and
//! neither believes the server: what they trust is the trust file. The parts, from the bottom up:
//!
//! - [`reader`]: the one door to a log, [`LogReader`], over the resources of C2SP tlog-tiles (checkpoint, tile of hashes,
//!   entry bundle), with a cap on each and an error that says whether another try can help. [`http`] is the door to a
//!   server; a command may bring another one, over a directory.
//! - [`signed`]: the tree head that a server shows, as the trust file lets it count.
//! - [`rules`]: what may stand in a log, and after what. Pure: no reader, no clock, no signature library of its own.
//! - [`audit`]: a whole log at one size: every bundle, tile, signature and rule, and the root, on all cores.
//! - [`follow`]: a monitor. It proves that each checkpoint extends the one before, checks every new entry, and moves on
//!   only when all that there is to report was delivered.
//!
//! ```text
//! bytes of an entry ─ prepare ─→ Prepared ─ State::apply ─→ Applied { event, findings, fact, signature }
//!                  (any thread)           (in order, cheap)                                       │
//!                                                                    SignatureJob::check (any thread)
//! ```
//!
//! Parsing and signatures are nearly all of the work and know nothing of other entries, so they run on every core; between
//! them the state goes from entry to entry in the order of the log.
//!
//! Out of scope: what a single receipt proves (`verifier`), and the processes around this: progress, files, reports.

pub mod audit;
pub mod follow;
pub mod http;
pub mod reader;
pub mod rules;
pub mod signed;

pub use http::HttpReader;
pub use reader::{LogReader, ReadError, Resource};
