//! What the entries so far say, as far as the rules need it: keys, invites and, for each confirmation, who decided.
//!
//! For a million decisions it takes about 100 MB: a decision is a nonce and two small numbers. Only [`State::record`]
//! changes it, for entries that are read and for facts that were kept alike.

use std::collections::HashMap;
use std::sync::Arc;

use merkle::{LeafIndex, TreeSize};
use sha2::{Digest as _, Sha256};
use verifier::document::{Decision, MAX_APPROVERS};
use verifier::entry::CredentialHash;
use verifier::names::Label;
use verifier::time::Timestamp;
use verifier::webauthn::PublicKey;

use super::event::Subject;
use super::fact::{Fact, FactError, Happened};
use super::judge::{Applied, judge};
use super::pins::Pins;
use super::prepare::Prepared;

/// The entries of a log up to some size, and what the next one is held against.
#[derive(Debug, Clone)]
pub struct State {
    pins: Arc<Pins>,
    size: u64,
    latest: Option<Timestamp>,
    labels: Numbered<Label>,
    /// How many keys were enrolled for each label.
    keys_of_label: Vec<u32>,
    credentials: Numbered<CredentialHash>,
    keys: Vec<KnownKey>,
    invites: HashMap<[u8; 32], LeafIndex>,
    confirmations: HashMap<[u8; 32], Confirmation>,
    /// Who decided on a confirmation after the first. Most are decided by one person.
    further_deciders: HashMap<[u8; 32], Vec<Decider>>,
}

/// A key that some entry named.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownKey {
    pub(super) enrolled: Option<EnrolledKey>,
    pub(super) revoked: Option<LeafIndex>,
}

#[derive(Debug, Clone)]
pub(super) struct EnrolledKey {
    pub(super) index: LeafIndex,
    pub(super) label: Label,
    /// None if it is no key that a verifier accepts.
    pub(super) key: Option<Arc<PublicKey>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Confirmation {
    first: Option<Decider>,
    outcome: Outcome,
}

/// What happened to a confirmation so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Outcome {
    pub(super) approved: bool,
    pub(super) rejected: bool,
    pub(super) consumed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decider {
    label: u32,
    credential: u32,
}

impl State {
    /// The state of an empty log.
    pub fn new(pins: Pins) -> Self {
        Self {
            pins: Arc::new(pins),
            size: 0,
            latest: None,
            labels: Numbered::default(),
            keys_of_label: Vec::new(),
            credentials: Numbered::default(),
            keys: Vec::new(),
            invites: HashMap::new(),
            confirmations: HashMap::new(),
            further_deciders: HashMap::new(),
        }
    }

    /// The state of a log of this size whose facts were kept.
    pub fn restore(
        pins: Pins,
        size: TreeSize,
        facts: impl IntoIterator<Item = Result<Fact, FactError>>,
    ) -> Result<Self, FactError> {
        let mut state = Self::new(pins);
        for fact in facts {
            let fact = fact?;
            if !(state.size..size.get()).contains(&fact.index.get()) {
                return Err(FactError::Order { index: fact.index });
            }
            state.size = fact.index.get() + 1;
            state.record(&fact);
        }
        state.size = size.get();
        Ok(state)
    }

    /// Holds the next entry against all before it, and adds it to them.
    pub fn apply(&mut self, prepared: Prepared) -> Applied {
        let applied = judge(self, LeafIndex::new(self.size), prepared);
        self.size += 1;
        if let Some(fact) = &applied.fact {
            self.record(fact);
        }
        applied
    }

    /// How many entries were applied, so the index of the next one.
    pub fn size(&self) -> TreeSize {
        TreeSize::new(self.size)
    }

    /// What is taken from the trust file.
    pub fn pins(&self) -> &Arc<Pins> {
        &self.pins
    }

    /// The latest time of an entry.
    pub(super) fn latest(&self) -> Option<Timestamp> {
        self.latest
    }

    pub(super) fn key(&self, credential: &CredentialHash) -> Option<&KnownKey> {
        self.keys.get(self.credentials.find(credential)? as usize)
    }

    pub(super) fn keys_of(&self, label: &Label) -> u32 {
        self.labels.find(label).and_then(|number| self.keys_of_label.get(number as usize)).copied().unwrap_or(0)
    }

