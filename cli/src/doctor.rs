//! `countersign doctor`: one line for each thing that can be wrong with a server's folders, machine and address. It changes
//! nothing; with --mail it sends one message, with --telegram it asks Telegram one question, with --webhook it makes one call.

mod folders;
mod log;
mod machine;
mod mail;
mod served;
mod telegram;
mod webhook;

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use verifier::note::VerifierKey;

use crate::client::visible;
use crate::failure::Failure;
use crate::serve::{Place, beside};

/// Look at a server's folders, its machine and, with --url, at what it serves: one line a check.
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct DoctorArgs {
    /// The server's data directory. Default: ./countersign-data, unless only --url is given
    #[arg(long, env = "COUNTERSIGN_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Its anchor folder. Default: the data directory and `.anchor`
    #[arg(long, env = "COUNTERSIGN_ANCHOR", value_name = "DIR")]
    anchor: Option<PathBuf>,
    /// Ask this server too.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Send a test message to this address, with the table `mail` of --config; without --data-dir or --url nothing else is
    /// looked at.
    #[arg(long, value_name = "ADDRESS")]
    mail: Option<String>,
    /// Ask Telegram who the bot is, with the table `telegram` of --config; it sends nothing.
    #[arg(long)]
    telegram: bool,
    /// Call this address once as a webhook, with the table `webhooks` of --config and a signature that nobody knows.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// The server's configuration file, for --mail, --telegram and --webhook.
    #[arg(long, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Run it as the server's user. While it looks at a stopped server it holds the server's lock for a moment.

Exit codes: 0 nothing that must be repaired, 1 a problem, 2 a wrong call.";

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warning,
    Problem,
}

/// One check and what it found.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    level: Level,
    words: String,
}

/// All that was found, in the order in which it was looked at.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, check: &'static str, words: impl Into<String>) {
        self.add(check, Level::Ok, words);
    }

    fn warning(&mut self, check: &'static str, words: impl Into<String>) {
        self.add(check, Level::Warning, words);
    }

    fn problem(&mut self, check: &'static str, words: impl Into<String>) {
        self.add(check, Level::Problem, words);
    }

    fn add(&mut self, check: &'static str, level: Level, words: impl Into<String>) {
        self.0.push(Finding { check, level, words: visible(&words.into()) });
    }

    fn healthy(&self) -> bool {
        self.0.iter().all(|finding| finding.level != Level::Problem)
    }
}

pub(crate) fn run(args: &DoctorArgs) -> Result<(), Failure> {
    let mut findings = Findings::default();
    let mut log_key: Option<VerifierKey> = None;
    let mut place = None;
    let asked = args.url.is_some() || args.mail.is_some() || args.telegram || args.webhook.is_some();
    if args.data_dir.is_some() || !asked {
        let data_dir = args.data_dir.clone().unwrap_or_else(|| PathBuf::from("./countersign-data"));
        let anchor = args.anchor.clone().unwrap_or_else(|| beside(&data_dir, ".anchor"));
        match Place::new(&data_dir, &anchor) {
            Ok(found) => {
                log_key = folders::look(&found, &mut findings);
                log::look(&found, log_key.as_ref(), &mut findings);
                machine::look(&found, &mut findings);
                place = Some(found);
            }
            Err(error) => findings.problem("folders", error.to_string()),
        }
    }
    if let Some(url) = &args.url {
        served::look(url, place.as_ref(), log_key.as_ref(), &mut findings);
    }
    if let Some(address) = &args.mail {
        mail::look(address, args.config.as_deref(), &mut findings);
    }
    if args.telegram {
        telegram::look(args.config.as_deref(), &mut findings);
    }
    if let Some(url) = &args.webhook {
        webhook::look(url, args.config.as_deref(), &mut findings);
    }
    // A closed standard output changes nothing about the findings.
    _ = print(&findings, args.json);
    if findings.healthy() { Ok(()) } else { Err(Failure::silent(1)) }
}

fn print(findings: &Findings, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        let report = serde_json::json!({ "healthy": findings.healthy(), "checks": findings.0 });
        return writeln!(out, "{report}");
    }
    for Finding { check, level, words } in &findings.0 {
        let level = match level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Problem => "problem",
        };
        writeln!(out, "{level:<8} {check:<16} {words}")?;
    }
    Ok(())
}
