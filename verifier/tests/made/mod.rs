//! Genuine receipts made from fixed keys, and receipts in which one thing is wrong and everything that depends on it is
//! made anew: hashed, signed and logged again. Shared by the tests of the library and of the command line.

pub(crate) mod authenticator;
pub(crate) mod changes;
pub(crate) mod der;
pub(crate) mod log;
#[allow(dead_code, unreachable_pub)] // the unit tests use fewer of the keys
pub(crate) mod rsa_primes;

use sha2::{Digest as _, Sha256};
use verifier::document::{self, Core, Decision, Document};
use verifier::encoding::base64url;
use verifier::entry::{Authorisation, CredentialEntry, DecisionEntry, Entry};
use verifier::names::Username;
use verifier::receipt::{DecisionPart, Receipt};
use verifier::trust::Trust;
use verifier::webauthn::{Assertion, RelyingParty};

pub(crate) use authenticator::Key;
pub(crate) use changes::{Changes, Edit, Stage};
pub(crate) use log::{Log, Witness};

pub(crate) const LOG: &str = "approvals.example.com/log";
pub(crate) const RP_ID: &str = "approvals.example.com";
pub(crate) const WEB_ORIGIN: &str = "https://approvals.example.com";
pub(crate) const LOG_SEED: u8 = 0x10;

pub(crate) const ALEX: Key = Key::P256(0x21);
pub(crate) const SAM: Key = Key::P256(0x22);
pub(crate) const KIM: Key = Key::P256(0x23);
/// A second key of alex.
pub(crate) const ALEX_NEW: Key = Key::P256(0x24);
/// RSA keys, as the TPMs of some machines make them.
pub(crate) const TPM: Key = Key::Rsa(rsa_primes::RSA_2048, 65_537);
/// A key that nobody enrolled.
pub(crate) const MALLORY: Key = Key::P256(0x66);

/// What happened before a receipt was made. Change a field, and the receipt is another one.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) core: Core,
    pub(crate) enrolments: Vec<Enrolment>,
    pub(crate) votes: Vec<Vote>,
    /// Raw entries that stand before, between and after ours.
    pub(crate) foreign: Vec<Vec<u8>>,
    /// Whether the keys were enrolled only after the decisions.
    pub(crate) enrolled_late: bool,
    pub(crate) witnesses: Vec<Witness>,
    pub(crate) changes: Changes,
    pub(crate) edits: Vec<Edit>,
}

/// A key enrolled for an approver, by an invite or by an earlier key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Enrolment {
    pub(crate) approver: &'static str,
    pub(crate) key: Key,
    pub(crate) by: Option<Key>,
}

/// One approver's decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vote {
    pub(crate) approver: &'static str,
    pub(crate) key: Key,
    pub(crate) decision: Decision,
    /// Seconds after the confirmation was asked for.
    pub(crate) after: u64,
}

/// Where in a log a story stands.
pub(crate) struct Written {
    documents: Vec<(String, usize)>,
    enrolments: Vec<usize>,
}

pub(crate) fn name(text: &str) -> Username {
    Username::new(text).unwrap()
}

