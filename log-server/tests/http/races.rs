//! Two or three calls about one request at the same time, over and over: fired together from several threads, and lined up in
//! front of the writer in both orders, where all of them have passed what is checked before the queue. In the end the log
//! itself is asked what happened, by rules that are written here a second time and know nothing of records and writers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{Consumed, DecisionMade, Revoked, Status};
use log_server::clock::ManualClock;
use log_server::limits::Limits;
use log_server::writer::Moment;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::Barrier;
use verifier::document::{Core, Decision};
use verifier::encoding::{from_base64, from_base64url};
use verifier::entry::Entry;

use crate::call::{Call, Reply};
use crate::people::{Person, request};
use crate::server::{Server, Setup, soon};

/// How often each race is run from several threads, and how often in each of both orders.
const AT_ONCE: usize = 48;
const IN_ORDER: usize = 8;

/// How two calls come to the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    AtOnce,
    FirstWins,
    SecondWins,
}

fn orders() -> impl Iterator<Item = (usize, Order)> {
    let fixed = (0..IN_ORDER).flat_map(|_| [Order::FirstWins, Order::SecondWins]);
    fixed.chain((0..AT_ONCE).map(|_| Order::AtOnce)).enumerate()
}

/// A request, and what callers were told of it.
struct Asked {
    id: String,
    nonce: [u8; 32],
    quorum: usize,
    anybody: String,
    /// Where decisions are, as those who made them were told.
    decisions: BTreeSet<u64>,
    used: Option<u64>,
}

struct Arena {
    server: Server,
    clock: Arc<ManualClock>,
    key: String,
    appender: String,
    asked: Vec<Asked>,
    entries: usize,
}

impl Arena {
    async fn new() -> Self {
        let (setup, clock) = Setup::with_manual_clock();
        // What was rejected is asked again at once here, and nothing that stays pending is in the way.
        let limits = Limits {
            cool_down_seconds: 0,
            pending_per_approver: 1000,
            pending_per_key_and_approver: 1000,
            ..Limits::default()
        };
        let server = Setup { limits, ..setup }.start().await;
        let (key, appender) = (server.requester().await, server.appender().await);
        Self { server, clock, key, appender, asked: Vec::new(), entries: 0 }
    }

    /// Asks these people; the request is the last one from then on.
    async fn ask(&mut self, key: &str, people: &[&Person], quorum: usize) -> String {
        let names: Vec<&str> = people.iter().map(|person| &*person.name).collect();
        let body = json!({"username": null, "approvers": names, "quorum": quorum, "expiresIn": 5});
        let created = self.server.ask(key, &request("", &body)).await;
        let nonce = Core::parse(&created.core).unwrap().nonce;
        let (id, anybody) = (created.id.clone(), names[0].to_owned());
        self.asked.push(Asked { id, nonce, quorum, anybody, decisions: BTreeSet::new(), used: None });
        created.id
    }

    fn last(&mut self) -> &mut Asked {
        self.asked.last_mut().unwrap()
    }

    /// Notes what a decider was told: where the decision is, or that it was too late.
    fn decided(&mut self, reply: Reply) -> bool {
        let won = reply.status == 200;
        if won {
            let made: DecisionMade = reply.json();
            assert!(self.last().decisions.insert(made.log_index));
        } else {
            reply.refused(409);
        }
        won
    }

    fn consumed(&mut self, reply: Reply) -> bool {
        let won = reply.status == 200;
        if won {
            let used: Consumed = reply.json();
            assert_eq!(*self.last().used.get_or_insert(used.log_index), used.log_index, "used twice");
        } else {
            reply.refused(409);
        }
        won
    }

    async fn approve(&mut self, person: &Person) {
        let id = self.last().id.clone();
        let made = person.approve(&self.server, &id).await;
        self.last().decisions.insert(made.log_index);
    }

    async fn decision(&self, person: &Person, decision: &str) -> Call {
        let id = &self.asked.last().unwrap().id;
        let signed = person.sign(&self.server, id, decision).await;
        self.server.post(&format!("/approve/{id}/decision")).json(&signed)
    }

