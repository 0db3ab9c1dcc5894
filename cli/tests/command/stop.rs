//! How the server ends: gracefully at the first signal, at once at the second.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use api::{Confirmation, CreateConfirmation, Created, Status};
use rustix::process::Signal;
use serde_json::value::RawValue;

use super::anchors;
use super::person::{api_key, enrol_alex};
use super::running::{Folder, post, web};

#[tokio::test]
async fn sigterm_answers_an_open_long_poll_and_exits_0() {
    let folder = Folder::new();
    let server = folder.started().await;
    enrol_alex(&folder).await;
    let key = api_key(&folder, "request").await;
    let asked = CreateConfirmation {
        username: Some("alex".into()),
        approvers: None,
        quorum: None,
        action: "Deploy".into(),
        payload: RawValue::from_string("{}".into()).unwrap(),
        notify: None,
        expires_in: None,
        use_within: None,
        reveal: None,
        metadata: None,
    };
    let created: Created = post(&format!("{}/api/confirmations", folder.url()), &key, &asked).await;

    let url = format!("{}/api/confirmations/{}?wait=60", folder.url(), created.id);
    let request = web().get(url).header("X-Api-Key", key).build().unwrap();
    let poll = tokio::spawn(async move { web().execute(request).await });
    // The poll must be open. Nothing tells from outside; but long before the wait is over nothing else answers it.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!poll.is_finished());

    let since = Instant::now();
    server.signal(Signal::TERM);
    let answer: Confirmation = serde_json::from_slice(&poll.await.unwrap().unwrap().bytes().await.unwrap()).unwrap();
    assert_eq!(answer.status, Status::Pending);
    let ended = server.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
}

#[tokio::test]
async fn sigint_stops_too_and_what_was_written_is_there_afterwards() {
    let folder = Folder::new();
    let server = folder.started().await;
    let enrolled = enrol_alex(&folder).await;
    server.signal(Signal::INT);
    assert_eq!(server.ended().code, Some(0));

    let server = folder.started().await;
    let entry = web().get(format!("{}/log/entries/{}", folder.url(), enrolled.log_index)).send().await.unwrap();
    assert!(entry.status().is_success());
    // A kill is a crash: the next start recovers.
    server.signal(Signal::KILL);
    assert_eq!(server.ended().code, None);
    drop(folder.started().await);
}

#[tokio::test]
async fn a_second_signal_does_not_wait_for_slow_clients() {
    let folder = Folder::new();
    let mut server = folder.started().await;
    // A client that announces a body and never sends it.
    let mut slow = TcpStream::connect(("127.0.0.1", folder.port)).unwrap();
    let head = "POST /approve/cnf_x/options HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Content-Length: 10\r\n\r\n{";
    slow.write_all(head.as_bytes()).unwrap();
    // An answer to a later request shows that the server has read the earlier one.
    server.ready(&folder.url()).await;
    server.signal(Signal::TERM);
    server.says("a second signal stops at once");
    let since = Instant::now();
    server.signal(Signal::TERM);
    let ended = server.ended();
    assert_eq!(ended.refusal().0, Some(1));
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_writer_that_must_stop_ends_the_process() {
    let folder = Folder::new();
    let server = folder.started().await;
    let key = api_key(&folder, "append").await;
    // Somebody else writes the anchor: this server must not sign any more.
    anchors::change(&folder.path("anchor"), |anchor| anchor.log_origin = "elsewhere/log".to_owned());
    let append = web().post(format!("{}/log/entries", folder.url())).header("X-Api-Key", key).body("an entry");
    let answer = append.send().await;
    assert!(answer.is_ok_and(|answer| answer.status().is_server_error()));
    let ended = server.ended();
    let (code, sentence) = ended.refusal();
    assert_eq!(code, Some(1), "{sentence}");
    assert!(sentence.contains("the writer stopped") && sentence.contains("changed by somebody else"), "{sentence}");
}
