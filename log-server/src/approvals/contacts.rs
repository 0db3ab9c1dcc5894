//! How approvers are reached: an address for each channel, which its owner has confirmed.
//!
//! An address is proposed (by an admin with the invite, or by the approver with a passkey), and a link is sent to it. The
//! page behind the link has a button; the button's POST makes the address the contact, and the one before it is told. The
//! link itself changes nothing, because scanners of mail follow links. Until then the contact before it stays.
//!
//! A Telegram chat is proposed without being known: its owner opens a link with a code on their own page, and the chat
//! that brings the code to the bot is the contact (`link_chat.rs`).

use api::{Contact, ContactProposal};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use verifier::encoding::{self, base64url};

use super::outbox::{self, About};
use super::{Approvals, time_text};
use crate::keyspace;
use crate::notifications::{Changed, Channel, EmailAddress};
use crate::problem::Problem;
use crate::random::{self, bytes32};
use crate::store::StoreError;
use crate::writer::{Command, Failed, Transaction};

/// How long a proposed address waits for its owner, in seconds.
const PROPOSAL: u64 = 72 * 3600;
/// How long a code waits for a chat, in seconds.
const CODE: u64 = 15 * 60;
/// How long it is tried to tell somebody that their contact changed.
const TELL: u64 = 72 * 3600;

/// How somebody is reached on one channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ContactRecord {
    username: String,
    channel: Channel,
    pub(super) current: Option<AddressRecord>,
    proposed: Option<ProposalRecord>,
}

/// An address that its owner has confirmed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AddressRecord {
    pub(super) address: String,
    pub(super) since: u64,
    /// What people know it by, where the address says little.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
}

/// An address that waits for its owner. A chat is not known yet: its address is empty.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ProposalRecord {
    address: String,
    /// The hash of the link's token.
    token: String,
    expires_at: u64,
}

/// What proposing or removing an address needs that is random: made before the queue.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    token: [u8; 32],
    message: String,
}

/// Whose contact a token confirms.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TokenRecord {
    pub(super) username: String,
    pub(super) channel: Channel,
}

struct Confirm {
    hash: [u8; 32],
    message: String,
}

impl Approvals {
    pub(super) fn draft(&self) -> Draft {
        Draft { token: bytes32(&*self.random), message: self.message_id() }
    }

    pub(super) fn message_id(&self) -> String {
        random::id(&*self.random, "ntf")
    }

    /// An e-mail address that this server could use.
    pub(super) fn email_address(&self, field: &str, text: &str) -> Result<EmailAddress, Problem> {
        self.require_channel(field, Channel::Email)?;
        EmailAddress::new(text).map_err(|error| Problem::invalid(field, error))
    }

    pub(super) fn require_channel(&self, field: &str, channel: Channel) -> Result<(), Problem> {
        if self.couriers.has(channel) {
            return Ok(());
        }
        Err(Problem::invalid(field, format!("this server has no channel {}", channel.as_str())))
    }

    /// What the page behind a link shows. It changes nothing.
    pub fn contact_proposal(&self, token: &str) -> Result<ContactProposal, Problem> {
        let hash = hash(token)?;
        let found = self.record(&keyspace::contact_token(&hash))?.filter(TokenRecord::is_of_a_link);
        let TokenRecord { username, channel } = found.ok_or(Problem::NotFound)?;
        let contact: Option<ContactRecord> = self.record(&keyspace::contact(&username, channel.as_str()))?;
        let proposal = contact.and_then(|contact| contact.proposed).ok_or(Problem::NotFound)?;
        if !proposal.is_for(&hash, self.time.now().unix()) {
            return Err(Problem::NotFound);
        }
        Ok(ContactProposal { username, channel: channel.as_str().to_owned(), address: proposal.address })
    }

    /// Makes the proposed address the contact.
    pub async fn confirm_contact(&self, token: &str) -> Result<(), Problem> {
        Ok(self.writer.submit(Confirm { hash: hash(token)?, message: self.message_id() }).await?)
    }

