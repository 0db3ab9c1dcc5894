//! Several people at once, in any order: a requester, two approvers, an admin who revokes, and the clock. After each step
//! everything that can be seen is compared with a small model, and in the end the log is.
//!
//! The model knows nothing of writers and checkpoints. It says what must hold: one fate for each confirmation; approved only
//! by as many people as the quorum, each with a key that was good to the end, in time; used at most once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry::Vacant;
use std::sync::Arc;

use api::{DecisionRequest, Documents, Status};
use log_server::clock::ManualClock;
use log_server::limits::Limits;
use proptest::prelude::*;
use serde_json::json;
use verifier::document::{Decision, Document};
use verifier::entry::Entry;
use verifier::verify::{Expectation, Verdict, verify};
use verifier::webauthn::PureRust;

use crate::authenticator::Device;
use crate::people::request;
use crate::server::{BEGINNING, Server, Setup};

const NAMES: [&str; 2] = ["alex", "sam"];
const USE_WITHIN: u64 = 20;

/// One step. A confirmation is meant by its number, taken modulo how many there are.
#[derive(Debug, Clone)]
enum Step {
    Ask { asked: Asked, expires_in: u64, name: Option<u8> },
    Decide { which: usize, who: usize, yes: bool },
    Cancel { which: usize },
    Consume { which: usize, name: u8 },
    Revoke { who: usize },
    EnrolAgain { who: usize },
    Wait { seconds: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    One(usize),
    AnyOfTwo,
    Both,
}

impl Asked {
    fn people(self) -> Vec<usize> {
        match self {
            Self::One(who) => vec![who],
            _ => vec![0, 1],
        }
    }

