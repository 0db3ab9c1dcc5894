//! Logs made by hand, whole and with one thing wrong at a time, and where the audit finds it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on stops")]

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use merkle::{Tile, leaf_hash, root, tiles_changed};
use verifier::bundle::encode_bundle;
use verifier::checkpoint::Checkpoint;
use verifier::names::Username;
use verifier::note::SignerKey;
use verifier::trust::Trust;
use verifier::webauthn::PureRust;

use super::*;
use crate::reader::{ReadError, Resource};
use crate::rules::Rule;
use crate::rules::made::{LOG, Logged as _, Passkey, consumed, trust};
use crate::signed::{SignedHead, SignedHeadError};

const ALEX: Passkey = Passkey("alex", 0x21);
const SAM: Passkey = Passkey("sam", 0x22);
/// Sizes around the borders of bundles.
const SIZES: [u64; 7] = [0, 1, 255, 256, 257, 513, 1_000];

/// A log's resources, of which some may be changed, and how many were read.
#[derive(Default)]
struct Log {
    resources: HashMap<Resource, Vec<u8>>,
    /// Answered as by a server that is away.
    away: Option<Resource>,
    head: Option<Head>,
    reads: AtomicU64,
}

impl LogReader for Log {
    fn read(&self, resource: Resource) -> Result<Vec<u8>, ReadError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if self.away == Some(resource) {
            return Err(ReadError::Unavailable { resource, reason: "the server is away".into() });
        }
        self.resources.get(&resource).cloned().ok_or(ReadError::NotFound(resource))
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}

impl Log {
    fn of(entries: &[Vec<u8>]) -> Self {
        let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let size = TreeSize::new(entries.len() as u64);
        let mut log = Self { head: Some(Head { size, root: root(&leaves) }), ..Self::default() };
        for tile in tiles_changed(TreeSize::ZERO, size) {
            let first = usize::try_from(tile.index).unwrap() * 256;
            let each = 256_usize.pow(u32::from(tile.level));
            let hashes = leaves.chunks(each).skip(first).take(usize::from(tile.width)).map(root);
            let bytes = hashes.flat_map(|hash| *hash.as_bytes()).collect();
            log.resources.insert(Resource::Hashes(tile), bytes);
            if tile.level == 0 {
                let bundle = encode_bundle(&entries[first..first + usize::from(tile.width)]).unwrap();
                log.resources.insert(Resource::Entries(tile), bundle);
            }
        }
        log
    }

    fn bytes(&mut self, resource: Resource) -> &mut Vec<u8> {
        self.resources.get_mut(&resource).expect("the log has this resource")
    }

    fn audit_on(&self, trust: &Trust, threads: usize, max_findings: usize) -> Report {
        let threads = NonZeroUsize::new(threads).unwrap();
        let audit = Audit {
            reader: self,
            head: self.head.unwrap(),
            pins: Pins::new(trust, LOG),
            primitive: &PureRust,
            options: Options { max_findings, ..Options::of(threads) },
        };
        let mut entries = 0;
        let report = audit.run(|progress| {
            assert!(progress.entries > entries || self.away.is_some(), "progress goes on");
            entries = progress.entries;
        });
        if report.stopped.is_none() {
            assert_eq!(entries, self.head.unwrap().size.get(), "progress ends at the end");
        }
        report
    }

    /// The report, the same with one thread and with four.
    #[track_caller]
    fn audit(&self) -> Report {
        let report = self.audit_on(&trust(), 1, 1_000);
        assert_eq!(self.audit_on(&trust(), 4, 1_000), report);
        report
    }

    /// What is found, in words; and that it does not pass.
    #[track_caller]
    fn found(&self) -> Vec<String> {
        let report = self.audit();
        assert!(!report.passed());
        report.findings.iter().map(ToString::to_string).collect()
    }
}

/// Entries of another service, and ours among them from some index on.
fn raw(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|n| format!("entry {n}").into_bytes()).collect()
}

fn hashes(level: u8, index: u64, width: u16) -> Resource {
    Resource::Hashes(Tile { level, index, width })
}

fn entries(index: u64, width: u16) -> Resource {
    Resource::Entries(Tile { level: 0, index, width })
}

#[track_caller]
fn assert_words(found: &[String], expected: &[&str]) {
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "no {expected:?} in {found:?}");
    }
}

#[test]
fn good_logs_of_all_sizes_pass_and_each_resource_is_read_once() {
    for size in SIZES {
        let log = Log::of(&raw(size));
        let report = log.audit_on(&trust(), 2, 10);
        assert!(report.passed() && report.tree_is_whole(), "{size}: {report:?}");
        assert_eq!(log.reads.load(Ordering::Relaxed), log.resources.len() as u64, "{size}");
        assert_eq!(report.kinds, Kinds { raw: size, ..Kinds::default() });
        let tiles = tiles_changed(TreeSize::ZERO, TreeSize::new(size)).count() as u64;
        assert_eq!((report.tiles, report.rules.get()), (tiles, size));
        assert_eq!(report.bytes, log.resources.values().map(|bytes| bytes.len() as u64).sum::<u64>());
        assert_eq!(log.audit(), Report { ..report });
    }
}

