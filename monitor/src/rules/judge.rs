//! One entry held against those before it: the rules themselves, a function for each kind of entry.

use std::sync::Arc;

use merkle::{Hash, LeafIndex};
use sha2::{Digest as _, Sha256};
use verifier::document::MAX_APPROVERS;
use verifier::entry::{ConsumptionEntry, CredentialHash, RevocationEntry};
use verifier::names::Label;
use verifier::time::Timestamp;
use verifier::webauthn::PublicKey;

use super::event::{Authoriser, Event, Subject};
use super::fact::{Fact, Happened};
use super::finding::{Finding, Key, Rule};
use super::prepare::{Authorised, Challenge, Content, Enrolment, Prepared, Verdict};
use super::signature::SignatureJob;
use super::state::{Outcome, State};

/// What became of an entry.
#[derive(Debug, Clone)]
#[must_use = "findings must be reported, signatures checked"]
pub struct Applied {
    /// Which entry.
    pub index: LeafIndex,
    /// Its leaf hash.
    pub leaf_hash: Hash,
    /// The rules that it breaks, those about signatures aside.
    pub findings: Vec<Finding>,
    /// What it says. It may be said by an entry that breaks a rule.
    pub event: Option<Event>,
    /// What to keep of it.
    pub fact: Option<Fact>,
    /// The signature that it claims. Until it is checked, the event is hearsay.
    pub signature: Option<SignatureJob>,
}

/// What a kind of entry comes to.
struct Said {
    at: Timestamp,
    happened: Happened,
    event: Option<Event>,
    signature: Option<SignatureJob>,
}

pub(super) fn judge(state: &State, index: LeafIndex, prepared: Prepared) -> Applied {
    let leaf_hash = prepared.leaf_hash();
    let mut judge = Judge { state, index, findings: Vec::new() };
    let said = match prepared.content {
        Content::Raw => None,
        Content::Broken(rule) => {
            judge.find(rule);
            None
        }
        Content::Credential(enrolment) => Some(judge.enrolment(*enrolment)),
        Content::Revocation(entry) => Some(judge.revocation(&entry)),
        Content::Decision(verdict) => Some(judge.decision(*verdict)),
        Content::Consumption(entry) => Some(judge.consumption(&entry)),
    };
    if let Some(said) = &said {
        judge.time(said.at);
    }
    let findings = judge.findings;
    let Some(Said { at, happened, event, signature }) = said else {
        return Applied { index, leaf_hash, findings, event: None, fact: None, signature: None };
    };
    Applied { index, leaf_hash, findings, event, fact: Some(Fact { index, at, happened }), signature }
}

