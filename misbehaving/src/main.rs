//! Servers that misbehave, for the tests of everything that must fail closed: the SDKs, the gate, the hook, the proxy.
//!
//! `misbehaving` starts one server for each case of [`cases::CASES`], each on a port of its own, prints one line of JSON that
//! says where they are, and runs until its standard input ends. `misbehaving --table` prints the cases alone, as they stand
//! in `testdata/doors.json`. One more server misbehaves in nothing, and its approver reads what is asked (`person.rs`).
//! `misbehaving --tools FILE` is something else, an MCP server that says what ran (`tools.rs`).
//!
//! Behind nearly every case is the real server with its store in memory and an approver with a software passkey; in front
//! of it stands what a broken network or a hostile operator would do. All servers have the same log key and site, so that
//! one trust file is for all, and a client's memory can be taken from one to another. It is a tool for tests, and stops at
//! the first thing that it did not expect.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool for tests: whatever it did not expect ends it")]

mod broken;
mod cases;
mod clock;
mod evidence;
mod front;
mod person;
mod tools;

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use cases::{Behaviour, CASES};
use log_server::api_keys::ApiKey;
use log_server::random::OsRandom;
use misbehaving::honest::{self, Honest};

#[tokio::main]
async fn main() {
    if std::env::args().nth(1).as_deref() == Some("--table") {
        print!("{}", cases::table());
        return;
    }
    if let (Some(flag), Some(calls)) = (std::env::args().nth(1), std::env::args_os().nth(2))
        && flag == "--tools"
    {
        return tools::serve(calls.as_ref());
    }
    let folder = tempfile::tempdir().unwrap();
    let api_key = ApiKey::generate(&OsRandom);
    let mut urls = BTreeMap::new();
    for case in CASES {
        let port = match case.behaviour {
            Behaviour::Broken(broken) => broken::listen(broken).await,
            Behaviour::Server(trick) => front::listen(trick, api_key.reveal(), urls.get("approves").copied()).await.0,
        };
        urls.insert(case.name, port);
    }
    let (who_reads, front) = front::listen(front::Trick::Nothing, api_key.reveal(), None).await;
    tokio::spawn(async move { person::decides(front.honest()).await });
    let trust_file = folder.path().join("trust.json");
    std::fs::write(&trust_file, Honest::trust_in(&Honest::log_key()).to_json() + "\n").unwrap();
    let cases: BTreeMap<_, _> = urls.iter().map(|(name, port)| (name, format!("http://localhost:{port}"))).collect();
    let line = serde_json::json!({
        "api_key": api_key.reveal(),
        "trust_file": trust_file,
        "approver": honest::ALEX,
        "requester": honest::REQUESTER,
        "cases": cases,
        "person": format!("http://localhost:{who_reads}"),
    });
    println!("{line}");
    io::stdout().flush().unwrap();
    // The end of standard input is the end of the test that started this.
    _ = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await;
}
