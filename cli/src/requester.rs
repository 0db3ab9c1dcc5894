//! What every command that asks for approval is told: which server, which key, whom to trust.

use std::path::{Path, PathBuf};

use agent::settings::{Options, Settings, SettingsError};
use clap::Args;

/// The options of a requester. The API key is never an option: others on the machine would see it.
#[derive(Args, Clone)]
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
    /// The options again as words of a command line that works in every folder.
    pub(crate) fn words(&self) -> std::io::Result<Vec<String>> {
        let mut words = Vec::new();
        let mut add = |option: &str, value: String| words.extend([option.to_owned(), value]);
        let path = |path: &Path| Ok::<_, std::io::Error>(std::path::absolute(path)?.to_string_lossy().into_owned());
        if let Some(url) = &self.url {
            add("--url", url.clone());
        }
        for (option, file) in
            [("--api-key-file", &self.api_key_file), ("--trust", &self.trust), ("--memory", &self.memory)]
        {
            if let Some(file) = file {
                add(option, path(file)?);
            }
        }
        if self.trust_on_first_use {
            words.push("--trust-on-first-use".to_owned());
        }
        Ok(words)
    }
}
