//! Enrolments that must not count, and those that must look alike.

use api::Registration;
use log_server::writer::Moment;
use serde_json::{Value, json};
use verifier::encoding::{base64url, from_base64url};

use crate::authenticator::Device;
use crate::server::{Server, Setup};

const UNKNOWN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[tokio::test]
async fn used_up_expired_revoked_and_unknown_codes_look_alike() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.start().await;
    let invite = async |life: u64| server.invite(&json!({"note": "join us", "expiresIn": life})).await;
    let (used, expired, revoked) = (invite(3600).await, invite(60).await, invite(3600).await);
    // Everybody has begun in time, with a registration that only wants sending.
    let mut begun = Vec::new();
    for (invite, name) in [(&used, "late-1"), (&expired, "late-2"), (&revoked, "late-3")] {
        let options = server.enrol_options(&invite.code, name).await;
        begun.push((invite.code.clone(), Device::new().register(&options).await));
    }
    begun.push((UNKNOWN.to_owned(), begun[0].1.clone()));
    let first = Device::new().register(&server.enrol_options(&used.code, "first").await).await;
    server.send_registration(&used.code, &first).await.expect(201);
    server.delete(&format!("/api/invites/{}", revoked.id)).key(server.admin()).send().await.expect(204);
    clock.advance(61);

    let before = (server.stored(), server.log_size().await);
    let (mut bodies, mut pages) = (Vec::new(), Vec::new());
    for (code, registration) in &begun {
        bodies.push(server.send_registration(code, registration).await.expect(404).body);
        let options = server.post(&format!("/enrol/{code}/options"));
        bodies.push(options.json(&json!({"username": "new"})).send().await.expect(404).body);
        pages.push(server.get(&format!("/enrol/{code}")).send().await.expect(200).body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    assert!(pages.iter().all(|page| *page == pages[0]), "the page itself tells nothing");
    assert!((server.stored(), server.log_size().await) == before);
}

#[tokio::test]
async fn an_invite_lasts_until_its_last_second() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.start().await;
    let code = server.invite(&json!({"note": "join us", "expiresIn": 60})).await.code;
    let registration = Device::new().register(&server.enrol_options(&code, "alex").await).await;
    clock.advance(60);
    server.send_registration(&code, &registration).await.expect(201);
}

#[tokio::test]
async fn one_passkey_has_one_name() {
    let server = Server::new().await;
    let mut device = Device::new();
    let code = server.invite(&json!({"note": "join us", "maxUses": 3})).await.code;
    let first = device.register(&server.enrol_options(&code, "alex").await).await;
    server.send_registration(&code, &first).await.expect(201);

    // Without attestation nothing signs a registration: the same key with the client data of another ceremony.
    let options = server.enrol_options(&code, "sam").await;
    let again = with_challenge(&first, &first_challenge(&first), options["challenge"].as_str().unwrap());
    let before = (server.stored(), server.log_size().await);
    assert!(server.send_registration(&code, &again).await.refusal(409).contains("enrolled before"));
    assert!((server.stored(), server.log_size().await) == before);
    let listed = server.get("/api/invites").key(server.admin()).send().await.expect(200);
    assert_eq!(listed.json::<api::InviteList>().invites[0].used, 1, "a refusal does not use the invite up");
}

#[tokio::test]
async fn a_name_is_never_given_to_another_person() {
    let server = Server::new().await;
    let alex = server.enrol("alex").await;
    let open = server.invite(&json!({"note": "join us", "maxUses": 5})).await.code;
    let named = server.invite(&json!({"note": "again", "username": "alex"})).await.code;
    let begin = async |code: &str| {
        server.post(&format!("/enrol/{code}/options")).json(&json!({"username": "alex"})).send().await
    };
    assert!(begin(&open).await.refusal(409).contains("taken"));
    assert!(begin(&named).await.refusal(409).contains("active passkey"));
    let revoke = format!("/api/credentials/{}?reason=lost", alex.enrolled.credential);
    server.delete(&revoke).key(server.admin()).send().await.expect(200);
    assert!(begin(&open).await.refusal(409).contains("taken"), "the name stays alex's");
    let other = json!({"username": "sam"});
    let other = server.post(&format!("/enrol/{named}/options")).json(&other).send().await;
    assert_eq!(other.refused_field(422), "username");
    let registration = Device::new().register(&server.enrol_options(&named, "alex").await).await;
    let again: api::Enrolled = server.send_registration(&named, &registration).await.expect(201).json();
    assert_eq!(again.approver, alex.enrolled.approver);
    assert_ne!(again.credential, alex.enrolled.credential);
}

