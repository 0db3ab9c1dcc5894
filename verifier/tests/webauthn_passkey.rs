//! Real ceremonies with the software authenticator and client of the `passkey` crate: what they make verifies, and every
//! change of one byte of an assertion fails.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::borrow::Cow;
use std::pin::Pin;

use passkey::authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, DefaultClientData, DefaultClientDataWithExtra, Origin};
use passkey::crypto::{iana, rust_crypto::RustCryptoBackend};
use passkey::types::Passkey;
use passkey::types::ctap2::{Aaguid, Ctap2Error};
use passkey::types::webauthn::{
    AttestationConveyancePreference, AuthenticatorSelectionCriteria, CreatedPublicKeyCredential,
    CredentialCreationOptions, CredentialRequestOptions, PublicKeyCredentialCreationOptions,
    PublicKeyCredentialDescriptor, PublicKeyCredentialParameters, PublicKeyCredentialRequestOptions,
    PublicKeyCredentialRpEntity, PublicKeyCredentialType, PublicKeyCredentialUserEntity, ResidentKeyRequirement,
    UserVerificationRequirement,
};
use serde_json::{Value, json};
use verifier::webauthn::{
    Assertion, AuthenticatorData, PureRust, Registration, RelyingParty, verify_assertion, verify_registration,
};

const RP_ID: &str = "approve.example.com";
const WEB_ORIGIN: &str = "https://approve.example.com";
const REGISTRATION_CHALLENGE: [u8; 32] = [3; 32];

#[tokio::test]
async fn a_registration_and_decisions_verify() {
    let mut approver = Approver::new();
    let registration = approver.enrol().await;
    assert_eq!(registration.attestation_format, "none");
    assert_eq!(registration.sign_count, 0);
    assert!(registration.backup_eligible && registration.backed_up, "the flags of a synced passkey");

    for round in 0..20 {
        let challenge = [round; 64];
        let assertion = approver.sign(&challenge).await;
        let data = check(&assertion, &challenge, &registration).unwrap();
        assert!(data.flags.user_present() && data.flags.user_verified());
    }
}

#[tokio::test]
async fn a_counter_is_reported() {
    let mut approver = Approver::new();
    approver.counts = true;
    let registration = approver.enrol().await;
    let first = check(&approver.sign(&[1; 64]).await, &[1; 64], &registration).unwrap();
    let second = check(&approver.sign(&[2; 64]).await, &[2; 64], &registration).unwrap();
    assert!(second.sign_count > first.sign_count && first.sign_count > registration.sign_count);
}

#[tokio::test]
async fn extra_keys_in_client_data_are_ignored() {
    let mut approver = Approver::new();
    let registration = approver.enrol().await;
    let extra = json!({"other_keys_can_be_added_here": {"n": 0.1, "a": [null]}});
    let assertion = approver.sign_with(&[9; 64], WEB_ORIGIN, extra).await;
    assert!(String::from_utf8_lossy(&assertion.client_data_json).contains("other_keys"));
    assert!(check(&assertion, &[9; 64], &registration).is_ok());
}

#[tokio::test]
async fn a_replaced_or_foreign_assertion_fails() {
    let mut approver = Approver::new();
    let registration = approver.enrol().await;
    let mut other = Approver::new();
    let other_registration = other.enrol().await;
    let assertion = approver.sign(&[1; 64]).await;

    assert_eq!(check(&assertion, &[2; 64], &registration), Err("A6"), "another challenge");
    assert_eq!(check(&assertion, &[1; 64], &other_registration), Err("A15"), "another key");
    let mixed = Assertion { signature: other.sign(&[1; 64]).await.signature, ..assertion.clone() };
    assert_eq!(check(&mixed, &[1; 64], &registration), Err("A15"), "another signature");

    let sub_domain = approver.sign_with(&[1; 64], "https://x.approve.example.com", json!({})).await;
    assert_eq!(check(&sub_domain, &[1; 64], &registration), Err("A7"));
}

#[tokio::test]
async fn without_user_verification_nothing_passes() {
    let credential = Approver::unverified().create().await;
    assert_eq!(check_registration(&credential), Err("R13"));

    let mut approver = Approver::new();
    let registration = approver.enrol().await;
    let mut thief = Approver { passkey: approver.passkey, ..Approver::unverified() };
    let assertion = thief.sign(&[1; 64]).await;
    assert_eq!(check(&assertion, &[1; 64], &registration), Err("A11"));
}

