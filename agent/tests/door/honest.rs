//! The server does what it should: what opens, what does not, and what is found again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use agent::{Client, Clock, Code, Settings, TrustSource};
use misbehaving::honest::Honest;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::server::{Hold, World, ask_and_use, deployment};

#[tokio::test]
async fn an_approval_opens_once() {
    let world = World::new().await;
    world.person("approve");
    let client = world.client();
    let used = ask_and_use(&client, &deployment()).await.unwrap();
    assert_eq!(used.facts.core.action, "Deploy api-gateway");
    assert_eq!(used.facts.core.requester, "deploy-bot");
    let next = ask_and_use(&client, &deployment()).await.unwrap();
    assert_ne!(used.facts.core.id, next.facts.core.id, "a call without a key makes a request of its own");
}

#[tokio::test]
async fn a_rejection_carries_the_note_with_hidden_characters_written_out() {
    let world = World::new().await;
    world.person("reject");
    let denied = ask_and_use(&world.client(), &deployment()).await.unwrap_err();
    assert_eq!(denied.code, Code::Rejected);
    assert_eq!(denied.note.as_deref(), Some("not on a [U+202E]Friday"));
    assert!(denied.to_string().contains("alex rejected it"), "{denied}");
    assert!(!denied.to_string().contains('\u{202e}'));
}

#[tokio::test]
async fn a_request_that_nobody_decides_expires() {
    let world = World::new().await;
    let pending = world.client().ask(&deployment(), None, None).await.unwrap();
    world.clock.advance(301);
    let denied = pending.decision(Some(Duration::from_secs(20)), std::future::pending()).await.unwrap_err();
    assert_eq!(denied.code, Code::Expired);
}

#[tokio::test]
async fn a_request_that_somebody_else_cancels_is_over() {
    let world = World::new().await;
    let client = world.client();
    let pending = client.ask(&deployment(), None, None).await.unwrap();
    let (same, _) = client.resume(pending.id()).await.unwrap();
    same.cancel().await.unwrap();
    let denied = pending.decision(None, std::future::pending()).await.unwrap_err();
    assert_eq!(denied.code, Code::Cancelled);
    same.cancel().await.unwrap();
}

#[tokio::test]
async fn what_is_decided_cannot_be_cancelled() {
    let world = World::new().await;
    world.person("approve");
    let pending = world.client().ask(&deployment(), None, None).await.unwrap();
    let denied = pending.cancel().await.unwrap_err();
    assert_eq!((denied.code, denied.problem.unwrap().0), (Code::Refused, 409));
}

#[tokio::test]
async fn who_timed_out_cancels_and_ignores_a_late_yes() {
    let world = World::new().await;
    let pending = world.client().ask(&deployment(), None, None).await.unwrap();
    let denied = pending.decision(Some(Duration::ZERO), std::future::pending()).await.unwrap_err();
    assert_eq!(denied.code, Code::TimedOut);
    world.decide(pending.id(), "approve").await;
    let denied = pending.look(Duration::ZERO).await.unwrap().outcome.unwrap_err();
    assert_eq!(denied.code, Code::Cancelled, "the request was cancelled, so nobody could decide it");
}

#[tokio::test]
async fn who_is_told_to_stop_cancels() {
    let world = World::new().await;
    let pending = world.client().ask(&deployment(), None, None).await.unwrap();
    let denied = pending.decision(None, async {}).await.unwrap_err();
    assert_eq!(denied.code, Code::Aborted);
    assert_eq!(pending.look(Duration::ZERO).await.unwrap().outcome.unwrap_err().code, Code::Cancelled);
}

