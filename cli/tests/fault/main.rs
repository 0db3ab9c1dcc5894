//! Faults around the real command: a full disk, a clock that jumps, copied folders, a slow disk, signals, too few open
//! files. Callers keep a journal of what they were told, outside of the server's disk, and after each fault the log is read
//! over HTTP and compared with all of it. What needs root, strace or libfaketime is ignored here and run by `make fault`.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod clock;
mod copies;
mod disk;
mod image;
mod log;
mod people;
mod process;
mod slow;

// The server in a folder of its own, as in the tests of the command.
#[allow(dead_code, reason = "the tests of the command use the rest")]
#[path = "../command/running.rs"]
mod running;

// Journal, comparison and report, as in the crash tests of the store.
#[allow(dead_code, reason = "the crash tests of the store use the rest")]
#[path = "../../../store-rocksdb/tests/crash/authenticator.rs"]
mod authenticator;
#[allow(dead_code, reason = "the crash tests of the store use the rest")]
#[path = "../../../store-rocksdb/tests/crash/journal.rs"]
mod journal;
#[allow(dead_code, reason = "the crash tests of the store use the rest")]
#[path = "../../../store-rocksdb/tests/crash/report.rs"]
mod report;
#[allow(dead_code, reason = "the crash tests of the store use the rest")]
#[path = "../../../store-rocksdb/tests/crash/told.rs"]
mod told;
