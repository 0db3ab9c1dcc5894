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

/// Raises the process's limit to what it may be, and bounds the connections by what is left.
pub(super) fn bounded(limits: Limits) -> Result<Limits, ServeError> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // If it may not be raised, the bound below is smaller; nothing else changes.
        _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let left = allowed.saturating_sub(OWN);
    if left < LEAST_CONNECTIONS {
        return Err(ServeError::OpenFiles { allowed, needed: OWN + LEAST_CONNECTIONS });
    }
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
