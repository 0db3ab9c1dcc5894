//! What the store keeps about people and confirmations.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use verifier::document::{Core, Decision, Document};
use verifier::encoding;
use verifier::entry::CredentialHash;
use verifier::json::{self, Limits, Numbers};
use verifier::names::Username;
use verifier::webauthn::PublicKey;

use crate::keyspace;
use crate::store::StoreError;
use crate::writer::Transaction;

/// One request and its fate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConfirmationRecord {
    /// Its id.
    pub id: String,
    /// The API key that asked.
    pub key_id: String,
    /// The exact core.
    pub core: String,
    /// Who is asked, in the order of the core.
    pub approvers: Vec<ApproverSlot>,
    /// How many must approve.
    pub quorum: u32,
    /// The last second for a decision, since 1970.
    pub expires_at: u64,
    /// The last second for using an approval, since 1970.
    pub use_by: u64,
    /// When the requester took it back.
    pub cancelled_at: Option<u64>,
    /// When the approval was used.
    pub consumed: Option<ConsumedRecord>,
    /// Given back to the requester.
    pub metadata: Option<RawJson>,
    /// Whether messages about it were written.
    #[serde(default)]
    pub told: bool,
}

/// An approver's place in a confirmation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApproverSlot {
    /// Who.
    pub username: String,
    /// The secret salt of this approver's documents.
    pub salt: String,
    /// What they decided.
    pub decision: Option<DecisionRecord>,
}

/// A decision that is in the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// Whether it is an approval; a rejection otherwise.
    pub approves: bool,
    /// Where in the log.
    pub index: u64,
    /// When, in seconds since 1970.
    pub decided_at: u64,
    /// The WebAuthn credential id that signed.
    pub credential_id: String,
    /// Where in the log the key was enrolled.
    pub enrolled_index: u64,
    /// The user handle that the authenticator gave.
    pub user_handle: Option<String>,
    /// Why; not signed.
    pub note: Option<String>,
    /// The signature counter went back: a hint at a copied hardware key, not a proof.
    pub counter_regression: bool,
    /// When the key was revoked while the request was still pending, in seconds since 1970: the decision does not count.
    #[serde(default)]
    pub revoked_at: Option<u64>,
}

/// An approval that was used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConsumedRecord {
    /// When, in seconds since 1970.
    pub at: u64,
    /// Where in the log.
    pub index: u64,
    /// The hash of the idempotency key that used it.
    pub idempotency: Option<String>,
}

/// Where an idempotency key led, so that the same request finds the same confirmation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct IdempotencyRecord {
    pub(crate) request: String,
    pub(crate) confirmation: String,
    pub(crate) keep_until: u64,
}

/// What was asked for and rejected, so that a later reader hears of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct RejectedRecord {
    pub(crate) times: u32,
    /// The newest of them, oldest first.
    pub(crate) last: Vec<RejectionRecord>,
}

/// Rejections in a row, of one approver and one API key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RejectionsRecord {
    pub(crate) times: u32,
    /// When the last was.
    pub(crate) at: u64,
}

/// One of the rejections of the same question.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RejectionRecord {
    pub(crate) at: u64,
    pub(crate) by: String,
    /// Everybody who was asked then: they may know who said no.
    pub(crate) asked: Vec<String>,
    /// Where in the log: what is not published yet is told to nobody.
    pub(crate) index: u64,
}

/// A person who may be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ApproverRecord {
    pub(crate) username: String,
    /// What authenticators know the person by: a hash, so that it tells them no name.
    pub(crate) user_handle: String,
    /// The keys ever enrolled, by their names in the log.
    pub(crate) credentials: Vec<String>,
}

/// A key of a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CredentialRecord {
    pub(crate) credential: String,
    pub(crate) username: String,
    pub(crate) credential_id: String,
    pub(crate) alg: String,
    pub(crate) public_key: String,
    pub(crate) transports: Vec<String>,
    pub(crate) sign_count: u32,
    pub(crate) backup_eligible: bool,
    pub(crate) backed_up: bool,
    pub(crate) enrolled_at: u64,
    pub(crate) index: u64,
    pub(crate) revoked: Option<RevokedRecord>,
    /// The registration as it came, and the random bytes whose hash the log shows, for whoever must show it later.
    pub(crate) attestation_object: String,
    pub(crate) client_data_json: String,
    pub(crate) attestation_format: String,
    pub(crate) aaguid: String,
    pub(crate) authorised_by_secret: String,
    /// The earlier key that allowed this one; none if an invite did.
    #[serde(default)]
    pub(crate) authorised_by: Option<String>,
    /// When it last signed what is in the log, in seconds since 1970. Signing in leaves no trace.
    #[serde(default)]
    pub(crate) last_signed_at: Option<u64>,
}

