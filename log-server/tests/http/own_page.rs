//! Signing in to one's own page: who gets in, for how long, and what they see.

use api::{MyReceipt, Status};
use serde_json::json;
use verifier::document::Document;
use verifier::encoding::base64url;

use crate::authenticator::Device;
use crate::people::request;
use crate::server::{Server, Setup};

#[tokio::test]
async fn what_waits_and_what_was_decided() {
    let server = Server::new().await;
    let (alex, sam, key) = (server.enrol("alex").await, server.enrol("sam").await, server.requester().await);
    let me = server.sign_in(&alex.device).await;
    let empty = me.page().await;
    assert_eq!((&*empty.username, &empty.approver), ("alex", &alex.enrolled.approver));
    assert!(empty.waiting.is_empty() && empty.decided.is_empty() && empty.next_cursor.is_none());

    let both = json!({"username": null, "approvers": ["alex", "sam"], "quorum": 2, "expiresIn": 900});
    let late = server.ask(&key, &request("", &both)).await;
    let soon = server.ask(&key, &request("alex", &json!({"expiresIn": 60, "metadata": {"ticket": "OPS-7"}}))).await;
    let cancelled = server.ask(&key, &request("alex", &json!({}))).await;
    server.cancel(&key, &cancelled.id).await.expect(200);
    server.ask(&key, &request("sam", &json!({}))).await;
    sam.approve(&server, &late.id).await;
    let page = me.try_page().await.expect(200);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert!(!page.text().contains("OPS-7"), "an approver never sees the metadata");
    let waiting = me.page().await.waiting;
    let shown: Vec<_> = waiting.iter().map(|it| (&*it.id, it.approvers.len(), it.quorum, it.approvals)).collect();
    assert_eq!(shown, [(&*soon.id, 1, 1, 0), (&*late.id, 2, 2, 1)], "soonest to expire first");
    assert_eq!((&*waiting[0].requester, &waiting[0].expires_at), ("deploy-bot", &soon.expires_at));

    alex.decide(&server, &soon.id, "reject").await;
    let made = alex.approve(&server, &late.id).await;
    let page = me.page().await;
    assert!(page.waiting.is_empty());
    let decided: Vec<_> = page.decided.iter().map(|it| (&*it.id, &*it.decision, it.status, it.has_receipt)).collect();
    let expected = [(&*late.id, "approve", Status::Approved, true), (&*soon.id, "reject", Status::Rejected, true)];
    assert_eq!(decided, expected, "newest first");
    assert_eq!(page.decided[0].log_index, made.log_index);
    assert!(page.passkeys[0].last_signed_at.is_some());
    let receipt: MyReceipt = me.post(&format!("/me/receipts/{}", late.id)).send().await.expect(200).json();
    assert_eq!(Some(receipt.receipt), made.receipt);
}

#[tokio::test]
async fn decisions_come_in_pages() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let mut expected = Vec::new();
    for _ in 0..51 {
        let id = server.ask(&key, &request("alex", &json!({}))).await.id;
        alex.approve(&server, &id).await;
        expected.insert(0, id);
    }
    let me = server.sign_in(&alex.device).await;
    let first = me.page().await;
    let cursor = json!({"cursor": first.next_cursor.expect("there are more")});
    let second: api::MyPage = me.post("/me").json(&cursor).send().await.expect(200).json();
    assert_eq!((first.decided.len(), second.decided.len(), second.next_cursor), (50, 1, None));
    let ids: Vec<_> = first.decided.into_iter().chain(second.decided).map(|decision| decision.id).collect();
    assert_eq!(ids, expected);
    let refused = me.post("/me").json(&json!({"cursor": "x"})).send().await;
    assert_eq!(refused.refused_field(422), "cursor");
}

