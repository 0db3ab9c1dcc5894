//! The tools over streamable HTTP, without sessions: every POST stands for itself, so nothing is lost when a server starts
//! anew, and what a client of an older revision sends after `initialize` needs no memory here either.
//!
//! Who calls is found out before, by the server that this is mounted in. Host and Origin are checked here, because a page in
//! a browser may send requests to an address of the local network (DNS rebinding).

use std::sync::Arc;

use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::desk::Desk;
use crate::server::Tools;

/// This machine under its own names.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The tower service to be mounted at one path.
pub type Service<D> = StreamableHttpService<Tools<D>, NeverSessionManager>;

/// The tools for a server with this web origin, `https://approvals.example.com`, and bodies of at most so many bytes.
pub fn service<D: Desk>(desk: Arc<D>, web_origin: &str, max_body: usize) -> Service<D> {
    let authority = web_origin.split_once("://").map_or(web_origin, |(_, authority)| authority);
    let hosts = [authority].into_iter().chain(LOOPBACK).chain(["::1"]);
    let local = LOOPBACK.iter().flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}:*")));
    let default_port = if web_origin.starts_with("https:") { 443 } else { 80 };
    let own = if has_port(authority) { web_origin.to_owned() } else { format!("{web_origin}:{default_port}") };
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_allowed_hosts(hosts)
        .with_allowed_origins(local.chain([own]))
        .enforce_origin_validation()
        .with_max_request_body_bytes(max_body);
    let tools = Tools::new(desk);
    StreamableHttpService::new(move || Ok(tools.clone()), Arc::new(NeverSessionManager::default()), config)
}

fn has_port(authority: &str) -> bool {
    authority.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
}
