//! Losses of power, which `make fault` runs as root: the server on a file system in a file, and that file copied while the
//! server stands still under load. The copy is mounted and started, and compared with what callers were told.
//!
//! What a copy models: everything that the file system has handed to its device is kept, and everything that is only in
//! memory is lost. The mounted file system has a page cache of its own, apart from the one of the file that it lies in, so
//! the copy cannot hold data that was written and not synced; [`a_copy_has_no_data_that_was_not_synced`] shows it. ext4
//! writes nothing by itself within the life of a server here: its commits are ten minutes apart, and the kernel writes
//! pages out that are older than 30 seconds.
//!
//! A server is caught in two ways. Stopped by SIGSTOP at a random moment, its threads first end the system calls they are
//! in, so these images lie between two calls. Killed by strace at the entry of a sync or a rename, it leaves the calls
//! before it and not this one. Out of scope: a device that loses, tears or reorders writes which it has acknowledged and
//! not flushed; that needs dm-log-writes.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

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
const IMAGE_BYTES: u64 = 64 << 20;
/// The longest that a server lives under load.
const LIFE_MS: u64 = 400;
/// How long anything here may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// The calls that a server is killed in front of, and how many of them it may make before.
const LAST_CALLS: [(&str, u64); 3] = [("fdatasync", 40), ("fsync", 40), ("?rename,renameat,?renameat2", 20)];

#[test]
#[ignore = "needs root: make fault"]
fn the_power_is_lost_at_random_under_load() {
    require_strace();
    let mut row = Row::new("loss of power (copied ext4 image)");
    let mut chance = Chance::new();
    for _ in 0..setting("COUNTERSIGN_FAULT_IMAGES", 40).div_ceil(CYCLES) {
        let trial = Trial::new(&mut row);
        let mut disk = Disk::make(&trial.place);
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

/// Without this the test above could not fail.
#[test]
#[ignore = "needs root: make fault"]
fn a_copy_has_no_data_that_was_not_synced() {
    let folder = TempDir::new().unwrap();
    let mut disk = Disk::make(&Place::new(folder.path()));
    let (synced, written) = (disk.at.join("synced"), disk.at.join("written"));
    fs::write(&synced, "kept").unwrap();
    fs::File::open(&synced).unwrap().sync_all().unwrap();
    fs::File::open(&disk.at).unwrap().sync_all().unwrap();
    fs::write(&written, "lost").unwrap();
    disk.lose_power(|| ());
    assert_eq!(fs::read(&synced).unwrap(), b"kept");
    assert_ne!(fs::read(&written).unwrap_or_default(), b"lost", "the copy holds what was never synced");
}

/// Nor could it if the comparison did not see a loss: a server whose syncs strace turns into nothing loses what it answered.
#[test]
#[ignore = "needs root: make fault"]
fn a_server_without_its_syncs_is_found_out() {
    require_strace();
    let folder = TempDir::new().unwrap();
    let place = Place::new(folder.path());
    let mut disk = Disk::make(&place);
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
    assert!(matches!(last, Some(Event::Checked(Checked { lost: 1.., inconsistent: 1.., .. }))), "{last:?}");
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

/// A file with a file system, mounted as the disk of a place. Dropped, it is unmounted.
struct Disk {
    image: PathBuf,
    at: PathBuf,
}

impl Disk {
    fn make(place: &Place) -> Self {
        let disk = Self { image: place.folder.join("disk.img"), at: place.disk() };
        fs::create_dir(&disk.at).unwrap();
        fs::File::create(&disk.image).unwrap().set_len(IMAGE_BYTES).unwrap();
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&disk.image));
        disk.mount();
        disk
    }

    fn mount(&self) {
        run(Command::new("mount").args(["-o", "loop,commit=600"]).arg(&self.image).arg(&self.at));
    }

    /// Copies the image, lets the server end, and goes on with the copy.
    fn lose_power(&mut self, end: impl FnOnce()) {
        let copy = self.image.with_extension("copy");
        let since = Instant::now();
        loop {
            let before = self.writes();
            run(Command::new("cp").arg("--sparse=always").arg(&self.image).arg(&copy));
            // Nobody writes, or this is not the image of one moment.
            if before == self.writes() {
                break;
            }
            assert!(since.elapsed() < DEADLINE, "the disk does not come to rest");
        }
        end();
        run(Command::new("umount").arg(&self.at));
        fs::rename(&copy, &self.image).unwrap();
        self.mount();
    }

    /// How many writes the device has completed, and how many requests are under way (Documentation/block/stat.rst).
    fn writes(&self) -> (String, String) {
        let mounts = fs::read_to_string("/proc/mounts").unwrap();
        let ours = |line: &&str| line.split(' ').nth(1).is_some_and(|at| Path::new(at) == self.at);
        let device = mounts.lines().find(ours).and_then(|line| line.strip_prefix("/dev/")).unwrap();
        let name = device.split(' ').next().unwrap();
        let stat = fs::read_to_string(format!("/sys/block/{name}/stat")).unwrap();
        let mut fields = stat.split_whitespace();
        (fields.nth(4).unwrap().to_owned(), fields.nth(3).unwrap().to_owned())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A server of a test that fails may still have it open; the mount goes once it is gone.
        _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; scripts/setup.sh --fault installs what is missing"));
    assert!(output.status.success(), "{command:?} failed (as root?): {}", String::from_utf8_lossy(&output.stderr));
}
