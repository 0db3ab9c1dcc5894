//! Invites, approvers and revocations, as admins see them.

use api::{ApproverList, InviteList, KeyCreated, KeyList, Revoked};
use serde_json::{Value, json};
use verifier::encoding::{base64url, from_base64};
use verifier::entry::Entry;
use verifier::names::Username;

use crate::server::{LOG_ORIGIN, Server};

#[tokio::test]
async fn approvers_are_listed_with_every_passkey() {
    let server = Server::new().await;
    let alex = server.enrol("alex").await;
    server.enrol("sam").await;
    let list =
        async || -> ApproverList { server.get("/api/approvers").key(server.admin()).send().await.expect(200).json() };
    let before = list().await;
    assert_eq!(before.approvers.iter().map(|a| &*a.username).collect::<Vec<_>>(), ["alex", "sam"]);
    let label = Username::new("alex").unwrap().label(LOG_ORIGIN);
    assert_eq!(before.approvers[0].approver, base64url(&label.0));
    let passkey = &before.approvers[0].credentials[0];
    assert_eq!((&passkey.credential, passkey.log_index), (&alex.enrolled.credential, alex.enrolled.log_index));
    assert_eq!((&*passkey.alg, &passkey.revoked_at), ("ES256", &None));

    let path = format!("/api/credentials/{}?reason=lost", alex.enrolled.credential);
    let revoked: Revoked = server.delete(&path).key(server.admin()).send().await.expect(200).json();
    let size = server.log_size().await;
    let again: Revoked = server.delete(&path).key(server.admin()).send().await.expect(200).json();
    assert_eq!((&again, server.log_size().await), (&revoked, size), "revoking twice is revoking once");
    assert_eq!(list().await.approvers[0].credentials[0].revoked_at, Some(revoked.revoked_at));
}

#[tokio::test]
async fn the_last_admin_key_cannot_be_revoked() {
    let server = Server::new().await;
    let made = async |name: &str| -> KeyCreated {
        let asked = json!({"name": name, "scopes": ["admin"]});
        server.post("/api/keys").key(server.admin()).json(&asked).send().await.expect(201).json()
    };
    let second = made("second").await;
    let keys: KeyList = server.get("/api/keys").key(server.admin()).send().await.expect(200).json();
    let first = keys.keys.iter().find(|key| key.id != second.record.id).unwrap().id.clone();
    server.delete(&format!("/api/keys/{first}")).key(&second.key).send().await.expect(204);
    let path = format!("/api/keys/{}", second.record.id);
    let refused = server.delete(&path).key(&second.key).send().await.refused(409);
    assert!(refused.detail.contains("last API key"), "{}", refused.detail);
    server.get("/api/keys").key(&second.key).send().await.expect(200);
}

#[tokio::test]
async fn enrolment_and_revocation_stand_in_the_log() {
    let server = Server::new().await;
    let alex = server.enrol("alex").await;
    let path = format!("/api/credentials/{}?reason=stolen", alex.enrolled.credential);
    let revoked: Revoked = server.delete(&path).key(server.admin()).send().await.expect(200).json();
    let entry = async |index: u64| {
        let entry: api::LogEntry = server.get(&format!("/log/entries/{index}")).send().await.expect(200).json();
        Entry::parse(&from_base64(&entry.entry).unwrap()).unwrap()
    };
    let Entry::Credential(enrolment) = entry(alex.enrolled.log_index).await else { panic!("not an enrolment") };
    let Entry::Revocation(revocation) = entry(revoked.log_index).await else { panic!("not a revocation") };
    assert_eq!((enrolment.approver, &*enrolment.rp_id), (revocation.approver, "localhost"));
    assert_eq!(base64url(&revocation.credential), alex.enrolled.credential);
    assert_eq!(revocation.reason.as_str(), "stolen");
}

#[tokio::test]
async fn bad_revocations_are_refused() {
    let server = Server::new().await;
    let alex = server.enrol("alex").await;
    let before = (server.stored(), server.log_size().await);
    let delete = async |path: &str| server.delete(&format!("/api/credentials/{path}")).key(server.admin()).send().await;
    let credential = &alex.enrolled.credential;
    for reason in ["", "?reason=", "?reason=bored"] {
        assert_eq!(delete(&format!("{credential}{reason}")).await.refused_field(422), "reason");
    }
    delete(&format!("{credential}?why=lost")).await.refused(400);
    for unknown in ["x", &"A".repeat(43), &"A".repeat(44)] {
        delete(&format!("{unknown}?reason=lost")).await.refused(404);
    }
    assert!((server.stored(), server.log_size().await) == before);
}

#[tokio::test]
async fn invites_are_listed_without_their_codes() {
    let server = Server::new().await;
    let made = server.invite(&json!({"note": "join us", "username": "alex"})).await;
    assert_eq!(made.register_url, format!("http://localhost:8080/enrol/{}", made.code));
    let listed = server.get("/api/invites").key(server.admin()).send().await.expect(200);
    assert!(!listed.text().contains(&made.code));
    let invite = &listed.json::<InviteList>().invites[0];
    assert_eq!((&invite.id, &*invite.note, invite.username.as_deref()), (&made.id, "join us", Some("alex")));
    assert_eq!((invite.max_uses, invite.used, invite.revoked), (1, 0, false));
    let stored: Vec<u8> = server.stored().into_iter().flat_map(|(key, value)| [key, value].concat()).collect();
    let code = made.code.as_bytes();
    assert!(!stored.windows(code.len()).any(|window| window == code), "the store keeps a hash alone");
    for _ in 0..2 {
        server.delete(&format!("/api/invites/{}", made.id)).key(server.admin()).send().await.expect(204);
    }
    server.delete("/api/invites/inv_x").key(server.admin()).send().await.refused(404);
}

#[tokio::test]
async fn a_bad_invite_names_its_field() {
    let server = Server::new().await;
    let stored = server.stored();
    let bad: [(&str, Value); 8] = [
        ("note", json!({"note": ""})),
        ("note", json!({"note": "n".repeat(301)})),
        ("note", json!({"note": "a\u{202e}b"})),
        ("maxUses", json!({"note": "a", "maxUses": 0})),
        ("maxUses", json!({"note": "a", "maxUses": 1001})),
        ("maxUses", json!({"note": "a", "maxUses": 2, "username": "alex"})),
        ("username", json!({"note": "a", "username": "Alex"})),
        ("expiresIn", json!({"note": "a", "expiresIn": 59})),
    ];
    for (field, body) in bad {
        let reply = server.post("/api/invites").key(server.admin()).json(&body).send().await;
        assert_eq!(reply.refused_field(422), field, "{body}");
    }
    assert_eq!(server.stored(), stored);
}
