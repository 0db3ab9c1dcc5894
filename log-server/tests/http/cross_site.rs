//! Requests that a browser sends on behalf of another site.

use serde_json::json;

use crate::authenticator::Device;
use crate::people::request;
use crate::server::{Server, WEB_ORIGIN};

pub(crate) const FOREIGN: [(&str, &str); 7] = [
    ("origin", "https://example.com"),
    ("origin", "http://localhost"),
    ("origin", "http://localhost:8081"),
    ("origin", "null"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
    ("sec-fetch-site", "anything"),
];

#[tokio::test]
async fn ceremonies_are_for_our_own_pages() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let id = server.ask(&key, &request("alex", &json!({}))).await.id;
    let decision = serde_json::to_value(alex.sign(&server, &id, "approve").await).unwrap();
    let code = server.invite(&json!({"note": "join us"})).await.code;
    let registration = Device::new().register(&server.enrol_options(&code, "sam").await).await;
    let calls = [
        (format!("/approve/{id}/options"), json!({}), 200),
        (format!("/approve/{id}/decision"), decision, 200),
        (format!("/enrol/{code}/options"), json!({}), 200),
        (format!("/enrol/{code}"), json!({"credential": registration}), 201),
    ];
    let before = (server.stored(), server.log_size().await);
    for (path, body, _) in &calls {
        for (name, value) in FOREIGN {
            let refused = server.post(path).header(name, value).json(body).send().await;
            assert_eq!(refused.refused(403).kind, "urn:countersign:problem:forbidden", "{path} {name}: {value}");
        }
        let mixed = server.post(path).header("origin", WEB_ORIGIN).header("sec-fetch-site", "cross-site");
        mixed.json(body).send().await.refused(403);
    }
    assert!((server.stored(), server.log_size().await) == before);
    for (path, body, status) in &calls {
        let ours = server.post(path).header("origin", WEB_ORIGIN).header("sec-fetch-site", "same-origin");
        ours.json(body).send().await.expect(*status);
    }
}
