//! `countersign mcp`: the approval tools over standard input and output, beside a host that starts local servers
//! (docs/mcp.md). Nothing but the protocol is written to standard output.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use agent::desk::ClientDesk;
use agent::settings::{Patience, SettingsError};
use agent::{Client, Settings};
use clap::Args;

use crate::requester::RequesterArgs;

/// A host gives up a call after a minute, and the longest wait for a person takes 50 seconds of it.
const PATIENCE: Duration = Duration::from_secs(4);

/// Serve the approval tools to an agent over standard input and output (Model Context Protocol).
#[derive(Args)]
#[command(
    after_help = "Example, for Claude Code:\n  claude mcp add countersign --env COUNTERSIGN_URL=https://approvals.example.com \\\n    --env COUNTERSIGN_API_KEY_FILE=$HOME/.countersign.key --env COUNTERSIGN_TRUST=$HOME/trust.json -- countersign mcp"
)]
pub(crate) struct McpArgs {
    #[command(flatten)]
    requester: RequesterArgs,
}

/// Why the tools are not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum McpError {
    /// The call was wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The command cannot run.
    #[error("cannot serve: {0}")]
    Io(#[from] io::Error),
    /// The host does not speak the protocol.
    #[error("the host on standard input does not speak the protocol: {0}")]
    Protocol(String),
}

pub(crate) fn run(args: McpArgs) -> Result<(), McpError> {
    let settings = args.requester.settings()?;
    let patience = Patience { one_try: PATIENCE, all_tries: PATIENCE, ..settings.patience };
    let client = Client::new(Settings { patience, ..settings })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let served = runtime.block_on(::mcp::stdio::serve(Arc::new(ClientDesk::new(client))));
    // A thread that still reads standard input must not keep the process.
    runtime.shutdown_background();
    served.map_err(McpError::Protocol)
}
