//! More than the server takes: long-polls, requests in a minute, a full queue, a full disk.

use api::{Confirmation, Status};
use log_server::limits::Limits;
use log_server::writer::Moment;
use serde_json::json;
use tokio::task::JoinSet;

use crate::call::Reply;
use crate::people::request;
use crate::server::{Server, Setup, soon};

/// What the server keeps free, in bytes.
const RESERVE: u64 = 256 * 1024 * 1024;

async fn with_limits(limits: Limits) -> Server {
    Setup { limits, ..Setup::new() }.start().await
}

#[track_caller]
fn refused_for_a_while(reply: Reply, status: u16) -> String {
    let seconds: u64 = reply.header("retry-after").expect("says when to try again").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    reply.refusal(status)
}

#[tokio::test]
async fn long_polls_of_one_key() {
    let server = with_limits(Limits { long_polls_per_key: 2, ..Limits::default() }).await;
    let (alex, other) = (server.enrol("alex").await, server.requester().await);
    let key = server.make_key(&json!({"name": "deploy-bot", "scopes": ["request"]})).await;
    let id = server.ask(&key.key, &request("alex", &json!({}))).await.id;
    let poll = || server.get(&format!("/api/confirmations/{id}?wait=60")).key(&key.key).send();
    let mut waiting = JoinSet::new();
    waiting.spawn(poll());
    waiting.spawn(poll());
    server.until_polls_wait(&key.record.id).await;
    assert!(refused_for_a_while(poll().await, 429).contains("2 long-polls"));
    assert_eq!(server.confirmation(&key.key, &id).await.status, Status::Pending, "without waiting it is answered");
    let others = server.ask(&other, &request("alex", &json!({}))).await.id;
    server.get(&format!("/api/confirmations/{others}?wait=1")).key(&other).send().await.expect(200);

    alex.approve(&server, &id).await;
    for reply in soon(waiting.join_all()).await {
        assert_eq!(reply.expect(200).json::<Confirmation>().status, Status::Approved);
    }
    poll().await.expect(200);
}

#[tokio::test]
async fn long_polls_in_all() {
    let server = with_limits(Limits { long_polls: 1, ..Limits::default() }).await;
    let (alex, one, two) = (server.enrol("alex").await, server.requester().await, server.requester().await);
    let first = server.ask(&one, &request("alex", &json!({}))).await.id;
    let second = server.ask(&two, &request("alex", &json!({}))).await.id;
    let mut waiting = JoinSet::new();
    waiting.spawn(server.get(&format!("/api/confirmations/{first}?wait=60")).key(&one).send());
    server.until_all_polls_wait().await;
    let refused = server.get(&format!("/api/confirmations/{second}?wait=60")).key(&two).send().await;
    refused_for_a_while(refused, 503);
    alex.approve(&server, &first).await;
    soon(waiting.join_next()).await.unwrap().unwrap().expect(200);
    server.get(&format!("/api/confirmations/{second}?wait=1")).key(&two).send().await.expect(200);
}

#[tokio::test]
async fn requests_with_one_key() {
    let server = with_limits(Limits { requests_per_minute_per_key: 5, ..Limits::default() }).await;
    let key = server.requester().await;
    let other = server.requester().await;
    for _ in 0..5 {
        server.get("/api/confirmations").key(&key).send().await.expect(200);
    }
    assert!(refused_for_a_while(server.get("/api/confirmations").key(&key).send().await, 429).contains("5 requests"));
    server.get("/api/confirmations").key(&other).send().await.expect(200);
}

#[tokio::test]
async fn requests_to_one_approver() {
    let server = with_limits(Limits { requests_per_minute_per_approver: 3, ..Limits::default() }).await;
    server.enrol("alex").await;
    server.enrol("sam").await;
    let (one, two) = (server.requester().await, server.requester().await);
    for key in [&one, &two, &one] {
        server.ask(key, &request("alex", &json!({}))).await;
    }
    let stored = server.stored();
    assert!(refused_for_a_while(server.try_ask(&two, &request("alex", &json!({}))).await, 429).contains("alex"));
    let both = json!({"username": null, "approvers": ["alex", "sam"]});
    refused_for_a_while(server.try_ask(&two, &request("", &both)).await, 429);
    assert_eq!(server.stored(), stored);
    server.ask(&two, &request("sam", &json!({}))).await;
}

/// The one route that makes challenges for whoever asks.
#[tokio::test]
async fn sign_ins_of_nobody_in_particular() {
    let server = Server::new().await;
    let alex = server.enrol("alex").await;
    let first = server.sign_in_challenge().await;
    let mut begun = 1;
    let refused = loop {
        let reply = server.own("/me/options").send().await;
        if reply.status != 200 {
            break reply;
        }
        begun += 1;
        assert!(begun < 10_000, "as many as are kept at a time, and none was refused");
    };
    assert!(begun >= 1500, "{begun}");
    assert!(refused_for_a_while(refused, 429).contains("sign-ins"));
    server.try_sign_in(&alex.device.sign(&first).await).await.expect(200);
}

