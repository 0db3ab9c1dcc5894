//! A row of the table that `make fault` prints: what a test of one fault ran, and what it found.
//!
//! The row is written when it is dropped, by a test that passed and by one that failed alike. It goes to the end of the
//! file that `COUNTERSIGN_FAULT_REPORT` names, as fields with tabs between them (scripts/fault.sh reads them), or else to
//! standard output.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Instant;

use crate::told::Checked;

const FILE: &str = "COUNTERSIGN_FAULT_REPORT";

/// What a test of one fault found so far.
#[derive(Debug)]
pub(crate) struct Row {
    fault: String,
    since: Instant,
    /// How often the fault was made.
    pub(crate) runs: usize,
    /// How often the server refused or stopped, as it should, and said why.
    pub(crate) refusals: usize,
    checked: Checked,
}

impl Row {
    /// A row for a fault in words.
    pub(crate) fn new(fault: impl Into<String>) -> Self {
        let (since, checked) = (Instant::now(), Checked::default());
        Self { fault: fault.into(), since, runs: 0, refusals: 0, checked }
    }

    /// Counts a fault that was refused, as it should be.
    pub(crate) fn refused(&mut self) {
        self.runs += 1;
        self.refusals += 1;
    }

    /// Adds what one comparison found, and fails the test if that is a loss.
    pub(crate) fn checked(&mut self, found: Checked) {
        self.add(found);
        found.require_clean();
    }

    /// Adds what one comparison found.
    pub(crate) fn add(&mut self, found: Checked) {
        self.checked.answers += found.answers;
        self.checked.lost += found.lost;
        self.checked.checkpoints += found.checkpoints;
        self.checked.inconsistent += found.inconsistent;
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        let Checked { answers, lost, checkpoints, inconsistent } = self.checked;
        // A test that made no fault has shown nothing, even if it passed.
        let failed = std::thread::panicking() || self.runs == 0 || lost + inconsistent > 0;
        let line = format!(
            "{}\t{}\t{lost} of {answers}\t{inconsistent} of {checkpoints}\t{}\t{}\t{}\n",
            self.fault,
            self.runs,
            self.refusals,
            self.since.elapsed().as_secs(),
            if failed { "FAILED" } else { "ok" }
        );
        match std::env::var_os(FILE) {
            Some(path) => {
                let file = OpenOptions::new().create(true).append(true).open(path);
                file.and_then(|mut file| file.write_all(line.as_bytes())).unwrap();
            }
            None => print!("{line}"),
        }
    }
}
