//! The tools over standard input and output. Nothing but JSON-RPC may stand on standard output.

use std::sync::Arc;

use rmcp::ServiceExt as _;

use crate::desk::Desk;
use crate::server::Tools;

/// Serves until standard input ends.
pub async fn serve<D: Desk>(desk: Arc<D>) -> Result<(), String> {
    let running = Tools::new(desk).serve(rmcp::transport::stdio()).await.map_err(|error| error.to_string())?;
    running.waiting().await.map(drop).map_err(|error| error.to_string())
}
