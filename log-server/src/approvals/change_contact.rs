//! Changing or removing one's own contact. Being signed in is not enough, as for the removal of a passkey: whoever finds a
//! browser that is signed in could turn the messages off or lead them elsewhere. So an active passkey of the same person
//! signs a fresh challenge of 32 bytes that was made for exactly this change.

use api::{Contact, ContactChange, ContactChangeOptions, ContactChangeRequest};
use verifier::encoding::base64url;
use verifier::entry::CredentialHash;
use verifier::webauthn::verify_assertion;

use super::contacts::{self, Draft};
use super::records::CredentialRecord;
use super::sessions::SignedIn;
use super::{Approvals, assertion};
use crate::keyspace;
use crate::notifications::Channel;
use crate::problem::Problem;
use crate::random::bytes32;
use crate::writer::{Command, Failed, Transaction};

/// A change under way.
#[derive(Debug)]
pub(super) struct Change {
    signed_in: SignedIn,
    channel: Channel,
    /// The new address; none removes what is there.
    address: Option<String>,
}

/// A change that was signed for.
struct Apply {
    change: Change,
    signer: CredentialHash,
    draft: Draft,
}

impl Approvals {
    /// What a passkey must sign to change a contact like this.
    pub fn contact_change_options(
        &self,
        signed_in: &SignedIn,
        channel: &str,
        request: &ContactChangeRequest,
    ) -> Result<ContactChangeOptions, Problem> {
        let channel = changeable(channel)?;
        // What is there can be removed when the server has lost the channel, too.
        let address = request.address.as_deref().map(|address| self.email_address("address", address)).transpose()?;
        let address = address.map(|address| address.as_str().to_owned());
        let challenge = bytes32(&*self.random);
        let change = Change { signed_in: signed_in.clone(), channel, address };
        self.ceremonies.contact_changes.put(&challenge, change, self.time.now());
        Ok(ContactChangeOptions {
            challenge: base64url(&challenge),
            rp_id: self.identity.relying_party.rp_id.clone(),
            credentials: self.descriptors(signed_in.username.as_str())?,
        })
    }

    /// Proposes the new address or removes the contact: the change that the challenge was made for.
    pub async fn change_contact(
        &self,
        signed_in: &SignedIn,
        channel: &str,
        request: &ContactChange,
    ) -> Result<Vec<Contact>, Problem> {
        let channel = changeable(channel)?;
        let signed = assertion::read("assertion", &request.assertion)?;
        let challenge = assertion::claimed_challenge("assertion", &signed)?;
        let change = self.ceremonies.contact_changes.take(&challenge, self.time.now());
        let change = change.filter(|change| change.signed_in == *signed_in && change.channel == channel);
        let Some(change) = change else {
            return Err(Problem::Conflict("this change took too long or was used before; begin again".to_owned()));
        };
        let (by, key) = self.key_of(&signed_in.username, &request.assertion)?;
        verify_assertion(&signed, &challenge, &self.identity.relying_party, &key, &*self.primitive).map_err(
            |error| {
                tracing::warn!(check = error.code(), %error, "a change of a contact was refused");
                Problem::invalid("assertion", error)
            },
        )?;
        self.writer.submit(Apply { change, signer: by.hash()?, draft: self.draft() }).await?;
        Ok(self.contacts(signed_in.username.as_str())?)
    }
}

/// The channels whose address is typed.
fn changeable(channel: &str) -> Result<Channel, Problem> {
    if channel == Channel::Email.as_str() { Ok(Channel::Email) } else { Err(Problem::NotFound) }
}

impl Command for Apply {
    type Answer = ();
    type Refusal = Problem;

    fn run(self, tx: &mut Transaction<'_>) -> Result<(), Failed<Problem>> {
        let signer = tx.get::<CredentialRecord>(&keyspace::credential(&self.signer))?;
        if !signer.is_some_and(|signer| signer.is_active()) {
            let words = "the passkey that signed for this was revoked".to_owned();
            return Err(Failed::Refused(Problem::Conflict(words)));
        }
        let Change { signed_in, channel, address } = self.change;
        let username = signed_in.username.as_str();
        match address {
            Some(address) => contacts::propose(tx, username, channel, address, self.draft)?,
            None => contacts::remove(tx, username, channel, self.draft.into_message())?,
        }
        Ok(())
    }
}
