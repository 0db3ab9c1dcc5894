//! How the demo speaks: numbered steps, with colour and a spinner on a terminal and as plain text everywhere else.

use std::future::Future;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::ProgressBar;

const INDENT: &str = "    ";

/// Writes the story to standard output.
pub(super) struct Voice {
    plain: bool,
    number: usize,
    title: &'static str,
}

/// The colours that the story uses, as ANSI codes.
#[derive(Clone, Copy)]
enum Colour {
    Bold = 1,
    Dim = 2,
    Red = 31,
    Green = 32,
}

impl Voice {
    /// Plain unless standard output is a terminal that may show colours (`NO_COLOR`, see no-color.org).
    pub(super) fn new() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { plain: refused || dumb || !io::stdout().is_terminal(), number: 0, title: "the start" }
    }

    /// Number and title of the step that is told now.
    pub(super) fn step_name(&self) -> String {
        format!("{} ({})", self.number, self.title)
    }

    /// Begins a numbered step.
    pub(super) fn step(&mut self, title: &'static str) -> io::Result<()> {
        self.number += 1;
        self.title = title;
        let heading = format!("{:>2}  {title}", self.number);
        self.write(&format!("\n{}\n", self.painted(Colour::Bold, &heading)))
    }

    /// A line at the margin, after an empty one.
    pub(super) fn line(&self, text: &str) -> io::Result<()> {
        self.write(&format!("\n{}\n", self.painted(Colour::Bold, text)))
    }

    /// A sentence or several lines.
    pub(super) fn say(&self, text: &str) -> io::Result<()> {
        self.lines(text, str::to_owned)
    }

    /// What is said by the way: exact texts, tables.
    pub(super) fn aside(&self, text: &str) -> io::Result<()> {
        self.lines(text, |line| self.painted(Colour::Dim, line))
    }

    /// A name and its value.
    pub(super) fn field(&self, name: &str, value: &str) -> io::Result<()> {
        self.write(&format!("{INDENT}{} {value}\n", self.painted(Colour::Dim, &format!("{name:<13}"))))
    }

    /// Something that holds, or was allowed.
    pub(super) fn good(&self, text: &str) -> io::Result<()> {
        self.write(&format!("{INDENT}{} {text}\n", self.painted(Colour::Green, "✓")))
    }

    /// Something that was refused, as it should be.
    pub(super) fn refused(&self, text: &str) -> io::Result<()> {
        self.write(&format!("{INDENT}{} {text}\n", self.painted(Colour::Red, "✗")))
    }

    /// A command to type.
    pub(super) fn command(&self, text: &str) -> io::Result<()> {
        self.write(&format!("{INDENT}{}\n", self.painted(Colour::Bold, text)))
    }

    /// Waits for something; on a terminal with a spinner.
    pub(super) async fn waiting<T>(&self, words: &'static str, done: impl Future<Output = T>) -> T {
        if self.plain {
            return done.await;
        }
        let spinner = ProgressBar::new_spinner().with_message(words);
        spinner.enable_steady_tick(Duration::from_millis(100));
        let value = done.await;
        spinner.finish_and_clear();
        value
    }

    fn lines(&self, text: &str, paint: impl Fn(&str) -> String) -> io::Result<()> {
        text.lines().try_for_each(|line| {
            let indent = if line.is_empty() { "" } else { INDENT };
            self.write(&format!("{indent}{}\n", paint(line)))
        })
    }

    fn painted(&self, colour: Colour, text: &str) -> String {
        if self.plain || text.is_empty() { text.to_owned() } else { format!("\x1b[{}m{text}\x1b[0m", colour as u8) }
    }

    #[allow(clippy::unused_self)] // So that nothing of the story bypasses the voice.
    fn write(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}