pub(crate) fn core(approvers: &[&str], quorum: u32) -> Core {
    Core {
        action: "Deploy api-gateway to production".into(),
        approvers: approvers.iter().map(|approver| name(approver)).collect(),
        expires_at: "2026-03-01T12:05:00Z".parse().unwrap(),
        id: "cnf_4k2m6p3q7a5b2c4d6e3f5g7h2j".parse().unwrap(),
        issued_at: "2026-03-01T12:00:00Z".parse().unwrap(),
        log: LOG.into(),
        nonce: [0x0a; 32],
        payload: document::parse_payload(br#"{"env":"production","service":"api-gateway","replicas":3}"#).unwrap(),
        quorum,
        requester: "deploy-bot".into(),
        reveal: false,
        use_by: "2026-03-01T13:05:00Z".parse().unwrap(),
    }
}

pub(crate) fn invited(approver: &'static str, key: Key) -> Enrolment {
    Enrolment { approver, key, by: None }
}

pub(crate) fn approves(approver: &'static str, key: Key, after: u64) -> Vote {
    Vote { approver, key, decision: Decision::Approve, after }
}

pub(crate) fn rejects(approver: &'static str, key: Key, after: u64) -> Vote {
    Vote { decision: Decision::Reject, ..approves(approver, key, after) }
}

impl Story {
    /// Alex is asked and approves; the log holds nothing else.
    pub(crate) fn one() -> Self {
        Self {
            core: core(&["alex"], 1),
            enrolments: vec![invited("alex", ALEX)],
            votes: vec![approves("alex", ALEX, 30)],
            foreign: Vec::new(),
            enrolled_late: false,
            witnesses: Vec::new(),
            changes: Changes::default(),
            edits: Vec::new(),
        }
    }

    /// Three are asked, two must approve and do.
    pub(crate) fn two_of_three() -> Self {
        Self {
            core: core(&["alex", "kim", "sam"], 2),
            enrolments: vec![invited("alex", ALEX), invited("sam", SAM)],
            votes: vec![approves("sam", SAM, 40), approves("alex", ALEX, 50)],
            foreign: vec![b"a raw entry of another service".to_vec(), vec![0xff, 0x00]],
            ..Self::one()
        }
    }

    /// Alex is asked and rejects.
    pub(crate) fn rejected() -> Self {
        Self { votes: vec![rejects("alex", ALEX, 30)], ..Self::one() }
    }

    /// Alex decides with a second key, which the first one authorised.
    pub(crate) fn second_key() -> Self {
        Self {
            enrolments: vec![invited("alex", ALEX), Enrolment { approver: "alex", key: ALEX_NEW, by: Some(ALEX) }],
            votes: vec![approves("alex", ALEX_NEW, 30)],
            ..Self::one()
        }
    }

    pub(crate) fn with(self, changes: Changes) -> Self {
        Self { changes, ..self }
    }

    /// Replaces a text before what depends on it is made.
    pub(crate) fn edit(mut self, stage: Stage, from: &str, to: &str) -> Self {
        self.edits.push(Edit { stage, from: from.to_owned(), to: to.to_owned() });
        self
    }

    fn edited(&self, stage: Stage, text: String) -> String {
        self.edits.iter().filter(|edit| edit.stage == stage).fold(text, |text, edit| edit.apply(&text))
    }

    /// The trust file that pins the log's key and the site, but no people.
    pub(crate) fn trust() -> Trust {
        let relying_party = RelyingParty { rp_id: RP_ID.into(), web_origins: vec![WEB_ORIGIN.into()] };
        Trust::of_server(log::log_key(LOG, LOG_SEED).verifier_key(), relying_party)
    }

    /// The receipt's text, from a log of its own.
    pub(crate) fn text(&self) -> String {
        self.edited(Stage::Receipt, (self.changes.text)(self.receipt().to_canonical()))
    }

    pub(crate) fn receipt(&self) -> Receipt {
        let mut log = Log::default();
        let written = self.write(&mut log);
        self.receipt_from(&log, &written)
    }

    /// Appends everything that happened to a log.
    pub(crate) fn write(&self, log: &mut Log) -> Written {
        self.write_foreign(log);
        let mut written = Written { documents: Vec::new(), enrolments: Vec::new() };
        if !self.enrolled_late {
            written.enrolments = self.write_enrolments(log);
        }
        self.write_foreign(log);
        for (n, vote) in self.votes.iter().enumerate() {
            let (document, entry) = self.decide(n, vote);
            written.documents.push((document, log.append(entry)));
        }
        if self.enrolled_late {
            written.enrolments = self.write_enrolments(log);
        }
        self.write_foreign(log);
        written
    }

    /// The receipt of what was written, against the log as it stands now.
    pub(crate) fn receipt_from(&self, log: &Log, written: &Written) -> Receipt {
        let part = |(document, index): &(String, usize)| DecisionPart {
            document: document.clone(),
            logged: log.logged(*index),
        };
        (self.changes.receipt)(Receipt {
            checkpoint: self.note(log),
            decisions: written.documents.iter().map(part).collect(),
            enrolments: written.enrolments.iter().map(|index| log.logged(*index)).collect(),
        })
    }

    fn note(&self, log: &Log) -> String {
        let checkpoint = (self.changes.checkpoint)(log.checkpoint(LOG));
        let text = self.edited(Stage::Checkpoint, (self.changes.checkpoint_text)(checkpoint.to_text()));
        let mut note = log::log_key(&checkpoint.log_origin, self.changes.log_seed).sign(&text);
        for witness in &self.witnesses {
            note += &witness.line(&text, witness.time);
        }
        self.edited(Stage::Note, (self.changes.note)(note))
    }

    fn write_foreign(&self, log: &mut Log) {
        for entry in &self.foreign {
            log.append(entry.clone());
        }
    }

    fn write_enrolments(&self, log: &mut Log) -> Vec<usize> {
        self.enrolments.iter().map(|enrolment| log.append(self.enrol(enrolment))).collect()
    }

    fn enrol(&self, enrolment: &Enrolment) -> Vec<u8> {
        let mut entry = CredentialEntry {
            approver: name(enrolment.approver).label(LOG),
            alg: enrolment.key.alg().into(),
            public_key: enrolment.key.spki_der(),
            rp_id: RP_ID.into(),
            backup_eligible: true,
            enrolled_at: "2026-01-01T09:00:00Z".parse().unwrap(),
            authorised_by: Authorisation::Invite([0x1b; 32]),
        };
        if let Some(by) = enrolment.by {
            let assertion = by.assert(&enrolment_challenge(&entry));
            entry.authorised_by = Authorisation::Credential { credential: by.credential(), assertion };
        }
        let entry = Entry::Credential((self.changes.enrolment)(entry)).to_bytes();
        self.edited(Stage::Enrolment, (self.changes.enrolment_text)(String::from_utf8(entry).unwrap())).into_bytes()
    }

    /// The document that was signed, and the entry with the signature.
    fn decide(&self, n: usize, vote: &Vote) -> (String, Vec<u8>) {
        let (approver, changes) = (name(vote.approver), &self.changes);
        let salt = [0x50 + u8::try_from(n).unwrap(); 32];
        let document = Document { core: self.core.clone(), approver, decision: vote.decision, salt };
        let text = self.edited(Stage::Document, (changes.document)(document.to_canonical()));
        let challenge = (changes.challenge)([&self.core.nonce[..], &Sha256::digest(&text)].concat());
        let client_data = (changes.client_data)(authenticator::client_data(&challenge));
        let client_data = self.edited(Stage::ClientData, client_data).into_bytes();
        let client_data = (changes.client_data_bytes)(client_data);
        let authenticator_data = (changes.authenticator_data)(authenticator::authenticator_data());
        let signature = (changes.signature)(vote.key.sign(&authenticator_data, &client_data));
        let entry = DecisionEntry {
            approver: document.approver.label(&self.core.log),
            credential: vote.key.credential(),
            decision: vote.decision,
            decided_at: self.core.issued_at.plus(vote.after),
            assertion: Assertion { authenticator_data, client_data_json: client_data, signature },
        };
        let entry = Entry::Decision((changes.decision)(entry)).to_bytes();
        let entry = (changes.decision_text)(String::from_utf8(entry).unwrap());
        (text, self.edited(Stage::Decision, entry).into_bytes())
    }
}

/// What an earlier key signs to allow a new one, written out as docs/protocol.md has it.
pub(crate) fn enrolment_challenge(entry: &CredentialEntry) -> Vec<u8> {
    let (approver, public_key) = (base64url(&entry.approver.0), base64url(&entry.public_key));
    let signed = format!(
        concat!(
            r#"{{"approver":"{}","log":"{}","public_key":"{}","rp_id":"{}","#,
            r#""type":"countersign/enrolment/v1"}}"#
        ),
        approver, LOG, public_key, entry.rp_id
    );
    [&[0x0e; 32][..], &Sha256::digest(signed)].concat()
}
