//! Who may know of a confirmation: its requester, its approvers, and everybody only when it says so itself.

use api::{ConfirmationList, Status};
use reqwest::Method;
use serde_json::json;
use verifier::document::Decision;

use crate::flows::verify_receipt;
use crate::people::request;
use crate::server::{Server, Setup};

const UNKNOWN: &str = "cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa";

#[tokio::test]
async fn a_foreign_confirmation_looks_like_an_unknown_one() {
    let server = Server::new().await;
    let (alex, key, foreign) = (server.enrol("alex").await, server.requester().await, server.requester().await);
    let pending = server.ask(&key, &request("alex", &json!({}))).await.id;
    let approved = server.ask(&key, &request("alex", &json!({}))).await.id;
    alex.approve(&server, &approved).await;
    let stored = server.stored();
    for (method, tail) in [
        (Method::GET, ""),
        (Method::GET, "?wait=0"),
        (Method::GET, "?wait=60"),
        (Method::POST, "/cancel"),
        (Method::POST, "/consume"),
    ] {
        let send = async |id: &str| {
            let call = server.call(method.clone(), &format!("/api/confirmations/{id}{tail}"));
            call.key(&foreign).send().await.expect(404)
        };
        let unknown = send(UNKNOWN).await;
        for id in [&*pending, &*approved, "x", "%00", "..%2f..%2fkeys"] {
            assert_eq!(send(id).await.body, unknown.body, "{method} {id}{tail}");
        }
    }
    assert_eq!(server.stored(), stored);
    assert_eq!(server.confirmation(&key, &pending).await.status, Status::Pending);
}

#[tokio::test]
async fn a_list_holds_the_callers_own_and_an_admin_sees_all() {
    let server = Server::new().await;
    let (alex, _) = (server.enrol("alex").await, server.enrol("sam").await);
    let (one, two) = (server.requester().await, server.requester().await);
    let mine = server.ask(&one, &request("alex", &json!({}))).await.id;
    let other = server.ask(&two, &request("sam", &json!({}))).await.id;
    alex.approve(&server, &mine).await;
    let list = async |key: &str, query: &str| {
        let list = server.get(&format!("/api/confirmations{query}")).key(key).send().await.expect(200);
        let mut ids: Vec<String> = list.json::<ConfirmationList>().confirmations.into_iter().map(|c| c.id).collect();
        ids.sort();
        ids
    };
    let mut both = [mine.clone(), other.clone()];
    both.sort();
    assert_eq!(list(&one, "").await, [&*mine]);
    assert_eq!(list(server.admin(), "").await, both);
    assert_eq!(list(server.admin(), "?status=approved").await, [mine]);
    assert_eq!(list(server.admin(), "?approver=sam").await, [other]);
    assert!(list(&one, "?approver=sam").await.is_empty());
    server.get("/api/confirmations?status=done").key(&one).send().await.refused(400);
    server.get("/api/confirmations?nope=1").key(&one).send().await.refused(400);
    for limit in ["0", "101"] {
        let refused = server.get(&format!("/api/confirmations?limit={limit}")).key(&one).send().await;
        assert_eq!(refused.refused_field(422), "limit");
    }
    assert_eq!(server.get("/api/confirmations?cursor=!").key(&one).send().await.refused_field(422), "cursor");
}

#[tokio::test]
async fn pages_hold_everything_once_newest_first() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.start().await;
    let (_, key) = (server.enrol("alex").await, server.requester().await);
    let mut asked = Vec::new();
    for _ in 0..7 {
        asked.insert(0, server.ask(&key, &request("alex", &json!({}))).await.id);
        clock.advance(1);
    }
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    for _ in 0..4 {
        let page = server.get(&format!("/api/confirmations?limit=2{cursor}")).key(&key).send().await.expect(200);
        let page: ConfirmationList = page.json();
        listed.extend(page.confirmations.into_iter().map(|summary| summary.id));
        cursor = page.next_cursor.map_or(String::new(), |next| format!("&cursor={next}"));
    }
    assert_eq!((listed, cursor), (asked, String::new()));
}

#[tokio::test]
async fn a_receipt_is_public_only_when_it_is_decided_and_says_so() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let get = async |id: &str| server.get(&format!("/public/log/entries/{id}/verification")).send().await;
    let unknown = get(UNKNOWN).await.expect(404);
    let secret = server.ask(&key, &request("alex", &json!({}))).await.id;
    let revealed = server.ask(&key, &request("alex", &json!({"reveal": true}))).await.id;
    let cancelled = server.ask(&key, &request("alex", &json!({"reveal": true}))).await.id;
    server.cancel(&key, &cancelled).await.expect(200);
    for id in [&secret, &revealed, &cancelled] {
        assert_eq!(get(id).await.expect(404).body, unknown.body);
    }
    alex.approve(&server, &secret).await;
    alex.approve(&server, &revealed).await;
    assert_eq!(get(&secret).await.expect(404).body, unknown.body);

    let mut confirmation = server.confirmation(&key, &revealed).await;
    let public = get(&revealed).await.expect(200);
    assert_eq!(confirmation.receipt.as_deref(), Some(&*public.text()));
    confirmation.receipt = Some(public.text());
    assert!(verify_receipt(&server, &confirmation, Decision::Approve).await.as_expected);
}
