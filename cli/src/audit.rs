//! `countersign audit`: a whole log checked from outside, over HTTP or in a stopped server's directory. What is checked is
//! in `monitor::audit`; here is where the log comes from, the bar while it goes on, and the report. docs/audit.md.

mod error;
mod output;
mod progress;
#[cfg(feature = "server")]
mod stopped;

use std::fs::File;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use clap::Args;
use monitor::audit::{Audit, Head, Options};
use monitor::http::Patience;
use monitor::rules::Pins;
use monitor::signed::SignedHead;
use monitor::{HttpReader, LogReader as _, Resource};
use verifier::trust::{MAX_TRUST, Trust};

pub(crate) use error::AuditError;
#[cfg(feature = "server")]
pub(crate) use stopped::{audit_store, check_records};

use crate::failure::Failure;
use crate::primitive;
use output::{Audited, HeadIs};
use progress::Bar;

/// Check a whole log: every entry, tile, signature and rule, and that they give the root that is signed.
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct AuditArgs {
    /// The public URL of a server (`/log` is added when there is no path), or the prefix of a mirror, below which are
    /// `checkpoint` and `tile/`. Default: COUNTERSIGN_URL, unless --data-dir is given
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The data directory of a server that does not run, or a backup's folder, or the database alone.
    #[cfg(feature = "server")]
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    data_dir: Option<PathBuf>,
    /// The anchor folder to compare with. Default: the data directory and `.anchor`, if that is there
    #[cfg(feature = "server")]
    #[arg(long, value_name = "DIR", requires = "data_dir")]
    anchor: Option<PathBuf>,
    /// The trust file: the log's key, relying party id, web origins, and whom else you pin.
    #[arg(long, env = "COUNTERSIGN_TRUST", value_name = "FILE")]
    trust: PathBuf,
    /// How many threads read and verify. Default: one for each core, and four for each over HTTP, which waits
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
A directory holds no signature of its newest head: there the head that the store says is checked, and the anchor if it is
beside it. Stop the server first, or audit it over HTTP.

Examples:
  countersign audit --url https://approvals.example.com --trust trust.json
  countersign audit --url https://mirror.example.com/approvals/log --trust trust.json
  countersign audit --data-dir countersign-data --trust trust.json

Exit codes: 0 everything was checked and is right, 1 something is wrong or could not be read, 2 a wrong call.";

/// Requests that wait for their answers take no core.
const THREADS_PER_CORE_OVER_HTTP: usize = 4;

pub(crate) fn run(args: &AuditArgs) -> Result<(), Failure> {
    match audit(args) {
        Ok(audited) => {
            let written = output::print(&audited, args.json);
            written.map_err(AuditError::Write)?;
            if audited.passed() { Ok(()) } else { Err(Failure::silent(1)) }
        }
        Err(error) => {
            if args.json {
                // The sentence on standard error and the exit code say the same if nobody reads this.
                _ = output::print_error(&error);
            }
            Err(error.into())
        }
    }
}

fn audit(args: &AuditArgs) -> Result<Audited, AuditError> {
    let trust = read_trust(&args.trust)?;
    #[cfg(feature = "server")]
    if let Some(data_dir) = &args.data_dir {
        return stopped::audit(data_dir, args.anchor.as_deref(), &trust, args.threads);
    }
    let url = args.url.clone().or_else(|| std::env::var("COUNTERSIGN_URL").ok()).ok_or(AuditError::NoLog)?;
    served(&url, &trust, args.threads)
}

/// A log over HTTP.
fn served(url: &str, trust: &Trust, threads: Option<NonZeroUsize>) -> Result<Audited, AuditError> {
    let since = Instant::now();
    let reader = HttpReader::new(&prefix(url), Patience::default())?;
    let note = reader.read(Resource::Checkpoint).map_err(|error| AuditError::Read { place: reader.place(), error })?;
    let not_accepted = |error| AuditError::Signed { place: reader.place(), error };
    let signed = SignedHead::open(&note, trust).map_err(not_accepted)?;
    let (witnesses, checkpoint) = (signed.witnesses(trust).map_err(not_accepted)?, signed.checkpoint);
    let bar = Bar::new("auditing", checkpoint.size);
    let audit = Audit {
        reader: &reader,
        head: Head { size: checkpoint.size, root: checkpoint.root },
        pins: Pins::new(trust, &checkpoint.log_origin),
        primitive: primitive::FASTEST,
        options: Options::of(threads.unwrap_or_else(|| cores(THREADS_PER_CORE_OVER_HTTP))),
    };
    let report = audit.run(|progress| bar.at(progress.entries));
    bar.end();
    let head_is = HeadIs::Signed { witnesses };
    Ok(Audited { place: reader.place(), head_is, report, problems: Vec::new(), took: since.elapsed() })
}

/// A server's log is below `/log`; whoever names a path means that one.
fn prefix(url: &str) -> String {
    let url = url.trim_end_matches('/');
    let has_path = url.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    if has_path { url.to_owned() } else { format!("{url}/log") }
}

fn cores(threads_each: usize) -> NonZeroUsize {
    let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    NonZeroUsize::new(threads_each).map_or(cores, |each| cores.saturating_mul(each))
}

fn read_trust(path: &Path) -> Result<Trust, AuditError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_TRUST as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| AuditError::TrustFile { path: path.to_owned(), reason: error.to_string() })?;
    Trust::parse(&bytes).map_err(|error| AuditError::TrustFile { path: path.to_owned(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::prefix;

    #[test]
    fn a_server_is_named_by_its_url_and_a_mirror_by_its_prefix() {
        for (url, expected) in [
            ("https://example.com", "https://example.com/log"),
            ("http://localhost:8080/", "http://localhost:8080/log"),
            ("https://example.com/log", "https://example.com/log"),
            ("https://example.com/a/b//", "https://example.com/a/b"),
            ("example.com", "example.com/log"),
        ] {
            assert_eq!(prefix(url), expected);
        }
    }
}
