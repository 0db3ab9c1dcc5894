//! Receipts made of valid parts of two, which stand in one log and are of one day: alex's of one confirmation and sam's
//! of another.

use verifier::receipt::Receipt;
use verifier::verify::Step;

use super::{Bytes, Case};
use crate::made::{Log, SAM, Story, approves, invited, name};

type Take = fn(&mut Receipt, &Receipt);

const CHECKPOINT: Take = |to, from| to.checkpoint.clone_from(&from.checkpoint);
const DOCUMENT: Take = |to, from| to.decisions[0].document.clone_from(&from.decisions[0].document);
const ENTRY: Take = |to, from| to.decisions[0].logged.entry.clone_from(&from.decisions[0].logged.entry);
const PROOF: Take = |to, from| to.decisions[0].logged.hashes.clone_from(&from.decisions[0].logged.hashes);
const INDEX: Take = |to, from| to.decisions[0].logged.index = from.decisions[0].logged.index;
const LOGGED: Take = |to, from| to.decisions[0].logged = from.decisions[0].logged.clone();
const DECISION: Take = |to, from| to.decisions.clone_from(&from.decisions);
const ENROLMENT: Take = |to, from| to.enrolments[0].entry.clone_from(&from.enrolments[0].entry);
const ENROLMENT_PROOF: Take = |to, from| to.enrolments[0].hashes.clone_from(&from.enrolments[0].hashes);
const ENROLMENT_INDEX: Take = |to, from| to.enrolments[0].index = from.enrolments[0].index;
const ENROLMENTS: Take = |to, from| to.enrolments.clone_from(&from.enrolments);

pub(super) fn cases() -> Vec<Case> {
    let rows: [(&str, Step, &[Take]); 16] = [
        ("the checkpoint of another receipt", Step::Inclusion, &[CHECKPOINT]),
        ("the document of another receipt", Step::Entry, &[DOCUMENT]),
        ("the entry of another receipt", Step::Entry, &[ENTRY]),
        ("the proof of another receipt", Step::Inclusion, &[PROOF]),
        ("the index of another receipt", Step::Inclusion, &[INDEX]),
        ("the entry with its proof of another receipt", Step::Entry, &[LOGGED]),
        ("the decision of another receipt", Step::Enrolment, &[DECISION]),
        ("the decision and the checkpoint of another receipt", Step::Enrolment, &[DECISION, CHECKPOINT]),
        ("the document and the entry of another receipt", Step::Enrolment, &[DOCUMENT, ENTRY]),
        ("the enrolment of another receipt", Step::Enrolment, &[ENROLMENT]),
        ("the enrolment with its proof of another receipt", Step::Enrolment, &[ENROLMENTS]),
        ("the proof of an enrolment of another receipt", Step::Inclusion, &[ENROLMENT_PROOF]),
        ("the index of an enrolment of another receipt", Step::Enrolment, &[ENROLMENT_INDEX]),
        ("the decision and the enrolment of another receipt", Step::Inclusion, &[DECISION, ENROLMENTS]),
        ("the enrolments and the checkpoint of another receipt", Step::Enrolment, &[ENROLMENTS, CHECKPOINT]),
        ("the entry, document and enrolment of another receipt", Step::Inclusion, &[ENTRY, DOCUMENT, ENROLMENT]),
    ];
    let (a, b) = two();
    let mut cases: Vec<_> = rows
        .into_iter()
        .map(|(name, step, takes)| {
            let mut mixed = a.clone();
            for take in takes {
                take(&mut mixed, &b);
            }
            Case::refused(step, &format!("mixed: {name}"), Bytes::Text(mixed.to_canonical()))
        })
        .collect();
    cases.extend(
        [("mixed: the first of the two", &a), ("mixed: the second of the two", &b)]
            .map(|(name, receipt)| Case::of("genuine", name, Bytes::Text(receipt.to_canonical()))),
    );
    cases
}

fn two() -> (Receipt, Receipt) {
    let first = Story { foreign: vec![b"other".to_vec()], ..Story::one() };
    let mut second = first.clone();
    second.core.nonce = [0x0b; 32];
    second.core.id = "cnf_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse().unwrap();
    second.core.approvers = vec![name("sam")];
    second.enrolments = vec![invited("sam", SAM)];
    second.votes = vec![approves("sam", SAM, 20)];
    let mut log = Log::default();
    let written = first.write(&mut log);
    let a = first.receipt_from(&log, &written);
    let written = second.write(&mut log);
    (a, second.receipt_from(&log, &written))
}
