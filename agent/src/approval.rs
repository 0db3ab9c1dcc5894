//! The checks of a requester, which are pure: is this the request that I made, is this answer about it, does this receipt
//! prove an approval of exactly it (docs/protocol.md sections 7, 11 and 13).

use api::{Confirmation, Consumed, CreateConfirmation, Created};
use merkle::{Hash, LeafIndex, leaf_hash, verify_inclusion};
use verifier::checkpoint::Checkpoint;
use verifier::document::{Core, parse_payload};
use verifier::encoding::array_from_base64url;
use verifier::entry::{ConsumptionEntry, Entry};
use verifier::json::{Object, Value};
use verifier::names::Username;
use verifier::note::VerifierKey;
use verifier::time::Timestamp;
use verifier::trust::Trust;
use verifier::verify::{Approvers, Expectation, Facts, Step, verify};
use verifier::webauthn::PureRust;
use verifier::words::quoted;

use crate::outcome::{Code, Denied};

/// Seconds for a decision, and for using an approval, if the request does not say (docs/api.md).
const DEFAULT_WINDOW: (u64, u64) = (300, 3600);
/// How far the clocks of client and server may be apart, in seconds.
const SKEW: u64 = 120;

/// What is asked: one exact action of named people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Who is asked.
    pub approvers: Vec<Username>,
    /// How many of them must approve.
    pub quorum: u32,
    /// The title.
    pub action: String,
    /// The exact payload.
    pub payload: Object,
    /// Seconds for the decision; 300 if left out.
    pub expires_in: Option<u64>,
    /// Seconds after that for using the approval; 3600 if left out.
    pub use_within: Option<u64>,
    /// Whether anyone may fetch the receipt.
    pub reveal: bool,
    /// How the approvers are told; the server's default if left out.
    pub notify: Option<String>,
    /// The name that the API key has on the server, if the caller knows it: then the document must have it.
    pub requester: Option<String>,
}

/// The request as the server made it: the core that every later answer and the receipt must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The exact text.
    pub text: String,
    /// The same, parsed.
    pub core: Core,
}

impl Asked {
    /// Asks one person.
    pub fn of(approver: Username, action: impl Into<String>, payload: Object) -> Self {
        Self {
            approvers: vec![approver],
            quorum: 1,
            action: action.into(),
            payload,
            expires_in: None,
            use_within: None,
            reveal: false,
            notify: None,
            requester: None,
        }
    }

    /// Seconds for the decision.
    pub fn expires_in(&self) -> u64 {
        self.expires_in.unwrap_or(DEFAULT_WINDOW.0)
    }

    /// The request on the wire.
    pub(crate) fn to_request(&self) -> Result<CreateConfirmation, Denied> {
        let payload = Value::from(self.payload.clone()).to_canonical();
        let payload = serde_json::value::RawValue::from_string(payload)
            .map_err(|error| Denied::new(Code::Mismatch, format!("the payload cannot be sent: {error}")))?;
        Ok(CreateConfirmation {
            username: None,
            approvers: Some(self.approvers.iter().map(ToString::to_string).collect()),
            quorum: Some(self.quorum),
            action: self.action.clone(),
            payload,
            notify: self.notify.clone(),
            expires_in: self.expires_in,
            use_within: self.use_within,
            reveal: self.reveal.then_some(true),
            metadata: None,
        })
    }