#[test]
fn tiles_of_level_two_are_compared() {
    let mut log = Log::of(&raw(65_536 + 300));
    assert!(log.audit().passed());
    log.bytes(hashes(2, 0, 1))[0] ^= 1;
    let found = log.found();
    assert_words(&found, &["tile/2/000.p/1: its hash 0, over the entries from 0 on, is "]);
    assert!(found[0].contains("and the entries give"), "{found:?}");
    log.bytes(hashes(1, 1, 1))[0] ^= 1;
    assert_words(&log.found(), &["tile/2/000.p/1", "tile/1/001.p/1: its hash 0, over the entries from 65536 on"]);
}

#[test]
fn ours_are_counted_and_their_signatures_verified() {
    let mut log = raw(300);
    log.extend([ALEX.enrolled(1).logged(), SAM.enrolled(1).logged()]);
    log.extend((0..100).map(|n| ALEX.approved(n, 2).logged()));
    log.extend((0..100).map(|n| consumed(n, 3).logged()));
    log.push(ALEX.revoked(4).logged());
    let report = Log::of(&log).audit();
    assert!(report.passed(), "{:?}", report.findings);
    let kinds = Kinds { credentials: 2, revocations: 1, decisions: 100, consumptions: 100, raw: 300, malformed: 0 };
    assert_eq!((report.kinds, report.approvers, report.signatures), (kinds, 2, 100));
}

#[test]
fn a_bit_in_any_entry_is_found_at_that_entry() {
    let size = 600;
    for at in [0, 1, 255, 256, 511, 512, 599] {
        let mut log = Log::of(&raw(size));
        let bundle = entries(at / 256, if at < 512 { 256 } else { 88 });
        let needle = format!("entry {at}");
        let bytes = log.bytes(bundle);
        let position = bytes.windows(needle.len()).position(|found| found == needle.as_bytes()).unwrap();
        bytes[position] ^= 1;
        let expected = format!("entry {at}: {bundle} holds bytes with the leaf hash ");
        let found = log.found();
        assert_words(&found, &[&expected, "the tiles give that root, so the entries were changed"]);
        assert!(!log.audit().tree_is_whole());
    }
}

#[test]
fn a_bit_in_any_tile_is_found_at_that_hash() {
    let leaf = |at: u64, tile: &str| format!("entry {at}: tile/entries/{tile} holds bytes with the leaf hash");
    let above = |at: u64, slot: u64| format!("tile/1/000.p/2: its hash {slot}, over the entries from {at} on");
    for (resource, position, expected) in [
        (hashes(0, 0, 256), 0, leaf(0, "000")),
        (hashes(0, 0, 256), 255 * 32 + 31, leaf(255, "000")),
        (hashes(0, 1, 256), 17 * 32, leaf(273, "001")),
        (hashes(0, 2, 88), 87 * 32, leaf(599, "002.p/88")),
        (hashes(1, 0, 2), 0, above(0, 0)),
        (hashes(1, 0, 2), 63, above(256, 1)),
    ] {
        let mut log = Log::of(&raw(600));
        log.bytes(resource)[position] ^= 1;
        let found = log.found();
        assert_words(&found, &[&expected]);
        assert!(!found[0].contains("further"), "{found:?}");
    }
    let mut log = Log::of(&raw(600));
    log.bytes(hashes(0, 1, 256)).fill(7);
    assert_words(&log.found(), &["(and 255 further ones do not agree)"]);
}