#[tokio::test]
async fn two_who_want_a_name_at_once() {
    let server = Server::new().await;
    let code = server.invite(&json!({"note": "join us", "maxUses": 2})).await.code;
    let one = Device::new().register(&server.enrol_options(&code, "alex").await).await;
    let two = Device::new().register(&server.enrol_options(&code, "alex").await).await;
    let mut held = server.setup.pause.at(Moment::Sequenced);
    let (one, two) = tokio::join!(server.send_registration(&code, &one), async {
        held.reached().await;
        let (reply, ()) = tokio::join!(server.send_registration(&code, &two), async {
            server.until_waiting(2).await;
            drop(held);
        });
        reply
    });
    one.expect(201);
    assert!(two.refusal(409).contains("taken"));
}

#[tokio::test]
async fn a_challenge_serves_once_for_its_invite_and_not_for_long() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.start().await;
    let invite = async || server.invite(&json!({"note": "join us", "maxUses": 9})).await.code;
    let (code, other) = (invite().await, invite().await);
    let again = |reply: crate::call::Reply| assert!(reply.refusal(409).contains("begin again"));

    let registration = Device::new().register(&server.enrol_options(&code, "alex").await).await;
    server.send_registration(&code, &registration).await.expect(201);
    again(server.send_registration(&code, &registration).await);

    let elsewhere = Device::new().register(&server.enrol_options(&code, "kim").await).await;
    again(server.send_registration(&other, &elsewhere).await);

    let slow = Device::new().register(&server.enrol_options(&code, "sam").await).await;
    clock.advance(301);
    again(server.send_registration(&code, &slow).await);
    let made_up = with_challenge(&slow, &first_challenge(&slow), UNKNOWN);
    again(server.send_registration(&code, &made_up).await);
    assert_eq!(server.log_size().await, 1);
}

#[tokio::test]
async fn registrations_that_do_not_verify() {
    let server = Server::new().await;
    let code = server.invite(&json!({"note": "join us", "maxUses": 9})).await.code;
    let options = async || server.enrol_options(&code, "alex").await;
    let mut bad = Vec::new();
    let mut touched = Device { verifies: false, ..Device::new() };
    bad.push(touched.register(&options().await).await);
    let mut phished = Device { web_origin: "http://localhost:8081".to_owned(), ..Device::new() };
    bad.push(phished.register(&options().await).await);
    let good = Device::new().register(&options().await).await;
    bad.push(Registration { id: "AAAA".to_owned(), raw_id: "AAAA".to_owned(), ..good });
    let parts: [fn(&mut api::RegistrationResponse) -> &mut String; 2] =
        [|r| &mut r.attestation_object, |r| &mut r.client_data_json];
    for (part, text) in [(0, ""), (0, "oA"), (1, "e30"), (1, "")] {
        let mut broken = Device::new().register(&options().await).await;
        text.clone_into(parts[part](&mut broken.response));
        bad.push(broken);
    }
    let before = (server.stored(), server.log_size().await);
    for registration in &bad {
        let field = server.send_registration(&code, registration).await.refused_field(422);
        assert!(field.starts_with("credential"), "{field}");
    }
    assert!((server.stored(), server.log_size().await) == before);
    for name in ["", "Alex", "a b"] {
        let asked = server.post(&format!("/enrol/{code}/options")).json(&json!({"username": name})).send().await;
        assert_eq!(asked.refused_field(422), "username");
    }
}

#[tokio::test]
async fn an_invite_may_leave_the_name_open() {
    let server = Server::new().await;
    let code = server.invite(&json!({"note": "Kim invites you"})).await.code;
    let asked = server.post(&format!("/enrol/{code}/options")).json(&json!({})).send().await.expect(200);
    let options: api::EnrolOptions = asked.json();
    assert_eq!((&*options.note, options.username, options.public_key), ("Kim invites you", None, None::<Value>));
}

/// The challenge in a registration's client data, as text.
fn first_challenge(registration: &Registration) -> String {
    let client_data = from_base64url(&registration.response.client_data_json).unwrap();
    let client_data: Value = serde_json::from_slice(&client_data).unwrap();
    client_data["challenge"].as_str().unwrap().to_owned()
}

fn with_challenge(registration: &Registration, old: &str, new: &str) -> Registration {
    let mut changed = registration.clone();
    let client_data = String::from_utf8(from_base64url(&changed.response.client_data_json).unwrap()).unwrap();
    changed.response.client_data_json = base64url(client_data.replace(old, new).as_bytes());
    changed
}
