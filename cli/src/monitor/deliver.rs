//! Reports on their way: a line on standard output, and for each that is no mere checkpoint a run of the given command.
//!
//! A report counts as delivered when its line is written and the command ended with 0. Until then nothing moves on.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use monitor::follow::{Receiver, Report};
use monitor::http::back_off;
use rustix::process::{Pid, Signal, kill_process_group};

use super::stop::Stop;
use crate::client::visible;

/// How often the command is tried where the monitor looks once.
pub(super) const TRIES_ONCE: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);
/// How often a running command is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Delivers reports.
pub(super) struct Deliverer<'a> {
    pub(super) json: bool,
    pub(super) exec: Option<Exec>,
    pub(super) stop: &'a Stop,
}

/// A command to run for each report.
pub(super) struct Exec {
    /// For `sh -c`.
    pub(super) command: String,
    /// How long it may take.
    pub(super) timeout: Duration,
    /// How often it is tried; none: until it succeeds or the monitor is to end.
    pub(super) tries: Option<u32>,
}

impl Receiver for Deliverer<'_> {
    fn deliver(&mut self, report: &Report) -> Result<(), String> {
        self.print(report).map_err(|error| format!("a report cannot be printed: {error}"))?;
        match &self.exec {
            Some(exec) if !report.is_checkpoint() => exec.deliver(report, self.stop),
            _ => Ok(()),
        }
    }

    fn wants_end(&self) -> bool {
        self.stop.is_wanted()
    }
}

impl Deliverer<'_> {
    fn print(&self, report: &Report) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", report.to_json())?;
        } else {
            writeln!(out, "{}{}", if report.alarm { "ALARM: " } else { "" }, visible(&report.words))?;
        }
        out.flush()
    }
}

impl Exec {
    fn deliver(&self, report: &Report, stop: &Stop) -> Result<(), String> {
        let mut failed = 0;
        loop {
            let Err(why) = self.run(report) else { return Ok(()) };
            failed += 1;
            if self.tries == Some(failed) {
                return Err(format!("the command of --exec {why}, {failed} times in a row"));
            }
            let wait = back_off(FIRST_WAIT, failed, LONGEST_WAIT);
            eprintln!(
                "the command of --exec {why}; it runs again in {:.1} s, and nothing moves on before",
                wait.as_secs_f32()
            );
            if stop.wait(wait) {
                return Err(format!("the command of --exec {why}, and the monitor is to end"));
            }
        }
    }

    fn run(&self, report: &Report) -> Result<(), String> {
        let mut child = Command::new("sh")
            .args(["-c", &self.command])
            .env("COUNTERSIGN_EVENT", &report.event)
            .env("COUNTERSIGN_ALARM", report.alarm.to_string())
            .stdin(Stdio::piped())
            // Standard output is the reports' alone.
            .stdout(io::stderr())
            // With a group of its own, a command that takes too long is killed with all that it started.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("cannot be started: {error}"))?;
        if let Some(mut stdin) = child.stdin.take() {
            let line = report.to_json();
            // From a thread, because a command that does not read must not stop us; whether it reads is its own affair.
            thread::spawn(move || _ = writeln!(stdin, "{line}"));
        }
        match self.ended(&mut child) {
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(Some(status)) => Err(format!("failed with {status}")),
            Ok(None) => Err(format!("took more than {} s and was killed", self.timeout.as_secs())),
            Err(error) => Err(format!("cannot be waited for: {error}")),
        }
    }

    /// How the command ended; none if it had to be killed.
    fn ended(&self, child: &mut Child) -> io::Result<Option<ExitStatus>> {
        let since = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if since.elapsed() > self.timeout {
                let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                let killed = group.map(|group| kill_process_group(group, Signal::KILL));
                if !matches!(killed, Some(Ok(()))) {
                    child.kill()?;
                }
                child.wait()?;
                return Ok(None);
            }
            thread::sleep(LOOK);
        }
    }
}
