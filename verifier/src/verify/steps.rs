//! The steps from a receipt's bytes to the facts that it proves. Each is a function of what the steps before it found.

use std::collections::{BTreeMap, BTreeSet};

use merkle::LeafIndex;
use sha2::{Digest as _, Sha256};

use super::facts::{DecisionFact, Facts};
use super::{Progress, Step, Stopped};
use crate::checkpoint::Checkpoint;
use crate::document::{Decision, Document};
use crate::encoding::base64url;
use crate::entry::{Authorisation, CredentialEntry, CredentialHash, DecisionEntry, Entry};
use crate::note::Note;
use crate::receipt::{LoggedEntry, Receipt};
use crate::time::Timestamp;
use crate::trust::Trust;
use crate::webauthn::{
    AuthenticatorData, Ceremony, ClientData, PublicKey, SignaturePrimitive, verify_assertion, verify_signature,
};
use crate::words::quoted;

/// What one step found, with words for the report; or why it does not hold.
type Found<T> = Result<(T, String), String>;

pub(super) fn run(
    bytes: &[u8],
    trust: &Trust,
    primitive: &dyn SignaturePrimitive,
    progress: &mut Progress,
) -> Result<Facts, Stopped> {
    let receipt = progress.take(Step::Receipt, || parse_receipt(bytes))?;
    let (checkpoint, witnessed_at) = progress.take(Step::Checkpoint, || open_checkpoint(&receipt, trust))?;
    let mut documents = progress.take(Step::Document, || parse_documents(&receipt, &checkpoint))?;
    let entries = progress.take(Step::Entry, || parse_entries(&receipt, &documents))?;
    let client_data = progress.take(Step::Challenge, || check_challenges(&receipt, &documents, &entries))?;
    progress.take(Step::ClientData, || check_client_data(&client_data, trust))?;
    progress.take(Step::AuthenticatorData, || check_authenticator_data(&entries, trust))?;
    let signers = Signers { receipt: &receipt, checkpoint: &checkpoint, trust, primitive };
    let keys = progress.take(Step::Enrolment, || signers.check(&documents, &entries))?;
    progress.take(Step::Signature, || check_signatures(&entries, &keys, primitive))?;
    progress.take(Step::Inclusion, || check_inclusion(&receipt, &checkpoint))?;
    let decision = progress.take(Step::Quorum, || check_quorum(&documents, &entries))?;
    let decisions = facts_of_decisions(&receipt, &documents, &entries);
    // The quorum step has found that they have one core.
    let core = documents.swap_remove(0).core;
    Ok(Facts { decision, core, decisions, checkpoint, pinned: trust.approvers.is_some(), witnessed_at })
}

fn parse_receipt(bytes: &[u8]) -> Found<Receipt> {
    let receipt = Receipt::parse(bytes).map_err(words)?;
    let found =
        format!("{}, {}", count(receipt.decisions.len(), "decision"), count(receipt.enrolments.len(), "enrolment"));
    Ok((receipt, found))
}

/// The tree head, and the time by which as many witnesses as needed had cosigned it.
fn open_checkpoint(receipt: &Receipt, trust: &Trust) -> Found<(Checkpoint, Option<Timestamp>)> {
    let note = Note::parse(receipt.checkpoint.as_bytes()).map_err(words)?;
    let claimed = Checkpoint::from_text(note.text()).map_err(words)?;
    // Several keys may have the log's name: of a known key, a line that fails spoils the note.
    let mut keys = trust.logs.iter().filter(|key| key.name() == claimed.log_origin).peekable();
    if keys.peek().is_none() {
        return Err(format!("the log {} is not in the trust file", quoted(&claimed.log_origin)));
    }
    let verified: Vec<_> = keys.map(|key| (key, note.verify(key))).collect();
    if let Some((_, Err(error @ crate::note::NoteError::BadSignature(_)))) =
        verified.iter().find(|(_, result)| matches!(result, Err(crate::note::NoteError::BadSignature(_))))
    {
        return Err(words(error));
    }
    let Some((key, _)) = verified.iter().find(|(_, result)| result.is_ok()) else {
        return Err(format!("no signature by a key of {} in the trust file", claimed.log_origin));
    };
    let found = format!("tree of {} entries, signed by {}+{:08x}", claimed.size, key.name(), key.id());
    if trust.witness_quorum == 0 {
        return Ok(((claimed, None), found));
    }
    let times = witness_times(&note, trust)?;
    let witnessed_at = Timestamp::from_unix(times[trust.witness_quorum - 1]);
    Ok(((claimed, Some(witnessed_at)), format!("{found} and {}", count(times.len(), "witness key"))))
}

