//! Asking too often: how much may be pending at a time, and what was rejected is not asked again at once.

use api::{ApproveOptions, RejectedTitle};
use log_server::limits::Limits;
use serde_json::{Value, json};

use crate::call::Reply;
use crate::people::request;
use crate::server::{Server, Setup};

#[track_caller]
fn too_many(reply: Reply) -> (u64, String) {
    let seconds = reply.header("retry-after").expect("says when to try again").parse().unwrap();
    (seconds, reply.refusal(429))
}

#[tokio::test]
async fn so_many_may_be_pending_for_one_approver() {
    let (setup, clock) = Setup::with_manual_clock();
    let limits = Limits { pending_per_approver: 2, ..Limits::default() };
    let server = Setup { limits, ..setup }.start().await;
    let (alex, sam) = (server.enrol("alex").await, server.enrol("sam").await);
    let (one, two) = (server.requester().await, server.requester().await);
    let ask = async |key: &str| server.ask(key, &request("alex", &json!({"expiresIn": 60}))).await.id;
    let (first, second) = (ask(&one).await, ask(&two).await);

    let stored = server.stored();
    let (_, words) = too_many(server.try_ask(&one, &request("alex", &json!({}))).await);
    assert!(words.contains("2 confirmations that ask alex are pending"), "{words}");
    let both = request("", &json!({"username": null, "approvers": ["alex", "sam"], "quorum": 2}));
    too_many(server.try_ask(&one, &both).await);
    assert_eq!(server.stored(), stored, "a refusal leaves no trace");
    server.ask(&one, &request("sam", &json!({}))).await;

    alex.approve(&server, &first).await;
    let third = ask(&one).await;
    too_many(server.try_ask(&one, &both).await);
    server.cancel(&two, &second).await.expect(200);
    let fourth = server.ask(&one, &both).await.id;
    sam.approve(&server, &fourth).await;
    too_many(server.try_ask(&one, &request("alex", &json!({}))).await);
    clock.advance(61);
    ask(&one).await;
    too_many(server.try_ask(&one, &both).await);
    alex.decide(&server, &fourth, "reject").await;
    ask(&two).await;
    server.cancel(&one, &third).await.refused(409);
    too_many(server.try_ask(&two, &request("alex", &json!({"action": "something else"}))).await);
}

#[tokio::test]
async fn one_key_takes_no_more_than_its_share_of_an_approvers_places() {
    let (setup, clock) = Setup::with_manual_clock();
    let limits = Limits { pending_per_approver: 5, pending_per_key_and_approver: 2, ..Limits::default() };
    let server = Setup { limits, ..setup }.start().await;
    let (alex, _sam) = (server.enrol("alex").await, server.enrol("sam").await);
    let (greedy, honest) = (server.requester().await, server.requester().await);
    let to_alex = request("alex", &json!({"expiresIn": 60}));
    let first = server.ask(&greedy, &to_alex).await.id;
    let both = request("", &json!({"username": null, "approvers": ["alex", "sam"]}));
    let second = server.ask(&greedy, &both).await.id;

    let stored = server.stored();
    for refused in [&to_alex, &both, &request("alex", &json!({"action": "Another title"}))] {
        let (_, words) = too_many(server.try_ask(&greedy, refused).await);
        assert!(words.contains("2 confirmations of this API key that ask alex are pending, at most 2"), "{words}");
        assert!(words.contains("pending_per_key_and_approver"), "{words}");
    }
    assert_eq!(server.stored(), stored, "a refusal leaves no trace");
    // The other places of alex are for other keys, and another approver has places of their own.
    for _ in 0..2 {
        server.ask(&honest, &to_alex).await;
    }
    server.ask(&greedy, &request("sam", &json!({}))).await;
    // A place is free again when a request is decided, taken back or over.
    alex.approve(&server, &first).await;
    let third = server.ask(&greedy, &to_alex).await.id;
    too_many(server.try_ask(&greedy, &to_alex).await);
    server.cancel(&greedy, &second).await.expect(200);
    server.ask(&greedy, &to_alex).await;
    too_many(server.try_ask(&greedy, &to_alex).await);
    clock.advance(61);
    server.ask(&greedy, &to_alex).await;
    server.cancel(&greedy, &third).await.refused(409);
}

