//! API keys: none, wrong, revoked, without the scope, or not for this approver.

use api::KeyList;
use log_server::api_keys::ApiKey;
use log_server::random::OsRandom;
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::request;
use crate::server::Server;

/// Every route that needs a key, with the scope that it needs.
const ROUTES: [(&str, &str, &str); 14] = [
    ("POST", "/api/confirmations", "request"),
    ("GET", "/api/confirmations/x", "request"),
    ("POST", "/api/confirmations/x/cancel", "request"),
    ("POST", "/api/confirmations/x/consume", "request"),
    ("GET", "/api/confirmations", "request or admin"),
    ("POST", "/api/invites", "admin"),
    ("GET", "/api/invites", "admin"),
    ("DELETE", "/api/invites/x", "admin"),
    ("POST", "/api/keys", "admin"),
    ("GET", "/api/keys", "admin"),
    ("DELETE", "/api/keys/x", "admin"),
    ("GET", "/api/approvers", "admin"),
    ("DELETE", "/api/credentials/x", "admin"),
    ("POST", "/log/entries", "append"),
];

#[tokio::test]
async fn without_a_good_key_every_route_answers_401() {
    let server = Server::new().await;
    let revoked = server.make_key(&json!({"name": "old", "scopes": ["request", "append", "admin"]})).await;
    server.delete(&format!("/api/keys/{}", revoked.record.id)).key(server.admin()).send().await.expect(204);
    let unknown = ApiKey::generate(&OsRandom);
    let mistyped = format!("{}x", &revoked.key[..revoked.key.len() - 1]);
    let stored = server.stored();
    for (method, path, _) in ROUTES {
        let call = || server.call(method.parse().unwrap(), path);
        let none = call().send().await.expect(401);
        assert_eq!(none.header("www-authenticate"), Some("Bearer"));
        for key in ["", "x", "é", &mistyped, unknown.reveal(), &revoked.key] {
            assert_eq!(call().key(key).send().await.expect(401).body, none.body, "{method} {path}: {key:?}");
        }
        for value in ["Bearer", "Bearer ", "Basic dTpw", &format!("Basic {}", server.admin())] {
            call().header("authorization", value).send().await.refused(401);
        }
    }
    assert_eq!(server.stored(), stored);
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_and_nothing_else() {
    let server = Server::new().await;
    let mut keys = Vec::new();
    for scope in ["request", "append", "admin"] {
        keys.push((scope, server.make_key(&json!({"name": scope, "scopes": [scope]})).await.key));
    }
    let stored = server.stored();
    for (method, path, needed) in ROUTES {
        for (scope, key) in &keys {
            let reply = server.call(method.parse().unwrap(), path).key(key).body("text/plain", "").send().await;
            if needed.split(" or ").any(|allowed| allowed == *scope) {
                assert!(![401, 403].contains(&reply.status), "{method} {path} with {scope}: {}", reply.text());
            } else {
                let detail = reply.refusal(403);
                assert!(detail.contains(needed), "{method} {path} with {scope}: {detail}");
            }
        }
    }
    // The one change: an empty body is an entry like any other, appended with the key that may.
    assert_eq!(server.log_size().await, 1);
    assert!(server.stored().len() > stored.len());
}

#[tokio::test]
async fn both_headers_carry_a_key() {
    let server = Server::new().await;
    for value in [format!("Bearer {}", server.admin()), format!("bEARER  {}", server.admin())] {
        server.get("/api/keys").header("authorization", &value).send().await.expect(200);
    }
    server.get("/api/keys").header("X-API-KEY", server.admin()).send().await.expect(200);
}

#[tokio::test]
async fn a_key_asks_only_those_that_it_may_ask() {
    let server = Server::new().await;
    server.enrol("alex").await;
    server.enrol("sam").await;
    let narrow = json!({"name": "narrow", "scopes": ["request"], "approvers": ["alex"]});
    let narrow = server.make_key(&narrow).await.key;
    let owned = json!({"name": "owned", "scopes": ["request"], "owner": "alex", "separate": true});
    let owned = server.make_key(&owned).await.key;
    let own = json!({"name": "own", "scopes": ["request"], "owner": "alex"});
    let own = server.make_key(&own).await.key;
    let stored = server.stored();
    assert!(server.try_ask(&narrow, &request("sam", &json!({}))).await.refusal(403).contains("sam"));
    let both = json!({"username": null, "approvers": ["alex", "sam"]});
    server.try_ask(&narrow, &request("", &both)).await.refused(403);
    assert!(server.try_ask(&owned, &request("alex", &json!({}))).await.refusal(403).contains("owns"));
    server.try_ask(&owned, &request("", &both)).await.refused(403);
    assert_eq!(server.stored(), stored);
    server.ask(&narrow, &request("alex", &json!({}))).await;
    server.ask(&owned, &request("sam", &json!({}))).await;
    server.ask(&own, &request("alex", &json!({}))).await;
}

#[tokio::test]
async fn keys_are_shown_once_and_listed_without_their_text() {
    let server = Server::new().await;
    let made = server.make_key(&json!({"name": "bot", "scopes": ["request"]})).await;
    assert!(made.key.starts_with("csk_") && made.key.ends_with(&made.record.ends_with));
    let listed = server.get("/api/keys").key(server.admin()).send().await.expect(200);
    assert!(!listed.text().contains(&made.key));
    assert!(listed.json::<KeyList>().keys.contains(&made.record));
    let stored: Vec<u8> = server.stored().into_iter().flat_map(|(key, value)| [key, value].concat()).collect();
    for key in [made.key.as_bytes(), server.admin().as_bytes()] {
        assert!(!stored.windows(key.len()).any(|window| window == key), "the store keeps a hash alone");
    }
    server.delete("/api/keys/key_aaaaaaaaaaaaaaaaaaaaaaaaaa").key(server.admin()).send().await.refused(404);
}

#[tokio::test]
async fn a_bad_key_request_names_its_field() {
    let server = Server::new().await;
    let stored = server.stored();
    let bad: [(&str, Value); 8] = [
        ("name", json!({"name": "", "scopes": ["request"]})),
        ("name", json!({"name": "n".repeat(65), "scopes": ["request"]})),
        ("name", json!({"name": "a\u{200b}", "scopes": ["request"]})),
        ("scopes", json!({"name": "a", "scopes": []})),
        ("scopes", json!({"name": "a", "scopes": ["root"]})),
        ("owner", json!({"name": "a", "scopes": ["request"], "owner": "Alex"})),
        ("separate", json!({"name": "a", "scopes": ["request"], "separate": true})),
        ("approvers", json!({"name": "a", "scopes": ["request"], "approvers": ["Alex"]})),
    ];
    for (field, body) in bad {
        let reply = server.call(Method::POST, "/api/keys").key(server.admin()).json(&body).send().await;
        assert_eq!(reply.refused_field(422), field, "{body}");
    }
    assert_eq!(server.stored(), stored);
}
