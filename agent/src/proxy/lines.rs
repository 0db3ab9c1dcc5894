//! Lines in and out of pipes, on threads of their own: a pipe that is full or silent stops nobody else.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::message::MAX_MESSAGE;
use super::switch::Line;

/// Reads lines until the pipe ends, and hands each to `take`, as long as that takes them. A last line without its end is
/// none: half a message may look like a whole one.
pub(crate) fn read(pipe: impl Read + Send + 'static, take: impl Fn(Option<Line>) -> bool + Send + 'static) {
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        while let Ok(Some(line)) = next(&mut pipe, MAX_MESSAGE) {
            if !take(Some(line)) {
                return;
            }
        }
        take(None);
    });
}

/// The next line; none at the end.
fn next(pipe: &mut impl BufRead, limit: usize) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    // One byte more than a line with its end may have.
    pipe.by_ref().take(limit as u64 + 1).read_until(b'\n', &mut line)?;
    if line.pop_if(|byte| *byte == b'\n').is_some() {
        return Ok(Some(Line::Text(line)));
    }
    if line.len() <= limit {
        return Ok(None);
    }
    drop(line);
    pipe.skip_until(b'\n')?;
    Ok(Some(Line::TooLong))
}

/// A pipe to write to. Dropping it closes the pipe when everything is written.
pub(crate) struct Writer {
    lines: mpsc::Sender<Vec<u8>>,
    done: mpsc::Receiver<()>,
}

impl Writer {
    /// Writes on a thread of its own. What cannot be written is dropped: whoever should read it is gone, and the end of the
    /// pipe on the other side says so.
    pub(crate) fn new(mut pipe: impl Write + Send + 'static) -> Self {
        let (lines, queue) = mpsc::channel::<Vec<u8>>();
        let (finished, done) = mpsc::channel();
        thread::spawn(move || {
            for line in queue {
                if pipe.write_all(&line).and_then(|()| pipe.flush()).is_err() {
                    break;
                }
            }
            drop(pipe);
            drop(finished);
        });
        Self { lines, done }
    }

    pub(crate) fn write(&self, line: impl Into<Vec<u8>>) {
        _ = self.lines.send(line.into());
    }

    /// Waits until everything is written, or for so long.
    pub(crate) fn finish(self, patience: Duration) {
        drop(self.lines);
        _ = self.done.recv_timeout(patience);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    #[test]
    fn lines_have_an_end_and_a_limit() {
        let mut pipe: &[u8] = b"one\n\n12345678\n123456789\n{}\n{\"a\":1}";
        let mut lines = Vec::new();
        while let Some(line) = next(&mut pipe, 8).unwrap() {
            lines.push(line);
        }
        let text = |text: &str| Line::Text(text.as_bytes().to_vec());
        assert_eq!(lines, [text("one"), text(""), text("12345678"), Line::TooLong, text("{}")]);
    }
}