struct Judge<'a> {
    state: &'a State,
    index: LeafIndex,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn find(&mut self, rule: Rule) {
        self.findings.push(Finding { index: self.index, rule });
    }

    fn time(&mut self, given: Timestamp) {
        if let Some(earlier) = self.state.latest().filter(|earlier| given < *earlier) {
            self.find(Rule::TimeGoesBack { given, earlier });
        }
    }

    fn enrolment(&mut self, enrolment: Enrolment) -> Said {
        let Enrolment { entry, key, authorisation } = enrolment;
        let credential: CredentialHash = Sha256::digest(&entry.public_key).into();
        match key {
            Err(rule) => self.find(rule),
            Ok(key) if key.algorithm().as_str() != entry.alg => {
                self.find(Rule::Algorithm { given: entry.alg.clone(), actual: key.algorithm().as_str() });
            }
            Ok(_) => {}
        }
        let pinned = &self.state.pins().relying_party.rp_id;
        if entry.rp_id != *pinned {
            self.find(Rule::RelyingParty { given: entry.rp_id.clone(), pinned: pinned.clone() });
        }
        if let Some(earlier) = self.state.key(&credential).and_then(|known| known.enrolled.as_ref()) {
            self.find(Rule::EnrolledBefore { credential: Key(credential), earlier: earlier.index });
        }

        let (index, at, label) = (self.index, entry.enrolled_at, entry.approver);
        let earlier_keys = self.state.keys_of(&label);
        let (authorised, invite, signature) = match authorisation {
            Authorised::Invite(invite) => {
                if let Some(earlier) = self.state.invite_used(&invite) {
                    self.find(Rule::InviteUsed { earlier });
                }
                (Authoriser::Invite, Some(invite), None)
            }
            Authorised::Credential { by, assertion, challenge } => {
                let key = self.authoriser(label, by);
                let challenge = self.readable(challenge);
                let challenge = challenge
                    .map(|challenge| entry.enrolment_challenge(&self.state.pins().log_origin, &challenge.nonce()));
                let job = key.zip(challenge).map(|(key, challenge)| SignatureJob {
                    index,
                    key,
                    assertion,
                    challenge,
                    broken: Rule::Authorisation,
                });
                (Authoriser::Credential(by), None, job)
            }
        };
        let subject = Subject { label, credential };
        Said {
            at,
            happened: Happened::Enrolled { label, invite, public_key: entry.public_key },
            event: Some(Event::Enrolled { index, at, subject, authorised, earlier_keys }),
            signature,
        }
    }

    /// The earlier key that allows a new one.
    fn authoriser(&mut self, label: Label, credential: CredentialHash) -> Option<Arc<PublicKey>> {
        let known = self.state.key(&credential);
        let Some(enrolled) = known.and_then(|known| known.enrolled.as_ref()) else {
            self.find(Rule::AuthoriserNotEnrolled(Key(credential)));
            return None;
        };
        if enrolled.label != label {
            self.find(Rule::AuthoriserOfAnother(Key(credential)));
        }
        if let Some(revoked) = known.and_then(|known| known.revoked) {
            self.find(Rule::AuthoriserRevoked { credential: Key(credential), revoked });
        }
        self.believed(&credential);
        enrolled.key.clone()
    }

    fn revocation(&mut self, entry: &RevocationEntry) -> Said {
        let (index, at, credential) = (self.index, entry.revoked_at, entry.credential);
        let known = self.state.key(&credential);
        match known.and_then(|known| known.enrolled.as_ref()) {
            None => self.find(Rule::RevokesNotEnrolled(Key(credential))),
            Some(enrolled) if enrolled.label != entry.approver => self.find(Rule::RevokesOfAnother(Key(credential))),
            Some(_) => {}
        }
        if let Some(earlier) = known.and_then(|known| known.revoked) {
            self.find(Rule::RevokedBefore { credential: Key(credential), earlier });
        }
        let subject = Subject { label: entry.approver, credential };
        let event = Event::Revoked { index, at, subject, reason: entry.reason };
        Said { at, happened: Happened::Revoked(credential), event: Some(event), signature: None }
    }

    fn decision(&mut self, verdict: Verdict) -> Said {
        let Verdict { label, credential, decision, decided_at: at, assertion, challenge } = verdict;
        let (index, subject) = (self.index, Subject { label, credential });
        let key = self.signer(subject);
        let Some(challenge) = self.readable(challenge) else {
            return Said { at, happened: Happened::Nothing, event: None, signature: None };
        };
        let nonce = challenge.nonce();
        self.may_be_decided(&nonce, label);
        let broken = Rule::Assertion;
        Said {
            at,
            happened: Happened::Decided { subject, nonce, decision },
            event: Some(Event::Decided { index, at, subject, decision, nonce }),
            signature: key.map(|key| SignatureJob { index, key, assertion, challenge: challenge.0, broken }),
        }
    }

    /// The key of a decision.
    fn signer(&mut self, Subject { label, credential }: Subject) -> Option<Arc<PublicKey>> {
        let known = self.state.key(&credential);
        let Some(enrolled) = known.and_then(|known| known.enrolled.as_ref()) else {
            self.find(Rule::NotEnrolled(Key(credential)));
            return None;
        };
        if enrolled.label != label {
            self.find(Rule::KeyOfAnother(Key(credential)));
        }
        if let Some(revoked) = known.and_then(|known| known.revoked) {
            self.find(Rule::Revoked { credential: Key(credential), revoked });
        }
        if !self.state.pins().allows(&label, &credential) {
            self.find(Rule::NotPinned(Key(credential)));
        }
        self.believed(&credential);
        enrolled.key.clone()
    }

    fn may_be_decided(&mut self, nonce: &[u8; 32], label: Label) {
        let Outcome { rejected, consumed, .. } = self.state.outcome(nonce);
        let deciders = self.state.deciders(nonce);
        if deciders.iter().any(|earlier| earlier.label == label) {
            self.find(Rule::DecidedBefore);
        } else if deciders.len() >= MAX_APPROVERS {
            self.find(Rule::TooManyDeciders);
        } else if rejected {
            self.find(Rule::DecidedAfterRejection);
        } else if consumed {
            self.find(Rule::DecidedAfterConsumption);
        }
    }

    fn consumption(&mut self, entry: &ConsumptionEntry) -> Said {
        let (index, at, nonce) = (self.index, entry.consumed_at, entry.nonce);
        let Outcome { approved, rejected, consumed } = self.state.outcome(&nonce);
        if consumed {
            self.find(Rule::ConsumedBefore);
        } else if rejected {
            self.find(Rule::Rejected);
        } else if !approved {
            self.find(Rule::NotApproved);
        }
        let event = Event::Consumed { index, at, nonce, deciders: self.state.deciders(&nonce) };
        Said { at, happened: Happened::Consumed(nonce), event: Some(event), signature: None }
    }

    fn readable(&mut self, challenge: Result<Challenge, Rule>) -> Option<Challenge> {
        challenge.map_err(|rule| self.find(rule)).ok()
    }

    /// A key that the trust file lists as revoked signs nothing from that index on, neither decisions nor enrolments.
    fn believed(&mut self, credential: &CredentialHash) {
        let from = self.state.pins().revoked_from(credential);
        if let Some(from) = from.filter(|from| self.index.get() >= *from) {
            self.find(Rule::RevokedByTrust { credential: Key(*credential), from });
        }
    }
}
