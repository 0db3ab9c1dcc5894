//! Decisions at full load, where everybody begins the next as soon as the last is made; and at half of that, where they
//! come evenly and each is timed from the moment it was due, so that a stall counts for all that it held up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::bare::Bare;
use crate::decision::{Made, Pair};
use crate::evidence::{Evidence, Receipts};
use crate::messages;
use crate::process::Process;
use crate::server::Server;
use crate::table::{Aim, Table};

/// How full load is taken.
#[derive(Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) count: usize,
    pub(crate) time: Duration,
    pub(crate) clients: usize,
}

/// When decisions are due.
#[derive(Clone, Copy)]
enum Pace {
    /// When the last one is made.
    AtOnce,
    /// So many in a second, whatever becomes of them.
    PerSecond(f64),
}

/// What one round measured.
struct Round {
    per_second: f64,
    /// Processor time of a decision, the server's and ours, in milliseconds.
    server: f64,
    clients: f64,
    /// Processor time of one signature verified and one made, right after the round.
    verifying: f64,
    signing: f64,
    /// In microseconds.
    whole: Histogram<u64>,
    decision: Histogram<u64>,
}

/// What one pair brings back.
struct Brought {
    pair: Pair,
    whole: Histogram<u64>,
    decision: Histogram<u64>,
    receipts: Vec<Receipts>,
    wrong: Option<String>,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

pub(crate) async fn measure(server: &Server, rounds: Rounds, table: &mut Table, evidence: &mut Evidence) {
    let bare = Bare::new(&server.trust.relying_party);
    let mut pairs = Vec::new();
    for number in 0..rounds.clients {
        pairs.push(Pair::new(server, number).await.expect("an enrolment"));
    }
    let mut run = Run { server, bare, pairs, evidence };
    run.round(Pace::AtOnce, Duration::from_secs(1)).await;
    let mut full = Vec::new();
    for _ in 0..rounds.count {
        full.push(run.round(Pace::AtOnce, rounds.time).await);
    }
    let rate = median(&full, |round| round.per_second);
    let clients = rounds.clients;
    table.add(&format!("full decisions, {clients} people at a time"), rate, "/s", Aim::AtLeast(1000.0));
    table.add("  p50 of one", quantile(&full, 0.5), "ms", Aim::None);
    table.add("  processor time of the server for one", median(&full, |round| round.server), "ms", Aim::None);
    table.add("  processor time of the load generator for one", median(&full, |round| round.clients), "ms", Aim::None);
    table.add("    of which signing", median(&full, |round| round.signing), "ms", Aim::None);
    table.add("  processor time of verifying one signature", median(&full, |round| round.verifying), "ms", Aim::None);
    let ratio = median(&full, |round| round.server / round.verifying);
    table.add("    the server's time for one, in verifications", ratio, "", Aim::None);
    let alone = median(&full, |round| 2000.0 / (round.server + round.clients));
    table.add("    what two whole cores have time for", alone, "/s", Aim::None);

    let half = [run.round(Pace::PerSecond(rate / 2.0), 2 * rounds.time).await];
    table.add("at half load: full decisions", half[0].per_second, "/s", Aim::None);
    table.add("  p50 of one, asked for to receipt", quantile(&half, 0.5), "ms", Aim::None);
    table.add("  p99 of one, asked for to receipt", quantile(&half, 0.99), "ms", Aim::Below(50.0));
    let of_post = half[0].decision.value_at_quantile(0.99) as f64 / 1000.0;
    table.add("  p99 of the request that decides", of_post, "ms", Aim::Below(50.0));
    if let Err(words) = messages::write(server).await {
        run.evidence.fail(words);
    }
    let told = [run.round(Pace::PerSecond(rate / 2.0), 2 * rounds.time).await];
    let waiting = messages::count(server);
    if waiting == 0 {
        run.evidence.fail("all messages were sent before the round ended: it shows nothing".to_owned());
    }
    table.add("the same while messages wait for a slow server: full decisions", told[0].per_second, "/s", Aim::None);
    table.add("  p50 of one, asked for to receipt", quantile(&told, 0.5), "ms", Aim::None);
    table.add("  p99 of one, asked for to receipt", quantile(&told, 0.99), "ms", Aim::Below(50.0));
    table.add("  messages that wait in the end", waiting as f64, "", Aim::None);
    table.add("memory of the server after all this", server.process.resident_mib(), "MiB", Aim::None);
}

/// What stays from round to round.
struct Run<'a> {
    server: &'a Server,
    bare: Bare,
    pairs: Vec<Pair>,
    evidence: &'a mut Evidence,
}