#[test]
fn missing_short_and_long_resources_are_named() {
    let bundle = || encode_bundle(raw(256)).unwrap();
    for (resource, bytes, expected) in [
        (entries(0, 256), None, "entries from 0 on: tile/entries/000: the log does not have it"),
        (hashes(0, 1, 256), None, "entries from 256 on: tile/0/001: the log does not have it"),
        (hashes(1, 0, 2), None, "entries from 0 on: tile/1/000.p/2: the log does not have it"),
        (hashes(0, 2, 88), None, "entries from 512 on: tile/0/002.p/88: the log does not have it"),
        (hashes(1, 0, 2), Some(vec![0; 96]), "tile/1/000.p/2: 3 hashes where the width is 2"),
        (hashes(0, 0, 256), Some(vec![0; 255 * 32]), "tile/0/000: 255 hashes where the width is 256"),
        (hashes(0, 0, 256), Some(vec![0; 7]), "tile/0/000: 7 bytes are not a number of whole hashes"),
        (entries(0, 256), Some(encode_bundle(raw(255)).unwrap()), "entry 255: tile/entries/000: 255 items"),
        (entries(0, 256), Some([bundle(), vec![0, 0]].concat()), "entry 256: tile/entries/000: 257 items"),
        (entries(0, 256), Some([bundle(), vec![0]].concat()), "entry 256: tile/entries/000: the bundle ends inside"),
        (entries(1, 256), Some(bundle()[..40].to_vec()), "entry 260: tile/entries/001: the bundle ends inside entry 4"),
    ] {
        let mut log = Log::of(&raw(600));
        match bytes {
            Some(bytes) => *log.bytes(resource) = bytes,
            None => _ = log.resources.remove(&resource),
        }
        assert_words(&log.found(), &[expected]);
        let report = log.audit();
        assert!(report.root.is_some() && !report.tree_is_whole(), "the rest of the tree gives the root");
    }
}

#[test]
fn what_is_missing_on_both_sides_leaves_no_root() {
    let mut log = Log::of(&raw(600));
    log.resources.remove(&entries(1, 256));
    log.resources.remove(&hashes(0, 1, 256));
    log.bytes(hashes(0, 2, 88))[0] ^= 1;
    assert_words(
        &log.found(),
        &["tile/0/001: the log", "tile/entries/001: the log", "entry 512: tile/entries/002.p/88"],
    );
    assert_eq!((log.audit().root, log.audit().rules.get()), (None, 256));
}

#[test]
fn after_entries_that_cannot_be_read_nobody_is_accused() {
    let mut all = raw(255);
    all.push(ALEX.enrolled(1).logged());
    all.push(ALEX.approved(1, 2).logged());
    let mut log = Log::of(&all);
    assert!(log.audit().passed());
    log.resources.remove(&entries(0, 256));
    assert_words(&log.found(), &["tile/entries/000: the log does not have it"]);
    assert_eq!(log.audit().rules.get(), 0);
}

#[test]
fn a_full_tile_may_stand_for_a_partial_one() {
    let mut log = Log::of(&raw(600));
    let longer = Log::of(&raw(768));
    for (partial, full) in [(hashes(0, 2, 88), hashes(0, 2, 256)), (entries(2, 88), entries(2, 256))] {
        log.resources.remove(&partial);
        log.resources.insert(full, longer.resources[&full].clone());
    }
    assert!(log.audit().passed());
}

#[test]
fn a_server_that_is_away_never_passes() {
    for size in [1, 600] {
        for resource in Log::of(&raw(size)).resources.into_keys() {
            let log = Log { away: Some(resource), ..Log::of(&raw(size)) };
            for threads in [1, 4] {
                let report = log.audit_on(&trust(), threads, 10);
                assert!(!report.passed() && !report.tree_is_whole(), "{resource}");
                let Some(stop @ Stop::Unavailable(_)) = report.stopped else { panic!("{resource}: {report:?}") };
                assert!(stop.to_string().contains(&format!("{resource}: the server is away")), "{stop}");
            }
        }
    }
}

#[test]
fn a_head_of_a_size_that_nothing_supports_ends_soon() {
    let mut log = Log::of(&raw(600));
    log.head = Some(Head { size: TreeSize::new(1 << 60), ..log.head.unwrap() });
    for threads in [1, 4] {
        let report = log.audit_on(&trust(), threads, 10);
        assert!(matches!(report.stopped, Some(Stop::TooManyUnreadable(_))) && !report.passed());
        assert_eq!(report.findings.len(), 10);
        assert!(report.more_findings >= 900, "{}", report.more_findings);
    }
}

#[test]
fn another_root_and_another_history_are_found() {
    for size in SIZES {
        let mut log = Log::of(&raw(size));
        let head = log.head.unwrap();
        log.head = Some(Head { root: leaf_hash(b"other"), ..head });
        let found = log.found();
        assert_words(&found, &[&format!("root: the {size} entries have the root {}, the tree head says", head.root)]);
        assert!(found[0].contains("another tree"), "{found:?}");
    }
    // A fork: the signed head is of a tree with another entry in the middle.
    let mut other = raw(600);
    other[300] = b"another entry".to_vec();
    let log = Log { head: Log::of(&other).head, ..Log::of(&raw(600)) };
    assert_words(&log.found(), &["no tile gives it either"]);
    // One entry fewer than is there is a prefix, and one more is missing.
    let mut log = Log::of(&raw(600));
    log.head = Some(Head { size: TreeSize::new(601), ..log.head.unwrap() });
    assert_words(&log.found(), &["tile/0/002.p/89: the log", "tile/entries/002.p/89: the log"]);
}

