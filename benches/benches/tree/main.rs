//! The tree of RFC 6962 beside the bare hashes that it needs, and beside two other crates that do the same work in the
//! same run: the root, appending, and proofs made and checked, from memory and from tiles. `benches/tree.py` runs it and
//! prints the ratios. Sizes: `TREE_SIZES`, or else 1,000, 1,000,000 and 2^24.
//!
//! Entries have 32 bytes. Every way to the root starts from the entries, and every check of an inclusion proof from the
//! entry, since `ct-merkle` knows no other; so one leaf hash is in each of them, and in the bare hashes too.

#![allow(clippy::expect_used, reason = "a benchmark that cannot begin must stop")]

mod bare;
mod cpu_time;
mod ct;
mod ours;
mod tiles;
mod tlog;

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::Measurement;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode};

use crate::bare::Links;
use crate::cpu_time::CpuTime;
use crate::ct::CtMerkle;
use crate::ours::Ours;
use crate::tlog::TlogTiles;

/// What is appended.
pub(crate) type Entry = [u8; 32];

/// A crate in the comparison.
pub(crate) trait Subject {
    const NAME: &str;
    type Prover<'a>: Prover
    where
        Self: 'a;

    /// The tree with every node kept, as its proofs need it.
    fn build(entries: &[Entry]) -> Self;
    fn prover(&self) -> Self::Prover<'_>;
}

/// Its proofs, made and checked, in its own types.
pub(crate) trait Prover {
    type Inclusion;
    type Consistency;
    type Root;

    fn root(&self) -> [u8; 32];
    fn inclusion(&self, index: u64) -> Self::Inclusion;
    fn inclusion_holds(&self, index: u64, entry: &Entry, proof: &Self::Inclusion) -> bool;
    fn consistency(&self, from: u64) -> Self::Consistency;
    /// A root in the form that the check takes.
    fn old_root(&self, from: u64, root: [u8; 32]) -> Self::Root;
    fn consistency_holds(&self, from: u64, old: &Self::Root, proof: &Self::Consistency) -> bool;
}

type Group<'a> = BenchmarkGroup<'a, CpuTime>;

/// How many leaves and how many older sizes the proofs are about, in turns.
const QUESTIONS: usize = 512;

fn main() {
    let sizes = std::env::var("TREE_SIZES").unwrap_or_else(|_| "1000,1000000,16777216".to_owned());
    let mut criterion = Criterion::default()
        .with_measurement(CpuTime)
        .without_plots()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .configure_from_args();
    for size in sizes.split(',') {
        let size: usize = size.parse().expect("TREE_SIZES is numbers with commas between");
        let entries: Vec<Entry> = (0..size as u64).map(entry).collect();
        roots(&mut criterion, &entries);
        appends(&mut criterion, &entries);
        proofs(&mut criterion, &entries);
    }
    criterion.final_summary();
}

fn entry(n: u64) -> Entry {
    let mut entry = [0x5a; 32];
    entry[..8].copy_from_slice(&n.to_be_bytes());
    entry
}

fn roots(criterion: &mut Criterion<CpuTime>, entries: &[Entry]) {
    let mut group = group(criterion, "root", 10);
    let size = entries.len();
    bench(&mut group, "bare", size, || bare::leaves(size) ^ bare::nodes(size - 1));
    bench(&mut group, "merkle", size, || ours::root_by_batches(entries));
    bench(&mut group, "merkle-kept", size, || Ours::build(entries).prover().root());
    bench(&mut group, TlogTiles::NAME, size, || TlogTiles::build(entries).prover().root());
    bench(&mut group, CtMerkle::NAME, size, || CtMerkle::build(entries).prover().root());
    group.finish();
}

/// Leaf hashes appended, so that only inner nodes are hashed.
fn appends(criterion: &mut Criterion<CpuTime>, entries: &[Entry]) {
    let mut group = group(criterion, "append", 10);
    let size = entries.len();
    let leaves = merkle::leaf_hashes(entries);
    bench(&mut group, "bare", size, || bare::nodes(size - 1));
    bench(&mut group, "merkle", size, || ours::root_of_leaf_hashes(&leaves, leaves.len()));
    bench(&mut group, "merkle-batches-of-100", size, || ours::root_of_leaf_hashes(&leaves, 100));
    bench(&mut group, "merkle-batches-of-100-reported", size, || ours::root_reported(&leaves, 100));
    bench(&mut group, "merkle-one-by-one", size, || ours::root_one_by_one(&leaves));
    group.finish();
}

fn proofs(criterion: &mut Criterion<CpuTime>, entries: &[Entry]) {
    let size = entries.len();
    let asked = Questions::new(entries);
    let ours = Ours::build(entries);
    bare_checks(criterion, size, &asked);
    both_proofs(criterion, entries, &asked, Ours::NAME, &ours.prover());
    {
        let tiles = tiles::Rows::of(&ours.tree);
        let root = Prover::root(&ours.prover());
        from_tiles(criterion, size, &asked, &tiles, root);
    }
    drop(ours);
    both_proofs(criterion, entries, &asked, TlogTiles::NAME, &TlogTiles::build(entries).prover());
    both_proofs(criterion, entries, &asked, CtMerkle::NAME, &CtMerkle::build(entries).prover());
}

