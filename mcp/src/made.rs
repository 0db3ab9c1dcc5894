//! A desk for tests: requests in memory, decided by whoever holds it, and a clock that stands still.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::{Confirmation, ConfirmationSummary, Status};
use serde_json::value::RawValue;
use verifier::document::{Core, parse_payload};
use verifier::json::Value;
use verifier::names::Username;
use verifier::time::Timestamp;
use verifier::trust::Trust;
use verifier::webauthn::{PureRust, SignaturePrimitive};

use crate::desk::{Ask, Desk, Flaw, Seen, Trouble};

/// Just before an hour is full.
pub(crate) const NOW: u64 = 1_800_000_000 - 10;

/// Requests, each with its idempotency key.
pub(crate) struct MadeDesk {
    made: Mutex<Vec<(String, Seen)>>,
    clock: AtomicU64,
}

impl MadeDesk {
    pub(crate) fn new() -> Self {
        Self { made: Mutex::new(Vec::new()), clock: AtomicU64::new(NOW) }
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    /// What becomes of the newest request.
    pub(crate) fn becomes(&self, status: Status, flaw: Option<Flaw>) {
        let mut made = self.made.lock().unwrap();
        let (_, newest) = made.last_mut().unwrap();
        newest.confirmation.status = status;
        newest.flaw = flaw;
    }

    pub(crate) fn count(&self) -> usize {
        self.made.lock().unwrap().len()
    }
}

/// A question of alex.
pub(crate) fn ask() -> Ask {
    Ask {
        action: "Pay the invoice".to_owned(),
        approver: Username::new("alex").unwrap(),
        payload: parse_payload(br#"{"amount":"12.50"}"#).unwrap(),
        expires_in: 900,
    }
}

/// A request of this content as the server shows it.
pub(crate) fn seen(ask: &Ask, number: u64, now: u64) -> Seen {
    let now = Timestamp::from_unix(now);
    let core = Core {
        action: ask.action.clone(),
        approvers: vec![ask.approver.clone()],
        expires_at: now.plus(ask.expires_in),
        id: format!("cnf_{}", verifier::encoding::base32(&[&[0; 8], &number.to_be_bytes()[..]].concat()))
            .parse()
            .unwrap(),
        issued_at: now,
        log: "localhost/log".to_owned(),
        nonce: [7; 32],
        payload: ask.payload.clone(),
        quorum: 1,
        requester: "bot".to_owned(),
        reveal: false,
        use_by: now.plus(ask.expires_in + 3600),
    };
    let confirmation = Confirmation {
        id: core.id.to_string(),
        status: Status::Pending,
        url: "https://approvals.example.com/approve/x".to_owned(),
        action: "what stands beside the core".to_owned(),
        payload: RawValue::from_string("{}".to_owned()).unwrap(),
        payload_hash: String::new(),
        core: core.to_canonical(),
        compare_code: "zzzz".to_owned(),
        approvers: vec![],
        quorum: 1,
        created_at: core.issued_at.to_string(),
        expires_at: core.expires_at.to_string(),
        use_by: core.use_by.to_string(),
        decided_at: None,
        consumed_at: None,
        decisions: vec![],
        raw_assertion: None,
        receipt: None,
        notified: vec![],
        metadata: None,
    };
    Seen { confirmation, core, flaw: None }
}

impl Desk for MadeDesk {
    type Caller = ();

    fn caller(&self, _request: Option<&::http::request::Parts>) -> Result<(), Trouble> {
        Ok(())
    }

    async fn create(&self, (): &(), ask: &Ask, idempotency_key: &str) -> Result<String, Trouble> {
        assert!(
            (1..=255).contains(&idempotency_key.len()) && idempotency_key.bytes().all(|byte| byte.is_ascii_graphic())
        );
        let mut made = self.made.lock().unwrap();
        if let Some((_, seen)) = made.iter().find(|(key, _)| key == idempotency_key) {
            let same = Value::from(seen.core.payload.clone()) == Value::from(ask.payload.clone());
            assert!(same, "one key for two requests");
            return Ok(seen.confirmation.id.clone());
        }
        let seen = seen(ask, made.len() as u64, self.now().unix());
        let id = seen.confirmation.id.clone();
        made.push((idempotency_key.to_owned(), seen));
        Ok(id)
    }

    async fn pending(&self, (): &(), approver: &Username) -> Result<Vec<ConfirmationSummary>, Trouble> {
        let made = self.made.lock().unwrap();
        let pending = made
            .iter()
            .filter(|(_, seen)| seen.confirmation.status == Status::Pending && seen.core.approvers.contains(approver));
        let summary = |(_, seen): &(String, Seen)| ConfirmationSummary {
            id: seen.confirmation.id.clone(),
            status: seen.confirmation.status,
            action: seen.core.action.clone(),
            requester: seen.core.requester.clone(),
            approvers: vec![],
            created_at: String::new(),
            expires_at: String::new(),
        };
        Ok(pending.map(summary).collect())
    }

    async fn look(&self, (): &(), id: &str, _wait: Duration) -> Result<Seen, Trouble> {
        let made = self.made.lock().unwrap();
        let found = made.iter().find(|(_, seen)| seen.confirmation.id == id);
        found.map(|(_, seen)| seen.clone()).ok_or_else(|| Trouble::new("not-found", "nothing here"))
    }

    async fn cancel(&self, (): &(), _id: &str) -> Result<Seen, Trouble> {
        Err(Trouble::new("conflict", "not here"))
    }

    async fn trust(&self) -> Result<Trust, Trouble> {
        Err(Trouble::new("conflict", "not here"))
    }

    fn primitive(&self) -> &(dyn SignaturePrimitive + Sync) {
        &PureRust
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.load(Ordering::SeqCst))
    }
}
