//! The log of the server on standard error: for eyes on a terminal, one JSON object a line otherwise.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::EnvFilter;

use super::ServeError;

/// Starts logging.
pub(super) fn start() -> Result<(), ServeError> {
    let filter = match std::env::var("COUNTERSIGN_LOG") {
        Ok(text) if !text.is_empty() => {
            EnvFilter::try_new(&text).map_err(|error| ServeError::LogFilter(error.to_string()))?
        }
        _ => EnvFilter::new("info"),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    if stderr().is_terminal() {
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        builder.with_ansi(colour).init();
    } else {
        builder.json().flatten_event(true).init();
    }
    Ok(())
}
