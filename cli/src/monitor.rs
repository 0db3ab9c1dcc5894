//! `countersign monitor`: follows a log, checks every new entry, and tells whoever watches somebody (docs/monitor.md).
//!
//! What is checked and in which order is `monitor::follow`'s; here are the waits, the printing and the other programs.

mod deliver;
mod stop;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use monitor::HttpReader;
use monitor::follow::{FollowError, Follower, KeepError, Round, Setup, StateFiles, Watch};
use monitor::http::{Patience, SetupError, back_off};
use verifier::cli::CallError;
use verifier::trust::{MAX_TRUST, Trust};

use crate::client::visible;
use crate::primitive::FASTEST;
use deliver::{Deliverer, Exec};
use stop::Stop;

/// The longest wait after failures.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// Follow a log: prove that it only grows, check every new entry, report what concerns the people you name.
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct MonitorArgs {
    /// The server's public URL; the log is at URL/log.
    #[arg(long, env = "COUNTERSIGN_URL", default_value = "http://localhost:8080")]
    url: String,
    /// The trust file: log keys, relying party id, web origins, and whom else you pin.
    #[arg(long, env = "COUNTERSIGN_TRUST", value_name = "FILE")]
    trust: PathBuf,
    /// Where the monitor remembers what it has seen; made at the first run, with files beside it.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Report more than alarms: `approver=NAME`, `credential=BASE64URL` or `all`. May be given several times.
    #[arg(long, value_name = "WHAT")]
    watch: Vec<Watch>,
    /// A shell command to run for each report, with the report as JSON on its standard input.
    #[arg(long, value_name = "COMMAND")]
    exec: Option<String>,
    /// How long that command may take before it is killed and run again.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    exec_timeout: u64,
    /// Print reports as JSON lines.
    #[arg(long)]
    json: bool,
    /// Look once and end.
    #[arg(long)]
    once: bool,
    /// How long to wait between two looks, at most; half of it at least, so that many monitors spread.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    interval: u64,
}

const HELP: &str = "\
Examples:
  countersign monitor --url https://approvals.example.com --trust trust.json --state monitor.state
  countersign monitor --trust trust.json --state alex.state --watch approver=alex --exec 'mail -s \"$COUNTERSIGN_EVENT\" alex'
  countersign monitor --trust trust.json --state monitor.state --once --json

Alarms (a broken rule, a further key that no earlier key authorised, an inconsistent log) are always reported.

Exit codes: 0 all as expected (without --once: ended by a signal), 1 an alarm with --once, an inconsistent log, or not all could
be checked and reported, 2 a wrong call.";

/// Why a monitor ended otherwise than by a signal or, once, with nothing to report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MonitorError {
    /// The trust file cannot be used.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The URL is none.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] KeepError),
    /// The monitor cannot go on.
    #[error("{}", visible(&.0.to_string()))]
    Follow(#[from] FollowError),
    /// One look, and the log did not answer or answered something wrong.
    #[error("{place} {}", why(.error))]
    Look {
        /// Where the log is.
        place: String,
        /// What happened.
        error: FollowError,
    },
    /// One look, and a signal ended it.
    #[error("ended by a signal before all new entries were checked; the next run goes on from there")]
    EndedEarly,
    /// One look, and there were alarms, which are reported.
    #[error("there were alarms")]
    Alarms,
    /// The process cannot be set up.
    #[error("cannot watch for signals: {0}")]
    Signals(io::Error),
}

pub(crate) fn run(args: &MonitorArgs) -> Result<(), MonitorError> {
    let trust = read_trust(&args.trust)?;
    let prefix = format!("{}/log", args.url.trim_end_matches('/'));
    let reader = HttpReader::new(&prefix, patience(args.once))?;
    let stop = Stop::watch(args.once).map_err(MonitorError::Signals)?;
    let mut files = StateFiles::open(&args.state)?;
    let setup = Setup { reader: &reader, trust: &trust, primitive: FASTEST, watches: &args.watch };
    let mut follower = Follower::new(setup, &mut files)?;
    let exec = args.exec.as_ref().map(|command| Exec {
        command: command.clone(),
        timeout: Duration::from_secs(args.exec_timeout),
        tries: args.once.then_some(deliver::TRIES_ONCE),
    });
    let mut deliverer = Deliverer { json: args.json, exec, stop: &stop };
    if args.once {
        return once(follower.round(&mut deliverer), &prefix);
    }
    follow(&mut follower, &mut deliverer, &stop, &prefix, Duration::from_secs(args.interval))
}

fn once(round: Result<Round, FollowError>, place: &str) -> Result<(), MonitorError> {
    match round {
        Ok(round) if round.ended_early => Err(MonitorError::EndedEarly),
        Ok(Round { alarms: 0, .. }) => Ok(()),
        Ok(_) => Err(MonitorError::Alarms),
        Err(error) if error.is_passing() => Err(MonitorError::Look { place: place.to_owned(), error }),
        Err(error) => Err(error.into()),
    }
}

fn follow(
    follower: &mut Follower<'_>,
    deliverer: &mut Deliverer<'_>,
    stop: &Stop,
    place: &str,
    interval: Duration,
) -> Result<(), MonitorError> {
    let mut failed = 0;
    loop {
        let wait = match follower.round(deliverer) {
            Ok(_) => {
                failed = 0;
                back_off(interval, 1, interval)
            }
            Err(error) if error.is_passing() => {
                failed += 1;
                let wait = back_off(interval, failed, LONGEST_WAIT.max(interval));
                eprintln!("{place} {}; next look in {} s", why(&error), wait.as_secs());
                wait
            }
            Err(FollowError::Undelivered(_)) if stop.is_wanted() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if stop.wait(wait) {
            return Ok(());
        }
    }
}

/// Whether it is silent or serves something wrong, and what exactly.
fn why(error: &FollowError) -> String {
    let kind = if error.is_silence() { "does not answer" } else { "SERVES SOMETHING WRONG" };
    visible(&format!("{kind}: {error}"))
}

/// A monitor that runs on tries again by itself, with waits that a signal ends; one look has to be patient in between.
fn patience(once: bool) -> Patience {
    let (tries, longest_wait) = if once { (4, Duration::from_secs(10)) } else { (2, Duration::from_secs(1)) };
    Patience { tries, longest_wait, ..Patience::default() }
}

fn read_trust(path: &Path) -> Result<Trust, CallError> {
    let shown = || visible(&path.display().to_string());
    let mut bytes = Vec::new();
    let limit = MAX_TRUST as u64 + 1;
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| CallError::Read { path: shown(), error })?;
    Trust::parse(&bytes).map_err(|error| CallError::Content {
        path: shown(),
        what: "trust file",
        reason: visible(&error.to_string()),
    })
}
