//! `countersign trust`: what a server says about itself, for pinning. Trust on first use, and said to be that.

use std::io::{self, Write as _};

use clap::Args;
use verifier::trust::{Trust, TrustError};

use crate::client::{self, Client, ClientError};

/// Print a server's trust file, for pinning.
#[derive(Args)]
#[command(after_help = "Example:\n  countersign trust --url https://approvals.example.com > trust.json")]
pub(crate) struct TrustArgs {
    /// The server's public URL.
    #[arg(long, env = "COUNTERSIGN_URL", default_value = "http://localhost:8080")]
    url: String,
}

/// Why there is no trust file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustCommandError {
    /// The server does not give one.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What it gives is none.
    #[error("{url}/trust.json is not a trust file: {error}")]
    Content {
        /// The server.
        url: String,
        /// Why.
        error: TrustError,
    },
    /// It holds characters that cannot be seen.
    #[error("{0}/trust.json holds characters that cannot be seen; do not pin it")]
    Hidden(String),
    /// The command cannot run.
    #[error("cannot print the trust file: {0}")]
    Io(#[from] io::Error),
}

pub(crate) fn run(args: &TrustArgs) -> Result<(), TrustCommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bytes = runtime.block_on(async { Client::new(&args.url)?.bytes("/trust.json").await })?;
    let trust = Trust::parse(&bytes).map_err(|error| TrustCommandError::Content { url: args.url.clone(), error })?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_end();
    if text.chars().any(|symbol| symbol != '\n' && verifier::names::is_hidden(symbol)) {
        return Err(TrustCommandError::Hidden(args.url.clone()));
    }
    writeln!(io::stdout().lock(), "{text}")?;
    for key in &trust.logs {
        eprintln!("compare this log key over another channel: {}", client::visible(&key.to_string()));
    }
    Ok(())
}