#[tokio::test]
async fn so_many_may_be_pending_of_one_key_also_after_a_restart() {
    let limits = Limits { pending_per_key: 2, ..Limits::default() };
    let server = Setup { limits, ..Setup::new() }.start().await;
    for name in ["alex", "sam"] {
        server.enrol(name).await;
    }
    let (key, other) = (server.requester().await, server.requester().await);
    let first = server.ask(&key, &request("alex", &json!({}))).await.id;
    let repeated = |server: &Server| {
        let call = server.post("/api/confirmations").key(&key).header("idempotency-key", "a");
        call.json(&request("sam", &json!({}))).send()
    };
    let second: api::Created = repeated(&server).await.expect(201).json();
    let (setup, _) = server.stop().await;
    let server = setup.start().await;
    let (_, words) = too_many(server.try_ask(&key, &request("sam", &json!({}))).await);
    assert!(words.contains("2 confirmations of this API key"), "{words}");
    let again: api::Created = repeated(&server).await.expect(201).json();
    assert_eq!(again.id, second.id, "an answer that was lost is given again");
    server.ask(&other, &request("alex", &json!({}))).await;
    server.cancel(&key, &first).await.expect(200);
    server.cancel(&key, &first).await.expect(200);
    server.ask(&key, &request("alex", &json!({}))).await;
    too_many(server.try_ask(&key, &request("sam", &json!({}))).await);
}

#[tokio::test]
async fn what_was_rejected_is_not_asked_again_at_once() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.start().await;
    let (alex, _sam) = (server.enrol("alex").await, server.enrol("sam").await);
    let (key, other) = (server.requester().await, server.requester().await);
    let id = server.ask(&key, &request("alex", &json!({}))).await.id;
    alex.decide(&server, &id, "reject").await;
    clock.advance(10);

    let stored = server.stored();
    let another = json!({"payload": {"commit": "b2c3d4e"}});
    for changes in
        [json!({}), another, json!({"expiresIn": 600, "reveal": true}), json!({"metadata": {"please": true}})]
    {
        let (seconds, words) = too_many(server.try_ask(&key, &request("alex", &changes)).await);
        assert_eq!(seconds, 50);
        assert!(words.contains("alex rejected what this API key asked under this title"), "{words}");
        assert!(words.contains("cool_down_seconds, 60"), "{words}");
    }
    let both = json!({"username": null, "approvers": ["alex", "sam"], "quorum": 1});
    too_many(server.try_ask(&key, &request("", &both)).await);
    assert_eq!(server.stored(), stored, "a refusal leaves no trace");

    for (key, request) in [
        (&key, request("alex", &json!({"action": "Deploy to staging"}))),
        (&key, request("sam", &json!({}))),
        (&other, request("alex", &json!({}))),
    ] {
        server.ask(key, &request).await;
    }
    clock.advance(49);
    too_many(server.try_ask(&key, &request("alex", &json!({}))).await);
    clock.advance(1);
    server.ask(&key, &request("alex", &json!({}))).await;
}

