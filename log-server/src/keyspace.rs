//! Where things stand in the store: one letter for the kind, then the key, numbers big-endian so that they sort.

use merkle::{Hash, LeafIndex};
use verifier::entry::CredentialHash;

use crate::leaf_index::LeafStart;

/// The log's identity: log origin, key, public URL, schema version.
pub(crate) const IDENTITY: &[u8] = b"!identity";
/// The tree head of the last batch with entries, unsigned.
pub(crate) const HEAD: &[u8] = b"!head";
/// The stamp of the last batch.
pub(crate) const TIME: &[u8] = b"!time";

/// What a key is of: its first byte. A letter that is taken twice does not compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Entry = b'e',
    Tile = b't',
    Leaf = b'h',
    WholeLeaf = b'H',
    Confirmation = b'c',
    Listing = b'l',
    PendingCount = b'N',
    Pending = b'n',
    Rejected = b'r',
    Rejections = b'R',
    LastApproved = b'A',
    Decided = b'd',
    Idempotency = b'i',
    ApiKey = b'k',
    ApiKeyHash = b'K',
    Invite = b'v',
    InviteHash = b'V',
    Approver = b'a',
    Credential = b'p',
    CredentialId = b'P',
    Contact = b's',
    ContactToken = b'S',
    Webhook = b'W',
    Notification = b'm',
    /// Mails to be sent.
    Outbox = b'o',
    /// Telegram messages to be sent.
    OutboxTelegram = b'O',
    /// Webhooks to be called.
    OutboxWebhooks = b'w',
    /// Messages that could not be sent.
    DeadLetter = b'x',
}

/// An entry's bytes.
pub(crate) fn entry(index: LeafIndex) -> Vec<u8> {
    numbered(Kind::Entry, index.get())
}

/// A tile's hashes, as many as there are.
pub(crate) fn tile(level: u8, index: u64) -> Vec<u8> {
    [[Kind::Tile as u8, level].as_slice(), &index.to_be_bytes()].concat()
}

/// The index of the first entry whose leaf hash begins like this one.
pub(crate) fn leaf(start: LeafStart) -> Vec<u8> {
    of(Kind::Leaf, start)
}

/// The index of an entry whose leaf hash begins like that of an earlier one.
pub(crate) fn whole_leaf(hash: &Hash) -> Vec<u8> {
    of(Kind::WholeLeaf, hash.as_bytes())
}

/// A confirmation's record.
pub(crate) fn confirmation(id: &str) -> Vec<u8> {
    of(Kind::Confirmation, id)
}

/// A confirmation in the listing of a requester's key, newest first.
pub(crate) fn listing(key_id: &str, newest_first: u64, id: &str) -> Vec<u8> {
    [listing_prefix(key_id).as_slice(), &newest_first.to_be_bytes(), id.as_bytes()].concat()
}

/// What all of [`listing`] of one key begin with. Key ids are of one length, so none is a prefix of another.
pub(crate) fn listing_prefix(key_id: &str) -> Vec<u8> {
    of(Kind::Listing, key_id)
}

/// How many confirmations are pending of one API key or for one approver; their ids and usernames are never the same text.
pub(crate) fn pending_count(name: &str) -> Vec<u8> {
    of(Kind::PendingCount, name)
}

/// A pending confirmation of one API key or for one approver, the one that expires first in front.
pub(crate) fn pending(name: &str, expires_at: u64, id: &str) -> Vec<u8> {
    [pending_prefix(name).as_slice(), &expires_at.to_be_bytes(), id.as_bytes()].concat()
}

/// What all of [`pending`] of one name begin with. The zero ends the name, so none is a prefix of another.
pub(crate) fn pending_prefix(name: &str) -> Vec<u8> {
    [of(Kind::Pending, name).as_slice(), &[0]].concat()
}

/// What an API key asked for and was rejected, by the hash of the question.
pub(crate) fn rejected(key_id: &str, question: &[u8; 32]) -> Vec<u8> {
    [of(Kind::Rejected, key_id).as_slice(), question].concat()
}

/// How often an approver rejected what an API key asked, in a row, by a hash that says what counts as one row.
pub(crate) fn rejections(key_id: &str, row: &[u8; 32]) -> Vec<u8> {
    [of(Kind::Rejections, key_id).as_slice(), row].concat()
}

