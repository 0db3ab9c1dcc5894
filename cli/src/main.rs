//! The command `countersign`: what can be typed, which command runs, and with which exit code it ends.

mod asking;
mod audit;
#[cfg(feature = "server")]
mod backup;
mod client;
#[cfg(feature = "server")]
mod demo;
#[cfg(feature = "server")]
mod doctor;
mod failure;
mod gate;
mod hook;
mod keygen;
mod last_words;
mod mcp;
mod mcp_proxy;
mod monitor;
mod primitive;
mod requester;
#[cfg(feature = "server")]
mod restore;
mod secret_file;
#[cfg(feature = "server")]
mod serve;
mod trust;

use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Parser, Subcommand};
use verifier::cli::VerifyArgs;
use verifier::time::Timestamp;
use verifier::webauthn::PureRust;

use failure::Failure;

/// What the workers that answer requests allocate the writer's threads free, and the system's allocator makes them wait for
/// each other.
#[cfg(feature = "server")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Human approval with public evidence: ask for one exact action, decide with a passkey, verify offline.
#[derive(Parser)]
#[command(name = "countersign", version, after_help = FIRST_STEPS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[cfg(feature = "server")]
const FIRST_STEPS: &str = "\
First steps:
  countersign demo                                the whole story in ten seconds, on temporary data
  countersign serve                               the server, with its data in ./countersign-data
  countersign trust > trust.json                  what a verifier pins
  countersign verify RECEIPT --trust trust.json   check a receipt offline";

#[cfg(not(feature = "server"))]
const FIRST_STEPS: &str = "\
First steps:
  countersign trust --url URL > trust.json        what a verifier pins
  countersign verify RECEIPT --trust trust.json   check a receipt offline";

#[derive(Subcommand)]
enum Command {
    #[cfg(feature = "server")]
    Serve(serve::ServeArgs),
    #[cfg(feature = "server")]
    Demo(demo::DemoArgs),
    #[cfg(feature = "server")]
    Backup(backup::BackupArgs),
    #[cfg(feature = "server")]
    Restore(restore::RestoreArgs),
    #[cfg(feature = "server")]
    Doctor(doctor::DoctorArgs),
    Verify(Box<VerifyArgs>),
    Audit(audit::AuditArgs),
    Monitor(monitor::MonitorArgs),
    Gate(Box<gate::GateArgs>),
    Hook(Box<hook::HookArgs>),
    Mcp(mcp::McpArgs),
    McpProxy(mcp_proxy::McpProxyArgs),
    Trust(trust::TrustArgs),
    Keygen(keygen::KeygenArgs),
}

fn main() -> ExitCode {
    let ended = match Cli::try_parse().unwrap_or_else(|error| gate::wrong_call(&error)).command {
        #[cfg(feature = "server")]
        Command::Serve(args) => serve::run(args).map_err(Failure::from),
        #[cfg(feature = "server")]
        Command::Demo(args) => demo::run(&args).map_err(Failure::from),
        #[cfg(feature = "server")]
        Command::Backup(args) => backup::run(&args).map_err(Failure::from),
        #[cfg(feature = "server")]
        Command::Restore(args) => restore::run(&args).map_err(Failure::from),
        #[cfg(feature = "server")]
        Command::Doctor(args) => doctor::run(&args),
        Command::Verify(args) => verify(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Monitor(args) => monitor::run(&args).map_err(Failure::from),
        Command::Gate(args) => gate::run(*args).map_err(Failure::from),
        Command::Hook(args) => hook::run(*args).map_err(Failure::from),
        Command::Mcp(args) => mcp::run(args).map_err(Failure::from),
        Command::McpProxy(args) => mcp_proxy::run(args).map_err(Failure::from),
        Command::Trust(args) => trust::run(&args).map_err(Failure::from),
        Command::Keygen(args) => keygen::run(&args).map_err(Failure::from),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// The same as `countersign-verify`. The report says why a receipt fails, so only the exit code is left to say.
fn verify(args: &VerifyArgs) -> Result<(), Failure> {
    match args.run(now(), &PureRust, &mut std::io::stdout().lock()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::silent(1)),
        Err(error) => Err(Failure::from(error)),
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_unix(since.map_or(0, |since| since.as_secs()))
}