#[tokio::test]
async fn every_further_rejection_doubles_the_wait_until_an_approval_or_a_day_ends_the_row() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let mut tries = 0;
    // Every try has another payload.
    let mut next = || {
        tries += 1;
        request("alex", &json!({"payload": {"try": tries}}))
    };
    let waits = async |asked: serde_json::Value| too_many(server.try_ask(&key, &asked).await).0;
    for wait in [60, 120, 240, 480, 960, 1920, 3600, 3600] {
        let id = server.ask(&key, &next()).await.id;
        alex.decide(&server, &id, "reject").await;
        assert_eq!(waits(next()).await, wait);
        clock.advance(wait - 1);
        assert_eq!(waits(next()).await, 1);
        clock.advance(1);
    }
    let id = server.ask(&key, &next()).await.id;
    alex.approve(&server, &id).await;
    for wait in [60, 120] {
        let id = server.ask(&key, &next()).await.id;
        alex.decide(&server, &id, "reject").await;
        assert_eq!(waits(next()).await, wait, "the approval ended the row");
        clock.advance(wait);
    }
    clock.advance(24 * 3600);
    let id = server.ask(&key, &next()).await.id;
    alex.decide(&server, &id, "reject").await;
    assert_eq!(waits(next()).await, 60, "the next day is another day");
}

#[tokio::test]
async fn a_title_that_changes_with_every_try_is_found_out() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.start().await;
    let (alex, _sam) = (server.enrol("alex").await, server.enrol("sam").await);
    let (key, other) = (server.requester().await, server.requester().await);
    let titled = |approver: &str, n: u32| request(approver, &json!({"action": format!("Deploy, try {n}")}));
    for n in 1..=4 {
        let id = server.ask(&key, &titled("alex", n)).await.id;
        alex.decide(&server, &id, "reject").await;
    }
    let fifth = server.ask(&key, &titled("alex", 5)).await.id;
    alex.decide(&server, &fifth, "reject").await;
    let (seconds, words) = too_many(server.try_ask(&key, &titled("alex", 6)).await);
    assert_eq!(seconds, 60);
    assert!(words.contains("under any title") && words.contains("5 in a row"), "{words}");
    server.ask(&key, &titled("sam", 6)).await;
    server.ask(&other, &titled("alex", 6)).await;
    clock.advance(60);
    let sixth = server.ask(&key, &titled("alex", 6)).await.id;
    alex.decide(&server, &sixth, "reject").await;
    assert_eq!(too_many(server.try_ask(&key, &titled("alex", 7)).await).0, 120);
}

#[tokio::test]
async fn the_cool_down_can_be_set_and_switched_off() {
    let limits = Limits { cool_down_seconds: 0, ..Limits::default() };
    let server = Setup { limits, ..Setup::new() }.start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    for _ in 0..7 {
        let id = server.ask(&key, &request("alex", &json!({}))).await.id;
        alex.decide(&server, &id, "reject").await;
    }
}

#[tokio::test]
async fn whoever_is_asked_again_is_told_of_the_rejections_before() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.start().await;
    let (alex, _sam) = (server.enrol("alex").await, server.enrol("sam").await);
    let (key, other) = (server.requester().await, server.requester().await);
    let ask = async |key: &str, approver: &str| server.ask(key, &request(approver, &json!({}))).await.id;
    let mut times = Vec::new();
    for _ in 0..2 {
        let id = ask(&key, "alex").await;
        assert_eq!(rejections(&server.approve_options(&id, "alex").await), times.len());
        times.push(alex.decide(&server, &id, "reject").await.decided_at);
        clock.advance(121);
    }
    let told = server.approve_options(&ask(&key, "alex").await, "alex").await.rejected_before.unwrap();
    assert_eq!(told.times, 2);
    let seen: Vec<_> = told.last.iter().map(|one| (one.by.as_deref(), one.at.clone())).collect();
    assert_eq!(seen, [(Some("alex"), times[1].clone()), (Some("alex"), times[0].clone())]);

    let to_sam = server.approve_options(&ask(&key, "sam").await, "sam").await.rejected_before.unwrap();
    assert_eq!(to_sam.times, 2);
    assert!(to_sam.last.iter().all(|one| one.by.is_none()), "sam was not asked then, and is not told who said no");
    assert_eq!(rejections(&server.approve_options(&ask(&other, "alex").await, "alex").await), 0);
}

