//! The log beside what bounds it, measured in the same run: RocksDB alone writing the same bytes, and a bare HTTP handler
//! that reads the same body. `make bench-log` prints one table; ratios mean more than figures on a machine that is shared.

#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a benchmark that cannot begin must stop, and its figures have three digits"
)]

mod bounds;
mod disk;
mod in_process;
mod over_http;
mod reads;
mod size;
mod table;

use std::time::{Duration, Instant};

use clap::Parser;
use table::Table;

/// An entry is about as large as a decision.
const ENTRY: usize = 600;

/// Measures the log.
#[derive(Parser)]
struct Arguments {
    /// How often each pair of figures is taken, in turns; the medians are printed.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each takes, in milliseconds.
    #[arg(long, default_value_t = 1000)]
    millis: u64,
    /// How many entries the log has when its restart and its size are measured.
    #[arg(long, default_value_t = 1_000_000)]
    entries: u64,
    /// Only these parts: disk, appends, http, reads, size.
    #[arg(long)]
    only: Vec<String>,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// How a figure is taken.
#[derive(Clone, Copy)]
struct Rounds {
    count: usize,
    time: Duration,
}

fn main() {
    let arguments = Arguments::parse();
    let rounds = Rounds { count: arguments.rounds, time: Duration::from_millis(arguments.millis) };
    let wanted = |part: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == part);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut table = Table::default();
    if wanted("disk") {
        disk::measure(rounds, &mut table);
    }
    if wanted("appends") {
        in_process::measure(&runtime, rounds, &mut table);
    }
    if wanted("http") {
        runtime.block_on(over_http::measure(rounds, &mut table));
    }
    if wanted("reads") {
        runtime.block_on(reads::measure(rounds, &mut table));
    }
    if wanted("size") {
        size::measure(&runtime, arguments.entries, &mut table);
    }
    println!("{table}");
}

impl Rounds {
    /// The medians of two figures that are taken in turns, so that what else the machine does weighs on both.
    fn medians(self, mut one: impl FnMut() -> f64, mut other: impl FnMut() -> f64) -> (f64, f64) {
        let pairs: Vec<(f64, f64)> = (0..self.count).map(|_| (one(), other())).collect();
        (median(pairs.iter().map(|pair| pair.0)), median(pairs.iter().map(|pair| pair.1)))
    }
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// An entry that was never appended before, by its number.
fn entry(number: u64) -> Vec<u8> {
    let mut bytes = vec![b'.'; ENTRY];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn per_second(count: u64, since: Instant) -> f64 {
    count as f64 / since.elapsed().as_secs_f64()
}