    /// Compares what the server made of the request with the request. `fresh` is when the call began, if nobody can have
    /// made this request before: then an older one is another one.
    pub fn check(&self, created: &Created, trust: &Trust, fresh: Option<Timestamp>) -> Result<Remembered, Denied> {
        let remembered = Remembered::parse(&created.core)?;
        let core = &remembered.core;
        same("id", core.id.as_str(), &created.id)?;
        self.check_content(core)?;
        let (issued, expires, use_by) = (core.issued_at.unix(), core.expires_at.unix(), core.use_by.unix());
        same("time for the decision", &expires.saturating_sub(issued), &self.expires_in())?;
        let use_within = self.use_within.unwrap_or(DEFAULT_WINDOW.1);
        same("time for using the approval", &use_by.saturating_sub(expires), &use_within)?;
        if !trust.logs.iter().any(|key| key.name() == core.log) {
            let pinned = trust.logs.iter().map(|key| quoted(key.name())).collect::<Vec<_>>().join(", ");
            return Err(mismatch(format!("the log is {}, the trust file has {pinned}", quoted(&core.log))));
        }
        fresh.map_or(Ok(()), |began| remembered.check_fresh(began))?;
        Ok(remembered)
    }

    /// What people read and what runs.
    fn check_content(&self, core: &Core) -> Result<(), Denied> {
        same("action", core.action.as_str(), &self.action)?;
        if core.payload != self.payload {
            return Err(mismatch("the payload is another one than was sent"));
        }
        let mut approvers = self.approvers.clone();
        approvers.sort();
        if core.approvers != approvers {
            return Err(mismatch("other approvers are asked than were named"));
        }
        same("quorum", &core.quorum, &self.quorum)?;
        same("field reveal", &core.reveal, &self.reveal)?;
        match &self.requester {
            Some(requester) => same("requester", core.requester.as_str(), requester),
            None => Ok(()),
        }
    }
}

impl Remembered {
    /// Parses a core by the strict rules of a verifier.
    pub fn parse(text: &str) -> Result<Self, Denied> {
        let core = Core::parse(text).map_err(|error| mismatch(format!("the core is not acceptable: {error}")))?;
        Ok(Self { text: text.to_owned(), core })
    }

    /// Whether it was asked now, and not some time ago.
    pub fn check_fresh(&self, began: Timestamp) -> Result<(), Denied> {
        let issued = self.core.issued_at;
        if issued.unix().abs_diff(began.unix()) <= SKEW {
            return Ok(());
        }
        Err(mismatch(format!(
            "it was asked at {issued}, which is not now ({began}): an older request, or a wrong clock"
        )))
    }

    /// Whether an answer is about this request.
    pub fn check_answer(&self, answer: &Confirmation) -> Result<(), Denied> {
        same("id", answer.id.as_str(), self.core.id.as_str())?;
        if answer.core == self.text { Ok(()) } else { Err(mismatch("the answer has another core than the request")) }
    }

    /// Verifies that the receipt proves an approval of exactly this request, whenever it is used.
    pub fn verify(&self, receipt: Option<&str>, trust: &Trust) -> Result<Facts, Denied> {
        let Some(receipt) = receipt else {
            return Err(Denied::new(Code::NotVerified, "it is said to be approved, and there is no receipt"));
        };
        let core = &self.core;
        let expectation = Expectation {
            payload: Some(core.payload.clone()),
            action: Some(core.action.clone()),
            approvers: Some(Approvers { names: core.approvers.clone(), quorum: core.quorum }),
            id: Some(core.id.to_string()),
            core: Some(self.text.clone()),
            requester: Some(core.requester.clone()),
            ..Expectation::default()
        };
        let report = verify(receipt.as_bytes(), trust, &expectation, &PureRust);
        if let Some((step, reason)) = report.failure() {
            return Err(not_verified(step, reason));
        }
        let proved = report.facts.filter(|_| report.as_expected);
        proved.ok_or_else(|| Denied::new(Code::NotVerified, "the receipt does not prove an approval"))
    }

    /// Whether the approval may still be used.
    pub fn check_usable(&self, now: Timestamp) -> Result<(), Denied> {
        if now <= self.core.use_by {
            return Ok(());
        }
        let detail = format!("the approval could be used until {}, now is {now}", self.core.use_by);
        Err(Denied::new(Code::TooLate, detail))
    }