/// Whoever may not ask somebody cannot use up how often they may be asked.
#[tokio::test]
async fn refused_requests_do_not_count_against_an_approver() {
    let server = with_limits(Limits { requests_per_minute_per_approver: 1, ..Limits::default() }).await;
    server.enrol("alex").await;
    let narrow = server.make_key(&json!({"name": "n", "scopes": ["request"], "approvers": ["sam"]})).await.key;
    let key = server.requester().await;
    for _ in 0..3 {
        server.try_ask(&narrow, &request("alex", &json!({}))).await.refused(403);
        server.try_ask(&key, &request("alex", &json!({"action": ""}))).await.refused(422);
    }
    server.ask(&key, &request("alex", &json!({}))).await;
}

#[tokio::test]
async fn a_full_queue_refuses_what_is_new_and_takes_a_decision() {
    let server = Server::new().await;
    let (alex, key, appender) = (server.enrol("alex").await, server.requester().await, server.appender().await);
    let id = server.ask(&key, &request("alex", &json!({}))).await.id;
    let taken_back = server.ask(&key, &request("alex", &json!({}))).await.id;
    let decision = alex.sign(&server, &id, "reject").await;

    let mut held = server.setup.pause.at(Moment::Sequenced);
    let mut appends = JoinSet::new();
    let log = server.app.log.clone();
    appends.spawn(async move { log.append(vec![b"first".to_vec()]).await.is_ok() });
    held.reached().await;
    // Straight into the queue: as many connections would need too many file descriptors.
    for i in 0..4096_u32 {
        let log = server.app.log.clone();
        appends.spawn(async move { log.append(vec![i.to_be_bytes().to_vec()]).await.is_ok() });
    }
    while appends.try_join_next().is_none() {
        tokio::task::yield_now().await;
    }
    refused_for_a_while(server.try_ask(&key, &request("alex", &json!({}))).await, 503);
    refused_for_a_while(server.append(&appender, b"one more").await, 503);
    let decided = server.send_decision(&id, &decision);
    let cancelled = server.cancel(&key, &taken_back);
    let (decided, cancelled, ()) = tokio::join!(decided, cancelled, async { drop(held) });
    assert_eq!(decided.expect(200).json::<api::DecisionMade>().status, Status::Rejected);
    assert_eq!(cancelled.expect(200).json::<Confirmation>().status, Status::Cancelled);
    let taken = soon(appends.join_all()).await.into_iter().filter(|appended| *appended).count() as u64;
    assert!((3500..4096).contains(&taken), "{taken}");
    assert_eq!(server.log_size().await, 1 + taken + 1, "the enrolment, the entries, the decision");
}

#[tokio::test]
async fn a_nearly_full_disk_refuses_what_is_new_and_takes_what_ends_things() {
    let server = Server::new().await;
    let free = |bytes: u64| server.setup.free_disk.store(bytes, std::sync::atomic::Ordering::SeqCst);
    let (alex, key, appender) = (server.enrol("alex").await, server.requester().await, server.appender().await);
    let ask = async || server.ask(&key, &request("alex", &json!({}))).await.id;
    let (pending, taken_back, approved) = (ask().await, ask().await, ask().await);
    alex.approve(&server, &approved).await;
    let code = server.invite(&json!({"note": "join us"})).await.code;
    let options = server.enrol_options(&code, "sam").await;
    let registration = crate::authenticator::Device::new().register(&options).await;

    free(RESERVE - 1);
    let stored = server.stored();
    refused_for_a_while(server.try_ask(&key, &request("alex", &json!({}))).await, 507);
    refused_for_a_while(server.send_registration(&code, &registration).await, 507);
    refused_for_a_while(server.append(&appender, b"entry").await, 507);
    refused_for_a_while(server.consume(&key, &approved, "a").await, 507);
    for path in ["/api/invites", "/api/keys"] {
        refused_for_a_while(server.post(path).key(server.admin()).json(&json!({})).send().await, 507);
    }
    assert_eq!(server.stored(), stored);
    assert_eq!(alex.decide(&server, &pending, "reject").await.status, Status::Rejected);
    server.cancel(&key, &taken_back).await.expect(200);
    let revoke = format!("/api/credentials/{}?reason=stolen", alex.enrolled.credential);
    server.delete(&revoke).key(server.admin()).send().await.expect(200);
    server.get("/log/checkpoint").send().await.expect(200);

    free(RESERVE);
    server.send_registration(&code, &registration).await.expect(201);
    server.append(&appender, b"entry").await.expect(200);
}
