//! A second passkey, allowed by the first; a third, allowed by the second; and taking one away.

use api::{Enrolled, Status};
use serde_json::json;
use verifier::document::Decision;
use verifier::encoding::base64url;
use verifier::entry::{Authorisation, Entry};
use verifier::names::Username;

use crate::authenticator::Device;
use crate::flows::verify_receipt;
use crate::me::{Me, challenge};
use crate::people::{Person, request};
use crate::server::{LOG_ORIGIN, Server};

fn with(alex: &Person, device: &Device, enrolled: &Enrolled) -> Person {
    Person { name: alex.name.clone(), device: device.clone(), enrolled: enrolled.clone() }
}

async fn entry(server: &Server, index: u64) -> Entry {
    let entry = server.app.log.entries(index..index + 1).unwrap().remove(0);
    assert_eq!(server.get(&format!("/log/entries/{index}")).send().await.status, 200);
    Entry::parse(&entry.bytes).unwrap()
}

#[tokio::test]
async fn a_second_and_a_third_passkey_decide_and_their_receipts_verify() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let me = server.sign_in(&alex.device).await;
    // Something between the enrolments, so that their indexes are not in a row.
    let first = server.ask(&key, &request("alex", &json!({}))).await.id;
    alex.approve(&server, &first).await;
    let (second_device, second) = me.add(&alex.device).await;
    let (third_device, third) = me.add(&second_device).await;
    assert_eq!((&*second.username, &second.approver), ("alex", &alex.enrolled.approver));

    let Entry::Credential(entry) = entry(&server, third.log_index).await else { panic!("not an enrolment") };
    let Authorisation::Credential { credential, .. } = &entry.authorised_by else { panic!("by an invite") };
    assert_eq!(base64url(credential), second.credential);
    assert_eq!(entry.approver, Username::new("alex").unwrap().label(LOG_ORIGIN));

    let shown = me.page().await.passkeys;
    let by: Vec<_> = shown.iter().map(|key| (&key.credential, key.authorised_by.as_ref(), key.signed_in)).collect();
    assert_eq!(
        by,
        [
            (&alex.enrolled.credential, None, true),
            (&second.credential, Some(&alex.enrolled.credential), false),
            (&third.credential, Some(&second.credential), false),
        ]
    );

    for (device, enrolled, length) in [(&second_device, &second, 2), (&third_device, &third, 3)] {
        let id = server.ask(&key, &request("alex", &json!({}))).await.id;
        let person = with(&alex, device, enrolled);
        assert_eq!(person.approve(&server, &id).await.status, Status::Approved);
        let confirmation = server.confirmation(&key, &id).await;
        let report = verify_receipt(&server, &confirmation, Decision::Approve).await;
        assert!(report.as_expected, "{:?}", report.failure());
        let receipt: serde_json::Value = serde_json::from_str(&confirmation.receipt.unwrap()).unwrap();
        assert_eq!(receipt["enrolments"].as_array().unwrap().len(), length, "exactly the needed ones");
    }

    let again = server.sign_in(&third_device).await;
    assert!(again.page().await.passkeys[2].signed_in);
}

#[tokio::test]
async fn sixteen_are_active_at_most() {
    let server = Server::new().await;
    let (alex, sam) = (server.enrol("alex").await, server.enrol("sam").await);
    let me = server.sign_in(&alex.device).await;
    let mut last = None;
    for _ in 1..16 {
        last = Some(me.add(&alex.device).await.1);
    }
    let before = (server.stored(), server.log_size().await);
    let (_, seventeenth) = me.try_add(&alex.device).await;
    assert!(seventeenth.refusal(409).contains("16 passkeys"));
    assert!((server.stored(), server.log_size().await) == before, "a refusal left a trace");
    server.sign_in(&sam.device).await.add(&sam.device).await;

    me.remove(&last.unwrap().credential, &alex.device).await.expect(200);
    me.add(&alex.device).await;
    me.try_add(&alex.device).await.1.refused(409);
    let active = me.page().await.passkeys.iter().filter(|passkey| passkey.revoked_at.is_none()).count();
    assert_eq!(active, 16);
}

