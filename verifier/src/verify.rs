//! The offline verification of a receipt: twelve steps in a fixed order, each passed, failed or not reached.
//!
//! It is one function over values: a receipt's bytes, the trust file, what the caller expects, and a signature primitive.
//! It reads no clock and no file and asks nobody. The step ids are the same in every language's verifier.

mod expectation;
mod explain;
mod facts;
mod steps;

use crate::document::Decision;
use crate::trust::Trust;
use crate::webauthn::SignaturePrimitive;

pub use expectation::{Approvers, Expectation};
pub use explain::{Line, explain};
pub use facts::{DecisionFact, Facts};

/// The steps, in the order in which they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Size, canonical form, fields, counts.
    Receipt,
    /// The signed tree head, by a pinned key.
    Checkpoint,
    /// What was signed: form, rules, log.
    Document,
    /// What was logged, and that it agrees with the document.
    Entry,
    /// That the signature is over this document.
    Challenge,
    /// Ceremony, web origin, framing.
    ClientData,
    /// Relying party, user presence, user verification.
    AuthenticatorData,
    /// Whose key it is, and whether it was allowed at that time.
    Enrolment,
    /// The approver's signature.
    Signature,
    /// That all of it is in the log.
    Inclusion,
    /// That the decisions belong together and suffice.
    Quorum,
    /// That it is what the caller expects.
    Expectation,
}

impl Step {
    /// All steps in order.
    pub const ALL: [Self; 12] = [
        Self::Receipt,
        Self::Checkpoint,
        Self::Document,
        Self::Entry,
        Self::Challenge,
        Self::ClientData,
        Self::AuthenticatorData,
        Self::Enrolment,
        Self::Signature,
        Self::Inclusion,
        Self::Quorum,
        Self::Expectation,
    ];

    /// The step's id, the same in all verifiers.
    pub fn id(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Checkpoint => "checkpoint",
            Self::Document => "document",
            Self::Entry => "entry",
            Self::Challenge => "challenge",
            Self::ClientData => "client-data",
            Self::AuthenticatorData => "authenticator-data",
            Self::Enrolment => "enrolment",
            Self::Signature => "signature",
            Self::Inclusion => "inclusion",
            Self::Quorum => "quorum",
            Self::Expectation => "expectation",
        }
    }
}

/// How a step went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds; in words, what was found.
    Passed(String),
    /// It does not hold; in words, why.
    Failed(String),
    /// A step before it failed.
    NotReached,
}

/// What a receipt proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The approvers approved.
    Approved,
    /// An approver rejected.
    Rejected,
    /// Nothing.
    NotVerified,
}

impl Verdict {
    /// `approved`, `rejected` or `not verified`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::NotVerified => "not verified",
        }
    }
}

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Every step in order, with its outcome.
    pub steps: Vec<(Step, Outcome)>,
    /// What the receipt proves.
    pub verdict: Verdict,
    /// Who decided what and when; none unless every step up to the quorum holds.
    pub facts: Option<Facts>,
    /// Whether the expected decision was reached and verified.
    pub as_expected: bool,
}

impl Report {
    /// The first step that failed, with its reason.
    pub fn failure(&self) -> Option<(Step, &str)> {
        self.steps.iter().find_map(|(step, outcome)| match outcome {
            Outcome::Failed(reason) => Some((*step, reason.as_str())),
            _ => None,
        })
    }
}

/// Verifies a receipt.
pub fn verify(receipt: &[u8], trust: &Trust, expectation: &Expectation, primitive: &dyn SignaturePrimitive) -> Report {
    let mut progress = Progress::default();
    let decided = steps::run(receipt, trust, primitive, &mut progress).ok();
    let as_expected = decided.as_ref().is_some_and(|facts| {
        progress.take(Step::Expectation, || expectation.check(facts).map(|words| ((), words))).is_ok()
    });
    let verdict = match &decided {
        // Only the decision may differ from what is expected without making the rest worthless: a genuine rejection is
        // a rejection, whatever the caller hoped for.
        Some(facts) if as_expected || expectation.only_decision_differs(facts) => match facts.decision {
            Decision::Approve => Verdict::Approved,
            Decision::Reject => Verdict::Rejected,
        },
        _ => Verdict::NotVerified,
    };
    Report { steps: progress.finish(), verdict, facts: decided, as_expected }
}

/// A step did not hold; the reason is recorded.
struct Stopped;

/// The steps taken so far.
#[derive(Default)]
struct Progress(Vec<(Step, Outcome)>);

impl Progress {
    /// Takes the next step and records how it went.
    fn take<T>(&mut self, step: Step, check: impl FnOnce() -> Result<(T, String), String>) -> Result<T, Stopped> {
        assert!(Step::ALL[self.0.len()] == step, "the steps are taken in their order");
        let (outcome, result) = match check() {
            Ok((value, words)) => (Outcome::Passed(words), Ok(value)),
            Err(reason) => (Outcome::Failed(reason), Err(Stopped)),
        };
        self.0.push((step, outcome));
        result
    }

    fn finish(mut self) -> Vec<(Step, Outcome)> {
        self.0.extend(Step::ALL.iter().skip(self.0.len()).map(|step| (*step, Outcome::NotReached)).collect::<Vec<_>>());
        self.0
    }
}
