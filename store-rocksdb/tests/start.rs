//! Damage and copies as a starting server meets them: it refuses whatever would make it sign another history.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code, reason = "the crash tests use the rest")]
#[path = "crash/journal.rs"]
mod journal;
#[allow(dead_code, reason = "the crash tests use the rest")]
#[path = "crash/report.rs"]
mod report;
#[path = "crash/server.rs"]
mod server;
#[allow(dead_code, reason = "the crash tests use the rest")]
#[path = "crash/told.rs"]
mod told;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use log_server::anchor::{AnchorError, FILE};
use log_server::app::App;
use log_server::start::{StartError, Started};
use log_server::store::{Batch, Store as _};
use report::Row;
use server::{Failure, Place};
use store_rocksdb::{OpenError, RocksStore};
use tempfile::TempDir;
use told::Checked;

#[test]
fn an_older_copy_of_the_data_is_refused_for_good() {
    let log = TestLog::with(3);
    let copy = log.folder.path().join("copy");
    copy_store(&log.place.data(), &copy);
    log.append(3..5);
    fs::remove_dir_all(log.place.data()).unwrap();
    copy_store(&copy, &log.place.data());
    for _ in 0..2 {
        let words = log.refusal();
        assert!(
            words.contains("3 entries") && words.contains("5 were signed") && words.contains("older copy"),
            "{words}"
        );
    }
}

/// The same data under a foreign anchor of the right size is another log's.
#[test]
fn the_data_of_another_history_is_refused() {
    let log = TestLog::with(3);
    let other = TestLog::default();
    other.append(10..13);
    fs::remove_dir_all(log.place.data()).unwrap();
    copy_store(&other.place.data(), &log.place.data());
    let words = log.refusal();
    assert!(words.contains("have the root") && words.contains("another log"), "{words}");
}

#[test]
fn a_lost_store_is_not_made_anew() {
    let log = TestLog::with(3);
    fs::remove_dir_all(log.place.data()).unwrap();
    for _ in 0..2 {
        let words = log.refusal();
        assert!(words.contains("data directory is empty") && words.contains("3 entries"), "{words}");
    }
}

#[test]
fn a_lost_anchor_is_not_made_anew() {
    let log = TestLog::with(3);
    fs::remove_dir_all(log.place.anchor()).unwrap();
    for _ in 0..2 {
        let words = log.refusal();
        assert!(words.contains("3 entries") && words.contains("anchor is missing"), "{words}");
    }
}

/// A first start that was interrupted left an anchor of the empty log; the next one finishes.
#[test]
fn an_anchor_of_the_empty_log_promises_nothing() {
    let log = TestLog::with(0);
    fs::remove_dir_all(log.place.data()).unwrap();
    let started = log.start().unwrap();
    assert!(started.first_start);
    stop(started);
    log.append(0..2);
}

#[test]
fn two_servers_on_one_anchor_cannot_both_run() {
    let log = TestLog::with(3);
    let copy = log.folder.path().join("second");
    copy_store(&log.place.data(), &copy.join("data"));
    let first = log.start().unwrap();
    std::os::unix::fs::symlink(log.place.anchor(), copy.join("anchor")).unwrap();
    let error = refused(Place::new(&copy).start(Box::new(|_| ())));
    assert!(matches!(error, StartError::Anchor(AnchorError::Locked(_))) && error.is_permanent(), "{error}");
    assert!(error.to_string().contains("another server is running"), "{error}");
    // The same directory is held by its store.
    let error = log.start().map(|_| ()).unwrap_err();
    assert!(matches!(&error, Failure::Store(OpenError::Locked { .. })), "{error}");
    stop(first);
    stop(log.start().unwrap());
}

/// RocksDB takes a cut write-ahead log for a torn one and opens it; the anchor knows what was signed.
#[test]
fn a_cut_write_ahead_log_never_loses_what_was_signed() {
    let mut row = Row::new("write-ahead log cut anywhere");
    let log = TestLog::with(0);
    log.append(0..3);
    let wal = newest(&log.place.data(), "log");
    let whole = fs::read(&wal).unwrap();
    for left in (0..whole.len()).step_by(whole.len() / 50) {
        let copy = TestLog::copy_of(&log);
        fs::write(newest(&copy.place.data(), "log"), &whole[..left]).unwrap();
        let words = copy.refusal();
        assert!(
            words.contains("older copy") || words.contains("data directory is empty"),
            "{left} bytes left: {words}"
        );
        row.refused();
    }
}

