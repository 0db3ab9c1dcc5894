//! The bar of a check that may take minutes: on a terminal alone, because in a file it says nothing.

use indicatif::{ProgressBar, ProgressStyle};
use merkle::TreeSize;

/// A bar over the entries of a log.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// Shows the bar on standard error, if that is a terminal.
    pub(crate) fn new(what: &'static str, size: TreeSize) -> Self {
        let bar = ProgressBar::new(size.get()).with_message(what);
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {bar:40} {human_pos}/{human_len} entries, {per_sec:.0}, {eta} left")
        {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Moves it.
    pub(crate) fn at(&self, entries: u64) {
        self.0.set_position(entries);
    }

    /// Takes it away.
    pub(crate) fn end(self) {
        self.0.finish_and_clear();
    }
}
