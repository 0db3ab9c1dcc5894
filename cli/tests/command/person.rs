//! Somebody with a passkey, made by an implementation that is not ours: the client and authenticator of the `passkey` crate.

use std::borrow::Cow;
use std::pin::Pin;

use api::{
    CreateInvite, CreateKey, EnrolOptions, EnrolOptionsRequest, EnrolRequest, Enrolled, InviteCreated, KeyCreated,
    Registration, RegistrationResponse,
};
use passkey::authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, DefaultClientData, Origin};
use passkey::crypto::rust_crypto::RustCryptoBackend;
use passkey::types::Passkey;
use passkey::types::ctap2::{Aaguid, Ctap2Error};
use passkey::types::webauthn::CredentialCreationOptions;
use serde_json::json;
use verifier::encoding::base64url;

use super::running::{Folder, post};

/// Enrols alex with an invite, the options of the server taken as a browser takes them.
pub(crate) async fn enrol_alex(folder: &Folder) -> Enrolled {
    let (url, admin) = (folder.url(), folder.admin_key());
    let invite = CreateInvite {
        note: "Welcome".into(),
        max_uses: None,
        username: Some("alex".into()),
        email: None,
        expires_in: None,
    };
    let invite: InviteCreated = post(&format!("{url}/api/invites"), &admin, &invite).await;
    assert_eq!(invite.register_url, format!("{url}/enrol/{}", invite.code));

    let options: EnrolOptions =
        post(&format!("{}/options", invite.register_url), "", &EnrolOptionsRequest::default()).await;
    let options: CredentialCreationOptions =
        serde_json::from_value(json!({"publicKey": options.public_key.unwrap()})).unwrap();
    let authenticator = Authenticator::new(Aaguid::new_empty(), None::<Passkey>, Present, RustCryptoBackend);
    let mut browser = Client::new(authenticator).allows_insecure_localhost(true);
    // The URL type is inferred, which spares a dependency on the crate that has it.
    let origin = Origin::Web(Cow::Owned(url.parse().unwrap()));
    let created = browser.register(origin, options, DefaultClientData).await.unwrap();

    let id = base64url(&created.raw_id);
    let credential = Registration {
        id: id.clone(),
        raw_id: id,
        kind: "public-key".into(),
        response: RegistrationResponse {
            attestation_object: base64url(&created.response.attestation_object),
            client_data_json: base64url(&created.response.client_data_json),
            transports: Vec::new(),
        },
    };
    post(&invite.register_url, "", &EnrolRequest { credential }).await
}

/// An API key with one scope.
pub(crate) async fn api_key(folder: &Folder, scope: &str) -> String {
    let asked =
        CreateKey { name: "bot".into(), scopes: vec![scope.into()], owner: None, separate: false, approvers: None };
    let made: KeyCreated = post(&format!("{}/api/keys", folder.url()), &folder.admin_key(), &asked).await;
    made.key
}

/// Somebody in front of the device who lets it do what it asks.
struct Present;

/// Written without the attribute of `async_trait`, in the form that it expands to.
impl UserValidationMethod for Present {
    type PasskeyItem = Passkey;

    fn check_user<'a, 'this, 'result>(
        &'this self,
        _hint: UiHint<'a, Passkey>,
        presence: bool,
        verification: bool,
    ) -> Pin<Box<dyn Future<Output = Result<UserCheck, Ctap2Error>> + Send + 'result>>
    where
        'a: 'result,
        'this: 'result,
        Self: 'result,
    {
        Box::pin(std::future::ready(Ok(UserCheck { presence, verification })))
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}