#[tokio::test]
async fn one_receipt_with_two_chains() {
    let server = Server::new().await;
    let (alex, sam, key) = (server.enrol("alex").await, server.enrol("sam").await, server.requester().await);
    let (of_alex, of_sam) = (server.sign_in(&alex.device).await, server.sign_in(&sam.device).await);
    let (alex_2, enrolled_alex) = of_alex.add(&alex.device).await;
    let (sam_2, enrolled_sam) = of_sam.add(&sam.device).await;
    let both = json!({"username": null, "approvers": ["alex", "sam"], "quorum": 2});
    let id = server.ask(&key, &request("", &both)).await.id;
    with(&sam, &sam_2, &enrolled_sam).approve(&server, &id).await;
    with(&alex, &alex_2, &enrolled_alex).approve(&server, &id).await;
    let confirmation = server.confirmation(&key, &id).await;
    let report = verify_receipt(&server, &confirmation, Decision::Approve).await;
    assert!(report.as_expected, "{:?}", report.failure());
}

/// Refused, without a trace.
async fn refused(server: &Server, me: &Me<'_>, registration: &api::Registration, by: &api::Assertion) -> api::Problem {
    let before = (server.stored(), server.log_size().await);
    let reply = me.send_passkey(registration, by).await;
    assert!((server.stored(), server.log_size().await) == before, "a refusal left a trace");
    let status = reply.status;
    assert!([409, 422].contains(&status), "{status}");
    reply.refused(status)
}

#[tokio::test]
async fn only_ones_own_active_passkey_allows_another() {
    let server = Server::new().await;
    let (alex, sam) = (server.enrol("alex").await, server.enrol("sam").await);
    let me = server.sign_in(&alex.device).await;
    let begin = async || {
        let (device, registration) = me.register().await;
        let challenge = challenge(&me.authorisation(&registration).await);
        (device, registration, challenge)
    };

    let (_, registration, challenge) = begin().await;
    let mut by_sam = sam.device.sign(&challenge).await;
    let problem = refused(&server, &me, &registration, &by_sam).await;
    assert_eq!(problem.field.as_deref(), Some("assertion.response.userHandle"));
    by_sam.response.user_handle = None;
    assert_eq!(refused(&server, &me, &registration, &by_sam).await.status, 409, "the challenge was used");
    let (_, registration, challenge) = begin().await;
    by_sam = sam.device.sign(&challenge).await;
    by_sam.response.user_handle = None;
    let problem = refused(&server, &me, &registration, &by_sam).await;
    assert_eq!(problem.field.as_deref(), Some("assertion.id"), "another person's key");

    let (device, registration, challenge) = begin().await;
    let problem = refused(&server, &me, &registration, &device.sign(&challenge).await).await;
    assert_eq!(problem.field.as_deref(), Some("assertion.id"), "the new key itself");
    let (_, registration, challenge) = begin().await;
    let touched = Device { verifies: false, ..alex.device.clone() };
    let problem = refused(&server, &me, &registration, &touched.sign(&challenge).await).await;
    assert_eq!(problem.field.as_deref(), Some("assertion"));

    // What was allowed is one key: another one under the same signature is refused.
    let (_, _, challenge) = begin().await;
    let (_, other, _) = begin().await;
    refused(&server, &me, &other, &alex.device.sign(&challenge).await).await;
    // An addition belongs to who began it.
    let of_sam = server.sign_in(&sam.device).await;
    let (_, registration, challenge) = begin().await;
    let good = alex.device.sign(&challenge).await;
    assert!(refused(&server, &of_sam, &registration, &good).await.detail.contains("begin again"));
    assert!(refused(&server, &me, &registration, &good).await.detail.contains("begin again"));

    let (_, registration, challenge) = begin().await;
    let good = alex.device.sign(&challenge).await;
    me.send_passkey(&registration, &good).await.expect(201);
    assert!(refused(&server, &me, &registration, &good).await.detail.contains("begin again"), "a replay");
}

