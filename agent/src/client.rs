//! The door: ask, wait, verify, consume. Each step gives the value that the next one needs.
//!
//! Nothing here decides: the checks are those of [`crate::approval`], and every failure is a [`Denied`].

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use api::{Confirmation, ConfirmationList, ConsistencyProof, Consumed, Created, Status};
use merkle::{Hash, verify_consistency};
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout};
use verifier::checkpoint::Checkpoint;
use verifier::encoding::{array_from_base64, base64url};
use verifier::time::Timestamp;
use verifier::trust::Trust;
use verifier::verify::Facts;
use verifier::words::visible;

use crate::approval::{Asked, Remembered, log_key};
use crate::clock::{Clock, Moment, Seen};
use crate::http::{Call, Http};
use crate::memory::{Head, Memory, MemoryError};
use crate::outcome::{Code, Denied};
use crate::settings::{Settings, SettingsError, TrustSource};

/// How long after a request's last moment the server may still have to say that it expired.
const AFTER_EXPIRY: Duration = Duration::from_secs(10);
/// How long a cancel may take that nobody waits for.
const CANCEL: Duration = Duration::from_secs(5);
/// A server that answers a long-poll at once is asked again after this.
const SHORTEST_POLL: Duration = Duration::from_millis(500);
/// How often another process may remember something while this one proves something, before that counts as a failure.
const MEMORY_TRIES: u32 = 8;

/// A requester's client of one server. Clones share connections and memory.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: Http,
    source: TrustSource,
    first_use: OnceCell<Trust>,
    memory: Memory,
}

/// A request that the server made exactly as it was asked.
#[derive(Debug, Clone)]
pub struct Pending {
    client: Client,
    remembered: Remembered,
    url: String,
}

/// A request as it is sent.
struct Asking<'a> {
    asked: &'a Asked,
    body: String,
    key: String,
    /// When the call began, if the key is its own.
    fresh: Option<Timestamp>,
    until: Moment,
    once: bool,
}

/// What one look at a request finds.
#[derive(Debug)]
pub struct Looked {
    /// The server's answer. It is about this request; nothing else in it is checked.
    pub answer: Confirmation,
    /// What it comes to: none while nobody has decided; an approval that the receipt proves; or why not.
    pub outcome: Result<Option<Box<Approved>>, Denied>,
}

/// An approval with a receipt that proves it. It does not run anything before it is consumed.
#[derive(Debug)]
pub struct Approved {
    pending: Pending,
    receipt: String,
    facts: Facts,
    consumed_at: Option<String>,
    answered: Seen,
}

/// An approval that is used up for this one run: now the action may run, once.
#[derive(Debug)]
pub struct Used {
    /// The receipt's exact text.
    pub receipt: String,
    /// What it proves.
    pub facts: Facts,
    /// When it was consumed, by the server's clock, and where in the log.
    pub consumed: Consumed,
}