fn bare_checks(criterion: &mut Criterion<CpuTime>, size: usize, asked: &Questions) {
    let inclusion: Vec<Links> = asked.indexes.iter().map(|&index| bare::inclusion_links(index, size as u64)).collect();
    let consistency: Vec<Links> =
        asked.olds.iter().map(|(from, _)| bare::consistency_links(*from, size as u64)).collect();
    let mut turn = Turn::default();
    let mut group = group(criterion, "inclusion-checked", 100);
    bench(&mut group, "bare", size, || bare::leaves(1) ^ bare::chains(inclusion[turn.next()]));
    group.finish();
    let mut group = self::group(criterion, "consistency-checked", 100);
    bench(&mut group, "bare", size, || bare::chains(consistency[turn.next()]));
    group.finish();
}

fn both_proofs<P: Prover>(
    criterion: &mut Criterion<CpuTime>,
    entries: &[Entry],
    asked: &Questions,
    name: &str,
    it: &P,
) {
    let size = entries.len();
    let mut turn = Turn::default();
    let entry = |index: u64| &entries[usize::try_from(index).expect("an index of a slice")];

    let proofs: Vec<_> = asked.indexes.iter().map(|&index| (index, it.inclusion(index))).collect();
    let mut group = group(criterion, "inclusion-made", 100);
    bench(&mut group, name, size, || it.inclusion(asked.indexes[turn.next()]));
    group.finish();
    let mut group = self::group(criterion, "inclusion-checked", 100);
    bench(&mut group, name, size, || {
        let (index, proof) = &proofs[turn.next()];
        assert!(it.inclusion_holds(*index, entry(*index), proof), "{name}: leaf {index}");
    });
    group.finish();

    let proofs: Vec<_> =
        asked.olds.iter().map(|(from, root)| (*from, it.old_root(*from, *root), it.consistency(*from))).collect();
    let mut group = self::group(criterion, "consistency-made", 100);
    bench(&mut group, name, size, || it.consistency(asked.olds[turn.next()].0));
    group.finish();
    let mut group = self::group(criterion, "consistency-checked", 100);
    bench(&mut group, name, size, || {
        let (from, old, proof) = &proofs[turn.next()];
        assert!(it.consistency_holds(*from, old, proof), "{name}: from {from}");
    });
    group.finish();
}

fn from_tiles(criterion: &mut Criterion<CpuTime>, size: usize, asked: &Questions, tiles: &tiles::Rows, root: [u8; 32]) {
    let mut turn = Turn::default();
    let mut group = group(criterion, "inclusion-made-from-tiles", 100);
    bench(&mut group, Ours::NAME, size, || ours::inclusion_from_tiles(asked.indexes[turn.next()], size, tiles));
    bench(&mut group, TlogTiles::NAME, size, || {
        tlog::inclusion_from_tiles(asked.indexes[turn.next()], size, root, tiles)
    });
    group.finish();
    let mut group = self::group(criterion, "consistency-made-from-tiles", 100);
    bench(&mut group, Ours::NAME, size, || ours::consistency_from_tiles(asked.olds[turn.next()].0, size, tiles));
    bench(&mut group, TlogTiles::NAME, size, || {
        tlog::consistency_from_tiles(asked.olds[turn.next()].0, size, root, tiles)
    });
    group.finish();
}

fn group<'a>(criterion: &'a mut Criterion<CpuTime>, name: &str, samples: usize) -> Group<'a> {
    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat).sample_size(samples);
    group
}

fn bench<M: Measurement, T>(group: &mut BenchmarkGroup<'_, M>, name: &str, size: usize, mut work: impl FnMut() -> T) {
    group.bench_function(BenchmarkId::new(name, size), |bencher| bencher.iter(|| black_box(work())));
}

/// What the proofs are about: the same for every crate.
struct Questions {
    indexes: Vec<u64>,
    /// Older trees with their roots.
    olds: Vec<(u64, [u8; 32])>,
}

impl Questions {
    fn new(entries: &[Entry]) -> Self {
        let size = entries.len() as u64;
        // The multiplier of Knuth's MMIX spreads them; any would do.
        let spread = |n: usize| (n as u64 + 1).wrapping_mul(6_364_136_223_846_793_005).rotate_right(31);
        let tree = Ours::build(entries);
        let old = |n: usize| {
            let from = 1 + spread(n) % (size - 1);
            (from, tree.root_at(from))
        };
        Self { indexes: (0..QUESTIONS).map(|n| spread(n) % size).collect(), olds: (0..QUESTIONS).map(old).collect() }
    }
}

/// Counts the questions around and around.
#[derive(Default)]
struct Turn(usize);

impl Turn {
    fn next(&mut self) -> usize {
        self.0 = (self.0 + 1) % QUESTIONS;
        self.0
    }
}