/// The confirmation that was approved last, by the hash of requester, title and one approver who was asked.
pub(crate) fn last_approved(hash: &[u8; 32]) -> Vec<u8> {
    of(Kind::LastApproved, hash)
}

/// A decision of an approver, by its index in the log, newest first. The value is the confirmation's id.
pub(crate) fn decided(username: &str, index: u64) -> Vec<u8> {
    [decided_prefix(username).as_slice(), &(u64::MAX - index).to_be_bytes()].concat()
}

/// What all of [`decided`] of one person begin with. No name holds the byte that ends it.
pub(crate) fn decided_prefix(username: &str) -> Vec<u8> {
    [of(Kind::Decided, username).as_slice(), &[0]].concat()
}

/// Which confirmation a requester made under an idempotency key.
pub(crate) fn idempotency(key_id: &str, hash: &[u8; 32]) -> Vec<u8> {
    [of(Kind::Idempotency, key_id).as_slice(), hash].concat()
}

/// An API key's record, by id.
pub(crate) fn api_key(id: &str) -> Vec<u8> {
    of(Kind::ApiKey, id)
}

/// An API key's id, by the hash of its text.
pub(crate) fn api_key_hash(hash: &[u8; 32]) -> Vec<u8> {
    of(Kind::ApiKeyHash, hash)
}

/// An invite's record, by id.
pub(crate) fn invite(id: &str) -> Vec<u8> {
    of(Kind::Invite, id)
}

/// An invite's id, by the hash of its code.
pub(crate) fn invite_hash(hash: &[u8; 32]) -> Vec<u8> {
    of(Kind::InviteHash, hash)
}

/// An approver's record, by username.
pub(crate) fn approver(username: &str) -> Vec<u8> {
    of(Kind::Approver, username)
}

/// A credential's record, by the hash of its key.
pub(crate) fn credential(hash: &CredentialHash) -> Vec<u8> {
    of(Kind::Credential, hash)
}

/// That a WebAuthn credential id was ever enrolled, by its hash.
pub(crate) fn credential_id(hash: &[u8; 32]) -> Vec<u8> {
    of(Kind::CredentialId, hash)
}

/// How an approver is reached on one channel. The zero ends the name, so none is a prefix of another.
pub(crate) fn contact(username: &str, channel: &str) -> Vec<u8> {
    [of(Kind::Contact, username).as_slice(), &[0], channel.as_bytes()].concat()
}

/// The contact that a link confirms, by the hash of the link's token. The value is the contact's key.
pub(crate) fn contact_token(hash: &[u8; 32]) -> Vec<u8> {
    of(Kind::ContactToken, hash)
}

/// The webhook of an API key, by the key's id.
pub(crate) fn webhook(key_id: &str) -> Vec<u8> {
    of(Kind::Webhook, key_id)
}

/// A message to an approver, by id.
pub(crate) fn notification(id: &str) -> Vec<u8> {
    of(Kind::Notification, id)
}

/// A message that is to be sent, in the outbox of its channel, the one that is due first in front.
pub(crate) fn outbox(outbox: Kind, due: u64, id: &str) -> Vec<u8> {
    [numbered(outbox, due).as_slice(), id.as_bytes()].concat()
}

/// A message that could not be sent, newest first.
pub(crate) fn dead_letter(at: u64, id: &str) -> Vec<u8> {
    [numbered(Kind::DeadLetter, u64::MAX - at).as_slice(), id.as_bytes()].concat()
}

/// The id at the end of [`outbox`] and [`dead_letter`].
pub(crate) fn id_behind_number(key: &[u8]) -> String {
    String::from_utf8_lossy(key.get(9..).unwrap_or_default()).into_owned()
}

/// All keys of a kind.
pub(crate) fn all(kind: Kind) -> (Vec<u8>, Vec<u8>) {
    (vec![kind as u8], vec![kind as u8 + 1])
}

/// The first key behind all that begin with a prefix.
pub(crate) fn after(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

fn numbered(kind: Kind, number: u64) -> Vec<u8> {
    of(kind, number.to_be_bytes())
}

fn of(kind: Kind, rest: impl AsRef<[u8]>) -> Vec<u8> {
    [[kind as u8].as_slice(), rest.as_ref()].concat()
}