    fn cancellation(&self) -> Call {
        let id = &self.asked.last().unwrap().id;
        self.server.post(&format!("/api/confirmations/{id}/cancel")).key(&self.key)
    }

    fn use_with(&self, key: &str, name: &str) -> Call {
        let id = &self.asked.last().unwrap().id;
        self.server.post(&format!("/api/confirmations/{id}/consume")).key(key).header("idempotency-key", name)
    }

    fn revocation(&self, person: &Person) -> Call {
        let path = format!("/api/credentials/{}?reason=stolen", person.enrolled.credential);
        self.server.delete(&path).key(self.server.admin())
    }

    /// What is answered to two calls that come to the writer in this order.
    async fn race(&mut self, order: Order, first: Call, second: Call) -> (Reply, Reply) {
        match order {
            Order::AtOnce => {
                let [one, two] = at_once([first, second]).await.try_into().unwrap();
                (one, two)
            }
            Order::FirstWins => self.lined_up(first, second).await,
            Order::SecondWins => {
                let (two, one) = self.lined_up(second, first).await;
                (one, two)
            }
        }
    }

    /// Two calls that stand in the queue one behind the other before the first of them is run.
    async fn lined_up(&mut self, earlier: Call, later: Call) -> (Reply, Reply) {
        let (appended, held) = self.hold().await;
        let earlier = tokio::spawn(earlier.send());
        self.server.until_waiting(2).await;
        let later = tokio::spawn(later.send());
        self.server.until_waiting(3).await;
        drop(held);
        appended.await.unwrap().expect(200);
        (soon(earlier).await.unwrap(), soon(later).await.unwrap())
    }

    /// Keeps the writer busy with an entry of somebody else.
    async fn hold(&mut self) -> (tokio::task::JoinHandle<Reply>, crate::pause::Held) {
        self.entries += 1;
        let mut held = self.server.setup.pause.at(Moment::Sequenced);
        let entry = self.server.post("/log/entries").key(&self.appender);
        let appended = tokio::spawn(entry.body("text/plain", format!("entry {}", self.entries)).send());
        held.reached().await;
        (appended, held)
    }

    async fn status(&self) -> Status {
        let Asked { id, anybody, .. } = self.asked.last().unwrap();
        self.server.approve_options(id, anybody).await.status
    }

    /// What the log says, against what callers were told and what the server shows.
    async fn ask_the_log(self) {
        let told = Told::from_log(&self.server).await;
        for asked in &self.asked {
            let fate = told.fates.get(&asked.nonce);
            let shown = self.server.approve_options(&asked.id, &asked.anybody).await;
            let ended = fate.and_then(|fate| fate.ended(asked.quorum));
            match ended {
                Some((Decision::Approve, _)) => assert_eq!(shown.status, Status::Approved),
                Some((Decision::Reject, _)) => assert_eq!(shown.status, Status::Rejected),
                None => assert!(!matches!(shown.status, Status::Approved | Status::Rejected), "{:?}", shown.status),
            }
            let decisions = fate.map(Fate::decisions).unwrap_or_default();
            assert_eq!(decisions, asked.decisions, "the log holds what its callers were told, and nothing else");
            let last = decisions.last().copied().unwrap_or_default();
            if let Some((_, index)) = ended {
                assert_eq!(index, last, "nothing is decided after the end");
            }
            let used = fate.map(|fate| fate.uses.clone()).unwrap_or_default();
            assert_eq!(used, asked.used.into_iter().collect::<Vec<_>>());
            if let Some(used) = used.first() {
                assert!(
                    matches!(ended, Some((Decision::Approve, index)) if index < *used),
                    "used before it was approved"
                );
            }
        }
        let (_, ended) = self.server.stop().await;
        assert!(ended.is_ok());
    }
}

/// Sends calls from tasks of their own that wait for one another.
async fn at_once(calls: impl IntoIterator<Item = Call>) -> Vec<Reply> {
    let calls: Vec<Call> = calls.into_iter().collect();
    let barrier = Arc::new(Barrier::new(calls.len()));
    let sent: Vec<_> = calls
        .into_iter()
        .map(|call| {
            let barrier = barrier.clone();
            tokio::spawn(async move {
                barrier.wait().await;
                call.send().await
            })
        })
        .collect();
    let mut replies = Vec::new();
    for reply in sent {
        replies.push(soon(reply).await.unwrap());
    }
    replies
}

