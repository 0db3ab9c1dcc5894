//! A browser with a software authenticator that holds at most one passkey.
//!
//! The client of `passkey` owns its authenticator and has a type that cannot be named here, so one is built for each
//! ceremony around the stored passkey.

use std::borrow::Cow;
use std::pin::Pin;

use passkey::authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, DefaultClientData, Origin};
use passkey::crypto::rust_crypto::RustCryptoBackend;
use passkey::types::Passkey;
use passkey::types::ctap2::{Aaguid, Ctap2Error};
use passkey::types::webauthn::{
    AttestationConveyancePreference, CredentialCreationOptions, CredentialRequestOptions,
    PublicKeyCredentialCreationOptions, PublicKeyCredentialDescriptor, PublicKeyCredentialRequestOptions,
    UserVerificationRequirement,
};
use verifier::encoding::base64url;

use crate::server::WEB_ORIGIN;

#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) passkey: Option<Passkey>,
    /// Whether its user unlocks it, or only touches it.
    pub(crate) verifies: bool,
    /// The page that the browser shows.
    pub(crate) web_origin: String,
}

impl Device {
    pub(crate) fn new() -> Self {
        Self { passkey: None, verifies: true, web_origin: WEB_ORIGIN.to_owned() }
    }

    /// Makes a passkey from `PublicKeyCredentialCreationOptionsJSON`.
    pub(crate) async fn register(&mut self, options: &serde_json::Value) -> api::Registration {
        let mut public_key: PublicKeyCredentialCreationOptions = serde_json::from_value(options.clone()).unwrap();
        if let Some(selection) = &mut public_key.authenticator_selection {
            assert_eq!(selection.user_verification, UserVerificationRequirement::Required);
            selection.user_verification = self.verification();
        }
        let mut client = Client::new(self.authenticator()).allows_insecure_localhost(true);
        let options = CredentialCreationOptions { public_key };
        let made = client.register(self.origin(), options, DefaultClientData).await.unwrap();
        self.passkey.clone_from(client.authenticator().store());
        api::Registration {
            id: base64url(&made.raw_id),
            raw_id: base64url(&made.raw_id),
            kind: "public-key".to_owned(),
            response: api::RegistrationResponse {
                attestation_object: base64url(&made.response.attestation_object),
                client_data_json: base64url(&made.response.client_data_json),
                transports: vec!["internal".to_owned()],
            },
        }
    }

    pub(crate) async fn sign(&self, challenge: &[u8]) -> api::Assertion {
        let mut client = Client::new(self.authenticator()).allows_insecure_localhost(true);
        let public_key = PublicKeyCredentialRequestOptions {
            challenge: challenge.to_vec().into(),
            timeout: None,
            rp_id: Some("localhost".to_owned()),
            allow_credentials: Some(self.passkey.iter().map(PublicKeyCredentialDescriptor::from).collect()),
            user_verification: self.verification(),
            hints: None,
            attestation: AttestationConveyancePreference::None,
            attestation_formats: None,
            extensions: None,
        };
        let options = CredentialRequestOptions { public_key };
        let made = client.authenticate(self.origin(), options, DefaultClientData).await.unwrap();
        api::Assertion {
            id: base64url(&made.raw_id),
            raw_id: base64url(&made.raw_id),
            kind: "public-key".to_owned(),
            response: api::AssertionResponse {
                authenticator_data: base64url(&made.response.authenticator_data),
                client_data_json: base64url(&made.response.client_data_json),
                signature: base64url(&made.response.signature),
                user_handle: made.response.user_handle.map(|handle| base64url(&handle)),
            },
        }
    }

    fn authenticator(&self) -> Authenticator<Option<Passkey>, User, RustCryptoBackend> {
        let user = User { verifies: self.verifies };
        Authenticator::new(Aaguid::new_empty(), self.passkey.clone(), user, RustCryptoBackend)
    }

    fn verification(&self) -> UserVerificationRequirement {
        if self.verifies { UserVerificationRequirement::Required } else { UserVerificationRequirement::Discouraged }
    }

    /// The URL type is inferred, which spares a dependency on the crate that has it.
    fn origin(&self) -> Origin<'static> {
        Origin::Web(Cow::Owned(self.web_origin.parse().unwrap()))
    }
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
