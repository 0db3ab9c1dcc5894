//! What a verified receipt says: who decided what, when and with which key. And what it cannot say.

use merkle::LeafIndex;

use crate::checkpoint::Checkpoint;
use crate::document::{Core, Decision};
use crate::entry::CredentialHash;
use crate::names::Username;
use crate::time::Timestamp;

/// What a receipt's decisions say, once every step up to the quorum holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// What was decided in the end.
    pub decision: Decision,
    /// What it was about.
    pub core: Core,
    /// Each decision, in the order of the log.
    pub decisions: Vec<DecisionFact>,
    /// The tree head that all of it is under.
    pub checkpoint: Checkpoint,
    /// Whether the keys were pinned by the trust file, or only logged.
    pub pinned: bool,
    /// When as many witnesses as the trust file asks for had cosigned; none if it asks for none.
    pub witnessed_at: Option<Timestamp>,
}

/// One approver's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionFact {
    /// Who.
    pub approver: Username,
    /// What.
    pub decision: Decision,
    /// When, by the server's clock.
    pub decided_at: Timestamp,
    /// Where in the log.
    pub index: LeafIndex,
    /// With which key.
    pub credential: CredentialHash,
}

impl Facts {
    /// When the last decision was made.
    pub fn decided_at(&self) -> Timestamp {
        self.decisions.iter().map(|decision| decision.decided_at).max().unwrap_or(self.core.issued_at)
    }

    /// What no receipt can show, in sentences for the reader of a report.
    pub fn limits(&self) -> Vec<String> {
        let key = if self.pinned {
            "The approvers' keys are the ones that the trust file pins."
        } else {
            "The approvers' keys are logged but not pinned: that they belong to these people is the server's word."
        };
        let mut limits = vec![
            key.to_owned(),
            "That no rejection, revocation or consumption was left out: ask the log itself.".to_owned(),
        ];
        limits.extend(self.limits_of_time());
        limits.push("User verification is the authenticator's claim.".to_owned());
        limits
    }

    /// The server's clock, and what the witnesses' clocks say about it. Clocks differ, so neither is a failure.
    fn limits_of_time(&self) -> Vec<String> {
        let decided = self.decided_at();
        let Some(witnessed) = self.witnessed_at else {
            return vec!["The time of the decision is the server's word.".to_owned()];
        };
        let mut limits = vec![format!(
            "Witnesses saw it no later than {witnessed}; how long before that it was decided is the server's word."
        )];
        if decided > witnessed {
            limits.push(format!(
                "The server's word contradicts the witnesses: it says that it was decided at {decided}, later."
            ));
        }
        limits
    }
}