/// What the log tells of each request, by its nonce.
struct Told {
    fates: BTreeMap<[u8; 32], Fate>,
}

/// What happened to a request and to the keys that decided it, in the order of the log.
#[derive(Default)]
struct Fate {
    events: Vec<(u64, Event)>,
    uses: Vec<u64>,
}

#[derive(Clone)]
enum Event {
    Decided { decision: Decision, credential: [u8; 32] },
    Revoked { credential: [u8; 32] },
}

impl Told {
    async fn from_log(server: &Server) -> Self {
        let mut fates: BTreeMap<[u8; 32], Fate> = BTreeMap::new();
        let (mut good, mut decided) = (BTreeSet::<[u8; 32]>::new(), BTreeSet::new());
        for (index, bytes) in whole_log(server).await {
            let Ok(entry) = Entry::parse(&bytes) else { continue };
            match entry {
                Entry::Credential(enrolment) => {
                    assert!(good.insert(Sha256::digest(&enrolment.public_key).into()), "enrolled twice");
                }
                Entry::Revocation(revocation) => {
                    assert!(good.remove(&revocation.credential), "revoked twice, or never enrolled");
                    let credential = revocation.credential;
                    for fate in fates.values_mut() {
                        fate.events.push((index, Event::Revoked { credential }));
                    }
                }
                Entry::Decision(entry) => {
                    let nonce = nonce_of(&entry.assertion.client_data_json);
                    let credential = entry.credential;
                    assert!(good.contains(&credential), "entry {index} is decided with a key that was revoked before");
                    assert!(decided.insert((nonce, entry.approver.0)), "somebody decided twice");
                    let event = Event::Decided { decision: entry.decision, credential };
                    fates.entry(nonce).or_default().events.push((index, event));
                }
                Entry::Consumption(used) => fates.entry(used.nonce).or_default().uses.push(index),
            }
        }
        Self { fates }
    }
}

impl Fate {
    /// How it ended and by which entry: a rejection, or as many approvals as the quorum by keys that were good until then.
    fn ended(&self, quorum: usize) -> Option<(Decision, u64)> {
        let mut approved = BTreeSet::new();
        for (index, event) in &self.events {
            match event {
                Event::Decided { decision: Decision::Reject, .. } => return Some((Decision::Reject, *index)),
                Event::Decided { credential, .. } => _ = approved.insert(*credential),
                Event::Revoked { credential } => _ = approved.remove(credential),
            }
            if approved.len() >= quorum {
                return Some((Decision::Approve, *index));
            }
        }
        None
    }

    fn decisions(&self) -> BTreeSet<u64> {
        let decided = self.events.iter().filter(|(_, event)| matches!(event, Event::Decided { .. }));
        decided.map(|(index, _)| *index).collect()
    }
}

fn nonce_of(client_data: &[u8]) -> [u8; 32] {
    let client_data: Value = serde_json::from_slice(client_data).unwrap();
    let challenge = from_base64url(client_data["challenge"].as_str().unwrap()).unwrap();
    challenge[..32].try_into().unwrap()
}

