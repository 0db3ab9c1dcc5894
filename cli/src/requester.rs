//! What every command that asks for approval is told: which server, which key, whom to trust.

use std::path::PathBuf;

use agent::settings::{Options, Settings, SettingsError};
use clap::Args;

/// The options of a requester. The API key is never an option: others on the machine would see it.
#[derive(Args)]
pub(crate) struct RequesterArgs {
    /// The server's public URL [env: COUNTERSIGN_URL]
    #[arg(long)]
    url: Option<String>,
    /// A file that holds the API key [env: COUNTERSIGN_API_KEY, or COUNTERSIGN_API_KEY_FILE]
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// The trust file, from `countersign trust`, compared over another channel [env: COUNTERSIGN_TRUST]
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Without a trust file, believe what the server says about itself the first time, and keep it
    #[arg(long, conflicts_with = "trust")]
    trust_on_first_use: bool,
    /// Where the largest verified tree heads are kept [env: COUNTERSIGN_MEMORY] [default: in the user's state folder]
    #[arg(long, value_name = "FILE")]
    memory: Option<PathBuf>,
}

impl RequesterArgs {
    /// The settings, with what is left out from the environment.
    pub(crate) fn settings(self) -> Result<Settings, SettingsError> {
        let Self { url, api_key_file, trust, trust_on_first_use, memory } = self;
        let options = Options { url, api_key_file, trust, trust_on_first_use, memory };
        options.resolve(|name| std::env::var(name).ok())
    }
}
