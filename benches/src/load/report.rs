//! What came of it: how many, how fast, how slow, and every wrong answer in words.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use merkle::TreeSize;

use super::Trouble;

/// How many wrong answers are told in words; all are counted.
const TOLD: usize = 10;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names of the rows")]
pub enum Kind {
    Append,
    Duplicate,
    Inclusion,
    Consistency,
    Malformed,
}

/// The outcome of a run.
#[derive(Debug)]
pub struct Report {
    pub(super) tally: Tally,
    pub(super) elapsed: Duration,
    pub(super) size: TreeSize,
}

/// What one client counts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Latencies in microseconds of what was answered as it should be.
    latencies: BTreeMap<Kind, Histogram<u64>>,
    /// Requests without an answer that counts, by why.
    unanswered: BTreeMap<String, u64>,
    wrong: u64,
    told: Vec<String>,
}

impl Report {
    /// Whether everything that was answered was right.
    pub fn is_right(&self) -> bool {
        self.tally.wrong == 0
    }

    /// How many requests of a kind were answered as they should be.
    pub fn count(&self, kind: Kind) -> u64 {
        self.tally.latencies.get(&kind).map_or(0, Histogram::len)
    }
}

impl Tally {
    /// How long a request takes, and what comes of it.
    pub(super) async fn timed<T>(&self, request: impl Future<Output = T>) -> (Duration, T) {
        let begun = Instant::now();
        let done = request.await;
        (begun.elapsed(), done)
    }

    /// Counts a request; gives back what kept it from being answered.
    pub(super) fn record(&mut self, kind: Kind, (took, done): (Duration, Result<(), Trouble>)) -> Option<Trouble> {
        let trouble = match done {
            Ok(()) => {
                let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                self.latencies.entry(kind).or_insert_with(histogram).saturating_record(micros);
                return None;
            }
            Err(trouble) => trouble,
        };
        if matches!(trouble, Trouble::Wrong(_)) {
            self.wrong += 1;
            self.told.push(trouble.to_string());
            self.told.truncate(TOLD);
        } else {
            *self.unanswered.entry(trouble.to_string()).or_default() += 1;
        }
        Some(trouble)
    }

    pub(super) fn add(&mut self, other: Self) {
        for (kind, latencies) in other.latencies {
            let Ok(()) = self.latencies.entry(kind).or_insert_with(histogram).add(latencies) else {
                unreachable!("all histograms are of one kind")
            };
        }
        for (why, count) in other.unanswered {
            *self.unanswered.entry(why).or_default() += count;
        }
        self.wrong += other.wrong;
        self.told.extend(other.told);
        self.told.truncate(TOLD);
    }
}

/// Three digits, from a microsecond to a minute.
fn histogram() -> Histogram<u64> {
    let Ok(histogram) = Histogram::new_with_bounds(1, 60_000_000, 3) else { unreachable!("these bounds are allowed") };
    histogram
}

#[allow(clippy::cast_precision_loss, reason = "figures of three digits")]
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "request      answered         /s    p50 ms    p90 ms    p99 ms    max ms")?;
        for (kind, latencies) in &self.tally.latencies {
            let rate = latencies.len() as f64 / self.elapsed.as_secs_f64();
            write!(f, "{:<11} {:>9} {rate:>10.0}", format!("{kind:?}").to_lowercase(), latencies.len())?;
            for quantile in [0.5, 0.9, 0.99, 1.0] {
                write!(f, "{:>10.2}", latencies.value_at_quantile(quantile) as f64 / 1000.0)?;
            }
            writeln!(f)?;
        }
        for (why, count) in &self.tally.unanswered {
            writeln!(f, "not answered: {count} ({why})")?;
        }
        writeln!(f, "the log is proved up to {} entries; {:.1} s", self.size, self.elapsed.as_secs_f64())?;
        writeln!(f, "wrong answers: {}", self.tally.wrong)?;
        self.tally.told.iter().try_for_each(|words| writeln!(f, "  {words}"))
    }
}