    fn quorum(self) -> usize {
        if self == Self::Both { 2 } else { 1 }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let asked = prop_oneof![1 => (0..2_usize).prop_map(Asked::One), 1 => Just(Asked::AnyOfTwo), 3 => Just(Asked::Both)];
    prop_oneof![
        3 => (asked, 5..40_u64, proptest::option::of(0..2_u8))
            .prop_map(|(asked, expires_in, name)| Step::Ask { asked, expires_in, name }),
        6 => (0..4_usize, 0..2_usize, proptest::bool::weighted(0.8))
            .prop_map(|(which, who, yes)| Step::Decide { which, who, yes }),
        1 => (0..4_usize).prop_map(|which| Step::Cancel { which }),
        3 => (0..4_usize, 0..2_u8).prop_map(|(which, name)| Step::Consume { which, name }),
        1 => (0..2_usize).prop_map(|who| Step::Revoke { who }),
        1 => (0..2_usize).prop_map(|who| Step::EnrolAgain { who }),
        2 => (1..25_u64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// What must be true of a confirmation.
struct Request {
    id: String,
    asked: Asked,
    documents: BTreeMap<usize, Documents>,
    expires_at: u64,
    /// By person: whether they said yes, and whether it still counts.
    decisions: BTreeMap<usize, (bool, bool)>,
    cancelled: bool,
    used_as: Option<u8>,
}

impl Request {
    fn status(&self, now: u64) -> Status {
        let counted = || self.decisions.values().filter(|(_, counts)| *counts);
        if counted().any(|(yes, _)| !yes) {
            Status::Rejected
        } else if counted().count() >= self.asked.quorum() {
            Status::Approved
        } else if self.cancelled {
            Status::Cancelled
        } else if now > self.expires_at {
            Status::Expired
        } else {
            Status::Pending
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Logged {
    Enrolment,
    Decision { yes: bool },
    Revocation,
    Consumption,
}

/// The server, and the model beside it.
struct World {
    server: Server,
    clock: Arc<ManualClock>,
    key: String,
    now: u64,
    devices: Vec<Device>,
    /// The name in the log of each person's active key.
    active: Vec<Option<String>>,
    requests: Vec<Request>,
    /// Requests made under a name: the same name and body is the same request.
    names: BTreeMap<u8, (usize, Asked, u64)>,
    log: Vec<Logged>,
}

impl World {
    async fn new() -> Self {
        let (setup, clock) = Setup::with_manual_clock();
        // The same is asked again and again here, also after a rejection.
        let limits = Limits { cool_down_seconds: 0, ..Limits::default() };
        let server = Setup { limits, ..setup }.start().await;
        let (mut devices, mut active) = (Vec::new(), Vec::new());
        for name in NAMES {
            let person = server.enrol(name).await;
            devices.push(person.device);
            active.push(Some(person.enrolled.credential));
        }
        let key = server.requester().await;
        let log = vec![Logged::Enrolment; 2];
        let (requests, names) = (Vec::new(), BTreeMap::new());
        Self { server, clock, key, now: BEGINNING, devices, active, requests, names, log }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Ask { asked, expires_in, name } => self.ask(asked, expires_in, name).await,
            Step::Revoke { who } => self.revoke(who).await,
            Step::EnrolAgain { who } if self.active[who].is_none() => {
                let person = self.server.enrol(NAMES[who]).await;
                self.devices[who] = person.device;
                self.active[who] = Some(person.enrolled.credential);
                self.log.push(Logged::Enrolment);
            }
            Step::EnrolAgain { .. } => {}
            Step::Wait { seconds } => {
                self.clock.advance(seconds);
                self.now += seconds;
            }
            _ if self.requests.is_empty() => {}
            Step::Decide { which, who, yes } => self.decide(which % self.requests.len(), who, yes).await,
            Step::Cancel { which } => self.cancel(which % self.requests.len()).await,
            Step::Consume { which, name } => self.consume(which % self.requests.len(), name).await,
        }
    }

    async fn ask(&mut self, asked: Asked, expires_in: u64, name: Option<u8>) {
        let people: Vec<_> = asked.people().into_iter().map(|who| NAMES[who]).collect();
        let body = request(
            "",
            &json!({
                "username": null, "approvers": people, "quorum": asked.quorum(), "expiresIn": expires_in, "useWithin": USE_WITHIN,
            }),
        );
        let mut call = self.server.post("/api/confirmations").key(&self.key);
        if let Some(name) = name {
            call = call.header("idempotency-key", &format!("ask-{name}"));
        }
        let reply = call.json(&body).send().await;
        if let Some((earlier, its_people, its_time)) = name.and_then(|name| self.names.get(&name)) {
            if (*its_people, *its_time) == (asked, expires_in) {
                assert_eq!(reply.expect(201).json::<api::Created>().id, self.requests[*earlier].id);
            } else {
                reply.refused(422);
            }
            return;
        }
        if asked.people().into_iter().any(|who| self.active[who].is_none()) {
            reply.refused(422);
            return;
        }
        let id = reply.expect(201).json::<api::Created>().id;
        let mut documents = BTreeMap::new();
        for who in asked.people() {
            documents.insert(who, self.server.approve_options(&id, NAMES[who]).await.documents.unwrap());
        }
        if let Some(name) = name {
            self.names.insert(name, (self.requests.len(), asked, expires_in));
        }
        let expires_at = self.now + expires_in;
        let decisions = BTreeMap::new();
        self.requests.push(Request { id, asked, documents, expires_at, decisions, cancelled: false, used_as: None });
    }

    async fn decide(&mut self, which: usize, who: usize, yes: bool) {
        let request = &mut self.requests[which];
        let Some(documents) = request.documents.get(&who) else { return };
        let document = Document::parse(if yes { &documents.approve } else { &documents.reject }).unwrap();
        let assertion = self.devices[who].sign(&document.challenge()).await;
        let decision = document.decision.as_str().to_owned();
        let sent = DecisionRequest { approver: NAMES[who].to_owned(), decision, assertion, note: None };
        let reply = self.server.send_decision(&request.id, &sent).await;
        if request.status(self.now) != Status::Pending {
            reply.refused(409);
        } else if self.active[who].is_none() {
            reply.refused(422);
        } else if let Vacant(place) = request.decisions.entry(who) {
            reply.expect(200);
            place.insert((yes, true));
            self.log.push(Logged::Decision { yes });
        } else {
            reply.refused(409);
        }
    }

    async fn cancel(&mut self, which: usize) {
        let request = &mut self.requests[which];
        let reply = self.server.cancel(&self.key, &request.id).await;
        match request.status(self.now) {
            Status::Pending | Status::Cancelled => {
                reply.expect(200);
                request.cancelled = true;
            }
            _ => _ = reply.refused(409),
        }
    }

    async fn consume(&mut self, which: usize, name: u8) {
        let request = &mut self.requests[which];
        let reply = self.server.consume(&self.key, &request.id, &format!("use-{name}")).await;
        let in_time = self.now <= request.expires_at + USE_WITHIN;
        match request.used_as {
            Some(earlier) if earlier == name => _ = reply.expect(200),
            None if request.status(self.now) == Status::Approved && in_time => {
                reply.expect(200);
                request.used_as = Some(name);
                self.log.push(Logged::Consumption);
            }
            _ => _ = reply.refused(409),
        }
    }

    async fn revoke(&mut self, who: usize) {
        let Some(credential) = self.active[who].take() else { return };
        let path = format!("/api/credentials/{credential}?reason=lost");
        self.server.delete(&path).key(self.server.admin()).send().await.expect(200);
        self.log.push(Logged::Revocation);
        for request in &mut self.requests {
            if request.status(self.now) == Status::Pending
                && let Some((_, counts)) = request.decisions.get_mut(&who)
            {
                *counts = false;
            }
        }
    }

    /// Everything that can be seen is as the model says.
    async fn compare(&self) {
        for request in &self.requests {
            let seen = self.server.confirmation(&self.key, &request.id).await;
            assert_eq!(seen.status, request.status(self.now), "{:?}", request.decisions);
            let mut counted: Vec<_> =
                seen.decisions.iter().map(|one| (&*one.approver, one.revoked_at.is_none())).collect();
            counted.sort_unstable();
            let expected: Vec<_> = request.decisions.iter().map(|(who, (_, counts))| (NAMES[*who], *counts)).collect();
            assert_eq!(counted, expected);
            assert_eq!(seen.consumed_at.is_some(), request.used_as.is_some());
            let ended_by_decision = matches!(seen.status, Status::Approved | Status::Rejected);
            assert_eq!(seen.receipt.is_some(), ended_by_decision);
        }
    }

    /// In the end: receipts say what the model says, and the log holds what happened, in this order, and nothing else.
    async fn compare_evidence(&self) {
        for request in &self.requests {
            let seen = self.server.confirmation(&self.key, &request.id).await;
            let (decision, verdict) = match seen.status {
                Status::Approved => (Decision::Approve, Verdict::Approved),
                Status::Rejected => (Decision::Reject, Verdict::Rejected),
                _ => continue,
            };
            // Whether it can still be used is the model's to say, so the receipt is not asked about the time.
            let expectation = Expectation { core: Some(seen.core), decision: Some(decision), ..Expectation::default() };
            let receipt = seen.receipt.unwrap();
            let report = verify(receipt.as_bytes(), &self.server.trust().await, &expectation, &PureRust);
            assert_eq!(report.verdict, verdict, "{:?}", report.failure());
        }
        let list: api::LogEntryList = self.server.get("/log/entries?start=0").send().await.expect(200).json();
        let logged = list.entries.iter().map(|entry| {
            let bytes = verifier::encoding::from_base64(&entry.entry).unwrap();
            match Entry::parse(&bytes).unwrap() {
                Entry::Credential(_) => Logged::Enrolment,
                Entry::Decision(decision) => Logged::Decision { yes: decision.decision == Decision::Approve },
                Entry::Revocation(_) => Logged::Revocation,
                Entry::Consumption(_) => Logged::Consumption,
            }
        });
        assert_eq!(logged.collect::<Vec<_>>(), self.log);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_they_do_the_model_holds(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in steps {
                world.take(step).await;
                world.compare().await;
            }
            world.compare_evidence().await;
            let (_, ended) = world.server.stop().await;
            assert!(ended.is_ok());
        });
    }
}
