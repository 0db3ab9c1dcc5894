//! `load`: puts a server under load and checks every answer. The table goes to standard output.
//!
//! Exit codes: 0 every answer was right, 1 one was wrong or nothing was answered, 2 a wrong call.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use benches::connection::Server;
use benches::load::{Kind, Options, run};
use clap::Parser;
use verifier::trust::Trust;

/// Puts a server under load and checks every answer.
///
/// Writers append; readers check inclusion and consistency against one checkpoint that only grows. One request in ten is
/// malformed and must be refused as documented; one in ten of a writer appends something again, which must keep its index.
/// A key may make 60,000 requests in a minute unless the server's settings say otherwise; give several keys, or raise the
/// limit `requests_per_minute_per_key`.
#[derive(Parser)]
struct Arguments {
    /// The server: `http://host:port`.
    #[arg(long, env = "COUNTERSIGN_URL", value_parser = Server::parse)]
    url: Server,
    /// An API key with the scope append; may be given several times.
    #[arg(long, env = "COUNTERSIGN_API_KEY", required = true, hide_env_values = true)]
    key: Vec<String>,
    /// The trust file that pins the log's key.
    #[arg(long, env = "COUNTERSIGN_TRUST")]
    trust: PathBuf,
    /// How many clients append.
    #[arg(long, default_value_t = 16)]
    writers: usize,
    /// How many clients read.
    #[arg(long, default_value_t = 4)]
    readers: usize,
    /// How many entries one request appends: one goes as raw bytes, more as a list.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    batch: u16,
    /// How long an entry is, in bytes.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u16).range(24..))]
    size: u16,
    /// For how many seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many requests one writer makes at most. Readers go on until the writers have ended.
    #[arg(long, default_value_t = u64::MAX, hide_default_value = true)]
    requests: u64,
    /// For how many milliseconds each client waits between two of its requests. Without it they ask as fast as they can, and
    /// take what the server's machine has.
    #[arg(long, default_value_t = 0)]
    pause: u64,
}

fn main() -> ExitCode {
    match load(Arguments::parse()) {
        Ok(code) => code,
        Err(words) => {
            eprintln!("load: {words}");
            ExitCode::FAILURE
        }
    }
}

fn load(arguments: Arguments) -> Result<ExitCode, String> {
    let path = arguments.trust.display();
    let trust = std::fs::read(&arguments.trust).map_err(|error| format!("{path}: {error}"))?;
    let trust = Trust::parse(&trust).map_err(|error| format!("{path}: {error}"))?;
    let log_key = trust.logs.into_iter().next().ok_or_else(|| format!("{path} pins no log"))?;
    let options = Options {
        server: arguments.url,
        keys: arguments.key,
        log_key,
        writers: arguments.writers,
        readers: arguments.readers,
        batch: arguments.batch.into(),
        size: arguments.size.into(),
        time: Duration::from_secs(arguments.seconds),
        requests: arguments.requests,
        pause: Duration::from_millis(arguments.pause),
    };
    // One thread: what it leaves of the machine is the server's.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let report = runtime.block_on(run(options))?;
    print!("{report}");
    let answered = [Kind::Append, Kind::Duplicate, Kind::Inclusion, Kind::Consistency, Kind::Malformed];
    let answered: u64 = answered.into_iter().map(|kind| report.count(kind)).sum();
    Ok(if report.is_right() && answered > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