    /// How somebody is reached, on every channel that they have.
    pub(super) fn contacts(&self, username: &str) -> Result<Vec<Contact>, StoreError> {
        let now = self.time.now().unix();
        let mut contacts = Vec::new();
        for channel in Channel::OF_PEOPLE {
            let Some(record) = self.record::<ContactRecord>(&keyspace::contact(username, channel.as_str()))? else {
                continue;
            };
            let proposed = record.proposed.filter(|proposal| now <= proposal.expires_at);
            if record.current.is_none() && proposed.is_none() {
                continue;
            }
            let (since, address) = record.current.map(|it| (time_text(it.since), it.shown())).unzip();
            let proposed = proposed.map(|proposal| proposal.address).filter(|address| !address.is_empty());
            contacts.push(Contact { channel: channel.as_str().to_owned(), address, since, proposed, link: None });
        }
        Ok(contacts)
    }

    /// The address that messages to somebody go to, if they have one.
    pub(super) fn address(&self, username: &str, channel: Channel) -> Result<Option<String>, StoreError> {
        let contact: Option<ContactRecord> = self.record(&keyspace::contact(username, channel.as_str()))?;
        Ok(contact.and_then(|contact| contact.current).map(|current| current.address))
    }

    /// Whether the link of a message still confirms what it was sent for.
    pub(super) fn is_proposed(&self, token: &str) -> Result<bool, Problem> {
        match self.contact_proposal(token) {
            Ok(_) => Ok(true),
            Err(Problem::NotFound) => Ok(false),
            Err(problem) => Err(problem),
        }
    }
}

/// Whether somebody has a confirmed address.
pub(super) fn has_address(tx: &Transaction<'_>, username: &str, channel: Channel) -> Result<bool, StoreError> {
    let contact: Option<ContactRecord> = tx.get(&keyspace::contact(username, channel.as_str()))?;
    Ok(contact.is_some_and(|contact| contact.current.is_some()))
}

/// Proposes an address, in the place of one that was proposed before, and writes the message with the link.
pub(super) fn propose(
    tx: &mut Transaction<'_>,
    username: &str,
    channel: Channel,
    address: String,
    draft: Draft,
) -> Result<(), StoreError> {
    let expires_at = tx.now().plus(PROPOSAL).unix();
    put_proposal(tx, username, channel, address.clone(), &draft.token, expires_at)?;
    let about = About::Verification { address, token: base64url(&draft.token) };
    outbox::write(tx, draft.message, channel, username, about, expires_at);
    tracing::info!(event = "contact proposed", username, channel = channel.as_str());
    Ok(())
}

/// Waits for a chat to bring a code, in the place of one that was made before.
pub(super) fn await_chat(tx: &mut Transaction<'_>, username: &str, draft: &Draft) -> Result<(), StoreError> {
    let expires_at = tx.now().plus(CODE).unix();
    put_proposal(tx, username, Channel::Telegram, String::new(), &draft.token, expires_at)?;
    tracing::info!(event = "chat awaited", username);
    Ok(())
}

fn put_proposal(
    tx: &mut Transaction<'_>,
    username: &str,
    channel: Channel,
    address: String,
    token: &[u8; 32],
    expires_at: u64,
) -> Result<(), StoreError> {
    let mut contact = contact(tx, username, channel)?;
    let hash: [u8; 32] = Sha256::digest(token).into();
    contact.forget_proposal(tx);
    contact.proposed = Some(ProposalRecord { address, token: base64url(&hash), expires_at });
    tx.put(keyspace::contact_token(&hash), &TokenRecord { username: username.to_owned(), channel });
    tx.put(keyspace::contact(username, channel.as_str()), &contact);
    Ok(())
}