#[tokio::test]
async fn every_changed_byte_of_an_assertion_fails() {
    let mut approver = Approver::new();
    let registration = approver.enrol().await;
    let challenge = [7; 64];
    let good = approver.sign(&challenge).await;
    assert!(check(&good, &challenge, &registration).is_ok());

    let parts: [fn(&mut Assertion) -> &mut Vec<u8>; 3] =
        [|a| &mut a.authenticator_data, |a| &mut a.client_data_json, |a| &mut a.signature];
    for (name, part) in ["authenticator data", "client data", "signature"].iter().zip(parts) {
        let mut changed = good.clone();
        for at in 0..part(&mut changed).len() {
            let original = part(&mut changed)[at];
            for byte in (0..=255).filter(|byte| *byte != original) {
                part(&mut changed)[at] = byte;
                assert!(check(&changed, &challenge, &registration).is_err(), "{name}, byte {at} = 0x{byte:02x}");
            }
            part(&mut changed)[at] = original;
        }
        for cut in 0..part(&mut changed).len() {
            let mut shorter = good.clone();
            part(&mut shorter).truncate(cut);
            assert!(check(&shorter, &challenge, &registration).is_err(), "{name} cut to {cut} bytes");
        }
        let mut longer = good.clone();
        part(&mut longer).push(0x20);
        assert!(check(&longer, &challenge, &registration).is_err(), "{name} with a byte more");
    }
}

/// Without attestation nothing signs a registration, so a changed id, counter or AAGUID passes; a changed key does not,
/// because it is no point of the curve, and nothing panics.
#[tokio::test]
async fn a_changed_registration_never_yields_another_key() {
    let mut approver = Approver::new();
    let credential = approver.create().await;
    let key = check_registration(&credential).unwrap().public_key;
    let object = credential.response.attestation_object.to_vec();
    for at in 0..object.len() {
        for bit in 0..8 {
            let mut changed = object.clone();
            changed[at] ^= 1 << bit;
            let result = verify(&changed, &credential.response.client_data_json);
            assert!(result.is_err() || result.is_ok_and(|r| r.public_key == key), "byte {at}, bit {bit}");
        }
    }
}

fn relying_party() -> RelyingParty {
    RelyingParty { rp_id: RP_ID.into(), web_origins: vec![WEB_ORIGIN.into()] }
}

/// Verifies an assertion; the error is the id of the check.
fn check(
    assertion: &Assertion,
    challenge: &[u8],
    registration: &Registration,
) -> Result<AuthenticatorData, &'static str> {
    verify_assertion(assertion, challenge, &relying_party(), &registration.public_key, &PureRust).map_err(|e| e.code())
}

fn check_registration(credential: &CreatedPublicKeyCredential) -> Result<Registration, &'static str> {
    verify(&credential.response.attestation_object, &credential.response.client_data_json)
}

fn verify(attestation_object: &[u8], client_data_json: &[u8]) -> Result<Registration, &'static str> {
    verify_registration(attestation_object, client_data_json, &REGISTRATION_CHALLENGE, &relying_party(), &PureRust)
        .map_err(|error| error.code())
}

/// A browser with at most one passkey.
///
/// The client of `passkey` owns its authenticator and has a type that cannot be named here, so one is built for each
/// ceremony around the stored passkey.
struct Approver {
    passkey: Option<Passkey>,
    user: User,
    verification: UserVerificationRequirement,
    counts: bool,
}

impl Approver {
    fn new() -> Self {
        Self {
            passkey: None,
            user: User { verifies: true },
            verification: UserVerificationRequirement::Required,
            counts: false,
        }
    }

    /// Somebody who is only asked to touch the device.
    fn unverified() -> Self {
        Self { user: User { verifies: false }, verification: UserVerificationRequirement::Discouraged, ..Self::new() }
    }

    async fn enrol(&mut self) -> Registration {
        let credential = self.create().await;
        let registration = check_registration(&credential).unwrap();
        assert_eq!(registration.credential_id, credential.raw_id.to_vec());
        registration
    }