/// The tail that a kill can leave was answered to nobody: the anchor is behind it, and the log goes on.
#[test]
fn a_torn_tail_that_nobody_was_told_of_is_dropped() {
    let mut row = Row::new("write-ahead log with a torn tail");
    let log = TestLog::with(3);
    let before = fs::read(log.place.anchor().join(FILE)).unwrap();
    log.append(3..5);
    fs::write(log.place.anchor().join(FILE), before).unwrap();
    let wal = newest(&log.place.data(), "log");
    let whole = fs::read(&wal).unwrap();
    for cut in [1, 7, 100] {
        let copy = TestLog::copy_of(&log);
        fs::write(newest(&copy.place.data(), "log"), &whole[..whole.len() - cut]).unwrap();
        let started = copy.start().unwrap();
        assert!((3..5).contains(&started.app.log.published().head.size.get()), "{cut} bytes cut");
        stop(started);
        row.runs += 1;
        row.checked(copy.check(3));
        copy.append(5..7);
    }
}

#[test]
fn a_flipped_byte_in_the_middle_of_the_write_ahead_log_does_not_open() {
    let mut row = Row::new("write-ahead log with a flipped byte");
    let log = TestLog::with(0);
    log.append(0..5);
    flip(&newest(&log.place.data(), "log"), &entry(1));
    for _ in 0..2 {
        let error = log.start().map(|_| ()).unwrap_err();
        assert!(matches!(&error, Failure::Store(OpenError::Unreadable { .. })), "{error}");
        assert!(error.to_string().contains("damaged"), "{error}");
        row.refused();
    }
}

#[test]
fn a_flipped_byte_in_a_table_stops_the_start() {
    let mut row = Row::new("table (SST) with a flipped byte");
    let log = TestLog::with(5);
    // Opening writes the write-ahead log into a table.
    stop(log.start().unwrap());
    flip(&newest(&log.place.data(), "sst"), &entry(2));
    let error = refused(log.start());
    assert!(matches!(error, StartError::Store(_)) && error.is_permanent(), "{error}");
    assert!(error.to_string().contains("checksum mismatch"), "{error}");
    row.refused();
}

/// A flip that came before the store made its checksum: a start computes again what was written last.
#[test]
fn a_flipped_bit_in_any_entry_tile_or_head_stops_the_start() {
    let mut row = Row::new("entry, tile or head with a flipped bit");
    let log = TestLog::with(3);
    for (key, value) in records(&log.place) {
        if !(key.starts_with(b"e") || key.starts_with(b"t") || key == b"!head") {
            continue;
        }
        for byte in (0..value.len()).step_by(9) {
            let copy = TestLog::copy_of(&log);
            let mut changed = value.clone();
            changed[byte] ^= 1 << (byte % 8);
            change(&copy.place, &key, &changed);
            let error = refused(copy.start());
            assert!(error.is_permanent(), "{} byte {byte}: {error}", key.escape_ascii());
            row.refused();
        }
    }
    assert!(row.runs >= 30, "only {} flips: the entries, tiles and the head are kept elsewhere", row.runs);
}

#[test]
fn a_lost_file_of_the_store_is_refused() {
    let mut row = Row::new("file of the store lost");
    for ending in ["sst", "log", "CURRENT", "MANIFEST"] {
        let log = TestLog::with(3);
        // Opening writes the write-ahead log into a table, and the appends after it into a new log.
        log.append(3..5);
        fs::remove_file(newest(&log.place.data(), ending)).unwrap();
        for _ in 0..2 {
            match log.start().map(|_| ()).unwrap_err() {
                Failure::Store(error) => assert!(matches!(error, OpenError::Unreadable { .. }), "{ending}: {error}"),
                Failure::Start(error) => assert!(error.is_permanent(), "{ending}: {error}"),
            }
            row.refused();
        }
    }
}

/// Single files of an older copy among the newer ones, as a restore that went wrong leaves them.
#[test]
fn an_older_file_of_the_store_is_refused_or_loses_nothing() {
    let mut row = Row::new("older MANIFEST or CURRENT among newer files");
    for names in [&["CURRENT"][..], &["MANIFEST"], &["CURRENT", "MANIFEST"]] {
        let log = TestLog::with(3);
        let older = TestLog::copy_of(&log);
        // Each start makes new tables and a new manifest.
        (3..6).for_each(|number| log.append(number..number + 1));
        for name in names {
            let file = newest(&older.place.data(), name);
            fs::copy(&file, log.place.data().join(file.file_name().unwrap())).unwrap();
        }
        row.runs += 1;
        match log.start() {
            Ok(started) => {
                stop(started);
                row.checked(log.check(6));
            }
            Err(Failure::Start(error)) => {
                assert!(error.is_permanent(), "{names:?}: {error}");
                row.refusals += 1;
            }
            Err(Failure::Store(error)) => {
                assert!(matches!(error, OpenError::Unreadable { .. }), "{names:?}: {error}");
                row.refusals += 1;
            }
        }
    }
}