    pub(super) fn invite_used(&self, invite: &[u8; 32]) -> Option<LeafIndex> {
        self.invites.get(invite).copied()
    }

    pub(super) fn outcome(&self, nonce: &[u8; 32]) -> Outcome {
        self.confirmations.get(nonce).map_or_else(Outcome::default, |confirmation| confirmation.outcome)
    }

    /// Who decided on a confirmation, first to last.
    pub(super) fn deciders(&self, nonce: &[u8; 32]) -> Vec<Subject> {
        let first = self.confirmations.get(nonce).and_then(|confirmation| confirmation.first);
        let further = self.further_deciders.get(nonce).into_iter().flatten().copied();
        first.into_iter().chain(further).filter_map(|decider| self.subject(decider)).collect()
    }

    fn subject(&self, decider: Decider) -> Option<Subject> {
        let label = *self.labels.names.get(decider.label as usize)?;
        Some(Subject { label, credential: *self.credentials.names.get(decider.credential as usize)? })
    }

    fn record(&mut self, fact: &Fact) {
        self.latest = self.latest.max(Some(fact.at));
        match &fact.happened {
            Happened::Nothing => {}
            Happened::Enrolled { label, invite, public_key } => {
                if let Some(invite) = invite {
                    self.invites.entry(*invite).or_insert(fact.index);
                }
                self.record_enrolment(fact.index, *label, public_key);
            }
            Happened::Revoked(credential) => _ = self.key_mut(*credential).1.revoked.get_or_insert(fact.index),
            Happened::Decided { subject, nonce, decision } => self.record_decision(*subject, *nonce, *decision),
            Happened::Consumed(nonce) => self.confirmations.entry(*nonce).or_default().outcome.consumed = true,
        }
    }

    fn record_enrolment(&mut self, index: LeafIndex, label: Label, public_key: &[u8]) {
        let known = self.key_mut(Sha256::digest(public_key).into()).1;
        if known.enrolled.is_some() {
            return;
        }
        let key = PublicKey::from_spki_der(public_key).ok().map(Arc::new);
        known.enrolled = Some(EnrolledKey { index, label, key });
        let number = self.labels.number(label);
        self.keys_of_label.resize(self.labels.names.len(), 0);
        if let Some(count) = self.keys_of_label.get_mut(number as usize) {
            *count += 1;
        }
    }

    fn record_decision(&mut self, subject: Subject, nonce: [u8; 32], decision: Decision) {
        let credential = self.key_mut(subject.credential).0;
        let decider = Decider { label: self.labels.number(subject.label), credential };
        let confirmation = self.confirmations.entry(nonce).or_default();
        match decision {
            Decision::Approve => confirmation.outcome.approved = true,
            Decision::Reject => confirmation.outcome.rejected = true,
        }
        let Some(first) = confirmation.first else {
            confirmation.first = Some(decider);
            return;
        };
        let further = self.further_deciders.entry(nonce).or_default();
        let known = std::iter::once(&first).chain(further.iter()).any(|earlier| earlier.label == decider.label);
        // Beyond that each is a finding; a log made to slow us down gets no longer lists out of it.
        if !known && further.len() + 1 < MAX_APPROVERS {
            further.push(decider);
        }
    }

    /// A key by its name, with its number. A key that no entry enrolled has a place too, once an entry names it.
    fn key_mut(&mut self, credential: CredentialHash) -> (u32, &mut KnownKey) {
        let number = self.credentials.number(credential);
        self.keys.resize_with(self.credentials.names.len(), KnownKey::default);
        (number, &mut self.keys[number as usize])
    }
}

/// Names of 32 bytes, each with a small number in its place.
#[derive(Debug, Clone)]
struct Numbered<T> {
    names: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { names: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Copy + Eq + std::hash::Hash> Numbered<T> {
    fn find(&self, name: &T) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    fn number(&mut self, name: T) -> u32 {
        *self.numbers.entry(name).or_insert_with(|| {
            let Ok(number) = u32::try_from(self.names.len()) else {
                unreachable!("four thousand million names would take 300 GB")
            };
            self.names.push(name);
            number
        })
    }
}
