//! The load generator finds nothing wrong with our server, and exits with 1 before a server that lies.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::collections::HashSet;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use benches::Running;
use http_body_util::BodyExt as _;
use log_server::store::memory::MemoryStore;
use serde_json::Value;
use verifier::note::SignerKey;
use verifier::trust::Trust;

/// What a server does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// Nothing.
    None,
    /// One bit of an inclusion proof is another.
    InclusionProof,
    /// One bit of a consistency proof is another.
    ConsistencyProof,
    /// What is appended again gets another index.
    OtherIndex,
    /// The checkpoint stays what it was at first, though entries are acknowledged.
    OldCheckpoint,
    /// A leaf hash that is not the entry's.
    LeafHash,
    /// What must be refused is taken.
    TakesAll,
    /// What must be refused is refused without saying which field.
    VagueRefusal,
    /// The checkpoints are signed with another key than the one that is pinned.
    OtherKey,
}

#[derive(Default)]
struct Memory {
    seen: HashSet<Bytes>,
    checkpoint: Option<Bytes>,
}

/// Runs the load generator against our server behind a liar.
async fn load(lie: Lie, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(Arc::new(MemoryStore::default()), &folder.path().join("anchor")).unwrap();
    let memory = Arc::new(Mutex::new(Memory::default()));
    let liar = from_fn(move |request: Request, next: Next| twisted(lie, memory.clone(), request, next));
    let routes: Router = log_server::http::router(running.app.clone()).layer(liar);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });

    let trust = folder.path().join("trust.json");
    let pinned = match lie {
        Lie::OtherKey => SignerKey::from_seed(running.app.log_key.name(), &[2; 32]).unwrap().verifier_key(),
        _ => running.app.log_key.clone(),
    };
    let relying_party = running.app.approvals.identity.relying_party.clone();
    std::fs::write(&trust, Trust::of_server(pinned, relying_party).to_json()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_load"));
    // The writers end by their number of requests, and the readers with them; the time only ends a run that hangs. The pause
    // leaves processor time for the writer's threads: on two cores, readers who never rest have starved them for minutes.
    command.args(["--writers", "2", "--readers", "2", "--requests", "20", "--seconds", "300", "--pause", "1"]);
    command.args(["--url", &url, "--key", &running.append_key().await.unwrap()]).arg("--trust").arg(&trust).args(more);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    running.stop();
    output
}

async fn twisted(lie: Lie, memory: Arc<Mutex<Memory>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let (parts, body) = request.into_parts();
    let sent = body.collect().await.unwrap().to_bytes();
    let (mut answer, body) = next.run(Request::from_parts(parts, Body::from(sent.clone()))).await.into_parts();
    let mut body = body.collect().await.unwrap().to_bytes();
    match (lie, path.as_str()) {
        (Lie::InclusionProof, "/log/proof/inclusion") | (Lie::ConsistencyProof, "/log/proof/consistency") => {
            body = changed(&body, |answer| {
                // The first symbol of base64 stands for six bits of the first hash.
                let Some(Value::String(hash)) = answer["hashes"].as_array_mut().and_then(|hashes| hashes.first_mut())
                else {
                    return;
                };
                hash.replace_range(..1, if hash.starts_with('A') { "B" } else { "A" });
            });
        }
        (Lie::OtherIndex, "/log/entries") if answer.status == 200 && !memory.lock().unwrap().seen.insert(sent) => {
            body = changed(&body, |answer| answer["index"] = (answer["index"].as_u64().unwrap() ^ 1).into());
        }
        (Lie::OldCheckpoint, "/log/checkpoint") => {
            body = memory.lock().unwrap().checkpoint.get_or_insert(body).clone();
        }
        (Lie::LeafHash, "/log/entries") if answer.status == 200 => {
            body = changed(&body, |answer| answer["leaf_hash"] = "AAAA".into());
        }
        (Lie::TakesAll, _) => answer.status = StatusCode::OK,
        (Lie::VagueRefusal, _) if answer.status == 422 => {
            body = changed(&body, |answer| _ = answer.as_object_mut().unwrap().remove("field"));
        }
        _ => {}
    }
    answer.headers.remove("content-length");
    Response::from_parts(answer, Body::from(body))
}

fn changed(body: &Bytes, change: impl FnOnce(&mut Value)) -> Bytes {
    let mut answer = serde_json::from_slice(body).unwrap();
    change(&mut answer);
    serde_json::to_vec(&answer).unwrap().into()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_server_passes() {
    for more in [[].as_slice(), &["--batch", "8"]] {
        let output = load(Lie::None, more).await;
        let words = words(&output);
        assert!(output.status.success(), "{words}");
        for kind in ["append", "duplicate", "inclusion", "consistency", "malformed"] {
            assert!(words.lines().any(|line| line.starts_with(kind)), "no row of {kind}: {words}");
        }
        assert!(words.contains("wrong answers: 0") && !words.contains("not answered"), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lying_server_does_not_pass() {
    for (lie, said) in [
        (Lie::InclusionProof, "is not in the tree"),
        (Lie::ConsistencyProof, "do not agree"),
        (Lie::OtherIndex, "an entry was first at"),
        (Lie::OldCheckpoint, "was acknowledged, and the log shows"),
        (Lie::LeafHash, "another leaf hash"),
        (Lie::TakesAll, "was taken"),
        (Lie::VagueRefusal, "was not refused as invalid"),
        (Lie::OtherKey, "the checkpoint: "),
    ] {
        let output = load(lie, &[]).await;
        let words = words(&output);
        assert_eq!(output.status.code(), Some(1), "{lie:?}: {words}");
        assert!(words.contains(said), "{lie:?}: {words}");
    }
}