#[test]
fn a_damaged_anchor_is_refused() {
    let mut row = Row::new("damaged anchor");
    let log = TestLog::with(3);
    let file = log.place.anchor().join(FILE);
    let whole = fs::read(&file).unwrap();
    let other_lines = whole.iter().map(|byte| if *byte == b'3' { b'4' } else { *byte }).collect();
    for damaged in [Vec::new(), other_lines, whole[..whole.len() - 1].to_owned(), whole[..40].to_owned()] {
        fs::write(&file, damaged).unwrap();
        let error = refused(log.start());
        assert!(matches!(error, StartError::Anchor(AnchorError::Damaged(_))) && error.is_permanent(), "{error}");
        row.refused();
    }
    fs::write(&file, whole).unwrap();
    log.append(3..4);
    row.checked(log.check(4));
}

/// A log in a folder of its own.
struct TestLog {
    folder: TempDir,
    place: Place,
}

impl Default for TestLog {
    fn default() -> Self {
        let folder = TempDir::new().unwrap();
        let place = Place::new(folder.path());
        Self { folder, place }
    }
}

impl TestLog {
    /// A stopped log of so many entries.
    fn with(entries: u32) -> Self {
        let log = Self::default();
        log.append(0..entries);
        log
    }

    fn copy_of(other: &Self) -> Self {
        let log = Self::default();
        copy_store(&other.place.data(), &log.place.data());
        copy_store(&other.place.anchor(), &log.place.anchor());
        log
    }

    /// Starts the server, appends, each entry in a batch of its own, and stops it.
    fn append(&self, numbers: std::ops::Range<u32>) {
        let started = self.start().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for number in numbers {
            runtime.block_on(started.app.log.append(vec![entry(number)])).unwrap();
        }
        stop(started);
    }

    /// Starts the server and compares the log with so many entries that were acknowledged.
    fn check(&self, told: u32) -> Checked {
        let started = self.start().unwrap();
        let size = started.app.log.published().head.size.get();
        let entries = started.app.log.entries(0..size).unwrap();
        stop(started);
        let is_lost = |number: &u32| entries.get(*number as usize).is_none_or(|found| found.bytes != entry(*number));
        let lost = (0..told).filter(is_lost).count();
        Checked { answers: told as usize, lost, ..Checked::default() }
    }

    fn start(&self) -> Result<Started, Failure> {
        self.place.start(Box::new(|_| ()))
    }

    /// The words of a refusal that no restart can cure.
    fn refusal(&self) -> String {
        let error = refused(self.start());
        assert!(matches!(error, StartError::Refused(_)) && error.is_permanent(), "{error}");
        println!("refused: {error}");
        error.to_string()
    }
}

fn entry(number: u32) -> Vec<u8> {
    format!("the entry {number:03}, long enough to be found in a file").into_bytes()
}

fn refused(started: Result<Started, Failure>) -> StartError {
    match started.map(|_| ()).unwrap_err() {
        Failure::Start(error) => error,
        Failure::Store(error) => panic!("the store did not open: {error}"),
    }
}

fn records(place: &Place) -> Vec<(Vec<u8>, Vec<u8>)> {
    RocksStore::open_existing(&place.data()).unwrap().scan(&[0], &[255], usize::MAX).unwrap()
}

fn change(place: &Place, key: &[u8], value: &[u8]) {
    let mut batch = Batch::default();
    batch.put(key.to_vec(), value.to_vec());
    RocksStore::open_existing(&place.data()).unwrap().commit(&batch).unwrap();
}

/// Lets the writer finish, and waits until the server has let go of its files.
fn stop(started: Started) {
    let Started { app, writer, .. } = started;
    app.log.writer.close();
    writer.join().unwrap().unwrap();
    let app: Option<App> = Arc::into_inner(app);
    assert!(app.is_some(), "somebody still holds the server");
}

/// Copies a flat folder. Nobody has it open, so that the file LOCK may be touched.
fn copy_store(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// The newest file whose name ends or begins so and that holds anything.
fn newest(folder: &Path, name: &str) -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    found.retain(|path| {
        let is_named = path.extension().is_some_and(|ending| ending == name)
            || path.file_name().unwrap().to_string_lossy().starts_with(name);
        is_named && path.metadata().unwrap().len() > 0
    });
    found.sort();
    found.pop().expect("there is such a file")
}

fn flip(file: &Path, needle: &[u8]) {
    let mut bytes = fs::read(file).unwrap();
    let at = bytes.windows(needle.len()).position(|window| window == needle).expect("the entry is in the file");
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}