#[tokio::test]
async fn who_rejected_a_title_is_told_so_of_another_payload_until_they_approve_one() {
    let limits = Limits { cool_down_seconds: 0, ..Limits::default() };
    let server = Setup { limits, ..Setup::new() }.start().await;
    let (alex, sam) = (server.enrol("alex").await, server.enrol("sam").await);
    let (key, other) = (server.requester().await, server.requester().await);
    let both = |n: u64| request("", &json!({"username": null, "approvers": ["alex", "sam"], "payload": {"n": n}}));
    let ask = async |n: u64| server.ask(&key, &both(n)).await.id;
    let told = async |id: &str, name: &str| server.approve_options(id, name).await.rejected_title;

    let mut last = String::new();
    for n in 0..2 {
        let id = ask(n).await;
        assert_eq!(told(&id, "alex").await.map_or(0, |title| u64::from(title.times)), n);
        last = alex.decide(&server, &id, "reject").await.decided_at;
    }
    let third = ask(2).await;
    assert_eq!(told(&third, "alex").await, Some(RejectedTitle { times: 2, at: last }));
    assert_eq!(told(&third, "sam").await, None, "it is told to those who rejected, and not of others");
    let elsewhere = server.ask(&other, &both(2)).await.id;
    assert_eq!(told(&elsewhere, "alex").await, None, "another key");
    let titled = server.ask(&key, &request("alex", &json!({"action": "Another title"}))).await.id;
    assert_eq!(told(&titled, "alex").await, None, "another title");

    sam.approve(&server, &third).await;
    let fourth = ask(3).await;
    assert_eq!(told(&fourth, "alex").await.map(|title| title.times), Some(2), "somebody else's approval ends no row");
    alex.approve(&server, &fourth).await;
    assert_eq!(told(&ask(4).await, "alex").await, None);
}

fn rejections(shown: &ApproveOptions) -> usize {
    shown.rejected_before.as_ref().map_or(0, |before| before.times as usize)
}

#[tokio::test]
async fn the_last_approved_of_the_same_requester_and_title_goes_to_whom_was_asked_both_times() {
    let limits = Limits { cool_down_seconds: 0, ..Limits::default() };
    let server = Setup { limits, ..Setup::new() }.start().await;
    let (alex, sam) = (server.enrol("alex").await, server.enrol("sam").await);
    let (key, other) =
        (server.requester().await, server.make_key(&json!({"name": "x", "scopes": ["request"]})).await.key);
    let ask = async |key: &str, approver: &str, payload: Value| {
        server.ask(key, &request(approver, &json!({"payload": payload}))).await.id
    };
    let last = async |id: &str, name: &str| server.approve_options(id, name).await.last_approved;

    let rejected = ask(&key, "alex", json!({"n": 0})).await;
    alex.decide(&server, &rejected, "reject").await;
    let first = ask(&key, "alex", json!({"n": 1})).await;
    assert_eq!(last(&first, "alex").await, None, "a rejection is nothing to compare with");
    let made = alex.approve(&server, &first).await;
    let second = ask(&key, "alex", json!({"n": 2})).await;
    let shown = last(&second, "alex").await.unwrap();
    assert_eq!((shown.id, shown.decided_at, &*shown.payload), (first, made.decided_at, r#"{"n":1}"#));

    let to_sam = ask(&key, "sam", json!({"n": 3})).await;
    assert_eq!(last(&to_sam, "sam").await, None, "sam was not asked then");
    assert_eq!(last(&ask(&other, "alex", json!({"n": 3})).await, "alex").await, None, "another requester");
    sam.approve(&server, &to_sam).await;
    assert_eq!(&*last(&second, "alex").await.unwrap().payload, r#"{"n":1}"#);
    let titled = server.ask(&key, &request("alex", &json!({"action": "Another title"}))).await.id;
    assert_eq!(last(&titled, "alex").await, None);
    alex.approve(&server, &second).await;
    assert_eq!(last(&second, "alex").await, None, "nothing is told of what has ended");
}