#[tokio::test]
async fn a_chain_has_eight_keys() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let me = server.sign_in(&alex.device).await;
    let mut devices = vec![(alex.device.clone(), alex.enrolled.clone())];
    for _ in 1..8 {
        let added = me.add(&devices.last().unwrap().0).await;
        devices.push(added);
    }
    let (last, enrolled) = devices.last().unwrap();
    let size = server.log_size().await;
    let (_, ninth) = me.try_add(last).await;
    assert!(ninth.refusal(409).contains("8 passkeys"));
    assert_eq!(server.log_size().await, size);
    me.add(&devices[6].0).await;
    let id = server.ask(&key, &request("alex", &json!({}))).await.id;
    with(&alex, last, enrolled).approve(&server, &id).await;
    let confirmation = server.confirmation(&key, &id).await;
    let report = verify_receipt(&server, &confirmation, Decision::Approve).await;
    assert!(report.as_expected, "{:?}", report.failure());
}

#[tokio::test]
async fn an_owner_removes_a_passkey_but_not_the_last() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let first = &alex.enrolled.credential;
    let me = server.sign_in(&alex.device).await;
    assert!(me.remove(first, &alex.device).await.refusal(409).contains("last active"));
    let (device, second) = me.add(&alex.device).await;
    let me = server.sign_in(&device).await;
    let revoked: api::Revoked = me.remove(first, &device).await.expect(200).json();
    let Entry::Revocation(logged) = entry(&server, revoked.log_index).await else { panic!("not a revocation") };
    assert_eq!((base64url(&logged.credential), logged.reason.as_str()), (first.clone(), "replaced"));
    let shown = me.page().await.passkeys;
    assert_eq!(shown[0].revoked_at.as_ref(), Some(&revoked.revoked_at));
    assert!(me.remove(&second.credential, &device).await.refusal(409).contains("last active"));

    // The second passkey goes on without the one that allowed it, and the receipt shows both enrolments.
    let id = server.ask(&key, &request("alex", &json!({}))).await.id;
    with(&alex, &device, &second).approve(&server, &id).await;
    let confirmation = server.confirmation(&key, &id).await;
    assert!(verify_receipt(&server, &confirmation, Decision::Approve).await.as_expected);
    let (_, begun) = me.register().await;
    let by_revoked = alex.device.sign(&challenge(&me.authorisation(&begun).await)).await;
    let problem = refused(&server, &me, &begun, &by_revoked).await;
    assert_eq!(problem.field.as_deref(), Some("assertion.id"));
}

#[tokio::test]
async fn a_removal_is_signed_for_one_passkey_by_its_owner() {
    let server = Server::new().await;
    let (alex, sam) = (server.enrol("alex").await, server.enrol("sam").await);
    let me = server.sign_in(&alex.device).await;
    let (device, second) = me.add(&alex.device).await;
    let (first, size) = (&alex.enrolled.credential, server.log_size().await);
    let path = |credential: &str| format!("/me/passkeys/{credential}/removal/options");
    me.post(&path(&sam.enrolled.credential)).send().await.refused(404);
    me.post(&path("x")).send().await.refused(404);
    let odd = device.sign(&me.removal_challenge(first).await).await;
    assert_eq!(me.send_removal(first, &odd, "bored").await.refused_field(422), "reason");
    let of_sam = me.send_removal(&sam.enrolled.credential, &odd, "lost").await;
    of_sam.refused(404);

    let for_second = alex.device.sign(&me.removal_challenge(&second.credential).await).await;
    assert!(me.send_removal(first, &for_second, "lost").await.refusal(409).contains("begin again"));
    let by_sam = sam.device.sign(&me.removal_challenge(first).await).await;
    assert!(me.send_removal(first, &by_sam, "lost").await.refused_field(422).starts_with("assertion"));
    let touched = Device { verifies: false, ..device.clone() };
    let touched = touched.sign(&me.removal_challenge(first).await).await;
    assert_eq!(me.send_removal(first, &touched, "lost").await.refused_field(422), "assertion");
    assert_eq!(server.log_size().await, size);

    let good = device.sign(&me.removal_challenge(first).await).await;
    me.send_removal(first, &good, "lost").await.expect(200);
    assert_eq!(server.log_size().await, size + 1);
    me.try_page().await.refused(401);
    server.sign_in(&device).await.page().await;
}