/// Removes the contact and what was proposed, and tells the contact.
pub(super) fn remove(
    tx: &mut Transaction<'_>,
    username: &str,
    channel: Channel,
    message: String,
) -> Result<(), StoreError> {
    let mut contact = contact(tx, username, channel)?;
    contact.forget_proposal(tx);
    if let Some(before) = contact.current.take() {
        tell(tx, &contact, before.address, Changed::Removed, message);
    }
    tx.delete(keyspace::contact(username, channel.as_str()));
    tracing::info!(event = "contact removed", username, channel = channel.as_str());
    Ok(())
}

pub(super) fn contact(tx: &Transaction<'_>, username: &str, channel: Channel) -> Result<ContactRecord, StoreError> {
    let found = tx.get(&keyspace::contact(username, channel.as_str()))?;
    let none = || ContactRecord { username: username.to_owned(), channel, current: None, proposed: None };
    Ok(found.unwrap_or_else(none))
}

/// Writes to a contact what became of it.
pub(super) fn tell(tx: &mut Transaction<'_>, contact: &ContactRecord, address: String, what: Changed, message: String) {
    let about = About::Change { address, removed: what == Changed::Removed, added: what == Changed::Added };
    let expires_at = tx.now().plus(TELL).unix();
    outbox::write(tx, message, contact.channel, &contact.username, about, expires_at);
}

/// What the store knows a link's token by.
pub(super) fn hash(token: &str) -> Result<[u8; 32], Problem> {
    let token: [u8; 32] = encoding::array_from_base64url(token).map_err(|_| Problem::NotFound)?;
    Ok(Sha256::digest(token).into())
}

impl TokenRecord {
    /// A code for a chat opens no page.
    fn is_of_a_link(&self) -> bool {
        self.channel == Channel::Email
    }
}

impl AddressRecord {
    fn shown(self) -> String {
        match self.name {
            Some(name) => format!("{name} (chat {})", self.address),
            None => self.address,
        }
    }
}

impl ContactRecord {
    /// Takes the proposal that a token is for.
    pub(super) fn take_proposal(&mut self, tx: &mut Transaction<'_>, hash: &[u8; 32]) -> Option<ProposalRecord> {
        let now = tx.now().unix();
        let proposal = self.proposed.clone().filter(|proposal| proposal.is_for(hash, now))?;
        self.forget_proposal(tx);
        Some(proposal)
    }

    fn forget_proposal(&mut self, tx: &mut Transaction<'_>) {
        let before = self.proposed.take();
        if let Some(hash) = before.and_then(|before| encoding::array_from_base64url(&before.token).ok()) {
            tx.delete(keyspace::contact_token(&hash));
        }
    }
}

impl ProposalRecord {
    fn is_for(&self, hash: &[u8; 32], now: u64) -> bool {
        self.token == base64url(hash) && now <= self.expires_at
    }
}

impl Draft {
    /// The secret of the link, as it stands there.
    pub(super) fn code(&self) -> String {
        base64url(&self.token)
    }

    /// The id of the message, where no link is sent.
    pub(super) fn into_message(self) -> String {
        self.message
    }
}

impl Command for Confirm {
    type Answer = ();
    type Refusal = Problem;

    fn run(self, tx: &mut Transaction<'_>) -> Result<(), Failed<Problem>> {
        let refused = || Failed::Refused(Problem::NotFound);
        let found = tx.get(&keyspace::contact_token(&self.hash))?.filter(TokenRecord::is_of_a_link);
        let TokenRecord { username, channel } = found.ok_or_else(refused)?;
        let mut contact = contact(tx, &username, channel)?;
        let ProposalRecord { address, .. } = contact.take_proposal(tx, &self.hash).ok_or_else(refused)?;
        let current = AddressRecord { address: address.clone(), since: tx.now().unix(), name: None };
        let before = contact.current.replace(current).filter(|before| before.address != address);
        if let Some(before) = before {
            tell(tx, &contact, before.address, Changed::Replaced, self.message);
        }
        tx.put(keyspace::contact(&username, channel.as_str()), &contact);
        tracing::info!(event = "contact confirmed", username, channel = channel.as_str());
        Ok(())
    }
}
