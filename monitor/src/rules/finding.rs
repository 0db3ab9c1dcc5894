//! What is wrong with an entry, in exact words, and where.

use std::fmt;

use merkle::LeafIndex;
use verifier::document::MAX_APPROVERS;
use verifier::encoding::base64url;
use verifier::entry::{CredentialHash, EntryError};
use verifier::time::Timestamp;
use verifier::webauthn::{AssertionError, ClientDataError, PublicKeyError};

/// A rule that an entry breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {index}: {rule}")]
pub struct Finding {
    /// Which entry.
    pub index: LeafIndex,
    /// Which rule, and how.
    pub rule: Rule,
}

/// The name of a key in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(pub CredentialHash);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url(&self.0))
    }
}

/// The rules, as an entry breaks them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// It claims to be an entry of ours and is not.
    #[error("begins with countersign/ and is no entry of a known type: {0}")]
    Malformed(EntryError),
    /// Times go back.
    #[error("is of {given}, and an earlier entry is of {earlier}")]
    TimeGoesBack {
        /// This entry's.
        given: Timestamp,
        /// The latest before it.
        earlier: Timestamp,
    },

    /// Enrolment: the key is none that may be enrolled.
    #[error("enrols a key that no verifier accepts: {0}")]
    UnacceptableKey(PublicKeyError),
    /// Enrolment: the name of the algorithm is another key's.
    #[error("enrols a key of {actual} as {given:?}")]
    Algorithm {
        /// What the entry says.
        given: String,
        /// What the key is of.
        actual: &'static str,
    },
    /// Enrolment: made for another site.
    #[error("enrols a key for {given:?}, the trust file says {pinned:?}")]
    RelyingParty {
        /// What the entry says.
        given: String,
        /// What the trust file says.
        pinned: String,
    },
    /// Enrolment: the key has been enrolled, for whomever.
    #[error("enrols the key {credential} again, which entry {earlier} enrolled")]
    EnrolledBefore {
        /// The key.
        credential: Key,
        /// Its first enrolment.
        earlier: LeafIndex,
    },
    /// Enrolment: the invite served for another one.
    #[error("is authorised by an invite that entry {earlier} used")]
    InviteUsed {
        /// Who used it.
        earlier: LeafIndex,
    },
    /// Enrolment: allowed by a key that is not there.
    #[error("is authorised by the key {0}, which no earlier entry enrolled")]
    AuthoriserNotEnrolled(Key),
    /// Enrolment: allowed by somebody else.
    #[error("is authorised by the key {0}, which is another approver's")]
    AuthoriserOfAnother(Key),
    /// Enrolment: allowed by a key that was revoked.
    #[error("is authorised by the key {credential}, which entry {revoked} revoked")]
    AuthoriserRevoked {
        /// The key.
        credential: Key,
        /// Its revocation.
        revoked: LeafIndex,
    },
    /// Enrolment: what the earlier key signed cannot be read.
    #[error("is authorised by client data that cannot be read: {0}")]
    AuthorisationClientData(ClientDataError),
    /// Enrolment: the earlier key signed something else.
    #[error("is authorised by a signature that does not verify: {0}")]
    Authorisation(AssertionError),

    /// Revocation: of a key that is not there.
    #[error("revokes the key {0}, which no earlier entry enrolled")]
    RevokesNotEnrolled(Key),
    /// Revocation: of somebody else's key.
    #[error("revokes the key {0} under another approver's label")]
    RevokesOfAnother(Key),
    /// Revocation: a second time.
    #[error("revokes the key {credential} again, which entry {earlier} revoked")]
    RevokedBefore {
        /// The key.
        credential: Key,
        /// Its first revocation.
        earlier: LeafIndex,
    },

    /// Decision: by a key that is not there.
    #[error("is a decision by the key {0}, which no earlier entry enrolled")]
    NotEnrolled(Key),
    /// Decision: by somebody else's key.
    #[error("is a decision by the key {0} under another approver's label")]
    KeyOfAnother(Key),
    /// Decision: by a key that was revoked.
    #[error("is a decision by the key {credential}, which entry {revoked} revoked")]
    Revoked {
        /// The key.
        credential: Key,
        /// Its revocation.
        revoked: LeafIndex,
    },
    /// Decision: what was signed cannot be read.
    #[error("is a decision with client data that cannot be read: {0}")]
    ClientData(ClientDataError),
    /// Decision or authorisation: another ceremony's challenge.
    #[error("has a challenge of {0} bytes, a signed document's has 64")]
    ChallengeLength(usize),
    /// Decision: the signature.
    #[error("is a decision with a signature that does not verify: {0}")]
    Assertion(AssertionError),
    /// Decision: a second one.
    #[error("is a second decision of one approver on one confirmation")]
    DecidedBefore,
    /// Decision: more people than can be asked.
    #[error("is a decision on a confirmation that {MAX_APPROVERS} others had decided, and no more can be asked")]
    TooManyDeciders,
    /// Decision: the confirmation was over.
    #[error("is a decision on a confirmation that somebody had rejected")]
    DecidedAfterRejection,
    /// Decision: the confirmation was over.
    #[error("is a decision on a confirmation whose approval had been used")]
    DecidedAfterConsumption,

    /// Consumption: of nothing.
    #[error("uses an approval, and no earlier entry approves that confirmation")]
    NotApproved,
    /// Consumption: of a rejection.
    #[error("uses an approval of a confirmation that somebody had rejected")]
    Rejected,
    /// Consumption: a second one.
    #[error("uses an approval that was used before")]
    ConsumedBefore,

    /// Trust file: the people are listed, and this key is not.
    #[error("is signed by the key {0}, which the trust file does not list for that approver")]
    NotPinned(Key),
    /// Trust file: the key is not believed any more.
    #[error("is signed by the key {credential}, which the trust file lists as revoked from index {from} on")]
    RevokedByTrust {
        /// The key.
        credential: Key,
        /// The first index that is not believed.
        from: u64,
    },
}
