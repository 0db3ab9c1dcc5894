//! `notify`: who is told, what a message says, and what becomes of it when the channel is slow, refuses, or the server stops.

use api::Status;
use log_server::limits::Limits;
use log_server::notifications::{Message, Undelivered};
use serde_json::json;

use crate::courier::{path, with_mail};
use crate::people::request;
use crate::server::{Server, Setup, soon};

fn later() -> Result<(), Undelivered> {
    Err(Undelivered::Later("450 busy".to_owned()))
}

fn told(approver: &str, changes: &serde_json::Value) -> serde_json::Value {
    let mut request = request(approver, changes);
    request["notify"] = "email".into();
    request
}

#[tokio::test]
async fn a_message_shows_title_and_requester_and_leads_to_the_page() {
    let (setup, mut post) = with_mail(Setup::new(), 4);
    let server = setup.start().await;
    let (alex, key) = (server.enrol_reachable("alex", &mut post).await, server.requester().await);
    let secret = json!({"payload": {"iban": "DE-SECRET"}, "metadata": {"note": "META-SECRET"}});
    let created = server.ask(&key, &told("alex", &secret)).await;
    let tried = post.next().await;
    let queued = server.confirmation(&key, &created.id).await.notified;
    assert_eq!((queued.len(), queued[0].channel.as_str(), queued[0].state.as_str()), (1, "email", "queued"));
    let message = tried.message.clone();
    tried.end(Ok(()));
    assert_eq!(message.to, "alex@example.com");
    assert_eq!(message.words.subject, "Deploy api-gateway to production");
    assert_eq!(path(&message), format!("/approve/{}", created.id));
    let text = format!("{:?}", message.words);
    assert!(text.contains(&created.compare_code) && text.contains("deploy-bot"), "{text}");
    assert!(!text.contains("SECRET"), "{text}");
    assert!(message.id.starts_with('<') && message.id.ends_with("@localhost>"), "{}", message.id);
    assert_eq!(server.settled(&key, &created.id).await, [("alex".to_owned(), "sent".to_owned())]);
    assert_eq!(alex.approve(&server, &created.id).await.status, Status::Approved);
    assert!(post.is_empty());
}

