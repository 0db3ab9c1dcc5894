//! A server and a person for the tests of MCP clients: `approvals` prints one line of JSON, `{"url", "api_key",
//! "trust_file"}`, and runs until standard input ends. The software person approves what is asked of alex as soon as they see
//! it, rejects an action with the word "reject", and never decides one with the word "never".
//!
//! `approvals stdio` serves the tools over standard input and output, as `countersign mcp` does, without the rest of it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a stand-in for tests")]

#[path = "../tests/door/authenticator.rs"]
mod authenticator;
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/door/server.rs"]
mod server;

use std::sync::Arc;
use std::time::Duration;

use agent::Client;
use agent::desk::ClientDesk;
use agent::settings::Options;
use api::Status;
use tokio::io::AsyncReadExt as _;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if std::env::args().nth(1).as_deref() == Some("stdio") {
        let settings = Options::default().resolve(|name| std::env::var(name).ok()).unwrap();
        let desk = ClientDesk::new(Client::new(settings).unwrap());
        return mcp::stdio::serve(Arc::new(desk)).await.unwrap();
    }
    let world = server::World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let trust_file = folder.path().join("trust.json");
    std::fs::write(&trust_file, world.trust.to_json()).unwrap();
    println!("{}", serde_json::json!({"url": world.url, "api_key": world.key, "trust_file": trust_file}));
    let mut rest = Vec::new();
    let mut stdin = tokio::io::stdin();
    tokio::select! {
        () = person(&world) => {}
        _ = stdin.read_to_end(&mut rest) => {}
    }
}

/// Looks at what is asked, over and over, as a person with a phone would.
async fn person(world: &server::World) {
    let client = world.client();
    loop {
        let waiting = client.list(Status::Pending, "alex").await.unwrap().confirmations;
        for request in waiting.iter().filter(|request| !request.action.contains("never")) {
            let decision = if request.action.contains("reject") { "reject" } else { "approve" };
            world.decide(&request.id, decision).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
