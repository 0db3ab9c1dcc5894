//! alex, the approver: enrols a passkey and decides, over the routes that the pages use.

use api::{
    ApproveOptions, ApproveOptionsRequest, DecisionMade, DecisionRequest, EnrolOptions, EnrolOptionsRequest,
    EnrolRequest, Enrolled,
};
use verifier::document::{Decision, Document};
use verifier::encoding::from_base64url;

use super::authenticator::Authenticator;
use super::{Wrong, require};
use crate::client::Client;

/// The name.
pub(super) const ALEX: &str = "alex";

/// A person with a passkey.
pub(super) struct Alex {
    browser: Client,
    passkey: Authenticator,
}

impl Alex {
    /// Follows an invite's link and enrols a passkey.
    pub(super) async fn enrol(browser: &Client, url: &str, invite: &str) -> Result<(Self, Enrolled), Wrong> {
        let path = format!("/enrol/{}", last_segment(invite));
        let asked = EnrolOptionsRequest { username: Some(ALEX.to_owned()) };
        let options: EnrolOptions = browser.post(&format!("{path}/options"), &asked).await?;
        let options = options.public_key.ok_or_else(|| Wrong("the invite gave no options".to_owned()))?;
        let text = |pointer: &str| options.pointer(pointer).and_then(|value| value.as_str()).unwrap_or_default();
        let passkey = Authenticator::new(text("/rp/id"), url);
        let credential = passkey.register(&from_base64url(text("/challenge"))?);
        let enrolled: Enrolled = browser.post(&path, &EnrolRequest { credential }).await?;
        require(enrolled.username == ALEX, "another name was enrolled")?;
        Ok((Self { browser: browser.clone(), passkey }, enrolled))
    }

    /// Follows a confirmation's link and reads what is to be decided.
    pub(super) async fn read(&self, link: &str) -> Result<ApproveOptions, Wrong> {
        let path = format!("/approve/{}/options", last_segment(link));
        Ok(self.browser.post(&path, &ApproveOptionsRequest { approver: Some(ALEX.to_owned()), salt: None }).await?)
    }

    /// Signs the one of the two documents that says this decision, and sends the signature.
    pub(super) async fn decide(
        &self,
        options: &ApproveOptions,
        decision: Decision,
        note: Option<&str>,
    ) -> Result<DecisionMade, Wrong> {
        let documents = options.documents.as_ref().ok_or_else(|| Wrong("there is nothing to sign".to_owned()))?;
        let text = match decision {
            Decision::Approve => &documents.approve,
            Decision::Reject => &documents.reject,
        };
        // What is signed is what was read: the document is parsed, and its own decision and id are compared.
        let document = Document::parse(text)?;
        require(document.decision == decision && document.core.id.as_str() == options.id, "another document came")?;
        let request = DecisionRequest {
            approver: ALEX.to_owned(),
            decision: decision.as_str().to_owned(),
            assertion: self.passkey.sign(&document.challenge()),
            note: note.map(str::to_owned),
        };
        Ok(self.browser.post(&format!("/approve/{}/decision", options.id), &request).await?)
    }
}

/// The code or id at the end of a link.
fn last_segment(link: &str) -> &str {
    link.rsplit('/').next().unwrap_or(link)
}