/// When each pinned witness key cosigned first, in ascending order; one key under two names counts once.
fn witness_times(note: &Note, trust: &Trust) -> Result<Vec<u64>, String> {
    let mut first = BTreeMap::new();
    for witness in &trust.witnesses {
        match note.verify_cosignature(witness) {
            Ok(time) => _ = first.entry(*witness.public_key()).and_modify(|at| *at = time.min(*at)).or_insert(time),
            Err(crate::note::NoteError::NotSigned(_)) => {}
            Err(error) => return Err(words(error)),
        }
    }
    if first.len() < trust.witness_quorum {
        return Err(format!("cosigned by {} of the {} witnesses needed", first.len(), trust.witness_quorum));
    }
    let mut times: Vec<u64> = first.into_values().collect();
    times.sort_unstable();
    Ok(times)
}

fn parse_documents(receipt: &Receipt, checkpoint: &Checkpoint) -> Found<Vec<Document>> {
    let mut documents = Vec::new();
    for part in &receipt.decisions {
        let document = Document::parse(&part.document).map_err(words)?;
        if document.core.log != checkpoint.log_origin {
            let (given, needed) = (quoted(&document.core.log), quoted(&checkpoint.log_origin));
            return Err(format!("the document names the log {given}, the checkpoint is of {needed}"));
        }
        documents.push(document);
    }
    let found = format!("“{}”, asked by {}", documents[0].core.action, documents[0].core.requester);
    Ok((documents, found))
}

fn parse_entries(receipt: &Receipt, documents: &[Document]) -> Found<Vec<DecisionEntry>> {
    let mut entries = Vec::new();
    for (part, document) in receipt.decisions.iter().zip(documents) {
        let Entry::Decision(entry) = Entry::parse(part.logged.entry.as_bytes()).map_err(words)? else {
            return Err("the entry is not a decision".to_owned());
        };
        if entry.approver != document.approver.label(&document.core.log) {
            return Err(format!("the entry's label is not {}'s", document.approver));
        }
        if entry.decision != document.decision {
            return Err(format!("the entry says {}, the document {}", entry.decision, document.decision));
        }
        if !(document.core.issued_at..=document.core.expires_at).contains(&entry.decided_at) {
            let (from, to) = (document.core.issued_at, document.core.expires_at);
            return Err(format!("decided at {}, outside of {from} to {to}", entry.decided_at));
        }
        entries.push(entry);
    }
    let found = entries.iter().map(|entry| format!("{} at {}", entry.decision, entry.decided_at));
    let found = found.collect::<Vec<_>>().join(", ");
    Ok((entries, found))
}

fn check_challenges(receipt: &Receipt, documents: &[Document], entries: &[DecisionEntry]) -> Found<Vec<ClientData>> {
    let mut all = Vec::new();
    for ((part, document), entry) in receipt.decisions.iter().zip(documents).zip(entries) {
        let client_data = ClientData::decode(&entry.assertion.client_data_json).map_err(words)?;
        let [nonce, hash] = halves(&client_data.challenge)?;
        if nonce != document.core.nonce {
            return Err("the signed nonce is not the document's".to_owned());
        }
        // Over the receipt's own text: nothing is serialised again between the bytes and the hash.
        if *hash != Sha256::digest(&part.document)[..] {
            return Err("the signature is over another document".to_owned());
        }
        all.push(client_data);
    }
    Ok((all, "nonce and document hash are what was signed".to_owned()))
}

fn halves(challenge: &[u8]) -> Result<[&[u8]; 2], String> {
    if challenge.len() != 64 {
        return Err(format!("a challenge of {} bytes, a decision's has 64", challenge.len()));
    }
    let (nonce, hash) = challenge.split_at(32);
    Ok([nonce, hash])
}

