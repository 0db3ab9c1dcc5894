//! The bar of a check that may take minutes: on a terminal alone, because in a file it says nothing.

use std::fmt;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use merkle::TreeSize;

/// A bar over the entries of a log.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// Shows the bar on standard error, if that is a terminal.
    pub(crate) fn new(what: &'static str, size: TreeSize) -> Self {
        let bar = ProgressBar::new(size.get()).with_message(what);
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} entries, {rate}/s, {eta} left")
        {
            bar.set_style(style.with_key("rate", |state: &ProgressState, line: &mut dyn fmt::Write| {
                // A bar that cannot be drawn keeps nobody from the report.
                _ = write!(line, "{:.0}", state.per_sec());
            }));
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