#[tokio::test]
async fn a_payload_is_shown_where_the_operator_says_so_and_in_no_subject() {
    let (setup, mut post) = with_mail(Setup::new(), 4);
    let couriers = setup.couriers.clone().showing_payload(true);
    let server = Setup { couriers, ..setup }.start().await;
    let (_, key) = (server.enrol_reachable("alex", &mut post).await, server.requester().await);
    let shown = json!({"payload": {"iban": "DE\u{202e}89"}, "metadata": {"note": "META-SECRET"}});
    server.ask(&key, &told("alex", &shown)).await;
    let Message { words, .. } = post.takes().await;
    assert_eq!(words.subject, "Deploy api-gateway to production");
    let text = format!("{:?}", words.before);
    assert!(text.contains(&format!("{:?}", r#"{"iban":"DE\u202e89"}"#)), "{text}");
    assert!(!format!("{words:?}").contains("META-SECRET") && !text.contains("the first"), "{words:?}");

    let long = json!({"payload": {"text": format!("{}END-SECRET", "x".repeat(2000))}});
    server.ask(&key, &told("alex", &long)).await;
    let text = format!("{:?}", post.takes().await.words);
    assert!(text.contains("the first 1000 of the payload's 2021 characters"), "{text}");
    assert!(!text.contains("END-SECRET"), "{text}");
}

#[tokio::test]
async fn what_the_server_or_the_approver_lacks_is_named_and_leaves_no_trace() {
    let (setup, mut post) = with_mail(Setup::new(), 4);
    let server = setup.start().await;
    let key = server.requester().await;
    server.enrol_reachable("alex", &mut post).await;
    server.enrol("sam").await;
    let before = server.stored();
    for (approver, word, detail) in [
        ("alex", "telegram", "this server has no channel telegram"),
        ("alex", "all", "this server has no channel telegram"),
        ("sam", "email", "sam has no confirmed contact for email"),
        ("sam", "telegram_or_email", "sam has no confirmed contact for email"),
        ("alex", "pigeon", "none, email, telegram"),
        ("alex", "", "none, email, telegram"),
    ] {
        let reply = server.try_ask(&key, &request(approver, &json!({"notify": word}))).await;
        let problem = reply.refused(422);
        assert_eq!(problem.field.as_deref(), Some("notify"), "{word}");
        assert!(problem.detail.contains(detail), "{word}: {}", problem.detail);
    }
    let both = json!({"username": null, "approvers": ["alex", "sam"]});
    assert!(server.try_ask(&key, &told("", &both)).await.refused(422).detail.contains("sam has no"));
    assert!(server.stored() == before, "a refusal left a trace");
    server.ask(&key, &request("alex", &json!({"notify": "telegram_or_email"}))).await;
    assert_eq!(post.takes().await.to, "alex@example.com");
    server.ask(&key, &request("sam", &json!({"notify": "none"}))).await;
    assert!(post.is_empty());

    let none = Server::new().await;
    let key = none.requester().await;
    none.enrol("alex").await;
    for (word, detail) in [("email", "no channel email"), ("telegram_or_email", "telegram and no channel email")] {
        let reply = none.try_ask(&key, &request("alex", &json!({"notify": word}))).await;
        assert!(reply.refused(422).detail.contains(detail), "{word}");
    }
    let invite = json!({"note": "join", "username": "kim", "email": "kim@example.com"});
    let reply = none.post("/api/invites").key(none.admin()).json(&invite).send().await;
    assert_eq!(reply.refused_field(422), "email");
}

#[tokio::test]
async fn with_a_quorum_everybody_is_told_once_however_often_it_is_asked() {
    let (setup, mut post) = with_mail(Setup::new(), 4);
    let server = setup.start().await;
    let key = server.requester().await;
    for name in ["alex", "kim", "sam"] {
        server.enrol_reachable(name, &mut post).await;
    }
    let asked = told("", &json!({"username": null, "approvers": ["sam", "alex", "kim"], "quorum": 2}));
    let again = async || {
        let call = server.post("/api/confirmations").key(&key).header("idempotency-key", "one").json(&asked);
        call.send().await.expect(201).json::<api::Created>()
    };
    let created = again().await;
    let mut messages = [post.takes().await, post.takes().await, post.takes().await];
    messages.sort_by(|one, other| one.to.cmp(&other.to));
    let to: Vec<_> = messages.iter().map(|message| message.to.as_str()).collect();
    assert_eq!(to, ["alex@example.com", "kim@example.com", "sam@example.com"]);
    assert!(messages.windows(2).all(|two| two[0].id != two[1].id));
    assert_eq!(again().await.id, created.id);
    assert_eq!(server.settled(&key, &created.id).await.len(), 3);
    assert!(post.is_empty());
    // Another word is another request.
    let call = server.post("/api/confirmations").key(&key).header("idempotency-key", "one");
    let mut other = asked.clone();
    other["notify"] = "none".into();
    assert_eq!(call.json(&other).send().await.refused_field(422), "Idempotency-Key");
}

#[tokio::test]
async fn it_is_tried_again_later_and_later_and_then_lies_with_the_dead_letters() {
    let (setup, clock) = Setup::with_manual_clock();
    let (setup, mut post) = with_mail(setup, 4);
    let server = setup.start().await;
    let key = server.requester().await;
    server.enrol_reachable("alex", &mut post).await;
    let created = server.ask(&key, &told("alex", &json!({"expiresIn": 600}))).await;
    let first = post.next().await;
    let id = first.message.id.clone();
    first.end(later());
    let queued = server.notifications("queued", 1).await;
    let mut tries = 1;
    assert_eq!(queued[0].confirmation.as_deref(), Some(created.id.as_str()));
    // Each wait is a minute at most, so after each minute there is another try, until there is no time for one.
    loop {
        soon(async {
            while server.confirmation(&key, &created.id).await.notified[0].state == "queued"
                && server
                    .get("/api/notifications?state=queued")
                    .key(server.admin())
                    .send()
                    .await
                    .expect(200)
                    .json::<api::NotificationList>()
                    .notifications
                    .iter()
                    .any(|one| one.attempts < tries)
            {
                tokio::task::yield_now().await;
            }
        })
        .await;
        if server.confirmation(&key, &created.id).await.notified[0].state != "queued" {
            break;
        }
        clock.advance(60);
        if tries >= 10 {
            break;
        }
        let tried = post.next().await;
        assert_eq!(tried.message.id, id, "the same message");
        tried.end(later());
        tries += 1;
    }
    assert!((9..=10).contains(&tries), "{tries}");
    clock.advance(60);
    let dead = server.notifications("failed", 1).await.remove(0);
    assert_eq!((dead.approver.as_deref(), dead.about.as_str()), (Some("alex"), "confirmation"));
    assert_eq!(dead.error.as_deref(), Some("450 busy"));
    assert!(server.notifications("queued", 0).await.is_empty());
    assert_eq!(server.settled(&key, &created.id).await[0].1, "failed");
    clock.advance(3600);

    // A refusal for good is not tried again.
    let created = server.ask(&key, &told("alex", &json!({}))).await;
    post.next().await.end(Err(Undelivered::Never("550 no such user".to_owned())));
    assert_eq!(server.settled(&key, &created.id).await[0].1, "failed");
    let dead = server.notifications("failed", 2).await;
    assert_eq!((dead[0].error.as_deref(), dead[0].attempts), (Some("550 no such user"), 1), "newest first");
    clock.advance(120);
    assert!(post.is_empty());
    for path in ["/api/notifications", "/api/notifications?state=sent", "/api/notifications?state=failed&cursor=x"] {
        server.get(path).key(server.admin()).send().await.refused(422);
    }
    server.get("/api/notifications?state=failed").key(&key).send().await.refused(403);
}

#[tokio::test]
async fn what_has_ended_or_was_decided_is_not_sent() {
    let (setup, clock) = Setup::with_manual_clock();
    let (setup, mut post) = with_mail(setup, 4);
    let server = setup.start().await;
    let key = server.requester().await;
    let alex = server.enrol_reachable("alex", &mut post).await;
    server.enrol_reachable("sam", &mut post).await;
    let both = json!({"username": null, "approvers": ["alex", "sam"], "quorum": 2});
    let cancelled = server.ask(&key, &told("alex", &json!({}))).await.id;
    post.next().await.end(later());
    let decided = server.ask(&key, &told("", &both)).await.id;
    post.next().await.end(later());
    post.next().await.end(later());
    server.notifications("queued", 3).await;
    server.cancel(&key, &cancelled).await.expect(200);
    alex.approve(&server, &decided).await;
    // All three were tried once and wait; only sam can still decide.
    soon(async {
        while server.notifications("queued", 3).await.iter().any(|one| one.attempts < 1) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    clock.advance(60);
    assert_eq!(post.takes().await.to, "sam@example.com");
    let states = server.settled(&key, &decided).await;
    assert_eq!(states, [("alex".into(), "unneeded".into()), ("sam".into(), "sent".into())]);
    assert_eq!(server.settled(&key, &cancelled).await[0].1, "unneeded");
    assert!(post.is_empty());
}

#[tokio::test]
async fn a_restart_loses_nothing_and_sends_nothing_again_that_was_settled() {
    let (setup, mut post) = with_mail(Setup::new(), 1);
    let server = setup.start().await;
    let key = server.requester().await;
    server.enrol_reachable("alex", &mut post).await;
    let sent = server.ask(&key, &told("alex", &json!({}))).await.id;
    post.takes().await;
    server.settled(&key, &sent).await;
    let (first, second) =
        (server.ask(&key, &told("alex", &json!({}))).await, server.ask(&key, &told("alex", &json!({}))).await);
    let lost = post.next().await;
    // The next run finds the store as a crash in the middle of sending leaves it: what became of it is not written down.
    let lost_id = lost.message.id.clone();
    server.app.approvals.writer.close();
    lost.end(Ok(()));
    drop(post);
    let (setup, _) = server.stop().await;
    let (setup, mut post) = with_mail(setup, 1);
    let server = setup.start().await;
    let mut again = [post.takes().await, post.takes().await];
    again.sort_by_key(|message| path(message) != format!("/approve/{}", first.id));
    assert!(again.iter().any(|message| message.id == lost_id), "the same Message-ID");
    assert_eq!(
        again.iter().map(path).collect::<Vec<_>>(),
        [first.id, second.id.clone()].map(|id| format!("/approve/{id}"))
    );
    assert_eq!(server.settled(&key, &second.id).await[0].1, "sent");
    assert_eq!(server.settled(&key, &sent).await[0].1, "sent");
    assert!(post.is_empty());
}

#[tokio::test]
async fn a_slow_channel_holds_nobody_who_decides() {
    let limits = Limits {
        pending_per_approver: 1_000,
        pending_per_key_and_approver: 1_000,
        notified_per_hour_per_approver: 1_000,
        ..Limits::default()
    };
    let (setup, mut post) = with_mail(Setup { limits, ..Setup::new() }, 2);
    let server = setup.start().await;
    let key = server.requester().await;
    let alex = server.enrol_reachable("alex", &mut post).await;
    let mut ids = Vec::new();
    for _ in 0..50 {
        ids.push(server.ask(&key, &told("alex", &json!({}))).await.id);
    }
    let held = (post.next().await, post.next().await);
    for id in &ids {
        assert_eq!(alex.approve(&server, id).await.status, Status::Approved);
    }
    assert!(post.is_empty(), "no more than two at a time");
    held.0.end(Ok(()));
    held.1.end(Ok(()));
    for id in &ids {
        server.settled(&key, id).await;
    }
    assert!(post.is_empty(), "what was decided meanwhile is not sent");
}

#[tokio::test]
async fn an_approver_gets_only_so_many_messages_in_an_hour() {
    let limits = Limits { notified_per_hour_per_approver: 2, ..Limits::default() };
    let (setup, mut post) = with_mail(Setup { limits, ..Setup::new() }, 4);
    let server = setup.start().await;
    let (key, other, third) = (server.requester().await, server.requester().await, server.requester().await);
    server.enrol_reachable("alex", &mut post).await;
    server.ask(&key, &told("alex", &json!({}))).await;
    post.takes().await;
    // One key has half of the hour, so that what it asks beyond takes nothing from the other.
    let reply = server.try_ask(&key, &told("alex", &json!({}))).await;
    assert!(reply.refused(429).detail.contains("1 messages of this API key in an hour"));
    server.ask(&other, &told("alex", &json!({}))).await;
    post.takes().await;
    let reply = server.try_ask(&third, &told("alex", &json!({}))).await;
    assert!(reply.header("retry-after").is_some());
    assert!(reply.refused(429).detail.contains("2 messages in an hour"));
    server.ask(&key, &request("alex", &json!({}))).await;
    assert!(post.is_empty());
}

#[tokio::test]
async fn no_title_that_ends_a_header_line_comes_in() {
    let (setup, mut post) = with_mail(Setup::new(), 4);
    let server = setup.start().await;
    let key = server.requester().await;
    server.enrol_reachable("alex", &mut post).await;
    for action in ["Deploy\r\nBcc: x@example.com", "Deploy\n", "a\u{202e}b", "a\u{200b}b", "a\u{2028}b", "a\0b"] {
        let reply = server.try_ask(&key, &told("alex", &json!({"action": action}))).await;
        assert_eq!(reply.refused_field(422), "action");
    }
    for email in ["x@example.com\r\nBcc: y@example.com", "x", "x@y@z", "ä@example.com"] {
        let invite = json!({"note": "join", "username": "kim", "email": email});
        let reply = server.post("/api/invites").key(server.admin()).json(&invite).send().await;
        assert_eq!(reply.refused_field(422), "email", "{email:?}");
    }
    assert!(post.is_empty());
}
