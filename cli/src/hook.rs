//! `countersign hook claude-code`: answers Claude Code's question before it runs a tool, and puts itself into its settings
//! (docs/claude-code.md). Whatever goes wrong, the answer is an explicit no.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use agent::Client;
use agent::hook::install::{FIRST_THAT_BLOCKS, Hook, InstallError, install, shell_line, version, warnings};
use agent::hook::{Call, MAX_EVENT, Tools, allow, decide, deny};
use clap::{Args, Subcommand};

use crate::asking::{AskingArgs, bounded, told_to_stop};
use crate::requester::RequesterArgs;

/// How long the host gives a hook that says nothing about it is 600 seconds; this and [`MARGIN`] are that.
const TIMEOUT: u64 = 540;
/// What the host waits longer than the hook for the person: for asking, verifying, using, or cancelling.
const MARGIN: u64 = 60;
/// The longest time for a decision.
const LONGEST: u64 = 72 * 3600;
/// Patience with the server in each of these.
const PATIENCE: Duration = Duration::from_secs(10);
/// The hook's last moment, after the time for the person.
const LAST_MOMENT: Duration = Duration::from_secs(MARGIN - 10);
/// How long the host's program may take to say its version.
const SAYING_A_VERSION: Duration = Duration::from_secs(10);

/// Answer the hooks of agent hosts, so that a tool runs only when a person approved exactly this call.
#[derive(Args)]
pub(crate) struct HookArgs {
    #[command(subcommand)]
    host: Host,
}

#[derive(Subcommand)]
enum Host {
    ClaudeCode(Box<ClaudeCodeArgs>),
}

/// Claude Code's PreToolUse hook: reads the call on standard input, and answers allow or deny on standard output.
#[derive(Args)]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
struct ClaudeCodeArgs {
    #[command(flatten)]
    call: CallArgs,
    #[command(subcommand)]
    install: Option<Step>,
}

#[derive(Subcommand)]
enum Step {
    Install(InstallArgs),
}

#[derive(Args, Clone)]
struct CallArgs {
    #[command(flatten)]
    asking: AskingArgs,
    /// The tools that need approval, with commas between them; a final * stands for all that begin so [default: all]
    #[arg(long, value_name = "TOOLS", value_parser = Tools::parse)]
    tools: Option<Tools>,
    /// Seconds to wait for the person; the host must wait a minute longer
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT, value_parser = clap::value_parser!(u64).range(1..=LONGEST))]
    timeout: u64,
    #[command(flatten)]
    requester: RequesterArgs,
}

/// Put the hook into Claude Code's settings, or replace it there. What else stands in the file stays.
#[derive(Args)]
#[command(
    after_help = "Example:\n  countersign hook claude-code install --approver alex --matcher 'Bash|Write|Edit' --trust trust.json"
)]
struct InstallArgs {
    #[command(flatten)]
    call: CallArgs,
    /// The settings [default: settings.json in $CLAUDE_CONFIG_DIR, or in ~/.claude]
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// For which tools the host asks the hook, in the host's own notation
    #[arg(long, value_name = "MATCHER", default_value = "*")]
    matcher: String,
    /// Print what the settings would be, and write nothing
    #[arg(long)]
    print: bool,
    /// The host's program, which is asked for its version
    #[arg(long, value_name = "PROGRAM", default_value = "claude")]
    claude: PathBuf,
}

/// Why the hook cannot answer, or is not installed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HookError {
    /// The answer does not reach the host. The exit code 2 is a no too.
    #[error("the answer cannot be written, so the call must not run: {0}")]
    Unanswered(#[source] io::Error),
    /// The settings are not ours to understand.
    #[error("{}: {error}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// Why.
        error: InstallError,
    },
    /// The settings cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Nobody said where the settings are.
    #[error("where Claude Code's settings are cannot be told without HOME; give --settings")]
    NoHome,
    /// This program's own name is unknown.
    #[error("this program cannot tell where it is: {0}")]
    Myself(#[source] io::Error),
}

pub(crate) fn run(args: HookArgs) -> Result<(), HookError> {
    let Host::ClaudeCode(args) = args.host;
    match args.install {
        Some(Step::Install(args)) => put_into_settings(&args),
        None => answer(args.call),
    }
}

/// Answers the host. A call of a tool that needs no approval gets no answer, and the host goes on as without the hook.
fn answer(args: CallArgs) -> Result<(), HookError> {
    // In a thread of its own, so that a bug of ours ends that thread and not the answer.
    let answered = std::thread::spawn(move || verdict(args)).join();
    let answer = match answered {
        Ok(Ok(answer)) => answer,
        Ok(Err(reason)) => Some(deny(&reason)),
        Err(_) => Some(deny("the hook has a bug and did not finish")),
    };
    let Some(answer) = answer else { return Ok(()) };
    let mut out = io::stdout().lock();
    writeln!(out, "{answer}").and_then(|()| out.flush()).map_err(HookError::Unanswered)
}

