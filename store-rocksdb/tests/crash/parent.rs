//! Running a server as a child process: this test program again, told by its environment what to do.

use std::env;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Output, Stdio};

use log_server::writer::Moment;
use rustix::process::Signal;

use crate::journal::{self, Event};
use crate::server::Place;

/// All moments, in their order.
pub(crate) const MOMENTS: [Moment; 8] = [
    Moment::Sequenced,
    Moment::Integrated,
    Moment::Committed,
    Moment::Checked,
    Moment::Signed,
    Moment::Anchored,
    Moment::Published,
    Moment::Answered,
];

/// The arguments that make this program a child.
pub(crate) const AS_CHILD: [&str; 4] = ["--exact", "as_child", "--nocapture", "--test-threads=1"];

/// The variables that tell a child what to do.
const FOLDER: &str = "CRASH_TEST_FOLDER";
const WORK: &str = "CRASH_TEST_WORK";
const KILL: &str = "CRASH_TEST_KILL";

/// What a child does once its server is up and everything told before was found true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// So many callers at a time, each with so many appends.
    Append { callers: u32, appends: u32 },
    /// Enrol the approver.
    Enrol,
    /// Ask, decide and consume.
    Decide { round: u32 },
}

/// Where a child kills itself: at this moment, when it comes for the n-th time in the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KillAt {
    pub(crate) moment: Moment,
    pub(crate) occurrence: u32,
}

impl KillAt {
    pub(crate) fn first(moment: Moment) -> Self {
        Self { moment, occurrence: 1 }
    }
}

/// Runs a child that must finish its work.
pub(crate) fn finish(place: &Place, work: Work) {
    let output = command(place, work, None).output().unwrap();
    assert!(output.status.success(), "{}", words(&output));
    assert_eq!(journal::read(&place.folder).last(), Some(&Event::Done), "{}", words(&output));
}

/// Runs a child that must be killed at a moment.
pub(crate) fn killed(place: &Place, work: Work, at: KillAt) {
    let output = command(place, work, Some(at)).output().unwrap();
    assert!(was_killed(output.status), "{at:?} was not reached, or something else failed: {}", words(&output));
}

/// Whether SIGKILL ended a process.
pub(crate) fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::KILL.as_raw())
}

/// The command of a child.
pub(crate) fn command(place: &Place, work: Work, at: Option<KillAt>) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(AS_CHILD).stdin(Stdio::null());
    orders(&mut command, place, work, at);
    command
}

/// Puts the orders for a child into a command's environment.
pub(crate) fn orders(command: &mut Command, place: &Place, work: Work, at: Option<KillAt>) {
    command.env(FOLDER, &place.folder).env(WORK, work.to_text());
    if let Some(KillAt { moment, occurrence }) = at {
        command.env(KILL, format!("{moment:?} {occurrence}"));
    }
}

/// What a process left behind, for a message.
pub(crate) fn words(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// The orders of this process; none if it is not a child.
pub(crate) fn read_orders() -> Option<(Place, Work, Option<KillAt>)> {
    let folder = env::var_os(FOLDER)?;
    let work = Work::from_text(&env::var(WORK).unwrap());
    let kill = env::var(KILL).ok().map(|text| {
        let (name, occurrence) = text.split_once(' ').unwrap();
        let moment = MOMENTS.into_iter().find(|moment| format!("{moment:?}") == name).unwrap();
        KillAt { moment, occurrence: occurrence.parse().unwrap() }
    });
    Some((Place::new(folder.as_ref()), work, kill))
}

impl Work {
    fn to_text(self) -> String {
        match self {
            Self::Append { callers, appends } => format!("append {callers} {appends}"),
            Self::Enrol => "enrol".to_owned(),
            Self::Decide { round } => format!("decide {round}"),
        }
    }

    fn from_text(text: &str) -> Self {
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            ["append", callers, appends] => {
                Self::Append { callers: callers.parse().unwrap(), appends: appends.parse().unwrap() }
            }
            ["enrol"] => Self::Enrol,
            ["decide", round] => Self::Decide { round: round.parse().unwrap() },
            _ => panic!("no such work: {text}"),
        }
    }
}
