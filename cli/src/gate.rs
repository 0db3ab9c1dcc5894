//! `countersign gate`: runs a command once a person approved exactly it (docs/gate.md).

use std::convert::Infallible;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use agent::gate::status::Reason;
use agent::gate::{self, Gate, Plan, PlanError, Refusal, StatusFile, show};
use agent::settings::SettingsError;
use agent::{Asked, Client};
use clap::Args;
use verifier::words::{quoted, visible};

use crate::asking::{AskingArgs, bounded, told_to_stop};
use crate::last_words::say;
use crate::requester::RequesterArgs;

/// Ask a person to approve a command, and run it only then: exactly as approved, once.
#[derive(Args)]
#[command(after_help = "\
Example:
  countersign gate --approver alex --action 'Apply the plan' --bind plan.out -- terraform apply plan.out

Exit codes: the command's own; 77 rejected; 124 expired or timed out; 125 anything else that kept it from running;
126 it cannot be executed, 127 it is not found. --status-file tells gate's own verdict from the command's code.")]
pub(crate) struct GateArgs {
    #[command(flatten)]
    asking: AskingArgs,
    /// What is done, as the title that the approver sees
    #[arg(long, value_name = "TEXT")]
    action: String,
    /// A file with a JSON object that the approver sees as `input`
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
    /// A file that the command depends on: its SHA-256 is approved and checked again before the run; may be given several times
    #[arg(long, value_name = "FILE")]
    bind: Vec<PathBuf>,
    /// Seconds to wait for the decision; then the request is cancelled [default: until it expires]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// A key of your own, by which a gate that was killed and is started again finds the same request
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Where to write gate's own verdict, as JSON
    #[arg(long, value_name = "FILE")]
    status_file: Option<PathBuf>,
    /// Show the link as a QR code too
    #[arg(long)]
    qr: bool,
    #[command(flatten)]
    requester: RequesterArgs,
    /// The command and its arguments, which are run without a shell
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Why the command did not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GateError {
    /// The door stays closed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is nothing to approve.
    #[error(transparent)]
    Plan(PlanError),
    /// The server cannot be asked.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Nobody would know how it ended.
    #[error("the status file cannot be written, so the command does not run: {0}")]
    Status(#[source] io::Error),
    /// The command cannot run.
    #[error("cannot wait: {0}")]
    Io(#[source] io::Error),
    /// It was approved, and it cannot be started.
    #[error("{} was approved and cannot be started: {error}", quoted(program))]
    NotStarted {
        /// The command's name.
        program: String,
        /// Why.
        error: io::Error,
    },
}

impl GateError {
    /// The exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(refusal) => refusal.exit_code(),
            Self::NotStarted { error, .. } if error.kind() == io::ErrorKind::NotFound => gate::EXIT_NOT_FOUND,
            Self::NotStarted { .. } => gate::EXIT_NOT_EXECUTABLE,
            _ => gate::EXIT_GATE,
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::Refused(refusal) => refusal.reason(),
            Self::NotStarted { .. } => Reason::NotStarted,
            _ => Reason::WrongCall,
        }
    }
}

/// Does not come back if the command runs, because the command takes this process's place.
pub(crate) fn run(mut args: GateArgs) -> Result<(), GateError> {
    let mut status = StatusFile::begin(args.status_file.take()).map_err(GateError::Status)?;
    let error = match pass_and_start(args, &mut status) {
        Ok(never) => match never {},
        Err(error) => error,
    };
    // What is written may be an approval, if the command could not be started.
    match status.denied(error.reason(), &visible(&error.to_string()), error.exit_code()) {
        Ok(()) => Err(error),
        Err(_) if matches!(error, GateError::Status(_) | GateError::Refused(Refusal::Untold { .. })) => Err(error),
        Err(failed) => {
            say(format!("countersign: the status file cannot be written: {failed}"));
            Err(error)
        }
    }
}

fn pass_and_start(args: GateArgs, status: &mut StatusFile) -> Result<Infallible, GateError> {
    let timeout = args.timeout.map(Duration::from_secs);
    let plan = Plan::new(args.command, &args.bind, args.payload.as_deref()).map_err(GateError::Plan)?;
    let Some(first) = args.asking.first() else { return Err(GateError::Plan(PlanError::NoCommand)) };
    let asked = args.asking.ask_all(Asked::of(first, args.action, plan.payload()), timeout);
    let settings = bounded(args.requester.settings()?, timeout.unwrap_or(Duration::MAX));
    let gate = Gate { plan, asked, idempotency_key: args.idempotency_key, timeout };
    pass(&gate, &Client::new(settings)?, args.qr, status)?;
    start(gate.plan.argv())
}

/// Everything up to the start. What comes between the approval and the start must not make it late, or deaf to signals.
fn pass(gate: &Gate, client: &Client, qr: bool, status: &mut StatusFile) -> Result<(), GateError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(GateError::Io)?;
    let passed = runtime.block_on(async {
        let mut stop = std::pin::pin!(told_to_stop());
        let passed = gate.pass(client, stop.as_mut(), |pending| {
            // The file first: who has read the words finds the request there, even if this process is killed then.
            status.pending(pending)?;
            say(show::lines(&gate.asked, pending, qr));
            Ok(())
        });
        let cleared = passed.await?;
        status.approved(&cleared).map_err(GateError::Status)?;
        say(format!("countersign: approved ({}), running it", cleared.id));
        Ok(cleared.last_look(stop).await?)
    });
    // A name that is still being looked up must not hold up the command.
    runtime.shutdown_background();
    passed
}

/// The command in place of this process: with its folder, its standard streams, its signals, and its exit code.
#[cfg(unix)]
fn start(argv: &[String]) -> Result<Infallible, GateError> {
    use std::os::unix::process::CommandExt as _;
    let error = Command::new(&argv[0]).args(&argv[1..]).exec();
    Err(GateError::NotStarted { program: argv[0].clone(), error })
}

/// The command, waited for, where a process cannot take the place of another.
#[cfg(not(unix))]
fn start(argv: &[String]) -> Result<Infallible, GateError> {
    match Command::new(&argv[0]).args(&argv[1..]).status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(i32::from(gate::EXIT_GATE))),
        Err(error) => Err(GateError::NotStarted { program: argv[0].clone(), error }),
    }
}

/// How a call ends that clap refuses. Where gate is called, the usual 2 could be its command's own exit code.
pub(crate) fn wrong_call(error: &clap::Error) -> ! {
    let of_gate = std::env::args_os().nth(1).is_some_and(|first| first == "gate");
    if of_gate && error.use_stderr() {
        // Nobody to tell means nobody to tell.
        _ = error.print();
        std::process::exit(i32::from(gate::EXIT_GATE));
    }
    error.exit()
}
