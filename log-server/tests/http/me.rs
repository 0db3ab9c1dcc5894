//! An approver on their own page, as a browser would use it.

use api::{AuthorisationOptions, Enrolled, MyPage, PasskeyOptions, RemovalOptions, SignInOptions};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use verifier::encoding::from_base64url;

use crate::authenticator::Device;
use crate::call::{Call, Reply};
use crate::server::{Server, WEB_ORIGIN};

/// Somebody who is signed in.
pub(crate) struct Me<'a> {
    server: &'a Server,
    cookie: String,
}

impl Server {
    /// A POST of our own page, without a cookie.
    pub(crate) fn own(&self, path: &str) -> Call {
        self.post(path).header("origin", WEB_ORIGIN).header("sec-fetch-site", "same-origin")
    }

    pub(crate) async fn sign_in_challenge(&self) -> Vec<u8> {
        let options: SignInOptions = self.own("/me/options").send().await.expect(200).json();
        assert_eq!(options.rp_id, "localhost");
        from_base64url(&options.challenge).unwrap()
    }

    pub(crate) async fn try_sign_in(&self, assertion: &api::Assertion) -> Reply {
        self.own("/me/session").json(&json!({"assertion": assertion})).send().await
    }

    pub(crate) async fn sign_in(&self, device: &Device) -> Me<'_> {
        let assertion = device.sign(&self.sign_in_challenge().await).await;
        let reply = self.try_sign_in(&assertion).await.expect(200);
        let cookie = reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        Me { server: self, cookie }
    }
}

impl Me<'_> {
    pub(crate) fn post(&self, path: &str) -> Call {
        self.server.own(path).header("cookie", &self.cookie)
    }

    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    pub(crate) async fn try_page(&self) -> Reply {
        self.post("/me").json(&json!({})).send().await
    }

    pub(crate) async fn page(&self) -> MyPage {
        self.try_page().await.expect(200).json()
    }

    /// A new passkey on a new device, which nobody has allowed yet.
    pub(crate) async fn register(&self) -> (Device, api::Registration) {
        let options: PasskeyOptions = self.post("/me/passkeys/options").send().await.expect(200).json();
        let mut device = Device::new();
        let registration = device.register(&options.public_key).await;
        (device, registration)
    }

    pub(crate) async fn authorisation(&self, registration: &api::Registration) -> AuthorisationOptions {
        let asked = self.post("/me/passkeys/authorisation").json(&json!({"credential": registration})).send().await;
        asked.expect(200).json()
    }

    pub(crate) async fn send_passkey(&self, registration: &api::Registration, assertion: &api::Assertion) -> Reply {
        let sent = json!({"credential": registration, "assertion": assertion});
        self.post("/me/passkeys").json(&sent).send().await
    }

    /// Adds a passkey that this device allows.
    pub(crate) async fn try_add(&self, by: &Device) -> (Device, Reply) {
        let (device, registration) = self.register().await;
        let challenge = challenge(&self.authorisation(&registration).await);
        let reply = self.send_passkey(&registration, &by.sign(&challenge).await).await;
        (device, reply)
    }

    pub(crate) async fn add(&self, by: &Device) -> (Device, Enrolled) {
        let (device, reply) = self.try_add(by).await;
        (device, reply.expect(201).json())
    }

    pub(crate) async fn removal_challenge(&self, credential: &str) -> Vec<u8> {
        let path = format!("/me/passkeys/{credential}/removal/options");
        let options: RemovalOptions = self.post(&path).send().await.expect(200).json();
        from_base64url(&options.challenge).unwrap()
    }

    pub(crate) async fn send_removal(&self, credential: &str, assertion: &api::Assertion, reason: &str) -> Reply {
        let path = format!("/me/passkeys/{credential}/removal");
        self.post(&path).json(&json!({"assertion": assertion, "reason": reason})).send().await
    }

    pub(crate) async fn remove(&self, credential: &str, by: &Device) -> Reply {
        let challenge = self.removal_challenge(credential).await;
        self.send_removal(credential, &by.sign(&challenge).await, "replaced").await
    }
}

/// nonce ‖ SHA-256(document), as the page computes it.
pub(crate) fn challenge(options: &AuthorisationOptions) -> Vec<u8> {
    let nonce = from_base64url(&options.nonce).unwrap();
    assert_eq!(nonce.len(), 32);
    [nonce, Sha256::digest(&options.document).to_vec()].concat()
}
