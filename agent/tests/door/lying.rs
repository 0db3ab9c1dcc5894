//! The server answers, and the answer is wrong: in no case does the action run, and each says why. The cases of
//! testdata/doors.json are run by the doors (cli/tests); here is what they do not have.

use agent::{Client, Code, Settings};
use axum::http::Method;
use serde_json::{Value, json};

use crate::server::{Tamper, World, ask_and_use, deployment};

/// What is wrong with which answer, and the code that tells it.
fn cases() -> Vec<(&'static str, Tamper, Code)> {
    vec![
        ("core of something else", created(|answer| answer["core"] = json!("{}")), Code::Mismatch),
        ("other action", core(r#""action":"Deploy api-gateway""#, r#""action":"Deploy everything""#), Code::Mismatch),
        ("other payload", core(r#""env":"production""#, r#""env":"staging""#), Code::Mismatch),
        ("other approver", core(r#""approvers":["alex"]"#, r#""approvers":["eve"]"#), Code::Mismatch),
        ("more approvers", core(r#""approvers":["alex"]"#, r#""approvers":["alex","eve"]"#), Code::Mismatch),
        ("other log", core("localhost:8080/log", "evil.example/log"), Code::Mismatch),
        ("revealed", core(r#""reveal":false"#, r#""reveal":true"#), Code::Mismatch),
        ("answer about another request", fetched(|answer| answer["id"] = json!("cnf_x")), Code::Mismatch),
        ("answer with another core", fetched(|answer| answer["core"] = json!("{}")), Code::Mismatch),
        ("empty receipt", fetched(|answer| answer["receipt"] = json!("")), Code::NotVerified),
        (
            "tampered receipt",
            fetched(|answer| change(&mut answer["receipt"], "production", "p0duction")),
            Code::NotVerified,
        ),
        ("approved only in words", words(), Code::NotVerified),
        ("consumption of something else", consumed(|answer| answer["logIndex"] = json!(0)), Code::NotVerified),
        ("consumption without proof", consumed(|answer| answer["proof"]["hashes"] = json!([])), Code::NotVerified),
        (
            "consumption at another time",
            consumed(|answer| answer["consumedAt"] = json!("2026-01-01T00:00:00Z")),
            Code::NotVerified,
        ),
    ]
}

#[tokio::test]
async fn no_wrong_answer_opens() {
    for (what, tamper, code) in cases() {
        let world = World::new().await;
        world.person("approve");
        world.tamper(tamper);
        let denied = ask_and_use(&world.client(), &deployment()).await.expect_err(what);
        assert_eq!(denied.code, code, "{what}: {denied}");
    }
}

#[tokio::test]
async fn an_older_request_with_the_same_payload_is_another_one() {
    let world = World::new().await;
    world.person("approve");
    // The server hands out what was asked an hour ago, and its clock goes on.
    let old = world.client().ask(&deployment(), Some("old"), None).await.unwrap();
    world.clock.advance(200);
    let first: Value = json!({"id": old.id(), "core": old.remembered().text});
    let (id, text) = (first["id"].clone(), first["core"].clone());
    let text = json!(text.as_str().unwrap().replace(&issued(&text), "2026-01-01T00:00:00Z"));
    world.tamper(created(move |answer| {
        answer["id"] = id.clone();
        answer["core"] = text.clone();
    }));
    let denied = ask_and_use(&world.client(), &deployment()).await.unwrap_err();
    assert_eq!(denied.code, Code::Mismatch, "{denied}");
}

fn issued(core: &Value) -> String {
    let core: Value = serde_json::from_str(core.as_str().unwrap()).unwrap();
    core["issued_at"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_log_that_went_back_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Some(folder.path().join("memory.json"));
    let world = World::new().await;
    world.person("approve");
    let with_memory = |world: &World| Settings { memory: memory.clone(), ..world.settings() };
    let client = Client::new(with_memory(&world)).unwrap();
    for _ in 0..2 {
        ask_and_use(&client, &deployment()).await.unwrap();
    }
    // A copy of the log, with the same key, that has fewer entries; then as many, but others.
    let copy = World::new().await;
    copy.person("approve");
    for round in 0..3 {
        let denied = ask_and_use(&Client::new(with_memory(&copy)).unwrap(), &deployment()).await.unwrap_err();
        assert_eq!(denied.code, Code::RolledBack, "round {round}: {denied}");
    }
    // Whoever remembers nothing cannot tell.
    ask_and_use(&copy.client(), &deployment()).await.unwrap();
}

#[tokio::test]
async fn a_log_that_does_not_prove_that_it_grew_does_not_open() {
    let world = World::new().await;
    world.person("approve");
    let client = world.client();
    ask_and_use(&client, &deployment()).await.unwrap();
    world.tamper(|_, path, answer| {
        if path.starts_with("/log/proof/consistency") {
            answer["hashes"] = json!([]);
        }
    });
    let denied = ask_and_use(&client, &deployment()).await.unwrap_err();
    assert_eq!(denied.code, Code::RolledBack, "{denied}");
}

fn created(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Tamper {
    Box::new(move |method, path, answer| {
        if method == Method::POST && path == "/api/confirmations" {
            change(answer);
        }
    })
}

fn fetched(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Tamper {
    Box::new(move |method, path, answer| {
        if method == Method::GET && path.starts_with("/api/confirmations/") {
            change(answer);
        }
    })
}

fn consumed(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Tamper {
    Box::new(move |_, path, answer| {
        if path.ends_with("/consume") {
            change(answer);
        }
    })
}

/// Everywhere the same other core, as a server would that fools people.
fn core(from: &'static str, to: &'static str) -> Tamper {
    Box::new(move |_, path, answer| {
        if path.starts_with("/api/confirmations") {
            assert!(answer["core"].as_str().unwrap().contains(from), "{from}");
            change(&mut answer["core"], from, to);
        }
    })
}

/// A rejection that is called an approval.
fn words() -> Tamper {
    fetched(|answer| {
        answer["status"] = json!("approved");
        answer["receipt"] =
            json!("{\"checkpoint\":\"\",\"decisions\":[],\"enrolments\":[],\"type\":\"countersign/receipt/v1\"}");
    })
}

fn change(value: &mut Value, from: &str, to: &str) {
    *value = json!(value.as_str().unwrap().replace(from, to));
}
