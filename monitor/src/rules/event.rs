//! What happened in a log, for whoever watches somebody.

use merkle::LeafIndex;
use verifier::document::Decision;
use verifier::entry::{CredentialHash, RevocationReason};
use verifier::names::Label;
use verifier::time::Timestamp;

/// What an entry of ours says, with what the entries before it say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A key was enrolled.
    Enrolled {
        /// The entry.
        index: LeafIndex,
        /// When, by the server's clock.
        at: Timestamp,
        /// Whose key, and which.
        subject: Subject,
        /// Who allowed it.
        authorised: Authoriser,
        /// How many keys the label had before. With at least one, and no authorisation by any of them, somebody gave this
        /// approver a key without the approver's doing: see [`Event::is_alarm`].
        earlier_keys: u32,
    },
    /// A key was revoked.
    Revoked {
        /// The entry.
        index: LeafIndex,
        /// When, by the server's clock.
        at: Timestamp,
        /// Whose key, and which.
        subject: Subject,
        /// Why.
        reason: RevocationReason,
    },
    /// Somebody decided.
    Decided {
        /// The entry.
        index: LeafIndex,
        /// When, by the server's clock.
        at: Timestamp,
        /// Who, with which key.
        subject: Subject,
        /// What.
        decision: Decision,
        /// The confirmation's nonce.
        nonce: [u8; 32],
    },
    /// An approval was used.
    Consumed {
        /// The entry.
        index: LeafIndex,
        /// When, by the server's clock.
        at: Timestamp,
        /// The confirmation's nonce.
        nonce: [u8; 32],
        /// Who had decided on the confirmation, first to last.
        deciders: Vec<Subject>,
    },
}

/// An approver and a key, as an entry names them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The approver.
    pub label: Label,
    /// The key.
    pub credential: CredentialHash,
}

/// Who allowed an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authoriser {
    /// Somebody with an invite.
    Invite,
    /// The approver, with an earlier key.
    Credential(CredentialHash),
}

impl Event {
    /// The entry that says so.
    pub fn index(&self) -> LeafIndex {
        match self {
            Self::Enrolled { index, .. }
            | Self::Revoked { index, .. }
            | Self::Decided { index, .. }
            | Self::Consumed { index, .. } => *index,
        }
    }

    /// The approvers and keys that it is about: for an approval that was used, those who decided.
    pub fn subjects(&self) -> &[Subject] {
        match self {
            Self::Enrolled { subject, .. } | Self::Revoked { subject, .. } | Self::Decided { subject, .. } => {
                std::slice::from_ref(subject)
            }
            Self::Consumed { deciders, .. } => deciders,
        }
    }

    /// Whether it is a further key of an approver that none of the approver's earlier keys authorised. A log may hold
    /// such an entry (all keys may be lost); the approver should hear of it.
    pub fn is_alarm(&self) -> bool {
        matches!(self, Self::Enrolled { authorised: Authoriser::Invite, earlier_keys: 1.., .. })
    }
}