/// The answer that allows, or none if it is not for us to answer, or the reason of a denial.
fn verdict(args: CallArgs) -> Result<Option<String>, String> {
    let within = Duration::from_secs(args.timeout);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| format!("the hook cannot start: {error}"))?;
    let verdict = runtime.block_on(async {
        let last_moment = within.saturating_add(LAST_MOMENT);
        match tokio::time::timeout(last_moment, ask(args, within)).await {
            Ok(verdict) => verdict,
            Err(_) => Err(format!("no answer after {} seconds", last_moment.as_secs())),
        }
    });
    // A thread that still reads standard input must not keep the process.
    runtime.shutdown_background();
    verdict
}

async fn ask(args: CallArgs, within: Duration) -> Result<Option<String>, String> {
    let stdin = tokio::task::spawn_blocking(|| {
        let mut bytes = Vec::new();
        io::stdin().lock().take(MAX_EVENT as u64 + 1).read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = stdin.await.map_err(|error| error.to_string())?;
    let bytes = bytes.map_err(|error| format!("the call cannot be read: {error}"))?;
    let call = Call::parse(&bytes).map_err(|error| error.to_string())?;
    if !args.tools.unwrap_or(Tools::All).include(call.tool()) {
        return Ok(None);
    }
    let first = args.asking.first().ok_or("nobody is named who could approve it")?;
    let asked = args.asking.ask_all(call.asked(first), Some(within));
    let settings = args.requester.settings().map_err(|error| error.to_string())?;
    let client = Client::new(bounded(settings, PATIENCE.min(within))).map_err(|error| error.to_string())?;
    let show = |pending: &agent::Pending| {
        // A host that does not show this loses nothing: the approver sees the request on their own page.
        let lines = agent::gate::show::lines(&asked, pending, false);
        _ = writeln!(io::stderr(), "{lines}");
    };
    let used =
        decide(&client, &call, &asked, within, told_to_stop(), show).await.map_err(|denied| denied.to_string())?;
    Ok(Some(allow(&used)))
}

fn put_into_settings(args: &InstallArgs) -> Result<(), HookError> {
    let path = args.settings.clone().or_else(default_settings).ok_or(HookError::NoHome)?;
    let hook = Hook {
        matcher: args.matcher.clone(),
        command: command_line(&args.call).map_err(HookError::Myself)?,
        timeout: args.call.timeout.saturating_add(MARGIN),
    };
    let failed = |error| HookError::File { path: path.clone(), error };
    let before = match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    let after = install(before.as_deref(), &hook).map_err(|error| HookError::Settings { path: path.clone(), error })?;
    warn(args);
    let written = after.as_ref().or(before.as_ref()).map_or("", String::as_str);
    for warning in warnings(written, &hook, args.call.tools.as_ref().unwrap_or(&Tools::All)) {
        eprintln!("warning: {warning}");
    }
    match after {
        _ if args.print => print!("{}", after.or(before).unwrap_or_default()),
        None => println!("{} has the hook already", path.display()),
        Some(text) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            folder.map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
            agent::gate::status::replace_file(&path, text.as_bytes()).map_err(failed)?;
            println!("{} has the hook now; sessions that run already may need to be started again", path.display());
        }
    }
    Ok(())
}

/// What the host runs: this program, with the options of this call.
fn command_line(call: &CallArgs) -> io::Result<String> {
    let program = std::env::current_exe()?.to_string_lossy().into_owned();
    let mut words = vec![program, "hook".to_owned(), "claude-code".to_owned()];
    words.extend(call.asking.words());
    if let Some(tools) = &call.tools {
        words.extend(["--tools".to_owned(), tools.to_string()]);
    }
    words.extend(["--timeout".to_owned(), call.timeout.to_string()]);
    words.extend(call.requester.words()?);
    Ok(shell_line(words.iter().map(String::as_str)))
}

fn default_settings() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = folder("CLAUDE_CONFIG_DIR").or_else(|| Some(folder("HOME")?.join(".claude")))?;
    Some(folder.join("settings.json"))
}

/// Says what will keep the hook from doing its work.
fn warn(args: &InstallArgs) {
    if let Err(error) = args.call.requester.clone().settings() {
        eprintln!("warning: with the settings of this shell the hook would deny every call: {error}");
    }
    let (major, minor, patch) = FIRST_THAT_BLOCKS;
    let wanted = format!("{major}.{minor}.{patch}");
    match said_version(&args.claude).as_deref().and_then(version) {
        Some(version) if version >= FIRST_THAT_BLOCKS => {}
        Some((major, minor, patch)) => eprintln!(
            "warning: this is Claude Code {major}.{minor}.{patch}; before {wanted} a hook that crashes or is not found \
             does not block the call"
        ),
        None => eprintln!(
            "warning: {} does not say its version; before {wanted} a hook that crashes or is not found does not block \
             the call",
            args.claude.display()
        ),
    }
}

/// What the host's program prints as its version, if it does so soon.
fn said_version(program: &std::path::Path) -> Option<String> {
    let mut child = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let since = Instant::now();
    while child.try_wait().ok()?.is_none() {
        if since.elapsed() > SAYING_A_VERSION {
            _ = child.kill();
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut text = String::new();
    child.stdout.take()?.take(1000).read_to_string(&mut text).ok()?;
    _ = child.wait();
    Some(text)
}