impl Client {
    /// A client; it asks nobody anything yet.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let http = Http::new(&settings)?;
        let Settings { trust, memory, .. } = settings;
        Ok(Self(Arc::new(Inner { http, source: trust, first_use: OnceCell::new(), memory: Memory::new(memory) })))
    }

    /// Where the server is.
    pub fn url(&self) -> &str {
        self.0.http.base()
    }

    /// Whether somebody pinned the trust file; otherwise it is what the server said the first time.
    pub fn is_pinned(&self) -> bool {
        matches!(self.0.source, TrustSource::Pinned(_))
    }

    /// What receipts are verified with.
    pub async fn trust(&self) -> Result<&Trust, Denied> {
        match &self.0.source {
            TrustSource::Pinned(trust) => Ok(trust),
            TrustSource::FirstUse => self.0.first_use.get_or_try_init(|| self.first_trust()).await,
        }
    }

    async fn first_trust(&self) -> Result<Trust, Denied> {
        if let Some(text) = self.0.memory.first_trust(self.url()).map_err(forgetful)? {
            return parse_trust(&text);
        }
        let bytes = self.0.http.bytes(&Call::get("/trust.json", self.patience_ends()), |_| Ok(())).await?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        parse_trust(&text)?;
        // Another process may have been first.
        parse_trust(&self.0.memory.remember_trust(self.url(), &text).map_err(forgetful)?)
    }

    /// Asks. With an idempotency key of the caller the same request is found again, also by a process that was started
    /// anew; without one a fresh request is made. `within` bounds the time for asking.
    pub async fn ask(
        &self,
        asked: &Asked,
        idempotency_key: Option<&str>,
        within: Option<Duration>,
    ) -> Result<Pending, Denied> {
        let asking = self.asking(asked, idempotency_key, within).await?;
        self.made(&asking).await
    }

    /// The same for a caller who may be told to stop. The server may have made a request whose answer nobody waited for:
    /// then it is asked once more, under the same key, and the request is taken back.
    pub(crate) async fn ask_unless(
        &self,
        asked: &Asked,
        idempotency_key: Option<&str>,
        within: Option<Duration>,
        mut stop: impl Future<Output = ()> + Unpin,
    ) -> Result<Pending, Denied> {
        let asking = tokio::select! {
            biased;
            () = &mut stop => return Err(told_to_stop()),
            asking = self.asking(asked, idempotency_key, within) => asking?,
        };
        let denied = tokio::select! {
            biased;
            () = &mut stop => told_to_stop(),
            made = self.made(&asking) => match made {
                Err(denied) if denied.code == Code::Unreachable => denied,
                made => return made,
            },
        };
        // Whatever comes of it: a server that does not answer now cannot be told anything.
        _ = timeout(CANCEL, self.take_back_unseen(asking)).await;
        Err(denied)
    }

    async fn take_back_unseen(&self, asking: Asking<'_>) {
        let until = self.clock().moment() + CANCEL;
        // A try that began late is no reason to leave the request there.
        let again = Asking { fresh: None, until, once: true, ..asking };
        if let Ok(made) = self.made(&again).await {
            _ = made.cancel_until(until).await;
        }
    }

    /// Everything that is needed before the server is asked.
    async fn asking<'a>(
        &self,
        asked: &'a Asked,
        idempotency_key: Option<&str>,
        within: Option<Duration>,
    ) -> Result<Asking<'a>, Denied> {
        let began = self.clock().wall();
        let until = within.map_or_else(|| self.patience_ends(), |within| self.clock().moment() + within);
        self.trust().await?;
        let (key, fresh) = match idempotency_key {
            Some(key) => (key.to_owned(), None),
            None => (random_key()?, Some(began)),
        };
        let body = serde_json::to_string(&asked.to_request()?)
            .map_err(|error| Denied::new(Code::Mismatch, format!("the request cannot be sent: {error}")))?;
        Ok(Asking { asked, body, key, fresh, until, once: false })
    }

    async fn made(&self, asking: &Asking<'_>) -> Result<Pending, Denied> {
        let Asking { asked, body, key, fresh, until, once } = asking;
        let call = Call {
            body: Some(body.clone()),
            idempotency_key: Some(key),
            once: *once,
            ..Call::post("/api/confirmations", *until)
        };
        let created: Created = self.0.http.json(&call).await?;
        let remembered = asked.check(&created, self.trust().await?, *fresh)?;
        Ok(Pending { client: self.clone(), remembered, url: visible(&created.url) })
    }

    /// A request that an earlier run made, by its id. Nobody remembers its core, so it is what the server says it is: its
    /// content must be looked at before anything is done with it.
    pub async fn resume(&self, id: &str) -> Result<(Pending, Confirmation), Denied> {
        let answer = self.fetch(id, Duration::ZERO, self.patience_ends()).await?;
        let remembered = Remembered::parse(&answer.core)?;
        remembered.check_answer(&answer)?;
        if answer.id != id {
            return Err(Denied::new(Code::Mismatch, format!("asked for {id}, the answer is about {}", answer.id)));
        }
        let url = visible(&answer.url);
        Ok((Pending { client: self.clone(), remembered, url }, answer))
    }

    /// The newest of this key's own requests with a status that ask an approver.
    pub async fn list(&self, status: Status, approver: &str) -> Result<ConfirmationList, Denied> {
        let path = format!("/api/confirmations?status={}&approver={approver}&limit=100", status.as_str());
        self.0.http.json(&Call::get(&path, self.patience_ends())).await
    }

    async fn fetch(&self, id: &str, wait: Duration, until: Moment) -> Result<Confirmation, Denied> {
        let path = match wait.as_secs() {
            0 => format!("/api/confirmations/{}", segment(id)?),
            seconds => format!("/api/confirmations/{}?wait={seconds}", segment(id)?),
        };
        self.0.http.json(&Call { held: wait, ..Call::get(&path, until) }).await
    }

    /// Refuses a tree head that is smaller than one verified before or not consistent with it, and remembers it otherwise.
    async fn observe(&self, checkpoint: &Checkpoint) -> Result<(), Denied> {
        let trust = self.trust().await?;
        let Some(key) = log_key(trust, &checkpoint.log_origin) else {
            return Err(rolled_back("the log is not in the trust file"));
        };
        let (log, head) = (key.to_string(), Head::from(checkpoint));
        for _ in 0..MEMORY_TRIES {
            let known = self.0.memory.head(&log).map_err(forgetful)?;
            match known {
                Some(known) if known.size == head.size && known.root == head.root => return Ok(()),
                Some(known) => self.prove(known, head).await?,
                None => {}
            }
            if self.0.memory.replace(&log, known, head).map_err(forgetful)? {
                return Ok(());
            }
        }
        Err(rolled_back("the memory file changes all the time"))
    }

    /// The same for a proof of consumption, which may have been on its way while another call verified a later tree head: a
    /// smaller one is fine too if the log proves that the later one continues it.
    async fn observe_among_others(&self, checkpoint: &Checkpoint) -> Result<(), Denied> {
        let Err(denied) = self.observe(checkpoint).await else { return Ok(()) };
        let log = log_key(self.trust().await?, &checkpoint.log_origin).map(ToString::to_string);
        let Some(log) = log.filter(|_| denied.code == Code::RolledBack) else { return Err(denied) };
        match self.0.memory.head(&log).map_err(forgetful)? {
            Some(known) if known.size > checkpoint.size => self.prove(Head::from(checkpoint), known).await,
            _ => Err(denied),
        }
    }

    /// How many entries of a log this client has seen proved.
    async fn known_entries(&self, log_origin: &str) -> Result<u64, Denied> {
        let Some(key) = log_key(self.trust().await?, log_origin) else { return Ok(0) };
        let head = self.0.memory.head(&key.to_string()).map_err(forgetful)?;
        Ok(head.map_or(0, |head| head.size.get()))
    }

    async fn prove(&self, known: Head, head: Head) -> Result<(), Denied> {
        let (from, to) = (known.size.get(), head.size.get());
        if from >= to {
            let words = if from == to { "the same size and another root" } else { "fewer entries" };
            return Err(rolled_back(format!("the log had {from} entries before, now it shows {to}: {words}")));
        }
        let path = format!("/log/proof/consistency?from={from}&to={to}");
        let proof: ConsistencyProof = match self.0.http.json(&Call::get(&path, self.patience_ends())).await {
            Ok(proof) => proof,
            Err(denied) if denied.code == Code::Unreachable => return Err(denied),
            Err(denied) => return Err(rolled_back(format!("the log does not prove that it only grew: {denied}"))),
        };
        let hashes = proof.hashes.iter().map(|text| array_from_base64(text).map(Hash::from_bytes));
        let hashes = hashes.collect::<Result<Vec<_>, _>>().map_err(|error| rolled_back(error.to_string()))?;
        verify_consistency(known.size, head.size, &known.root, &head.root, &hashes)
            .map_err(|error| rolled_back(format!("{from} and {to} entries are not one log: {error}")))
    }

    fn patience_ends(&self) -> Moment {
        self.clock().moment() + self.0.http.patience.all_tries
    }

    /// The clock by which this client's times are over.
    pub(crate) fn clock(&self) -> &Clock {
        &self.0.http.clock
    }
}