fn check_client_data(all: &[ClientData], trust: &Trust) -> Found<()> {
    for client_data in all {
        client_data.check(Ceremony::Get, &trust.relying_party).map_err(words)?;
    }
    Ok(((), format!("signed on {}", all[0].origin)))
}

fn check_authenticator_data(entries: &[DecisionEntry], trust: &Trust) -> Found<()> {
    for entry in entries {
        let data = AuthenticatorData::parse_assertion(&entry.assertion.authenticator_data).map_err(words)?;
        data.check(&trust.relying_party.rp_id).map_err(words)?;
    }
    let rp_id = &trust.relying_party.rp_id;
    Ok(((), format!("user present and verified, for {rp_id}, by the authenticator's word")))
}

/// The enrolment step: from a receipt's enrolments to the keys of its decisions.
struct Signers<'a> {
    receipt: &'a Receipt,
    checkpoint: &'a Checkpoint,
    trust: &'a Trust,
    primitive: &'a dyn SignaturePrimitive,
}

/// An enrolment as it stands in the log.
struct Enrolled {
    entry: CredentialEntry,
    key: PublicKey,
    index: LeafIndex,
}

impl Signers<'_> {
    fn check(&self, documents: &[Document], entries: &[DecisionEntry]) -> Found<Vec<PublicKey>> {
        let mut enrolled = BTreeMap::new();
        let mut needed: BTreeSet<CredentialHash> = entries.iter().map(|entry| entry.credential).collect();
        for part in &self.receipt.enrolments {
            let enrolment = self.parse(part)?;
            if let Authorisation::Credential { credential, .. } = &enrolment.entry.authorised_by {
                self.check_authorisation(&enrolment, enrolled.get(credential))?;
                needed.insert(*credential);
            }
            enrolled.insert(enrolment.key.credential(), enrolment);
        }
        if enrolled.len() != self.receipt.enrolments.len() || !enrolled.keys().eq(needed.iter()) {
            return Err("not exactly one enrolment for each key that signed".to_owned());
        }
        let mut keys = Vec::new();
        for ((part, document), entry) in self.receipt.decisions.iter().zip(documents).zip(entries) {
            let enrolment = &enrolled[&entry.credential];
            if enrolment.entry.approver != entry.approver {
                return Err(format!("the key was not enrolled for {}", document.approver));
            }
            if enrolment.index >= part.logged.index {
                return Err("the key was enrolled after the decision".to_owned());
            }
            self.check_pins(document, &entry.credential, part.logged.index)?;
            keys.push(enrolment.key.clone());
        }
        let how = if self.trust.approvers.is_some() { "pinned by the trust file" } else { "logged, not pinned" };
        Ok((keys, format!("{} enrolled before the decision, {how}", count(enrolled.len(), "key"))))
    }

    fn parse(&self, part: &LoggedEntry) -> Result<Enrolled, String> {
        let Entry::Credential(entry) = Entry::parse(part.entry.as_bytes()).map_err(words)? else {
            return Err("the entry is not an enrolment".to_owned());
        };
        let pinned = &self.trust.relying_party.rp_id;
        if entry.rp_id != *pinned {
            let (given, pinned) = (quoted(&entry.rp_id), quoted(pinned));
            return Err(format!("the key was enrolled for {given}, the trust file says {pinned}"));
        }
        let key = PublicKey::from_spki_der(&entry.public_key).map_err(words)?;
        if key.algorithm().as_str() != entry.alg {
            let alg = quoted(&entry.alg);
            return Err(format!("the key is of {}, its enrolment says {alg}", key.algorithm().as_str()));
        }
        Ok(Enrolled { entry, key, index: part.index })
    }

    /// A key that an earlier key of the same approver allowed: that key signed this one.
    fn check_authorisation(&self, new: &Enrolled, earlier: Option<&Enrolled>) -> Result<(), String> {
        let Authorisation::Credential { assertion, .. } = &new.entry.authorised_by else { return Ok(()) };
        let Some(earlier) = earlier else {
            return Err("the key that authorised an enrolment is not among the earlier enrolments".to_owned());
        };
        if earlier.entry.approver != new.entry.approver {
            return Err("an enrolment was authorised by another approver's key".to_owned());
        }
        self.check_revoked(&earlier.key.credential(), new.index)?;
        let client_data = ClientData::decode(&assertion.client_data_json).map_err(words)?;
        let [nonce, _] = halves(&client_data.challenge)?;
        let mut expected = [0; 32];
        expected.copy_from_slice(nonce);
        let challenge = new.entry.enrolment_challenge(&self.checkpoint.log_origin, &expected);
        verify_assertion(assertion, &challenge, &self.trust.relying_party, &earlier.key, self.primitive)
            .map_err(|error| format!("the authorisation of an enrolment: {error}"))?;
        Ok(())
    }

    fn check_pins(&self, document: &Document, credential: &CredentialHash, at: LeafIndex) -> Result<(), String> {
        if let Some(approvers) = &self.trust.approvers {
            let keys = approvers.get(&document.approver);
            let keys = keys.ok_or_else(|| format!("{} is not in the trust file", document.approver))?;
            if !keys.contains(credential) {
                let key = base64url(credential);
                return Err(format!("the key {key} of {} is not in the trust file", document.approver));
            }
        }
        self.check_revoked(credential, at)
    }

    /// A key that the trust file lists as revoked signs nothing from that index on, neither decisions nor enrolments.
    fn check_revoked(&self, credential: &CredentialHash, at: LeafIndex) -> Result<(), String> {
        match self.trust.revoked.get(credential) {
            Some(from) if at.get() >= *from => Err(format!("the key was revoked at index {from}, it signed at {at}")),
            _ => Ok(()),
        }
    }
}

