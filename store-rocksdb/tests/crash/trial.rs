//! A log in a folder of its own that a test does its worst to; what its children found goes into the test's row.

use std::env;

use tempfile::TempDir;

use crate::journal::{self, Event};
use crate::report::Row;
use crate::server::Place;
use crate::told::Checked;

/// A log, its folder, and the row of the test.
pub(crate) struct Trial<'row> {
    pub(crate) row: &'row mut Row,
    pub(crate) place: Place,
    _folder: TempDir,
}

impl<'row> Trial<'row> {
    pub(crate) fn new(row: &'row mut Row) -> Self {
        let folder = TempDir::new().unwrap();
        Self { row, place: Place::new(folder.path()), _folder: folder }
    }
}

/// Reads the journal also of a test that fails, because that is when its counts matter.
impl Drop for Trial<'_> {
    fn drop(&mut self) {
        let comparisons = journal::read(&self.place.folder).into_iter().filter_map(|event| match event {
            Event::Checked(checked) => Some(checked),
            _ => None,
        });
        // Each child compares everything told before it. The same loss is found by each, so the worst one counts.
        let worst = comparisons.reduce(|one, two| Checked {
            answers: one.answers.max(two.answers),
            lost: one.lost.max(two.lost),
            checkpoints: one.checkpoints.max(two.checkpoints),
            inconsistent: one.inconsistent.max(two.inconsistent),
        });
        self.row.add(worst.unwrap_or_default());
    }
}

/// A number that `make fault` may set, such as `COUNTERSIGN_FAULT_KILLS`.
pub(crate) fn setting(name: &str, otherwise: u32) -> u32 {
    match env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
        Err(_) => otherwise,
    }
}
