//! A full disk: a tmpfs of 512 MiB, filled up with ballast in two steps, then freed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use crate::log::{Log, Outcome};
use crate::people::People;
use crate::report::Row;
use crate::running::{Folder, Running};

const MIB: u64 = 1 << 20;
/// Below this the server takes nothing new.
const RESERVE: u64 = 256 * MIB;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root: make fault"]
async fn a_disk_that_fills_up_and_is_freed() {
    let mut row = Row::new("full disk (tmpfs of 512 MiB)");
    let folder = Folder::new();
    let disk = Tmpfs::mount(&folder.path("disk"), 512);
    let server = start(&folder).await;
    let log = Log::new(folder).await;
    let people = People::enrol(&log).await;
    let mut asked = Vec::new();
    // As many as may wait for one person from one key.
    for n in 0..20 {
        asked.push(people.ask(&format!("Deploy {n}"), 3600).await.unwrap());
    }
    let mut load = log.load("before", 4);
    log.until(200).await;

    // Nearly full: what is new is refused before there is harm, what is under way can end.
    let ballast = disk.fill_up_to(RESERVE - 20 * MIB);
    assert_eq!(log.appender.append(b"new work".to_vec()).await, Outcome::Refused(507, true));
    assert_eq!(people.ask("More", 3600).await, Err(507));
    row.refusals += 2;
    while let Some(told) = load.join_next().await {
        told.unwrap();
    }
    assert_eq!(people.approve(&asked.remove(0)).await, Some(200));
    assert_eq!(people.cancel(&asked.remove(0)).await, 200);
    require_reads(&log).await;
    row.runs += 1;
    row.checked(log.check().await);

    // Really full: what is under way still ends, because the anchor is written in place and the write-ahead log took its room
    // before. The test below meets the end of that.
    let more = disk.fill_up_to(0);
    require_reads(&log).await;
    let told = asked.split_off(1);
    for id in &told {
        assert_eq!(people.approve(id).await, Some(200));
    }
    server.terminated();

    // The end freed what the database had taken for later. A start without any room says so, and may be better next time.
    let most = disk.fill_up_to(0);
    out_of_room(&mut row, log.folder.start(&mut serve(&log.folder)), &["No space left"]);

    for ballast in [ballast, more, most] {
        fs::remove_file(ballast).unwrap();
    }
    let _server = start(&log.folder).await;
    row.checked(log.check().await);
    for id in &told {
        assert_eq!(people.status(id).await, "approved");
    }
    assert_eq!(log.appender.append(b"new work".to_vec()).await, Outcome::Told);
    assert_eq!(people.approve(&asked.remove(0)).await, Some(200));
    row.checked(log.check().await);
}

/// Only the database has no room, so that nothing is refused early and the write-ahead log meets the end of the disk.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root: make fault"]
async fn a_database_that_runs_out_of_room_under_load() {
    let mut row = Row::new("ENOSPC under load (tmpfs of 24 MiB)");
    let (log, server) = Log::started().await;
    assert_eq!(server.terminated().code, Some(0));
    let (database, moved) = (log.folder.path("data/db"), log.folder.path("moved"));
    fs::rename(&database, &moved).unwrap();
    let mut disk = Tmpfs::mount(&database, 24);
    run(Command::new("cp").arg("-a").arg(moved.join(".")).arg(&database));

    let mut server = log.folder.started().await;
    for round in 1..=3 {
        let mut load = log.load_of(&format!("round {round}"), 8, 60_000);
        out_of_room(&mut row, server, &["the writer stopped", "No space left"]);
        let mut told = 0;
        while let Some(of_one) = load.join_next().await {
            told += of_one.unwrap();
        }
        assert!(told > 0, "the disk was full before anything was appended");
        disk.grow(24);
        server = log.folder.started().await;
        row.checked(log.check().await);
    }
}

/// A server without room ended by itself and said why, with an exit code after which a supervisor tries again.
pub(crate) fn out_of_room(row: &mut Row, server: Running, says: &[&str]) {
    let ended = server.ended();
    let (code, sentence) = ended.refusal();
    assert_eq!(code, Some(1), "a supervisor would not try again: {sentence}");
    assert!(says.iter().all(|words| sentence.contains(words)), "{sentence}");
    row.refusals += 1;
    row.runs += 1;
}

/// What a reader asks for while nothing can be written.
pub(crate) async fn require_reads(log: &Log) {
    for path in ["/healthz", "/log/checkpoint", "/log/entries/0", "/log/proof/inclusion?index=0", "/trust.json"] {
        log.get(path).await;
    }
}

/// Everything of the server on the disk.
pub(crate) fn serve(folder: &Folder) -> Command {
    folder.serve_on(Path::new("disk/data"), Path::new("disk/anchor"))
}

pub(crate) async fn start(folder: &Folder) -> Running {
    let mut server = folder.start(&mut serve(folder));
    server.ready(&folder.url()).await;
    server
}

/// A mounted tmpfs. Dropped, it is unmounted.
struct Tmpfs {
    at: PathBuf,
    mebibytes: u32,
}

impl Tmpfs {
    fn mount(at: &Path, mebibytes: u32) -> Self {
        fs::create_dir(at).unwrap();
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"]).arg(at));
        Self { at: at.to_owned(), mebibytes }
    }

    fn grow(&mut self, mebibytes: u32) {
        self.mebibytes += mebibytes;
        run(Command::new("mount").args(["-o", &format!("remount,size={}m", self.mebibytes)]).arg(&self.at));
    }

    fn free(&self) -> u64 {
        let disk = statvfs(&self.at).unwrap();
        disk.f_bavail * disk.f_frsize
    }

    /// Takes room with one more file, until so many bytes are free. The server writes meanwhile, so that it takes a few
    /// tries to take the last page.
    fn fill_up_to(&self, free: u64) -> PathBuf {
        let path = self.at.join(format!("ballast-{}", fs::read_dir(&self.at).unwrap().count()));
        let file = File::create(&path).unwrap();
        let mut size = 0;
        while self.free() > free {
            let more = self.free() - free;
            if fallocate(&file, FallocateFlags::empty(), size, more).is_ok() {
                size += more;
            }
        }
        path
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // The server of a test that fails may still have it open; the mount goes once it is gone.
        _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?} failed (as root?): {}", String::from_utf8_lossy(&output.stderr));
}