/// That a key is not accepted any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RevokedRecord {
    pub(crate) at: u64,
    pub(crate) index: u64,
}

/// An invitation to become an approver. The code itself is not kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InviteRecord {
    pub(crate) id: String,
    pub(crate) note: String,
    pub(crate) username: Option<String>,
    /// The address of whoever enrols with it.
    #[serde(default)]
    pub(crate) email: Option<String>,
    pub(crate) max_uses: u32,
    pub(crate) used: u32,
    pub(crate) created_at: u64,
    pub(crate) expires_at: u64,
    pub(crate) revoked: bool,
}

/// JSON that is kept as it came.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson(pub(crate) Box<RawValue>);

impl ConfirmationRecord {
    /// The core in parts.
    pub(crate) fn parsed_core(&self) -> Result<Core, StoreError> {
        Core::parse(&self.core).map_err(|error| StoreError(format!("the core of {} is damaged: {error}", self.id)))
    }

    /// The document that an approver signs to decide like this.
    pub(crate) fn document(&self, slot: &ApproverSlot, decision: Decision) -> Result<Document, StoreError> {
        self.document_of(self.parsed_core()?, slot, decision)
    }

    /// The same, for whoever has the core in parts already.
    pub(crate) fn document_of(
        &self,
        core: Core,
        slot: &ApproverSlot,
        decision: Decision,
    ) -> Result<Document, StoreError> {
        let damaged = || StoreError(format!("the record of {} is damaged", self.id));
        Ok(Document {
            core,
            approver: Username::new(&slot.username).map_err(|_| damaged())?,
            decision,
            salt: encoding::array_from_base64url(&slot.salt).map_err(|_| damaged())?,
        })
    }

    /// About how many bytes it takes in the store.
    pub(crate) fn size(&self) -> usize {
        1024 + self.core.len() + self.metadata.as_ref().map_or(0, |metadata| metadata.0.get().len())
    }

    /// The place of an approver.
    pub(crate) fn slot(&self, username: &str) -> Option<&ApproverSlot> {
        self.approvers.iter().find(|slot| slot.username == username)
    }
}

impl DecisionRecord {
    pub(crate) fn decision(&self) -> Decision {
        if self.approves { Decision::Approve } else { Decision::Reject }
    }
}

impl ApproverRecord {
    /// The names of the keys ever enrolled, as hashes.
    pub(crate) fn credential_hashes(&self) -> Result<Vec<CredentialHash>, StoreError> {
        let damaged = |_| StoreError(format!("the record of {} is damaged", self.username));
        self.credentials.iter().map(|text| encoding::array_from_base64url(text).map_err(damaged)).collect()
    }

    /// Whether one of the keys is active, as the commands before this one left them.
    pub(crate) fn has_active_key(&self, tx: &Transaction<'_>) -> Result<bool, StoreError> {
        Ok(self.active_keys(tx)? > 0)
    }

    /// How many of the keys are active, as the commands before this one left them.
    pub(crate) fn active_keys(&self, tx: &Transaction<'_>) -> Result<usize, StoreError> {
        let mut active = 0;
        for hash in self.credential_hashes()? {
            let record: Option<CredentialRecord> = tx.get(&keyspace::credential(&hash))?;
            active += usize::from(record.is_some_and(|key| key.is_active()));
        }
        Ok(active)
    }
}

impl CredentialRecord {
    pub(crate) fn hash(&self) -> Result<CredentialHash, StoreError> {
        encoding::array_from_base64url(&self.credential)
            .map_err(|_| StoreError(format!("the credential record {} is damaged", self.credential)))
    }

    /// The name of the key that allowed this one, as a hash; none if an invite did.
    pub(crate) fn earlier(&self) -> Result<Option<CredentialHash>, StoreError> {
        let damaged = |_| StoreError(format!("the credential record {} is damaged", self.credential));
        self.authorised_by.as_deref().map(encoding::array_from_base64url).transpose().map_err(damaged)
    }

    /// The key itself.
    pub(crate) fn key(&self) -> Result<PublicKey, StoreError> {
        let damaged = || StoreError(format!("the credential record {} is damaged", self.credential));
        let spki = encoding::from_base64url(&self.public_key).map_err(|_| damaged())?;
        PublicKey::from_spki_der(&spki).map_err(|_| damaged())
    }

    pub(crate) fn is_active(&self) -> bool {
        self.revoked.is_none()
    }
}

impl RawJson {
    /// Keeps JSON as it came, if it is strict JSON: one meaning for every reader.
    pub(crate) fn new(raw: Box<RawValue>) -> Result<Self, json::Error> {
        let limits = Limits { max_bytes: 64 * 1024, max_depth: 32, numbers: Numbers::Any };
        json::parse(raw.get().as_bytes(), limits).map(|_| Self(raw))
    }
}
