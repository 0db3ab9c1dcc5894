//! Many at once: appenders, approvers and readers on all threads. Every receipt verifies, every index holds its bytes, and
//! all checkpoints that anybody saw are of one log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api::{Appended, Confirmation, ConsistencyProof, Created, DecisionMade, Status};
use merkle::{Hash, TreeSize, verify_consistency};
use serde_json::json;
use tokio::task::JoinSet;
use verifier::bundle::decode_bundle;
use verifier::checkpoint::Checkpoint;
use verifier::document::Decision;
use verifier::encoding::array_from_base64;
use verifier::note::VerifierKey;

use crate::flows::verify_receipt;
use crate::people::{Person, request};
use crate::server::{Server, soon};

const APPENDERS: usize = 64;
const APPENDS: usize = 8;
const APPROVERS: usize = 16;

type Seen = Vec<Checkpoint>;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn appenders_approvers_and_readers_at_once() {
    let server = Arc::new(Server::new().await);
    let (key, appender) = (server.requester().await, server.appender().await);
    let log_key = server.trust().await.logs[0].clone();
    let mut asked: Vec<(Person, Created)> = Vec::new();
    for i in 0..APPROVERS {
        let person = server.enrol(&format!("approver-{i}")).await;
        let created = server.ask(&key, &request(&person.name, &json!({}))).await;
        asked.push((person, created));
    }

    let done = Arc::new(AtomicBool::new(false));
    let mut watchers = JoinSet::new();
    for (_, created) in &asked {
        watchers.spawn(watch(server.clone(), key.clone(), created.id.clone(), log_key.clone()));
    }
    let mut readers = JoinSet::new();
    for _ in 0..4 {
        readers.spawn(read_checkpoints(server.clone(), done.clone(), log_key.clone()));
    }
    let mut appends = JoinSet::new();
    for name in 0..APPENDERS {
        appends.spawn(append_some(server.clone(), appender.clone(), name, log_key.clone()));
    }
    let mut decisions: JoinSet<DecisionMade> = JoinSet::new();
    for (person, created) in asked.clone() {
        let server = server.clone();
        decisions.spawn(async move { person.approve(&server, &created.id).await });
    }

    let decided = soon(decisions.join_all()).await;
    assert!(decided.iter().all(|made| made.status == Status::Approved));
    let appended: Vec<(u64, Vec<u8>, Checkpoint)> = soon(appends.join_all()).await.concat();
    let mut seen: Seen = soon(watchers.join_all()).await;
    done.store(true, Ordering::SeqCst);
    seen.extend(soon(readers.join_all()).await.concat());
    seen.extend(appended.iter().map(|(_, _, checkpoint)| checkpoint.clone()));

    for (_, created) in &asked {
        let confirmation = server.confirmation(&key, &created.id).await;
        let report = verify_receipt(&server, &confirmation, Decision::Approve).await;
        assert!(report.as_expected, "{:?}", report.failure());
    }
    let log = whole_log(&server).await;
    assert_eq!(log.len(), APPROVERS * 2 + APPENDERS * APPENDS);
    for (index, bytes, checkpoint) in &appended {
        assert_eq!(&log[usize::try_from(*index).unwrap()], bytes);
        assert!(checkpoint.size.get() > *index);
    }
    check_one_log(&server, &seen, &log).await;
}

/// Polls without waiting. The moment that it reads `approved`, the decision must be under the published checkpoint.
async fn watch(server: Arc<Server>, key: String, id: String, log_key: VerifierKey) -> Checkpoint {
    soon(async {
        loop {
            let now: Confirmation = server.confirmation(&key, &id).await;
            if now.status == Status::Approved {
                let note = server.get("/log/checkpoint").send().await.expect(200).body;
                let checkpoint = Checkpoint::open(&note, &log_key).unwrap();
                assert!(now.decisions[0].log_index < checkpoint.size.get(), "approved before it was published");
                return checkpoint;
            }
            assert_eq!(now.status, Status::Pending);
            tokio::task::yield_now().await;
        }
    })
    .await
}

async fn read_checkpoints(server: Arc<Server>, done: Arc<AtomicBool>, log_key: VerifierKey) -> Seen {
    let mut seen = Seen::new();
    while !done.load(Ordering::SeqCst) {
        let note = server.get("/log/checkpoint").send().await.expect(200).body;
        let checkpoint = Checkpoint::open(&note, &log_key).unwrap();
        assert!(seen.last().is_none_or(|last| last.size <= checkpoint.size), "the log became smaller");
        seen.push(checkpoint);
    }
    seen
}

async fn append_some(
    server: Arc<Server>,
    key: String,
    name: usize,
    log_key: VerifierKey,
) -> Vec<(u64, Vec<u8>, Checkpoint)> {
    let mut appended = Vec::new();
    for i in 0..APPENDS {
        let bytes = format!("appender {name}, entry {i}").into_bytes();
        let answer: Appended = server.append(&key, &bytes).await.expect(200).json();
        appended.push((answer.index, bytes, Checkpoint::open(answer.checkpoint.as_bytes(), &log_key).unwrap()));
    }
    appended
}

async fn whole_log(server: &Server) -> Vec<Vec<u8>> {
    let size = server.log_size().await;
    let mut log = Vec::new();
    for index in 0..size.div_ceil(256) {
        let width = (size - index * 256).min(256);
        let partial = if width < 256 { format!(".p/{width}") } else { String::new() };
        let bundle = server.get(&format!("/log/tile/entries/{index:03}{partial}")).send().await.expect(200).body;
        let entries = decode_bundle(&bundle, usize::try_from(width).unwrap()).unwrap();
        log.extend(entries.into_iter().map(<[u8]>::to_vec));
    }
    log
}

/// Each checkpoint has the root of the log's first entries, and the server proves each step from one to the next.
async fn check_one_log(server: &Server, seen: &Seen, log: &[Vec<u8>]) {
    let leaves: Vec<Hash> = log.iter().map(|entry| merkle::leaf_hash(entry)).collect();
    let mut by_size: BTreeMap<TreeSize, Hash> = BTreeMap::new();
    for checkpoint in seen {
        let root = *by_size.entry(checkpoint.size).or_insert(checkpoint.root);
        assert_eq!(root, checkpoint.root, "two roots of one size");
        assert_eq!(root, merkle::root(&leaves[..usize::try_from(checkpoint.size.get()).unwrap()]));
    }
    let all: Vec<(TreeSize, Hash)> = by_size.into_iter().collect();
    for pair in all.windows(2) {
        let [(from, from_root), (to, to_root)] = pair else { unreachable!("windows of two") };
        let proof = server.get(&format!("/log/proof/consistency?from={from}&to={to}")).send().await.expect(200);
        let proof: ConsistencyProof = proof.json();
        let hashes = proof.hashes.iter().map(|text| Hash::from_bytes(array_from_base64(text).unwrap()));
        verify_consistency(*from, *to, from_root, to_root, &hashes.collect::<Vec<_>>()).unwrap();
    }
}
