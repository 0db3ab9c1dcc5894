//! Open files: the server keeps some for its store and its anchor, whatever the callers do.
//!
//! A connection is an open file, and so is what the store and the anchor need for the next signature. If callers could take
//! them all, anybody could stop the server.

use log_server::limits::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::ServeError;

/// What store, anchor, log and listener need at most.
const OWN: u64 = 256;
/// Below this there is no sense in listening.
const LEAST_CONNECTIONS: u64 = 16;

/// How many files a process may open, and how many of them are left for connections.
pub(crate) struct Allowed {
    pub(crate) files: u64,
    pub(crate) connections: u64,
}

/// What a server that starts with these limits may open, once it has raised the soft limit to the hard one.
pub(crate) fn allowed() -> Result<Allowed, ServeError> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let files = maximum.max(current).unwrap_or(u64::MAX);
    connections_of(if maximum.is_none() { u64::MAX } else { files })
}

fn connections_of(files: u64) -> Result<Allowed, ServeError> {
    let connections = files.saturating_sub(OWN);
    if connections < LEAST_CONNECTIONS {
        return Err(ServeError::OpenFiles { allowed: files, needed: OWN + LEAST_CONNECTIONS });
    }
    Ok(Allowed { files, connections })
}

/// Raises the process's limit to what it may be, and bounds the connections by what is left.
pub(super) fn bounded(limits: Limits) -> Result<Limits, ServeError> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // If it may not be raised, the bound below is smaller; nothing else changes.
        _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let left = connections_of(allowed)?.connections;
    let connections = limits.connections.min(usize::try_from(left).unwrap_or(usize::MAX));
    if connections < limits.connections {
        tracing::warn!(
            allowed,
            connections,
            wanted = limits.connections,
            "fewer connections than the limit: open files"
        );
    }
    Ok(Limits { connections, ..limits })
}
