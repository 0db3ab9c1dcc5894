//! A gate that is stopped, or runs out of time, where nobody sees it: while the server is asked, and after the use.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use agent::gate::{Gate, Plan, Refusal};
use agent::{Client, Clock, Code, Patience, Settings};
use api::Status;
use serde_json::Value;
use tokio::sync::Notify;

use crate::server::{World, deployment, patient};

/// Longer than any machine runs.
const FOR_EVER: Duration = Duration::from_secs(1_000_000_000);

fn gate(timeout: Option<Duration>) -> Gate {
    let plan = Plan::new(vec!["true".into()], &[], None).unwrap();
    let asked = agent::Asked { payload: plan.payload(), ..deployment() };
    Gate { plan, asked, idempotency_key: None, timeout }
}

fn code(refusal: &Refusal) -> Option<Code> {
    if let Refusal::Denied(denied) = refusal { Some(denied.code) } else { None }
}

/// How many requests are taken back, and how many wait for alex still.
async fn left_behind(client: &Client) -> (usize, usize) {
    let cancelled = client.list(Status::Cancelled, "alex").await.unwrap().confirmations.len();
    (cancelled, client.list(Status::Pending, "alex").await.unwrap().confirmations.len())
}

#[tokio::test]
async fn a_stop_while_the_server_is_asked_takes_the_request_back() {
    let world = World::new().await;
    let client = world.client();
    let stop = Arc::new(Notify::new());
    let made = stop.clone();
    // The request is made, and its answer comes after the signal.
    world.tamper(move |_, path, _: &mut Value| {
        if path == "/api/confirmations" {
            made.notify_one();
        }
    });
    let told = |_: &agent::Pending| -> io::Result<()> { panic!("nobody waits for this answer") };
    let refusal = gate(None).pass(&client, pin!(stop.notified()), told).await.unwrap_err();
    assert_eq!(code(&refusal), Some(Code::Aborted));
    assert_eq!(left_behind(&client).await, (1, 0));
}

#[tokio::test]
async fn a_request_whose_answer_is_lost_is_taken_back() {
    let world = World::new().await;
    let patience = Patience { first_wait: FOR_EVER, longest_wait: FOR_EVER, ..patient() };
    let client = Client::new(Settings { patience, ..world.settings() }).unwrap();
    let first = AtomicBool::new(true);
    world.tamper(move |_, path, answer| {
        if path == "/api/confirmations" && first.swap(false, Ordering::SeqCst) {
            *answer = Value::Null;
        }
    });
    let refusal = gate(None).pass(&client, pin!(std::future::pending()), |_| Ok(())).await.unwrap_err();
    assert_eq!(code(&refusal), Some(Code::Unreachable));
    assert_eq!(left_behind(&world.client()).await, (1, 0));
}

#[tokio::test]
async fn nothing_starts_after_a_stop_or_after_the_time_although_it_was_approved() {
    let world = World::new().await;
    world.person("approve");
    // The caller's own time, or the approval's: 300 seconds for the decision and 3600 for the use.
    for (timeout, later, expected) in [(1000, 1001, Code::Unreachable), (9000, 4000, Code::TooLate)] {
        let gone = Arc::new(AtomicU64::new(0));
        let seconds = gone.clone();
        let clock = Clock::with_wall(move || SystemTime::now() + Duration::from_secs(seconds.load(Ordering::SeqCst)));
        let client = Client::new(Settings { clock, ..world.settings() }).unwrap();
        let gate = gate(Some(Duration::from_secs(timeout)));
        let cleared = gate.pass(&client, pin!(std::future::pending()), |_| Ok(())).await.unwrap();
        cleared.last_look(pin!(std::future::pending())).await.unwrap();
        let refusal = cleared.last_look(pin!(std::future::ready(()))).await.unwrap_err();
        assert_eq!(code(&refusal), Some(Code::Aborted));
        gone.store(later, Ordering::SeqCst);
        let refusal = cleared.last_look(pin!(std::future::pending())).await.unwrap_err();
        assert_eq!(code(&refusal), Some(expected), "{refusal}");
    }
}
