//! What the rules take from the trust file, for one log.

use std::collections::{BTreeMap, HashMap, HashSet};

use verifier::entry::CredentialHash;
use verifier::names::Label;
use verifier::trust::Trust;
use verifier::webauthn::RelyingParty;

/// A trust file as it concerns the entries of one log.
#[derive(Debug, Clone)]
pub struct Pins {
    pub(super) log_origin: String,
    pub(super) relying_party: RelyingParty,
    approvers: Option<HashMap<Label, HashSet<CredentialHash>>>,
    revoked: BTreeMap<CredentialHash, u64>,
}

impl Pins {
    /// The pins of the log with this origin.
    pub fn new(trust: &Trust, log_origin: &str) -> Self {
        let approvers = trust.approvers.as_ref().map(|approvers| {
            let listed = approvers.iter();
            listed.map(|(name, keys)| (name.label(log_origin), keys.iter().copied().collect())).collect()
        });
        Self {
            log_origin: log_origin.to_owned(),
            relying_party: trust.relying_party.clone(),
            approvers,
            revoked: trust.revoked.clone(),
        }
    }

    /// The log that these are for.
    pub fn log_origin(&self) -> &str {
        &self.log_origin
    }

    /// The site on which people approve.
    pub fn relying_party(&self) -> &RelyingParty {
        &self.relying_party
    }

    /// Whether decisions by this key of this approver are believed as far as people are pinned.
    pub fn allows(&self, label: &Label, credential: &CredentialHash) -> bool {
        let Some(approvers) = &self.approvers else { return true };
        approvers.get(label).is_some_and(|keys| keys.contains(credential))
    }

    /// From which index on nothing that this key signs is believed.
    pub(super) fn revoked_from(&self, credential: &CredentialHash) -> Option<u64> {
        self.revoked.get(credential).copied()
    }
}