impl Pending {
    /// The confirmation's id.
    pub fn id(&self) -> &str {
        self.remembered.core.id.as_str()
    }

    /// Where the approver decides, as the server says.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The code that the approver's page shows too, computed here from what was asked.
    pub fn compare_code(&self) -> String {
        self.remembered.core.compare_code()
    }

    /// The request that the server made, which every later answer must have.
    pub fn remembered(&self) -> &Remembered {
        &self.remembered
    }

    /// Waits for the decision: until the request expires, or for the caller's own time, or until the caller is told to
    /// stop. When the time is over or the caller stops, the request is cancelled and a later yes is ignored.
    pub async fn decision(
        &self,
        timeout: Option<Duration>,
        stop: impl Future<Output = ()>,
    ) -> Result<Approved, Denied> {
        let clock = self.client.clock();
        let left = self.remembered.core.expires_at.unix().saturating_sub(clock.wall().unix());
        let timeout = timeout.unwrap_or(Duration::from_secs(left) + AFTER_EXPIRY);
        let denied = tokio::select! {
            biased;
            () = stop => Denied::new(Code::Aborted, "told to stop; the request is cancelled"),
            decided = self.decided(clock.moment() + timeout) => match decided {
                Err(denied) if denied.code == Code::TimedOut => denied,
                decided => return decided,
            },
        };
        _ = self.take_back().await;
        Err(denied)
    }