fn check_signatures(entries: &[DecisionEntry], keys: &[PublicKey], primitive: &dyn SignaturePrimitive) -> Found<()> {
    for (entry, key) in entries.iter().zip(keys) {
        let signed = &entry.assertion;
        verify_signature(key, &signed.authenticator_data, &signed.client_data_json, &signed.signature, primitive)
            .map_err(words)?;
    }
    Ok(((), format!("{} with the enrolled key", count(entries.len(), "good signature"))))
}

fn check_inclusion(receipt: &Receipt, checkpoint: &Checkpoint) -> Found<()> {
    let logged = receipt.decisions.iter().map(|part| &part.logged).chain(&receipt.enrolments);
    let mut indexes = Vec::new();
    for part in logged {
        let leaf = merkle::leaf_hash(part.entry.as_bytes());
        merkle::verify_inclusion(&leaf, part.index, checkpoint.size, &part.hashes, &checkpoint.root)
            .map_err(|error| format!("the entry at index {}: {error}", part.index))?;
        indexes.push(part.index.to_string());
    }
    Ok(((), format!("entries {} are under the checkpoint's root", indexes.join(", "))))
}

fn check_quorum(documents: &[Document], entries: &[DecisionEntry]) -> Found<Decision> {
    if documents.iter().any(|document| document.core != documents[0].core) {
        return Err("the documents are not of one confirmation".to_owned());
    }
    let people: BTreeSet<_> = documents.iter().map(|document| &document.approver).collect();
    let keys: BTreeSet<_> = entries.iter().map(|entry| entry.credential).collect();
    if people.len() < documents.len() || keys.len() < documents.len() {
        return Err("an approver or a key stands twice".to_owned());
    }
    if let Some(document) = documents.iter().find(|document| document.decision == Decision::Reject) {
        return Ok((Decision::Reject, format!("{} rejected, and one rejection ends it", document.approver)));
    }
    let quorum = documents[0].core.quorum as usize;
    if documents.len() < quorum {
        return Err(format!("{} of the {quorum} approvals needed", documents.len()));
    }
    Ok((Decision::Approve, format!("{} of {quorum} needed", count(documents.len(), "approval"))))
}

fn facts_of_decisions(receipt: &Receipt, documents: &[Document], entries: &[DecisionEntry]) -> Vec<DecisionFact> {
    let parts = documents.iter().zip(entries).zip(&receipt.decisions);
    let facts = parts.map(|((document, entry), part)| DecisionFact {
        approver: document.approver.clone(),
        decision: document.decision,
        decided_at: entry.decided_at,
        index: part.logged.index,
        credential: entry.credential,
    });
    facts.collect()
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