#[tokio::test]
async fn a_client_that_was_killed_finds_its_request_by_its_key() {
    let world = World::new().await;
    let first = world.client().ask(&deployment(), Some("job-7"), None).await.unwrap();
    world.decide(first.id(), "approve").await;
    let second = world.client().ask(&deployment(), Some("job-7"), None).await.unwrap();
    assert_eq!(first.id(), second.id());
    let approved = second.look(Duration::ZERO).await.unwrap().outcome.unwrap().expect("it is approved");
    approved.consume(None).await.unwrap();
    let other = agent::Asked { action: "Something else".to_owned(), ..deployment() };
    let denied = world.client().ask(&other, Some("job-7"), None).await.unwrap_err();
    assert_eq!(denied.code, Code::Refused);
    assert_eq!(denied.problem.unwrap().0, 422);
}

#[tokio::test]
async fn an_approval_that_somebody_used_does_not_open() {
    let world = World::new().await;
    world.person("approve");
    let client = world.client();
    let pending = client.ask(&deployment(), None, None).await.unwrap();
    let (same, _) = client.resume(pending.id()).await.unwrap();
    let approved = same.look(Duration::ZERO).await.unwrap().outcome.unwrap().expect("it is approved");
    approved.consume(None).await.unwrap();
    let approved = pending.decision(None, std::future::pending()).await.unwrap();
    assert!(approved.consumed_at().is_some());
    assert_eq!(approved.consume(None).await.unwrap_err().code, Code::AlreadyConsumed);
}

#[tokio::test]
async fn a_busy_server_is_asked_again_with_the_same_key() {
    let world = World::new().await;
    world.person("approve");
    *world.front.busy.lock().unwrap() = 2;
    ask_and_use(&world.client(), &deployment()).await.unwrap();
    let creates = world.asked().iter().filter(|asked| *asked == "POST /api/confirmations").count();
    assert_eq!(creates, 3);
}

#[tokio::test]
async fn a_wrong_request_is_refused_at_once() {
    let world = World::new().await;
    let asked = agent::Asked { approvers: vec!["nobody"].into_iter().map(name).collect(), ..deployment() };
    let denied = world.client().ask(&asked, None, None).await.unwrap_err();
    assert_eq!((denied.code, denied.problem.as_ref().unwrap().0), (Code::Refused, 422));
    assert!(denied.detail.contains("nobody is not enrolled"), "{denied}");
    let wrong = Settings { api_key: agent::ApiKey::new("csk_wrong").unwrap(), ..world.settings() };
    let denied = Client::new(wrong).unwrap().ask(&deployment(), None, None).await.unwrap_err();
    assert_eq!(denied.problem.unwrap().0, 401);
    assert!(!denied.detail.contains("csk_"), "no key in an error");
}

#[tokio::test]
async fn trust_on_first_use_stays_with_the_first() {
    let (world, other) = (World::new().await, World::with_log_key(&Honest::other_log_key()).await);
    let folder = tempfile::tempdir().unwrap();
    let memory = Some(folder.path().join("memory.json"));
    world.person("approve");
    let first = Settings { trust: TrustSource::FirstUse, memory: memory.clone(), ..world.settings() };
    let client = Client::new(first.clone()).unwrap();
    assert!(!client.is_pinned());
    ask_and_use(&client, &deployment()).await.unwrap();
    // The same address with another log behind it.
    let text = std::fs::read_to_string(memory.as_ref().unwrap()).unwrap();
    std::fs::write(memory.as_ref().unwrap(), text.replace(&world.url, &other.url)).unwrap();
    other.person("approve");
    let later = Settings { trust: TrustSource::FirstUse, memory, ..other.settings() };
    let denied = ask_and_use(&Client::new(later).unwrap(), &deployment()).await.unwrap_err();
    assert_eq!(denied.code, Code::NotVerified, "{denied}");
}

fn name(text: &str) -> verifier::names::Username {
    verifier::names::Username::new(text).unwrap()
}

