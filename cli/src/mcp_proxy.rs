//! `countersign mcp-proxy`: stands before another MCP server and holds its calls until a person approved them
//! (docs/mcp-proxy.md). Nothing but the protocol is written to standard output.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use agent::proxy::{self, Ended, Proxy, ProxyError, Rules, RulesError, RulesFile};
use agent::settings::{Patience, SettingsError};
use agent::{Client, Settings};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use verifier::json::{Limits, Numbers};

use crate::requester::RequesterArgs;

/// The largest file of rules in bytes.
const MAX_RULES: usize = 1 << 20;
/// How long one try to reach the server may take.
const ONE_TRY: Duration = Duration::from_secs(15);

/// Hold the calls of another MCP server until a person approved them.
#[derive(Args)]
#[command(after_help = "Example, for Claude Code; every call of the server waits for alex:\n  claude mcp add files \
        --env COUNTERSIGN_URL=https://approvals.example.com --env COUNTERSIGN_API_KEY_FILE=$HOME/.countersign.key \\\n    \
        --env COUNTERSIGN_TRUST=$HOME/trust.json -- countersign mcp-proxy --approver alex -- npx -y @example/files /srv")]
pub(crate) struct McpProxyArgs {
    #[command(flatten)]
    requester: RequesterArgs,
    /// Which tools are held and who is asked, as TOML, or as JSON if the name ends in .json
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Who approves, where the rules do not say
    #[arg(long, value_name = "NAME")]
    approver: Option<String>,
    /// Hold this tool and pass the others; may be given again [default: every tool is held]
    #[arg(long = "tool", value_name = "NAME", conflicts_with = "rules")]
    tools: Vec<String>,
    /// Seconds for which a call may be held in all; must be less than the host waits
    #[arg(long, value_name = "S", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// The server's command
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Why the proxy does not run, or ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum McpProxyError {
    /// The call was wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The rules were.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// Their file cannot be read.
    #[error("cannot read the rules {path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Their file has no rules.
    #[error("{path} has no rules: {words}")]
    Text {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        words: String,
    },
    /// The proxy cannot run.
    #[error("cannot run: {0}")]
    Io(#[from] io::Error),
    /// The server cannot.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The server ended while the host was there.
    #[error("the server ended: {0}")]
    Ended(ExitStatus),
}

impl McpProxyError {
    /// The exit code: the server's own, if it ended with one that is no success.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Settings(_) | Self::Rules(_) | Self::File { .. } | Self::Text { .. } => 2,
            Self::Ended(status) => {
                let code = status.code().and_then(|code| u8::try_from(code).ok());
                code.filter(|code| *code != 0).unwrap_or(1)
            }
            Self::Io(_) | Self::Proxy(_) => 1,
        }
    }
}

pub(crate) fn run(args: McpProxyArgs) -> Result<(), McpProxyError> {
    let McpProxyArgs { requester, rules, approver, tools, timeout, command } = args;
    let program = command.first().map_or("", String::as_str);
    let rules = match rules {
        Some(path) => Rules::of_file(read(&path)?, approver.as_deref(), program)?,
        None => Rules::of_tools(&tools, approver.as_deref(), program)?,
    };
    let settings = requester.settings()?;
    let timeout = Duration::from_secs(timeout);
    let patience = Patience { one_try: ONE_TRY.min(timeout), all_tries: timeout, ..settings.patience };
    let client = Client::new(Settings { patience, ..settings })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let ended = runtime.block_on(async {
        let (mut terminated, mut interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let stop = async move {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
        };
        Ok::<_, McpProxyError>(proxy::run(Proxy { rules, command, timeout }, client, stop).await?)
    });
    // A thread that still reads standard input must not keep the process.
    runtime.shutdown_background();
    match ended? {
        Ended::Host => Ok(()),
        Ended::Server(status) => Err(McpProxyError::Ended(status)),
    }
}

/// Reads a file of rules. A key that stands twice is an error in both forms.
fn read(path: &Path) -> Result<RulesFile, McpProxyError> {
    let text = fs::read_to_string(path).map_err(|error| McpProxyError::File { path: path.to_owned(), error })?;
    let wrong = |words: String| McpProxyError::Text { path: path.to_owned(), words };
    if text.len() > MAX_RULES {
        return Err(wrong(format!("it has more than {MAX_RULES} bytes")));
    }
    if path.extension().is_some_and(|extension| extension == "json") {
        let limits = Limits { max_bytes: MAX_RULES, max_depth: 8, numbers: Numbers::Any };
        verifier::json::parse(text.as_bytes(), limits).map_err(|error| wrong(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
    } else {
        toml::from_str(&text).map_err(|error| wrong(error.to_string()))
    }
}
