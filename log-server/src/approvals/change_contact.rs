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
    what: What,
}

/// What is to become of the contact.
#[derive(Debug)]
enum What {
    /// This address, once its owner confirms it.
    Propose(String),
    /// The chat that brings a code to this bot.
    Link { bot: String },
    /// None.
    Remove,
}

/// A change that was signed for.
struct Apply {
    change: Change,
    signer: CredentialHash,
    draft: Draft,
}

impl Approvals {
    /// What a passkey must sign to change a contact like this.
    pub async fn contact_change_options(
        &self,
        signed_in: &SignedIn,
        channel: &str,
        request: &ContactChangeRequest,
    ) -> Result<ContactChangeOptions, Problem> {
        let channel = changeable(channel)?;
        let what = match (channel, request.address.as_deref(), request.link) {
            // What is there can be removed when the server has lost the channel, too.
            (_, None, false) => What::Remove,
            (Channel::Email, Some(address), false) => {
                What::Propose(self.email_address("address", address)?.as_str().to_owned())
            }
            (Channel::Telegram, None, true) => What::Link { bot: self.bot().await? },
            (Channel::Webhook, ..) => return Err(Problem::NotFound),
            (Channel::Email, _, true) => return Err(Problem::invalid("link", "is for telegram; give an address")),
            (Channel::Telegram, Some(_), _) => {
                return Err(Problem::invalid("address", "a chat is linked by a code, not typed"));
            }
        };
        let challenge = bytes32(&*self.random);
        let change = Change { signed_in: signed_in.clone(), channel, what };
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
        let draft = self.draft();
        let link = match &change.what {
            What::Link { bot } => Some(format!("https://t.me/{bot}?start={}", draft.code())),
            What::Propose(_) | What::Remove => None,
        };
        self.writer.submit(Apply { change, signer: by.hash()?, draft }).await?;
        let mut contacts = self.contacts(signed_in.username.as_str())?;
        // The only time that the code is told: the store has its hash.
        if let Some(contact) = contacts.iter_mut().find(|contact| contact.channel == channel.as_str()) {
            contact.link = link;
        }
        Ok(contacts)
    }

    /// The bot's name, which Telegram knows.
    async fn bot(&self) -> Result<String, Problem> {
        self.require_channel("link", Channel::Telegram)?;
        let Some(telegram) = self.couriers.telegram() else { return Err(Problem::NotFound) };
        telegram.name().await.map_err(|error| {
            tracing::warn!(%error, "a chat cannot be linked");
            Problem::Busy("Telegram does not answer now, so that no chat can be linked")
        })
    }
}

fn changeable(channel: &str) -> Result<Channel, Problem> {
    Channel::OF_PEOPLE.into_iter().find(|known| known.as_str() == channel).ok_or(Problem::NotFound)
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
        let Change { signed_in, channel, what } = self.change;
        let username = signed_in.username.as_str();
        match what {
            What::Propose(address) => contacts::propose(tx, username, channel, address, self.draft)?,
            What::Link { .. } => contacts::await_chat(tx, username, &self.draft)?,
            What::Remove => contacts::remove(tx, username, channel, self.draft.into_message())?,
        }
        Ok(())
    }
}