/// Calls that run beside each other hear of later heads before they get their own answers.
#[tokio::test]
async fn a_consumption_under_an_earlier_head_is_fine_if_the_log_proves_that_it_only_grew() {
    for (proves, code) in [(true, None), (false, Some(Code::RolledBack))] {
        let world = World::new().await;
        world.person("approve");
        let silent = Arc::new(AtomicBool::new(false));
        let proves_nothing = Arc::clone(&silent);
        world.tamper(move |_, path, answer| {
            if path.starts_with("/log/proof/consistency") && proves_nothing.load(Ordering::Relaxed) {
                answer["hashes"] = json!([]);
            }
        });
        let client = world.client();
        let pending = client.ask(&deployment(), None, None).await.unwrap();
        let slow = pending.decision(None, std::future::pending()).await.unwrap();
        let ((there, answered), (release, released)) = (oneshot::channel(), oneshot::channel());
        *world.front.holds.lock().unwrap() = Some(Hold { there, released });
        let slow = tokio::spawn(slow.consume(None));
        answered.await.unwrap();
        ask_and_use(&client, &deployment()).await.unwrap();
        silent.store(!proves, Ordering::Relaxed);
        release.send(()).unwrap();
        assert_eq!(slow.await.unwrap().err().map(|denied| denied.code), code);
    }
}

/// The proof of an earlier use stays valid for ever, and is no use of this call.
#[tokio::test]
async fn an_earlier_use_is_not_this_call_s() {
    let world = World::new().await;
    world.person("approve");
    let first = Mutex::new(None::<Value>);
    world.tamper(move |_, path, answer| {
        if path.ends_with("/consume") {
            *answer = first.lock().unwrap().get_or_insert_with(|| answer.clone()).clone();
        }
    });
    let run = |client: Client| async move {
        let pending = client.ask(&deployment(), Some("job-7"), None).await.unwrap();
        let approved = pending.decision(None, std::future::pending()).await.unwrap();
        approved.consume(None).await.err().map(|denied| denied.code)
    };
    assert_eq!(run(world.client()).await, None);
    assert_eq!(run(world.client()).await, Some(Code::AlreadyConsumed));
}

/// While the machine sleeps its monotonic clock stands still, and whoever wakes up goes by the other one.
#[tokio::test]
async fn what_a_machine_that_slept_hears_too_late_does_not_count() {
    let world = World::new().await;
    world.person("approve");
    for (sleeps_at, code) in [("GET", Code::TimedOut), ("POST", Code::Unreachable)] {
        let slept = Arc::new(AtomicU64::new(0));
        let asleep = Arc::clone(&slept);
        world.tamper(move |method, path, _| {
            if path.starts_with("/api/confirmations/") && method == sleeps_at {
                asleep.store(120, Ordering::Relaxed);
            }
        });
        let wall = move || SystemTime::now() + Duration::from_secs(slept.load(Ordering::Relaxed));
        let client = Client::new(Settings { clock: Clock::with_wall(wall), ..world.settings() }).unwrap();
        let pending = client.ask(&deployment(), None, None).await.unwrap();
        let left = Some(Duration::from_secs(60));
        let denied = match pending.decision(left, std::future::pending()).await {
            Ok(approved) => approved.consume(left).await.unwrap_err(),
            Err(denied) => denied,
        };
        assert_eq!(denied.code, code, "{denied}");
    }
}

/// Its connections are gone too, and the request is still to be taken back.
#[tokio::test]
async fn a_machine_that_slept_through_its_time_takes_its_request_back() {
    let world = World::new().await;
    let front = world.front.clone();
    let wall = move || {
        let asleep = front.asked.lock().unwrap().iter().any(|asked| asked.starts_with("GET /api/confirmations/"));
        SystemTime::now() + Duration::from_secs(if asleep { 120 } else { 0 })
    };
    let client = Client::new(Settings { clock: Clock::with_wall(wall), ..world.settings() }).unwrap();
    let pending = client.ask(&deployment(), None, None).await.unwrap();
    *world.front.busy.lock().unwrap() = 1;
    let denied = pending.decision(Some(Duration::from_secs(60)), std::future::pending()).await.unwrap_err();
    assert_eq!(denied.code, Code::TimedOut, "{denied}");
    assert_eq!(world.honest.confirmation(pending.id()).await.status, api::Status::Cancelled);
}