#[tokio::test]
async fn a_receipt_is_for_who_decided() {
    let server = Server::new().await;
    let (alex, sam, key) = (server.enrol("alex").await, server.enrol("sam").await, server.requester().await);
    let both = json!({"username": null, "approvers": ["alex", "sam"], "quorum": 2});
    let of_sam = server.ask(&key, &request("sam", &json!({}))).await.id;
    sam.approve(&server, &of_sam).await;
    let half = server.ask(&key, &request("", &both)).await.id;
    alex.approve(&server, &half).await;
    let ended_by_sam =
        server.ask(&key, &request("", &json!({"username": null, "approvers": ["alex", "sam"]}))).await.id;
    sam.approve(&server, &ended_by_sam).await;
    let me = server.sign_in(&alex.device).await;
    let mut bodies = Vec::new();
    for id in [&*of_sam, &half, &ended_by_sam, "cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa", "x"] {
        bodies.push(me.post(&format!("/me/receipts/{id}")).send().await.expect(404).body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "all look alike");
    let undecided = &me.page().await.decided[0];
    assert_eq!((&*undecided.id, undecided.status, undecided.has_receipt), (&*half, Status::Pending, false));
    sam.approve(&server, &half).await;
    me.post(&format!("/me/receipts/{half}")).send().await.expect(200);
    server.own(&format!("/me/receipts/{half}")).send().await.refused(401);
}

#[tokio::test]
async fn a_sign_in_serves_once_and_not_for_long() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.start().await;
    let alex = server.enrol("alex").await;
    let assertion = alex.device.sign(&server.sign_in_challenge().await).await;
    server.try_sign_in(&assertion).await.expect(200);
    assert!(server.try_sign_in(&assertion).await.refusal(409).contains("begin again"), "a replay");
    let slow = alex.device.sign(&server.sign_in_challenge().await).await;
    clock.advance(301);
    assert!(server.try_sign_in(&slow).await.refusal(409).contains("begin again"));
    let made_up = alex.device.sign(&[7; 32]).await;
    server.try_sign_in(&made_up).await.refused(409);
}

/// A decision signs 64 bytes and a sign-in 32, and neither is ever looked for among the other's.
#[tokio::test]
async fn a_signature_for_one_ceremony_serves_no_other() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let id = server.ask(&key, &request("alex", &json!({}))).await.id;
    let me = server.sign_in(&alex.device).await;
    let (_, registration) = me.register().await;
    let authorisation = crate::me::challenge(&me.authorisation(&registration).await);
    let removal = me.removal_challenge(&alex.enrolled.credential).await;
    let sign_in = server.sign_in_challenge().await;
    let documents = server.approve_options(&id, "alex").await.documents.unwrap();
    let decision = Document::parse(&documents.approve).unwrap().challenge().to_vec();

    let before = (server.stored(), server.log_size().await);
    for challenge in [&decision, &authorisation, &removal] {
        server.try_sign_in(&alex.device.sign(challenge).await).await.refused(409);
    }
    for challenge in [&sign_in, &authorisation, &removal] {
        let assertion = alex.device.sign(challenge).await;
        let decision = json!({"approver": "alex", "decision": "approve", "assertion": assertion});
        let refused = server.post(&format!("/approve/{id}/decision")).json(&decision).send().await;
        assert_eq!(refused.refused_field(422), "assertion");
    }
    for challenge in [&sign_in, &decision, &removal] {
        me.send_passkey(&registration, &alex.device.sign(challenge).await).await.refused(409);
    }
    for challenge in [&sign_in, &decision, &authorisation] {
        me.send_removal(&alex.enrolled.credential, &alex.device.sign(challenge).await, "lost").await.refused(409);
    }
    assert!((server.stored(), server.log_size().await) == before, "a refusal left a trace");
}

#[tokio::test]
async fn who_does_not_get_in() {
    let server = Server::new().await;
    let (alex, sam) = (server.enrol("alex").await, server.enrol("sam").await);
    let sign = async |device: &Device| device.sign(&server.sign_in_challenge().await).await;
    let field = async |assertion: &api::Assertion| server.try_sign_in(assertion).await.refused_field(422);

    let mut stranger = Device::new();
    let code = server.invite(&json!({"note": "join us"})).await.code;
    stranger.register(&server.enrol_options(&code, "kim").await).await;
    assert_eq!(field(&sign(&stranger).await).await, "assertion.id", "a passkey that was never enrolled");

    let touched = Device { verifies: false, ..alex.device.clone() };
    assert_eq!(field(&sign(&touched).await).await, "assertion");
    for web_origin in ["http://localhost:8081", "https://localhost:8080"] {
        let phished = Device { web_origin: web_origin.to_owned(), ..alex.device.clone() };
        assert_eq!(field(&sign(&phished).await).await, "assertion");
    }

    let good = sign(&alex.device).await;
    let handle = good.response.user_handle.clone().expect("a user handle");
    for other in [None, Some(String::new()), Some("AAAA".to_owned())] {
        let mut nameless = sign(&alex.device).await;
        nameless.response.user_handle = other;
        assert_eq!(field(&nameless).await, "assertion.response.userHandle");
    }
    let mut of_sam = sign(&sam.device).await;
    of_sam.response.user_handle = Some(handle);
    assert_eq!(field(&of_sam).await, "assertion.response.userHandle");
    let mut claimed = sign(&sam.device).await;
    claimed.id = base64url(&alex.device.passkey.as_ref().unwrap().credential_id);
    assert_eq!(field(&claimed).await, "assertion.rawId");
    claimed = sign(&sam.device).await;
    claimed.id.clone_from(&good.id);
    claimed.raw_id.clone_from(&good.id);
    claimed.response.user_handle.clone_from(&good.response.user_handle);
    assert_eq!(field(&claimed).await, "assertion", "another key's signature");
    server.try_sign_in(&good).await.expect(200);
}