impl Run<'_> {
    /// All pairs decide for a time. Receipts are verified when the clock has stopped: that is work of the requesters'
    /// machines, and the server shares this one with them as it is.
    async fn round(&mut self, pace: Pace, time: Duration) -> Round {
        let own = Process::own();
        let before = (self.server.process.processor_time(), own.processor_time());
        let (begun, due) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let mut tasks = JoinSet::new();
        for pair in self.pairs.drain(..) {
            tasks.spawn(decide_until(pair, pace, begun, time, due.clone()));
        }
        let brought = tasks.join_all().await;
        let elapsed = begun.elapsed();
        let (server, clients) = (
            self.server.process.processor_time().saturating_sub(before.0),
            own.processor_time().saturating_sub(before.1),
        );
        let (mut whole, mut decision) = (histogram(), histogram());
        for one in brought {
            whole.add(one.whole).expect("one kind of histogram");
            decision.add(one.decision).expect("one kind of histogram");
            one.receipts.into_iter().for_each(|receipts| self.evidence.add(&self.server.trust, receipts));
            one.wrong.into_iter().for_each(|words| self.evidence.fail(words));
            self.pairs.push(one.pair);
        }
        let (verifying, signing) = self.bare.verifying_and_signing();
        let made = whole.len().max(1) as f64;
        let each = |time: Duration| time.as_secs_f64() * 1000.0 / made;
        Round {
            per_second: whole.len() as f64 / elapsed.as_secs_f64(),
            server: each(server),
            clients: each(clients),
            verifying,
            signing,
            whole,
            decision,
        }
    }
}

/// Makes one decision after the other; after a failure no more.
async fn decide_until(mut pair: Pair, pace: Pace, begun: Instant, time: Duration, next: Arc<AtomicU64>) -> Brought {
    let (mut whole, mut decision) = (histogram(), histogram());
    let (mut receipts, mut wrong) = (Vec::new(), None);
    loop {
        let due = match pace {
            Pace::AtOnce => Instant::now(),
            Pace::PerSecond(rate) => {
                begun + Duration::from_secs_f64(next.fetch_add(1, Ordering::Relaxed) as f64 / rate)
            }
        };
        if due >= begun + time {
            break;
        }
        tokio::time::sleep_until(due.into()).await;
        match pair.decide(NEXT.fetch_add(1, Ordering::Relaxed)).await {
            Ok(Made { decision: took, receipts: given }) => {
                record(&mut whole, due.elapsed());
                record(&mut decision, took);
                receipts.push(given);
            }
            Err(words) => {
                wrong = Some(words);
                break;
            }
        }
    }
    Brought { pair, whole, decision, receipts, wrong }
}

fn record(histogram: &mut Histogram<u64>, time: Duration) {
    histogram.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
}

/// Three digits, from a microsecond to a minute.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("a histogram")
}

/// Of whole decisions, in milliseconds.
fn quantile(rounds: &[Round], quantile: f64) -> f64 {
    median(rounds, |round| round.whole.value_at_quantile(quantile) as f64 / 1000.0)
}

fn median(rounds: &[Round], of: impl Fn(&Round) -> f64) -> f64 {
    let mut figures: Vec<f64> = rounds.iter().map(of).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
