//! Words on standard error, whether or not somebody reads them: those of a process that ends, and those of one that must go on.

use std::io::{self, Write as _};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// How long somebody may take to read them.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes a line to standard error. A pipe that is full and that nobody reads must not keep the process from ending, because
/// a supervisor waits for that, nor from looking at the clock and at signals.
pub(crate) fn say(line: String) {
    let (done, written) = sync_channel::<()>(1);
    std::thread::spawn(move || {
        _ = writeln!(io::stderr(), "{line}");
        drop(done);
    });
    // An error either way: the other end was dropped because the line is out, or it takes too long.
    _ = written.recv_timeout(PATIENCE);
}