    async fn create(&mut self) -> CreatedPublicKeyCredential {
        let mut authenticator = self.authenticator();
        authenticator.set_make_credentials_with_signature_counter(self.counts);
        let mut client = Client::new(authenticator);
        let created =
            client.register(web_origin(WEB_ORIGIN), self.creation_options(), DefaultClientData).await.unwrap();
        self.passkey.clone_from(client.authenticator().store());
        created
    }

    async fn sign(&mut self, challenge: &[u8]) -> Assertion {
        self.sign_with(challenge, WEB_ORIGIN, json!({})).await
    }

    /// `extra` is an object whose members the browser adds to the client data.
    async fn sign_with(&mut self, challenge: &[u8], origin: &str, extra: Value) -> Assertion {
        let mut client = Client::new(self.authenticator());
        let options = self.request_options(challenge);
        let client_data = DefaultClientDataWithExtra(extra);
        let credential = client.authenticate(web_origin(origin), options, client_data).await.unwrap();
        self.passkey.clone_from(client.authenticator().store());
        Assertion {
            authenticator_data: credential.response.authenticator_data.to_vec(),
            client_data_json: credential.response.client_data_json.to_vec(),
            signature: credential.response.signature.to_vec(),
        }
    }

    fn authenticator(&self) -> Authenticator<Option<Passkey>, User, RustCryptoBackend> {
        Authenticator::new(Aaguid::new_empty(), self.passkey.clone(), self.user, RustCryptoBackend)
    }

    fn creation_options(&self) -> CredentialCreationOptions {
        CredentialCreationOptions {
            public_key: PublicKeyCredentialCreationOptions {
                rp: PublicKeyCredentialRpEntity { id: Some(RP_ID.into()), name: "Approvals".into() },
                user: PublicKeyCredentialUserEntity {
                    id: vec![1; 16].into(),
                    display_name: "Alex".into(),
                    name: "alex".into(),
                },
                challenge: REGISTRATION_CHALLENGE.to_vec().into(),
                pub_key_cred_params: vec![PublicKeyCredentialParameters {
                    ty: PublicKeyCredentialType::PublicKey,
                    alg: iana::Algorithm::ES256,
                }],
                timeout: None,
                exclude_credentials: None,
                authenticator_selection: Some(AuthenticatorSelectionCriteria {
                    authenticator_attachment: None,
                    resident_key: Some(ResidentKeyRequirement::Preferred),
                    require_resident_key: false,
                    user_verification: self.verification,
                }),
                hints: None,
                attestation: AttestationConveyancePreference::None,
                attestation_formats: None,
                extensions: None,
            },
        }
    }

    fn request_options(&self, challenge: &[u8]) -> CredentialRequestOptions {
        let allowed = self.passkey.iter().map(PublicKeyCredentialDescriptor::from).collect();
        CredentialRequestOptions {
            public_key: PublicKeyCredentialRequestOptions {
                challenge: challenge.to_vec().into(),
                timeout: None,
                rp_id: Some(RP_ID.into()),
                allow_credentials: Some(allowed),
                user_verification: self.verification,
                hints: None,
                attestation: AttestationConveyancePreference::None,
                attestation_formats: None,
                extensions: None,
            },
        }
    }
}

/// The URL type is inferred, which spares a dependency on the crate that has it.
fn web_origin(origin: &str) -> Origin<'static> {
    Origin::Web(Cow::Owned(origin.parse().unwrap()))
}

/// Somebody in front of the device.
#[derive(Clone, Copy)]
struct User {
    verifies: bool,
}

/// Written without the attribute of `async_trait`, in the form that it expands to.
impl UserValidationMethod for User {
    type PasskeyItem = Passkey;

    fn check_user<'a, 'this, 'result>(
        &'this self,
        _hint: UiHint<'a, Passkey>,
        presence: bool,
        _verification: bool,
    ) -> Pin<Box<dyn Future<Output = Result<UserCheck, Ctap2Error>> + Send + 'result>>
    where
        'a: 'result,
        'this: 'result,
        Self: 'result,
    {
        let check = UserCheck { presence, verification: self.verifies };
        Box::pin(std::future::ready(Ok(check)))
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(self.verifies)
    }
}