async fn whole_log(server: &Server) -> Vec<(u64, Vec<u8>)> {
    let size = server.log_size().await;
    let mut log = Vec::new();
    while (log.len() as u64) < size {
        let path = format!("/log/entries?start={}", log.len());
        let list: api::LogEntryList = server.get(&path).send().await.expect(200).json();
        log.extend(list.entries.iter().map(|entry| (entry.index, from_base64(&entry.entry).unwrap())));
    }
    log
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_decision_against_a_cancel() {
    let mut arena = Arena::new().await;
    let alex = arena.server.enrol("alex").await;
    for (round, order) in orders() {
        let (key, word) = (arena.key.clone(), if round % 4 < 2 { "approve" } else { "reject" });
        arena.ask(&key, &[&alex], 1).await;
        let (decision, cancel) = (arena.decision(&alex, word).await, arena.cancellation());
        let (decided, cancelled) = arena.race(order, decision, cancel).await;
        let won = arena.decided(decided);
        cancelled.expect(if won { 409 } else { 200 });
        assert!(order == Order::AtOnce || won == (order == Order::FirstWins), "{order:?}");
        assert_eq!(arena.status().await == Status::Cancelled, !won);
    }
    arena.ask_the_log().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_for_the_last_place_of_a_quorum() {
    let mut arena = Arena::new().await;
    let server = &arena.server;
    let (alex, kim, sam) = (server.enrol("alex").await, server.enrol("kim").await, server.enrol("sam").await);
    for (round, order) in orders() {
        let (key, word) = (arena.key.clone(), if round % 4 < 2 { "approve" } else { "reject" });
        arena.ask(&key, &[&alex, &kim, &sam], 2).await;
        arena.approve(&alex).await;
        let (by_kim, by_sam) = (arena.decision(&kim, "approve").await, arena.decision(&sam, word).await);
        let (by_kim, by_sam) = arena.race(order, by_kim, by_sam).await;
        let (kim_won, sam_won) = (arena.decided(by_kim), arena.decided(by_sam));
        assert!(kim_won != sam_won, "one of them was too late");
        assert!(order == Order::AtOnce || kim_won == (order == Order::FirstWins), "{order:?}");
    }
    arena.ask_the_log().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_decision_against_the_end_of_its_time() {
    let mut arena = Arena::new().await;
    let alex = arena.server.enrol("alex").await;
    for (_, order) in orders() {
        let key = arena.key.clone();
        arena.ask(&key, &[&alex], 1).await;
        let decision = arena.decision(&alex, "approve").await;
        let decided = match order {
            Order::AtOnce => {
                let barrier = Arc::new(Barrier::new(2));
                let (clock, ready) = (arena.clock.clone(), barrier.clone());
                let ends = tokio::spawn(async move {
                    ready.wait().await;
                    clock.advance(6);
                });
                barrier.wait().await;
                let decided = decision.send().await;
                ends.await.unwrap();
                decided
            }
            // Committed and not published when the time ends.
            Order::FirstWins => {
                let mut held = arena.server.setup.pause.at(Moment::Committed);
                let decided = tokio::spawn(decision.send());
                held.reached().await;
                arena.clock.advance(6);
                drop(held);
                soon(decided).await.unwrap()
            }
            // In the queue when the time ends.
            Order::SecondWins => {
                let (appended, held) = arena.hold().await;
                let decided = tokio::spawn(decision.send());
                arena.server.until_waiting(2).await;
                arena.clock.advance(6);
                drop(held);
                appended.await.unwrap().expect(200);
                soon(decided).await.unwrap()
            }
        };
        let won = arena.decided(decided);
        assert!(order == Order::AtOnce || won == (order == Order::FirstWins), "{order:?}");
        assert_eq!(arena.status().await, if won { Status::Approved } else { Status::Expired });
    }
    arena.ask_the_log().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_that_use_one_approval() {
    let mut arena = Arena::new().await;
    let alex = arena.server.enrol("alex").await;
    for (round, order) in orders() {
        let (key, same) = (arena.key.clone(), round % 4 < 2);
        arena.ask(&key, &[&alex], 1).await;
        arena.approve(&alex).await;
        let (one, two) = (arena.use_with(&key, "one"), arena.use_with(&key, if same { "one" } else { "two" }));
        let (one, two) = arena.race(order, one, two).await;
        let (one, two) = (arena.consumed(one), arena.consumed(two));
        assert!(if same { one && two } else { one != two }, "{one} {two}");
        assert!(same || order == Order::AtOnce || one == (order == Order::FirstWins), "{order:?}");
    }
    arena.ask_the_log().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revocation_against_the_last_approval() {
    let mut arena = Arena::new().await;
    let kim = arena.server.enrol("kim").await;
    for (_, order) in orders() {
        let (key, alex) = (arena.key.clone(), arena.server.enrol("alex").await);
        arena.ask(&key, &[&alex, &kim], 2).await;
        arena.approve(&alex).await;
        let (revocation, decision) = (arena.revocation(&alex), arena.decision(&kim, "approve").await);
        let (revoked, decided) = arena.race(order, revocation, decision).await;
        let revoked: Revoked = revoked.expect(200).json();
        let made: DecisionMade = decided.clone().expect(200).json();
        assert!(arena.decided(decided));
        let approved = made.log_index < revoked.log_index;
        assert!(order == Order::AtOnce || approved == (order == Order::SecondWins), "{order:?}");
        assert_eq!(arena.status().await, if approved { Status::Approved } else { Status::Pending });
    }
    arena.ask_the_log().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revocation_against_an_approval_with_that_passkey() {
    let mut arena = Arena::new().await;
    for (_, order) in orders() {
        let (key, alex) = (arena.key.clone(), arena.server.enrol("alex").await);
        arena.ask(&key, &[&alex], 1).await;
        let (revocation, decision) = (arena.revocation(&alex), arena.decision(&alex, "approve").await);
        let (revoked, decided) = arena.race(order, revocation, decision).await;
        let revoked: Revoked = revoked.expect(200).json();
        // Revoked before the signature was looked at is 422, behind that 409.
        let won = if order == Order::AtOnce && decided.status == 422 {
            assert_eq!(decided.refused_field(422), "assertion.id");
            false
        } else {
            arena.decided(decided)
        };
        let index = arena.last().decisions.first().copied();
        assert!(index.is_none_or(|index| index < revoked.log_index));
        assert!(order == Order::AtOnce || won == (order == Order::SecondWins), "{order:?}");
        assert_eq!(arena.status().await, if won { Status::Approved } else { Status::Pending });
    }
    arena.ask_the_log().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cancel_against_a_use_and_against_approval_and_use() {
    let mut arena = Arena::new().await;
    let alex = arena.server.enrol("alex").await;
    for (_, order) in orders() {
        let key = arena.key.clone();
        arena.ask(&key, &[&alex], 1).await;
        arena.approve(&alex).await;
        let (used, cancel) = (arena.use_with(&key, "one"), arena.cancellation());
        let (used, cancelled) = arena.race(order, used, cancel).await;
        assert!(arena.consumed(used), "what is approved stays so");
        cancelled.refused(409);

        arena.ask(&key, &[&alex], 1).await;
        let calls = [arena.decision(&alex, "approve").await, arena.cancellation(), arena.use_with(&key, "one")];
        let [decided, cancelled, used] = at_once(calls).await.try_into().unwrap();
        let won = arena.decided(decided);
        cancelled.expect(if won { 409 } else { 200 });
        assert!(!arena.consumed(used) || won, "used what was cancelled");
    }
    arena.ask_the_log().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_end_of_an_api_key_against_its_use_and_against_a_decision() {
    let mut arena = Arena::new().await;
    let alex = arena.server.enrol("alex").await;
    for (round, order) in orders() {
        let made = arena.server.make_key(&json!({"name": "deploy-bot", "scopes": ["request"]})).await;
        let key = made.key.clone();
        arena.ask(&key, &[&alex], 1).await;
        let revocation = arena.server.delete(&format!("/api/keys/{}", made.record.id)).key(arena.server.admin());
        if round % 4 < 2 {
            arena.approve(&alex).await;
            let use_it = arena.use_with(&key, "one");
            let (revoked, used) = arena.race(order, revocation, use_it).await;
            revoked.expect(204);
            let won = used.status == 200 && arena.consumed(used.clone());
            used.expect(if won { 200 } else { 401 });
            assert!(order == Order::AtOnce || won == (order == Order::SecondWins), "{order:?}");
            assert_eq!(arena.status().await, Status::Approved);
        } else {
            let decision = arena.decision(&alex, "approve").await;
            let (revoked, decided) = arena.race(order, revocation, decision).await;
            revoked.expect(204);
            let won = arena.decided(decided);
            assert!(order == Order::AtOnce || won == (order == Order::SecondWins), "{order:?}");
            assert_eq!(arena.status().await, if won { Status::Approved } else { Status::Cancelled });
        }
    }
    arena.ask_the_log().await;
}