    async fn decided(&self, deadline: Moment) -> Result<Approved, Denied> {
        let clock = self.client.clock();
        let too_late = || {
            let detail = "nobody decided in the time that the caller gives; the request is cancelled";
            Denied::new(Code::TimedOut, detail)
        };
        loop {
            let began = clock.moment();
            let left = deadline.since(began);
            let patience = self.client.0.http.patience;
            // The server may need a moment to say that nobody decided; an answer after the deadline counts as none. And what
            // the end of that moment cut off, also in a machine that slept, says nothing about the server.
            let until = deadline + patience.one_try.min(CANCEL);
            let answer = self.poll(left.min(patience.long_poll), until).await;
            let unreachable = matches!(&answer, Err(denied) if denied.code == Code::Unreachable);
            if clock.is_over(if unreachable { until } else { deadline }) {
                return Err(too_late());
            }
            if let Some(claimed) = self.ended(&answer?)? {
                let approved = self.proved(claimed).await?;
                // The proof may have taken a while, and whoever gave a time acts on no later yes.
                return if clock.is_over(deadline) { Err(too_late()) } else { Ok(approved) };
            }
            sleep(SHORTEST_POLL.min(left).saturating_sub(clock.moment().since(began))).await;
        }
    }

    /// Looks once, for at most this long. Unlike [`Pending::decision`] it leaves the request as it is when nobody decided.
    pub async fn look(&self, wait: Duration) -> Result<Looked, Denied> {
        let until = self.client.clock().moment() + wait + self.client.0.http.patience.all_tries;
        let answer = self.poll(wait, until).await?;
        let outcome = match self.ended(&answer) {
            Ok(None) => Ok(None),
            Ok(Some(claimed)) => self.proved(claimed).await.map(Box::new).map(Some),
            Err(denied) => Err(denied),
        };
        Ok(Looked { answer, outcome })
    }

    async fn poll(&self, wait: Duration, until: Moment) -> Result<Confirmation, Denied> {
        let answer = self.client.fetch(self.id(), wait, until).await?;
        self.remembered.check_answer(&answer)?;
        Ok(answer)
    }

    /// What is approved, with the receipt that should prove it; none while nobody has decided.
    fn ended(&self, answer: &Confirmation) -> Result<Option<Claimed>, Denied> {
        match answer.status {
            Status::Pending => Ok(None),
            Status::Approved => {
                Ok(Some(Claimed { receipt: answer.receipt.clone(), consumed_at: answer.consumed_at.clone() }))
            }
            Status::Rejected => {
                let rejection = answer.decisions.iter().find(|decision| decision.decision == "reject");
                let by = rejection.map_or("an approver", |rejection| rejection.approver.as_str());
                Err(Denied::rejected(by, rejection.and_then(|rejection| rejection.note.as_deref())))
            }
            Status::Expired => {
                let detail = format!("nobody decided until {}", self.remembered.core.expires_at);
                Err(Denied::new(Code::Expired, detail))
            }
            Status::Cancelled => Err(Denied::new(Code::Cancelled, "the request was cancelled")),
        }
    }

    /// Verifies the receipt, and that the log did not go back. A receipt may have been on its way while another process
    /// verified a later one, so a smaller tree head is asked for once more.
    async fn proved(&self, claimed: Claimed) -> Result<Approved, Denied> {
        let approved = self.verified(claimed).await?;
        match self.client.observe(&approved.facts.checkpoint).await {
            Err(denied) if denied.code == Code::RolledBack => {}
            observed => return observed.map(|()| approved),
        }
        let again = self.poll(Duration::ZERO, self.client.patience_ends()).await?;
        let Some(claimed) = self.ended(&again)? else {
            return Err(rolled_back("what was approved is pending again"));
        };
        let approved = self.verified(claimed).await?;
        self.client.observe(&approved.facts.checkpoint).await.map(|()| approved)
    }

    async fn verified(&self, claimed: Claimed) -> Result<Approved, Denied> {
        let Claimed { receipt, consumed_at } = claimed;
        let answered = self.client.clock().see();
        let facts = self.remembered.verify(receipt.as_deref(), self.client.trust().await?)?;
        Ok(Approved { pending: self.clone(), receipt: receipt.unwrap_or_default(), facts, consumed_at, answered })
    }

    /// Takes the request back. Fails if it has been decided meanwhile.
    pub async fn cancel(&self) -> Result<(), Denied> {
        self.cancel_until(self.client.patience_ends()).await
    }

    async fn cancel_until(&self, until: Moment) -> Result<(), Denied> {
        let path = format!("/api/confirmations/{}/cancel", segment(self.id())?);
        let answer: Confirmation = self.client.0.http.json(&Call::post(&path, until)).await?;
        self.remembered.check_answer(&answer)
    }

    /// Takes the request back where nobody acts on it any more, whatever comes of that.
    pub(crate) async fn take_back(&self) -> TakenBack {
        TakenBack(self.cancel_until(self.client.clock().moment() + CANCEL).await.err())
    }
}