#[test]
fn an_entry_that_breaks_a_rule_is_found_wherever_it_is() {
    for before in [0, 254, 255, 300] {
        let mut all = raw(before);
        let mut forged = ALEX.approved(1, 2);
        forged.assertion.signature = SAM.approved(1, 2).assertion.signature;
        all.extend([ALEX.enrolled(1).logged(), forged.logged(), ALEX.approved(2, 2).logged(), consumed(9, 3).logged()]);
        let log = Log::of(&all);
        let report = log.audit();
        let at: Vec<u64> = report.findings.iter().map(|finding| finding.index).collect();
        assert_eq!(at, [before + 1, before + 3]);
        let [first, second] = &report.findings[..] else { panic!("two findings") };
        assert!(matches!(&first.what, What::Rule { rule: Rule::Assertion(_), .. }), "{first}");
        assert!(matches!(&second.what, What::Rule { rule: Rule::NotApproved, .. }), "{second}");
        assert!(!report.passed() && report.tree_is_whole());
    }
}

#[test]
fn what_the_trust_file_pins_counts() {
    let log = Log::of(&[ALEX.enrolled(1).logged(), ALEX.approved(1, 2).logged()]);
    let others = BTreeMap::from([(Username::new("alex").unwrap(), vec![SAM.credential()])]);
    let report = log.audit_on(&Trust { approvers: Some(others), ..trust() }, 2, 10);
    let [Finding { index: 1, what: What::Rule { rule: Rule::NotPinned(_), .. } }] = &report.findings[..] else {
        panic!("{:?}", report.findings)
    };
}

#[test]
fn of_many_findings_the_first_are_kept_whatever_the_order() {
    let all: Vec<Vec<u8>> = (0..700).map(|n| format!("countersign/no such type {n}").into_bytes()).collect();
    let log = Log::of(&all);
    for threads in [1, 4] {
        let report = log.audit_on(&trust(), threads, 300);
        assert_eq!(
            report.findings.iter().map(|finding| finding.index).collect::<Vec<_>>(),
            (0..300).collect::<Vec<_>>()
        );
        assert_eq!((report.more_findings, report.kinds.malformed), (400, 700));
        assert!(!report.passed() && report.tree_is_whole());
    }
    assert!(!log.audit_on(&trust(), 1, 0).passed(), "without a place for findings");
}

#[test]
fn a_panic_of_a_worker_is_passed_on() {
    struct Broken;
    impl LogReader for Broken {
        fn read(&self, _: Resource) -> Result<Vec<u8>, ReadError> {
            panic!("a broken reader")
        }
        fn place(&self) -> String {
            String::new()
        }
    }
    let audit = Audit {
        reader: &Broken,
        head: Log::of(&raw(600)).head.unwrap(),
        pins: Pins::new(&trust(), LOG),
        primitive: &PureRust,
        options: Options::of(NonZeroUsize::new(2).unwrap()),
    };
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| audit.run(|_| ())));
    assert!(ended.is_err());
}

#[test]
fn a_head_is_accepted_from_a_pinned_key_alone() {
    let key = |name: &str, seed: u8| SignerKey::from_seed(name, &[seed; 32]).unwrap();
    let (ours, second, other) = (key(LOG, 1), key(LOG, 2), key("example.org/log", 1));
    let checkpoint = Checkpoint { log_origin: LOG.into(), size: TreeSize::new(1), root: leaf_hash(b"") };
    let signed = checkpoint.sign(&ours);
    let open = |text: &str| SignedHead::open(text.as_bytes(), &trust());
    assert_eq!(open(&signed), Ok(SignedHead { checkpoint: checkpoint.clone(), note: signed.clone() }));
    assert!(matches!(open(&checkpoint.sign(&second)), Err(SignedHeadError::OtherKey(_))));
    assert!(matches!(open(&checkpoint.to_text()), Err(SignedHeadError::Checkpoint(_))));
    assert!(matches!(open(&signed.replacen("log\n1\n", "log\n2\n", 1)), Err(SignedHeadError::BadSignature(_))));
    let elsewhere = Checkpoint { log_origin: other.verifier_key().name().into(), ..checkpoint.clone() };
    let error = open(&elsewhere.sign(&other)).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"the checkpoint is of the log "example.org/log", and the trust file pins "approvals.example.com/log""#
    );
    let two = Trust { logs: vec![second.verifier_key(), ours.verifier_key()], ..trust() };
    assert!(SignedHead::open(signed.as_bytes(), &two).is_ok());
    let witnessed = Trust { witness_quorum: 1, ..trust() };
    let alone = open(&signed).unwrap();
    assert_eq!(alone.witnesses(&trust()), Ok(0));
    let missing = SignedHeadError::Witnesses { size: TreeSize::new(1), given: 0, needed: 1 };
    assert_eq!(alone.witnesses(&witnessed), Err(missing));
}
