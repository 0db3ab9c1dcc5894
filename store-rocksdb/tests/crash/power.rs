//! Losses of power, which `make fault` runs as root: the server on a file system in a file, and that file copied while the
//! server stands still under load. The copy is mounted and started, and compared with what callers were told.
//!
//! What a copy models: everything that the file system has handed to its device is kept, and everything that is only in
//! memory is lost. The mounted file system has a page cache of its own, apart from the one of the file that it lies in, so
//! the copy cannot hold data that was written and not synced; [`a_copy_has_no_data_that_was_not_synced`] shows it. Neither
//! ext4 nor XFS writes anything by itself within the life of a server here: ext4's commits are ten minutes apart, XFS
//! writes its log, and the kernel pages, when they are older than 30 seconds.
//!
//! A server is caught in two ways. Stopped by SIGSTOP at a random moment, its threads first end the system calls they are
//! in, so these images lie between two calls. Killed by strace at the entry of a sync or a rename, it leaves the calls
//! before it and not this one. Out of scope: a device that loses, tears or reorders writes which it has acknowledged and
//! not flushed; that needs dm-log-writes.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Child as Process, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::disk::{Disk, FileSystem};
use crate::journal::{self, Event};
use crate::parent::{AS_CHILD, Work, command, finish, orders, was_killed};
use crate::random::{Chance, ready, wait_until_ready};
use crate::report::Row;
use crate::server::Place;
use crate::syscalls::require_strace;
use crate::told::Checked;
use crate::trial::{Trial, setting};

const LOOK: Work = Work::Append { callers: 0, appends: 0 };
const SHORT: Work = Work::Append { callers: 2, appends: 2 };
const ENDLESS: Work = Work::Append { callers: 8, appends: 1_000_000 };

/// Losses of power for each log.
const CYCLES: u32 = 10;
/// The longest that a server lives under load.
const LIFE_MS: u64 = 400;
/// How long anything here may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The calls that a server is killed in front of, and how many of them it may make before.
const LAST_CALLS: [(&str, u64); 2] = [("fdatasync", 60), ("write,pwrite64", 120)];

#[test]
#[ignore = "needs root: make fault"]
fn the_power_is_lost_at_random_under_load() {
    loses_power(FileSystem::Ext4);
}

/// The journal holds names and sizes, and data comes to the disk whenever it likes, unless it is synced.
#[test]
#[ignore = "needs root: make fault"]
fn the_power_is_lost_on_a_file_system_that_does_not_order_its_data() {
    loses_power(FileSystem::Ext4Writeback);
}

#[test]
#[ignore = "needs root: make fault"]
fn the_power_is_lost_on_another_file_system() {
    loses_power(FileSystem::Xfs);
}

fn loses_power(on: FileSystem) {
    require_strace();
    let mut row = Row::new(format!("loss of power (copied {on} image)"));
    let mut chance = Chance::new();
    for _ in 0..setting("COUNTERSIGN_FAULT_IMAGES", 40).div_ceil(CYCLES) {
        let trial = Trial::new(&mut row);
        let mut disk = Disk::make(&trial.place, on);
        for cycle in 0..CYCLES {
            if cycle % 2 == 0 {
                stop_at_random(&trial.place, &mut disk, &mut chance);
            } else {
                kill_in_front_of_a_call(&trial.place, &mut disk, &mut chance);
            }
            trial.row.runs += 1;
            finish(&trial.place, LOOK);
        }
        finish(&trial.place, SHORT);
    }
}

/// Without this the tests above could not fail.
#[test]
#[ignore = "needs root: make fault"]
fn a_copy_has_no_data_that_was_not_synced() {
    for on in FileSystem::ALL {
        let folder = TempDir::new().unwrap();
        let mut disk = Disk::make(&Place::new(folder.path()), on);
        let (synced, written) = (disk.at.join("synced"), disk.at.join("written"));
        fs::write(&synced, "kept").unwrap();
        fs::File::open(&synced).unwrap().sync_all().unwrap();
        fs::File::open(&disk.at).unwrap().sync_all().unwrap();
        fs::write(&written, "lost").unwrap();
        disk.lose_power(|| ());
        assert_eq!(fs::read(&synced).unwrap(), b"kept", "{on}");
        assert_ne!(fs::read(&written).unwrap_or_default(), b"lost", "the copy of {on} holds what was never synced");
    }
}

/// Nor could they if the comparison did not see a loss: a server whose syncs strace turns into nothing loses what it answered.
#[test]
#[ignore = "needs root: make fault"]
fn a_server_without_its_syncs_is_found_out() {
    require_strace();
    FileSystem::ALL.into_iter().for_each(loses_without_syncs);
}

fn loses_without_syncs(on: FileSystem) {
    let folder = TempDir::new().unwrap();
    let place = Place::new(folder.path());
    let mut disk = Disk::make(&place, on);
    finish(&place, SHORT);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync"]);
    strace.args(["-e", "inject=fdatasync,fsync:retval=0"]);
    strace.arg(env::current_exe().unwrap()).args(AS_CHILD).stdin(Stdio::null()).stdout(Stdio::null());
    orders(&mut strace, &place, SHORT, None);
    assert!(strace.status().unwrap().success());
    disk.lose_power(|| ());
    assert!(!command(&place, LOOK, None).output().unwrap().status.success());
    let last = journal::read(&place.folder).pop();
    assert!(matches!(last, Some(Event::Checked(Checked { lost: 1.., inconsistent: 1.., .. }))), "{on}: {last:?}");
}

fn stop_at_random(place: &Place, disk: &mut Disk, chance: &mut Chance) {
    let ready_before = ready(place);
    let mut server = command(place, ENDLESS, None).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
    wait_until_ready(place, ready_before, &mut server);
    sleep(Duration::from_millis(chance.below(LIFE_MS)));
    stop(&server);
    disk.lose_power(|| {
        server.kill().unwrap();
        assert!(was_killed(server.wait().unwrap()));
    });
}

/// The fault comes after a number of calls of one thread, in the start of the server or under load.
fn kill_in_front_of_a_call(place: &Place, disk: &mut Disk, chance: &mut Chance) {
    let (call, most) = LAST_CALLS[usize::try_from(chance.below(LAST_CALLS.len() as u64)).unwrap()];
    let n = 1 + chance.below(most);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:signal=KILL:when={n}")]);
    strace.arg(env::current_exe().unwrap()).args(AS_CHILD).stdin(Stdio::null()).stdout(Stdio::null());
    orders(&mut strace, place, ENDLESS, None);
    let status = strace.spawn().unwrap().wait().unwrap();
    assert!(was_killed(status), "the server ended by itself: {status}");
    disk.lose_power(|| ());
}

/// Stops a process and waits until all of its threads stand still.
fn stop(server: &Process) {
    kill_process(Pid::from_child(server), Signal::STOP).unwrap();
    let since = Instant::now();
    let stands = |thread: PathBuf| {
        // `<id> (<name>) <state> …`; a thread that has ended meanwhile has no file any more.
        let stat = fs::read_to_string(thread.join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('T'))
    };
    let threads = || fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
    while !threads().all(|thread| stands(thread.unwrap().path())) {
        assert!(since.elapsed() < DEADLINE, "the server does not stop");
        sleep(Duration::from_millis(2));
    }
}
