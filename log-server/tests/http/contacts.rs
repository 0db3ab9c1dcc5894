//! An approver's address: brought by an invite, confirmed by its owner, changed and removed with a passkey.

use api::{Contact, ContactChangeOptions};
use serde_json::json;
use verifier::encoding::from_base64url;

use crate::authenticator::Device;
use crate::call::Reply;
use crate::courier::{path, with_mail};
use crate::me::Me;
use crate::people::request;
use crate::server::{Server, Setup};

fn email(address: Option<&str>, proposed: Option<&str>) -> Vec<(Option<String>, Option<String>)> {
    vec![(address.map(str::to_owned), proposed.map(str::to_owned))]
}

fn shown(contacts: Vec<Contact>) -> Vec<(Option<String>, Option<String>)> {
    contacts.into_iter().map(|contact| (contact.address, contact.proposed)).collect()
}

impl Server {
    async fn contacts_of(&self, name: &str) -> Vec<(Option<String>, Option<String>)> {
        let list: api::ApproverList = self.get("/api/approvers").key(self.admin()).send().await.expect(200).json();
        let person = list.approvers.into_iter().find(|one| one.username == name).unwrap();
        shown(person.contacts)
    }
}

impl Me<'_> {
    async fn contact_challenge(&self, address: Option<&str>) -> Vec<u8> {
        let asked = self.post("/me/contacts/email/options").json(&json!({"address": address})).send().await;
        from_base64url(&asked.expect(200).json::<ContactChangeOptions>().challenge).unwrap()
    }

    async fn send_contact_change(&self, assertion: &api::Assertion) -> Reply {
        self.post("/me/contacts/email").json(&json!({"assertion": assertion})).send().await
    }

    async fn change_contact(&self, address: Option<&str>, by: &Device) -> Reply {
        let challenge = self.contact_challenge(address).await;
        self.send_contact_change(&by.sign(&challenge).await).await
    }
}

#[tokio::test]
async fn an_invited_address_is_used_once_its_owner_confirms_it_and_a_get_changes_nothing() {
    let (setup, clock) = Setup::with_manual_clock();
    let (setup, mut post) = with_mail(setup, 4);
    let server = setup.start().await;
    let key = server.requester().await;
    server.enrol_with("alex", &json!({"email": "alex@example.com"})).await;
    let link = post.takes().await;
    assert_eq!((link.to.as_str(), link.words.link.is_some()), ("alex@example.com", true));
    assert_eq!(server.contacts_of("alex").await, email(None, Some("alex@example.com")));
    let told = request("alex", &json!({"notify": "email"}));
    server.try_ask(&key, &told).await.refused(422);

    let before = server.stored();
    for _ in 0..2 {
        let page = server.get(&path(&link)).send().await.expect(200);
        assert!(page.header("content-type").unwrap().starts_with("text/html"));
        let shown = server.post(&format!("{}/options", path(&link))).send().await.expect(200);
        let proposal: api::ContactProposal = shown.json();
        assert_eq!((proposal.username.as_str(), proposal.address.as_str()), ("alex", "alex@example.com"));
    }
    assert!(server.stored() == before, "looking changed something");
    for path in [path(&link), format!("{}/options", path(&link))] {
        for (name, value) in crate::cross_site::FOREIGN {
            server.post(&path).header(name, value).send().await.refused(403);
        }
    }
    assert!(server.stored() == before, "what another site sent changed something");
    for other in ["/contact/x", "/contact/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        server.post(other).send().await.refused(404);
        server.post(&format!("{other}/options")).send().await.refused(404);
        server.get(other).send().await.expect(200);
    }
    server.post(&path(&link)).send().await.expect(200);
    assert_eq!(server.contacts_of("alex").await, email(Some("alex@example.com"), None));
    server.post(&path(&link)).send().await.refused(404);
    server.ask(&key, &told).await;
    assert_eq!(post.takes().await.to, "alex@example.com");

    // A link that nobody used in time is none.
    server.enrol_with("sam", &json!({"email": "sam@example.com"})).await;
    let late = post.takes().await;
    clock.advance(72 * 3600 + 1);
    server.post(&path(&late)).send().await.refused(404);
    assert!(server.contacts_of("sam").await.is_empty());
    let several = json!({"note": "all of you", "maxUses": 2, "email": "team@example.com"});
    let reply = server.post("/api/invites").key(server.admin()).json(&several).send().await;
    assert_eq!(reply.refused_field(422), "maxUses");
}

