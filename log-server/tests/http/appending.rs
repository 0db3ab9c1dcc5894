//! Appending raw entries: one or several, all or none, the same bytes once.

use api::{Appended, AppendedList};
use log_server::writer::Moment;
use merkle::leaf_hash;
use serde_json::json;
use verifier::checkpoint::Checkpoint;
use verifier::encoding::{base64, from_base64};

use crate::call::Reply;
use crate::server::Server;

const MAX_ENTRY: usize = 65_535;

async fn append_list(server: &Server, key: &str, entries: &[&[u8]]) -> Reply {
    let texts: Vec<String> = entries.iter().map(|entry| base64(entry)).collect();
    server.post("/log/entries").key(key).json(&texts).send().await
}

#[tokio::test]
async fn an_entry_has_its_place_in_a_signed_checkpoint() {
    let server = Server::new().await;
    let key = server.appender().await;
    let largest = vec![7; MAX_ENTRY];
    let entries: [&[u8]; 4] = [b"first", b"", b"\0\xff", &largest];
    for (index, entry) in entries.into_iter().enumerate() {
        let appended: Appended = server.append(&key, entry).await.expect(200).json();
        assert_eq!(appended.index, index as u64);
        assert_eq!(appended.leaf_hash, base64(leaf_hash(entry).as_bytes()));
        let checkpoint = Checkpoint::open(appended.checkpoint.as_bytes(), &server.trust().await.logs[0]).unwrap();
        assert!(checkpoint.size.get() > appended.index);
        let read: api::LogEntry = server.get(&format!("/log/entries/{index}")).send().await.expect(200).json();
        assert_eq!(from_base64(&read.entry).unwrap(), entry);
        let again: Appended = server.append(&key, entry).await.expect(200).json();
        assert_eq!(again.index, appended.index, "the same bytes keep their place");
    }
    assert_eq!(server.log_size().await, 4);
}

#[tokio::test]
async fn an_entry_of_65536_bytes_is_too_large() {
    let server = Server::new().await;
    let key = server.appender().await;
    let before = (server.stored(), server.log_size().await);
    let too_large = vec![7; MAX_ENTRY + 1];
    assert!(server.append(&key, &too_large).await.refusal(413).contains("65535"));
    assert!(append_list(&server, &key, &[b"good", &too_large]).await.refusal(413).contains("65535"));
    server.append(&key, &vec![7; 2_000_000]).await.refused(413);
    assert!((server.stored(), server.log_size().await) == before);
}

#[tokio::test]
async fn a_list_is_appended_in_order_and_repeated_bytes_share_a_place() {
    let server = Server::new().await;
    let key = server.appender().await;
    server.append(&key, b"b").await.expect(200);
    let list: AppendedList = append_list(&server, &key, &[b"a", b"b", b"a", b"c"]).await.expect(200).json();
    let indexes: Vec<u64> = list.entries.iter().map(|entry| entry.index).collect();
    assert_eq!(indexes, [1, 0, 1, 2]);
    assert_eq!(list.entries[3].leaf_hash, base64(leaf_hash(b"c").as_bytes()));
    let checkpoint = Checkpoint::open(list.checkpoint.as_bytes(), &server.trust().await.logs[0]).unwrap();
    assert_eq!(checkpoint.size.get(), 3);
}

#[tokio::test]
async fn a_list_is_appended_as_a_whole_or_not_at_all() {
    let server = Server::new().await;
    let key = server.appender().await;
    let before = (server.stored(), server.log_size().await);
    let forged = append_list(&server, &key, &[b"good", b"countersign/decision/v1\n{}"]).await;
    assert_eq!(forged.refused_field(422), "/1");
    let bad = server.post("/log/entries").key(&key).json(&json!(["Z29vZA==", "not base64"])).send().await;
    assert_eq!(bad.refused_field(422), "/1");
    for spelling in ["Z29vZA", "Z29vZB==", "Z29v ZA==", "Z29vZA==\n"] {
        let bad = server.post("/log/entries").key(&key).json(&json!([spelling])).send().await;
        assert_eq!(bad.refused_field(422), "/0", "{spelling:?}");
    }
    let many: Vec<Vec<u8>> = (0..257_u32).map(|i| i.to_be_bytes().to_vec()).collect();
    let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    assert!(append_list(&server, &key, &many).await.refusal(422).contains("256"));
    append_list(&server, &key, &[]).await.refused(422);
    for body in ["{}", "\"Z29vZA==\"", "[7]", "[null]", "["] {
        server.post("/log/entries").key(&key).text(body).send().await.refused(400);
    }
    assert!((server.stored(), server.log_size().await) == before);
    let list: AppendedList = append_list(&server, &key, &many[..256]).await.expect(200).json();
    assert_eq!(list.entries.len(), 256);
}

#[tokio::test]
async fn only_the_approval_engine_writes_its_types() {
    let server = Server::new().await;
    let key = server.appender().await;
    let before = (server.stored(), server.log_size().await);
    for entry in [&b"countersign/"[..], b"countersign/decision/v1\n{}", b"countersign/x"] {
        assert_eq!(server.append(&key, entry).await.refused_field(422), "entry");
    }
    assert!((server.stored(), server.log_size().await) == before);
    for entry in [&b"countersign"[..], b"Countersign/", b" countersign/"] {
        server.append(&key, entry).await.expect(200);
    }
}

/// The second caller's command runs in the batch after, or in the same: either way it finds the first.
#[tokio::test]
async fn the_same_bytes_at_once_are_one_entry() {
    let server = Server::new().await;
    let key = server.appender().await;
    let call = || server.post("/log/entries").key(&key).body("text/plain", "same").send();
    let mut held = server.setup.pause.at(Moment::Sequenced);
    let first = tokio::spawn(call());
    held.reached().await;
    let others: Vec<_> = (0..20).map(|_| tokio::spawn(call())).collect();
    server.until_waiting(21).await;
    drop(held);
    assert_eq!(first.await.unwrap().expect(200).json::<Appended>().index, 0);
    for other in others {
        assert_eq!(other.await.unwrap().expect(200).json::<Appended>().index, 0);
    }
    assert_eq!(server.log_size().await, 1);
}