/// What became of a request that was to be taken back, in words.
#[derive(Debug)]
pub struct TakenBack(Option<Denied>);

impl fmt::Display for TakenBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("the request is cancelled"),
            Some(denied) => write!(f, "the request could not be cancelled ({denied})"),
        }
    }
}

/// An approval as the server claims it.
struct Claimed {
    receipt: Option<String>,
    consumed_at: Option<String>,
}

impl Approved {
    /// The request.
    pub fn pending(&self) -> &Pending {
        &self.pending
    }

    /// The receipt's exact text.
    pub fn receipt(&self) -> &str {
        &self.receipt
    }

    /// What it proves.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// When it was seen to be approved.
    pub(crate) fn answered(&self) -> Seen {
        self.answered
    }

    /// When the approval was used, if the server says that it was.
    pub fn consumed_at(&self) -> Option<&str> {
        self.consumed_at.as_deref()
    }

    /// Uses the approval up for one run. Only what comes out of here lets an action run.
    ///
    /// The key is new each time: who was killed between using the approval and acting cannot know whether the action ran,
    /// so the next process must be told that it was used. And the use must be this call's: its entry is newer than all that
    /// the client knew of the log before, and its time is now.
    ///
    /// `within` is what is left of the caller's own time. An answer that is not there by then is none.
    pub async fn consume(self, within: Option<Duration>) -> Result<Used, Denied> {
        let Some(within) = within else { return self.used().await };
        let clock = self.pending.client.clock().clone();
        let until = clock.moment() + within;
        match tokio::time::timeout(within, self.used()).await {
            // A machine that slept wakes up with time left on its timers, and too late all the same.
            Ok(used) if used.is_err() || !clock.is_over(until) => used,
            _ => {
                let detail = "the time that the caller gives is over; whether the approval was used is not known";
                Err(Denied::new(Code::Unreachable, detail))
            }
        }
    }

    async fn used(self) -> Result<Used, Denied> {
        let Pending { client, remembered, .. } = &self.pending;
        let clock = client.clock();
        let began = clock.wall();
        // By the wall clock, and where that was set back by the time that went by since the answer.
        let check_usable = || remembered.check_usable(clock.wall_since(self.answered));
        check_usable()?;
        let known = client.known_entries(&remembered.core.log).await?;
        let path = format!("/api/confirmations/{}/consume", segment(self.pending.id())?);
        let key = random_key()?;
        let call = Call { idempotency_key: Some(&key), ..Call::post(&path, client.patience_ends()) };
        let consumed: Consumed = client.0.http.json(&call).await.map_err(used_before)?;
        let checkpoint = remembered.verify_consumption(&consumed, client.trust().await?, (began, clock.wall()))?;
        client.observe_among_others(&checkpoint).await?;
        if consumed.log_index < known {
            let detail = format!(
                "the log had {known} entries before this use, and shows the entry {} for it: an earlier use",
                consumed.log_index
            );
            return Err(Denied::new(Code::AlreadyConsumed, detail));
        }
        check_usable()?;
        Ok(Used { receipt: self.receipt, facts: self.facts, consumed })
    }
}

fn told_to_stop() -> Denied {
    Denied::new(Code::Aborted, "told to stop while the server was asked; what it made of that is taken back")
}

/// A conflict means that the approval is not there to be used, mostly because somebody did.
fn used_before(denied: Denied) -> Denied {
    match &denied.problem {
        Some((409, _)) => Denied { code: Code::AlreadyConsumed, ..denied },
        _ => denied,
    }
}

fn parse_trust(text: &str) -> Result<Trust, Denied> {
    Trust::parse(text.as_bytes())
        .map_err(|error| Denied::new(Code::NotVerified, format!("/trust.json is not a trust file: {error}")))
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn forgetful(error: MemoryError) -> Denied {
    rolled_back(format!("cannot be ruled out: {error}"))
}

fn rolled_back(detail: impl AsRef<str>) -> Denied {
    Denied::new(Code::RolledBack, detail)
}

/// An id as a part of a path; ours are of letters, digits and `_`.
fn segment(id: &str) -> Result<&str, Denied> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if (1..=64).contains(&id.len()) && id.bytes().all(plain) {
        Ok(id)
    } else {
        Err(Denied::new(Code::Mismatch, format!("{id:?} is not the id of a confirmation")))
    }
}

fn random_key() -> Result<String, Denied> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Denied::new(Code::Unreachable, format!("this machine has no randomness: {error}")))?;
    Ok(format!("agent-{}", base64url(&bytes)))
}