#[tokio::test]
async fn an_owner_changes_and_removes_the_address_with_a_passkey_and_the_old_one_is_told() {
    let (setup, mut post) = with_mail(Setup::new(), 4);
    let server = setup.start().await;
    let (alex, key) = (server.enrol_reachable("alex", &mut post).await, server.requester().await);
    let me = server.sign_in(&alex.device).await;
    assert_eq!(me.page().await.channels, ["email"]);

    me.change_contact(Some("new@example.com"), &alex.device).await.expect(200);
    let link = post.takes().await;
    assert_eq!(link.to, "new@example.com");
    assert_eq!(shown(me.page().await.contacts), email(Some("alex@example.com"), Some("new@example.com")));
    let told = request("alex", &json!({"notify": "email"}));
    server.ask(&key, &told).await;
    assert_eq!(post.takes().await.to, "alex@example.com", "until the new one is confirmed");

    // Another proposal ends the first link.
    me.change_contact(Some("newer@example.com"), &alex.device).await.expect(200);
    let newer = post.takes().await;
    server.post(&path(&link)).send().await.refused(404);
    server.post(&path(&newer)).send().await.expect(200);
    let notice = post.takes().await;
    assert_eq!((notice.to.as_str(), path(&notice).as_str()), ("alex@example.com", "/me"));
    assert!(notice.words.subject.contains("replaced"), "{}", notice.words.subject);
    assert!(!format!("{:?}", notice.words).contains("newer@"), "the old address learns nothing of the new one");
    server.ask(&key, &told).await;
    assert_eq!(post.takes().await.to, "newer@example.com");

    me.change_contact(None, &alex.device).await.expect(200);
    let notice = post.takes().await;
    assert_eq!(notice.to, "newer@example.com");
    assert!(notice.words.subject.contains("removed"));
    assert!(server.contacts_of("alex").await.is_empty());
    server.try_ask(&key, &told).await.refused(422);
    // What was sent leaves no address and no secret behind.
    let stored = server.stored();
    let all = stored.iter().flat_map(|(key, value)| [key.as_slice(), value.as_slice()]).collect::<Vec<_>>().concat();
    let all = String::from_utf8_lossy(&all);
    assert!(!all.contains("newer@example.com"), "an address is left");
}

#[tokio::test]
async fn a_session_alone_changes_no_contact() {
    let (setup, mut post) = with_mail(Setup::new(), 4);
    let server = setup.start().await;
    let (alex, sam) = (server.enrol_reachable("alex", &mut post).await, server.enrol("sam").await);
    let me = server.sign_in(&alex.device).await;
    let of_sam = server.sign_in(&sam.device).await;
    let before = server.stored();
    server.own("/me/contacts/email/options").json(&json!({})).send().await.refused(401);
    me.post("/me/contacts/pigeon/options").json(&json!({})).send().await.refused(404);
    let odd = me.post("/me/contacts/email/options").json(&json!({"address": "a\r\nb@example.com"})).send().await;
    assert_eq!(odd.refused_field(422), "address");

    let by_sam = sam.device.sign(&me.contact_challenge(None).await).await;
    assert!(me.send_contact_change(&by_sam).await.refused_field(422).starts_with("assertion"));
    let touched = Device { verifies: false, ..alex.device.clone() };
    let touched = touched.sign(&me.contact_challenge(None).await).await;
    assert_eq!(me.send_contact_change(&touched).await.refused_field(422), "assertion");
    let for_alex = alex.device.sign(&me.contact_challenge(None).await).await;
    assert!(of_sam.send_contact_change(&for_alex).await.refusal(409).contains("begin again"));
    assert!(me.send_contact_change(&for_alex).await.refusal(409).contains("begin again"), "it was used");
    // What was signed for something else changes no contact.
    let sign_in = alex.device.sign(&server.sign_in_challenge().await).await;
    assert!(me.send_contact_change(&sign_in).await.refusal(409).contains("begin again"));
    assert!(server.stored() == before, "a refusal left a trace");
    assert!(post.is_empty());
}
