//! What the tools need of whoever answers them.

use std::future::Future;
use std::time::Duration;

use api::{Confirmation, ConfirmationSummary, Status};
use verifier::document::Core;
use verifier::json::Object;
use verifier::names::Username;
use verifier::time::Timestamp;
use verifier::trust::Trust;
use verifier::verify::{Approvers, Expectation, verify};
use verifier::webauthn::SignaturePrimitive;

/// Where approvals are asked for and looked up: the server's engine, or a client of it.
pub trait Desk: Send + Sync + 'static {
    /// Who calls, as the transport found out.
    type Caller: Send + Sync;

    /// Who calls. Over stdio there are no parts of a request.
    fn caller(&self, request: Option<&::http::request::Parts>) -> Result<Self::Caller, Trouble>;

    /// Asks; the same key again finds the same request. Answers its id.
    fn create(
        &self,
        caller: &Self::Caller,
        ask: &Ask,
        idempotency_key: &str,
    ) -> impl Future<Output = Result<String, Trouble>> + Send;

    /// The newest of the caller's own pending requests that ask this approver.
    fn pending(
        &self,
        caller: &Self::Caller,
        approver: &Username,
    ) -> impl Future<Output = Result<Vec<ConfirmationSummary>, Trouble>> + Send;

    /// A request of the caller: at once if it is decided, else after at most `wait`.
    fn look(
        &self,
        caller: &Self::Caller,
        id: &str,
        wait: Duration,
    ) -> impl Future<Output = Result<Seen, Trouble>> + Send;

    /// Ends a pending request of the caller.
    fn cancel(&self, caller: &Self::Caller, id: &str) -> impl Future<Output = Result<Seen, Trouble>> + Send;

    /// What receipts are verified with.
    fn trust(&self) -> impl Future<Output = Result<Trust, Trouble>> + Send;

    /// Checks signatures.
    fn primitive(&self) -> &(dyn SignaturePrimitive + Sync);

    /// The time.
    fn now(&self) -> Timestamp;
}

/// A question to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The title.
    pub action: String,
    /// Who is asked.
    pub approver: Username,
    /// The exact payload.
    pub payload: Object,
    /// Seconds for the decision.
    pub expires_in: u64,
}

/// A request as it was found.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The server's answer.
    pub confirmation: Confirmation,
    /// What the request is about, out of its core.
    pub core: Core,
    /// For an approval: why it must not be acted on, if so.
    pub flaw: Option<Flaw>,
}

/// Why an approval must not be acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// `not_verified`, `rolled_back` and so on: the codes of every client.
    pub code: &'static str,
    /// Why, in words.
    pub words: String,
}

/// A call that could not be answered: a wrong argument, a refusal, a server that does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// A stable name of the kind of trouble.
    pub code: String,
    /// What is wrong, for the model.
    pub words: String,
}

impl Trouble {
    /// Trouble in words.
    pub fn new(code: impl Into<String>, words: impl Into<String>) -> Self {
        Self { code: code.into(), words: words.into() }
    }
}

impl Seen {
    /// Judges a server's answer with nothing but a trust file: what is approved must have a receipt for exactly this core.
    pub fn judge(
        confirmation: Confirmation,
        trust: &Trust,
        primitive: &dyn SignaturePrimitive,
    ) -> Result<Self, Trouble> {
        let mismatch = |words: String| Trouble::new("mismatch", words);
        let core = Core::parse(&confirmation.core).map_err(|error| mismatch(format!("the core: {error}")))?;
        if core.id.as_str() != confirmation.id {
            return Err(mismatch(format!("the core is of {}, not of {}", core.id, confirmation.id)));
        }
        let flaw = match confirmation.status {
            Status::Approved => {
                unproved(&confirmation, &core, trust, primitive).map(|words| Flaw { code: "not_verified", words })
            }
            _ => None,
        };
        Ok(Self { confirmation, core, flaw })
    }
}

/// Why the receipt does not prove an approval of this core, if so.
fn unproved(
    confirmation: &Confirmation,
    core: &Core,
    trust: &Trust,
    primitive: &dyn SignaturePrimitive,
) -> Option<String> {
    let Some(receipt) = &confirmation.receipt else { return Some("there is no receipt".to_owned()) };
    let expectation = Expectation {
        id: Some(confirmation.id.clone()),
        core: Some(confirmation.core.clone()),
        approvers: Some(Approvers { names: core.approvers.clone(), quorum: core.quorum }),
        ..Expectation::default()
    };
    let report = verify(receipt.as_bytes(), trust, &expectation, primitive);
    match (report.as_expected, report.failure()) {
        (true, _) => None,
        (false, Some((step, reason))) => Some(format!("the receipt fails at the step {}: {reason}", step.id())),
        (false, None) => Some("the receipt proves no approval".to_owned()),
    }
}