    /// Verifies that the log holds the consumption of exactly this request, under a checkpoint that it signed, and that it
    /// was consumed in time and by the call that ran from one moment to the other. The proof of an earlier use stays valid
    /// for ever, and says nothing about this one.
    pub fn verify_consumption(
        &self,
        consumed: &Consumed,
        trust: &Trust,
        (began, answered): (Timestamp, Timestamp),
    ) -> Result<Checkpoint, Denied> {
        let wrong = |reason: String| Denied::new(Code::NotVerified, format!("the proof of consumption: {reason}"));
        let consumed_at: Timestamp = consumed.consumed_at.parse().map_err(|error| wrong(format!("{error}")))?;
        let checkpoint = open_checkpoint(consumed.proof.checkpoint.as_bytes(), trust).map_err(wrong)?;
        if checkpoint.log_origin != self.core.log {
            return Err(wrong(format!("it is of the log {}", quoted(&checkpoint.log_origin))));
        }
        let entry = Entry::Consumption(ConsumptionEntry { nonce: self.core.nonce, consumed_at });
        let hashes = consumed.proof.hashes.iter().map(|text| array_from_base64url(text).map(Hash::from_bytes));
        let hashes = hashes.collect::<Result<Vec<_>, _>>().map_err(|error| wrong(error.to_string()))?;
        let index = LeafIndex::new(consumed.log_index);
        verify_inclusion(&leaf_hash(&entry.to_bytes()), index, checkpoint.size, &hashes, &checkpoint.root)
            .map_err(|error| wrong(error.to_string()))?;
        self.check_consumed_now(consumed_at, began, answered)?;
        Ok(checkpoint)
    }

    fn check_consumed_now(&self, at: Timestamp, began: Timestamp, answered: Timestamp) -> Result<(), Denied> {
        if at > self.core.use_by {
            let detail = format!("the approval could be used until {}, and was at {at}", self.core.use_by);
            return Err(Denied::new(Code::TooLate, detail));
        }
        if at.plus(SKEW) < began {
            let detail = format!(
                "the log says that it was used at {at}, and this use began at {began}: an earlier use, or a wrong clock"
            );
            return Err(Denied::new(Code::AlreadyConsumed, detail));
        }
        if at > answered.plus(SKEW) {
            let detail = format!(
                "the proof of consumption: it is of {at}, which is still to come (it is {answered}): a wrong clock here \
                 or there"
            );
            return Err(Denied::new(Code::NotVerified, detail));
        }
        Ok(())
    }
}

/// A checkpoint that a pinned key of its log signed, witnesses aside.
pub(crate) fn open_checkpoint(note: &[u8], trust: &Trust) -> Result<Checkpoint, String> {
    let mut reason = "no log of the trust file signed it".to_owned();
    for key in &trust.logs {
        match Checkpoint::open(note, key) {
            Ok(checkpoint) => return Ok(checkpoint),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(reason)
}

/// The pinned key of a log.
pub(crate) fn log_key<'a>(trust: &'a Trust, log_origin: &str) -> Option<&'a VerifierKey> {
    trust.logs.iter().find(|key| key.name() == log_origin)
}

/// Reads a payload from JSON text by the rules of a document.
pub fn payload(text: &[u8]) -> Result<Object, Denied> {
    parse_payload(text).map_err(|error| Denied::new(Code::Mismatch, format!("the payload: {error}")))
}

fn same<T: PartialEq + std::fmt::Display + ?Sized>(what: &str, given: &T, asked: &T) -> Result<(), Denied> {
    if given == asked { Ok(()) } else { Err(mismatch(format!("the {what} is {given}, not {asked}"))) }
}

fn mismatch(detail: impl AsRef<str>) -> Denied {
    Denied::new(Code::Mismatch, detail)
}

fn not_verified(step: Step, reason: &str) -> Denied {
    Denied::new(Code::NotVerified, format!("the receipt fails at the step {}: {reason}", step.id()))
}