#[tokio::test]
async fn a_revoked_passkey_neither_signs_in_nor_stays_signed_in() {
    let server = Server::new().await;
    let alex = server.enrol("alex").await;
    let me = server.sign_in(&alex.device).await;
    let signed = alex.device.sign(&server.sign_in_challenge().await).await;
    let revoke = format!("/api/credentials/{}?reason=stolen", alex.enrolled.credential);
    server.delete(&revoke).key(server.admin()).send().await.expect(200);
    assert_eq!(server.try_sign_in(&signed).await.refused_field(422), "assertion.id");
    let ended = me.try_page().await;
    assert_eq!(ended.refused(401).kind, "urn:countersign:problem:no-session");
}

#[tokio::test]
async fn a_session_ends() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.start().await;
    let alex = server.enrol("alex").await;
    let me = server.sign_in(&alex.device).await;
    clock.advance(15 * 60);
    me.page().await;
    clock.advance(15 * 60 + 1);
    me.try_page().await.refused(401);

    let me = server.sign_in(&alex.device).await;
    for _ in 0..8 * 4 {
        clock.advance(15 * 60);
        me.page().await;
    }
    clock.advance(1);
    me.try_page().await.refused(401);

    let (me, other) = (server.sign_in(&alex.device).await, server.sign_in(&alex.device).await);
    let out = me.post("/me/sign-out").send().await.expect(200);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    me.try_page().await.refused(401);
    me.post("/me/sign-out").send().await.expect(200);
    other.page().await;
}

#[tokio::test]
async fn the_cookie_is_for_this_page_alone() {
    let server = Server::new().await;
    let alex = server.enrol("alex").await;
    let assertion = alex.device.sign(&server.sign_in_challenge().await).await;
    let reply = server.try_sign_in(&assertion).await.expect(200);
    let cookie = reply.header("set-cookie").unwrap();
    let token = cookie.strip_prefix("countersign-me=").unwrap().split(';').next().unwrap().to_owned();
    let rest = "; HttpOnly; SameSite=Strict; Path=/; Max-Age=28800";
    assert_eq!(cookie, format!("countersign-me={token}{rest}"), "http://localhost");
    assert_eq!(token.len(), 43);
    assert_eq!(reply.header("cache-control"), Some("no-store"));

    let page = async |cookie: &str| server.own("/me").header("cookie", cookie).json(&json!({})).send().await;
    page(&format!("a=b; countersign-me={token}")).await.expect(200);
    page(&format!("countersign-me={token}; countersign-me=x")).await.refused(401);
    page(&format!("__Host-countersign-me={token}")).await.refused(401);
    page("countersign-me=").await.refused(401);
    page(&format!("countersign-me={token}x")).await.refused(401);

    let public_url = "https://approve.example.com".to_owned();
    let key_name = "approve.example.com/log".to_owned();
    let https = Setup { public_url: public_url.clone(), key_name, ..Setup::new() }.start().await;
    let out = https.post("/me/sign-out").header("origin", &public_url).send().await.expect(200);
    let gone = "__Host-countersign-me=; Secure; HttpOnly; SameSite=Strict; Path=/; Max-Age=0";
    assert_eq!(out.header("set-cookie"), Some(gone));
}

/// The cookie comes with every request that a browser sends, so whatever does not say that it is our page is refused.
#[tokio::test]
async fn everything_is_for_our_own_page() {
    let server = Server::new().await;
    let alex = server.enrol("alex").await;
    let me = server.sign_in(&alex.device).await;
    let credential = &alex.enrolled.credential;
    let paths = [
        "/me".to_owned(),
        "/me/options".to_owned(),
        "/me/session".to_owned(),
        "/me/sign-out".to_owned(),
        "/me/receipts/cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned(),
        "/me/passkeys".to_owned(),
        "/me/passkeys/options".to_owned(),
        "/me/passkeys/authorisation".to_owned(),
        format!("/me/passkeys/{credential}/removal/options"),
        format!("/me/passkeys/{credential}/removal"),
        "/me/contacts/email/options".to_owned(),
        "/me/contacts/email".to_owned(),
    ];
    for path in &paths {
        let call = || server.post(path).header("cookie", me.cookie()).json(&json!({}));
        for (name, value) in crate::cross_site::FOREIGN {
            let refused = call().header(name, value).send().await.refused(403);
            assert_eq!(refused.kind, "urn:countersign:problem:forbidden", "{path} {name}: {value}");
        }
        assert!(call().send().await.refusal(403).contains("no origin"), "{path}");
    }
    me.page().await;
}
