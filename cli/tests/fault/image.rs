//! Faults of a whole file system, an ext4 in a file: no inodes are left, and the kernel makes it read-only.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::statvfs;

use crate::disk::{out_of_room, require_reads, run, serve, start};
use crate::log::{Log, Outcome};
use crate::people::People;
use crate::report::Row;
use crate::running::Folder;

/// Below this the server takes nothing new.
const INODE_RESERVE: u64 = 64;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root: make fault"]
async fn no_inodes_are_left() {
    let mut row = Row::new("no inodes left (ext4)");
    let folder = Folder::new();
    let disk = Image::mount(&folder, &["-N", "512"]);
    let server = start(&folder).await;
    let log = Log::new(folder).await;
    let people = People::enrol(&log).await;
    let mut asked = Vec::new();
    for n in 0..3 {
        asked.push(people.ask(&format!("Deploy {n}"), 3600).await.unwrap());
    }
    let mut load = log.load("before", 4);
    log.until(100).await;

    // Nearly none: what is new is refused before there is harm, what is under way can end.
    let mut ballast = disk.take_inodes_up_to(INODE_RESERVE / 2);
    assert_eq!(log.appender.append(b"new work".to_vec()).await, Outcome::Refused(507, true));
    assert_eq!(people.ask("More", 3600).await, Err(507));
    row.refusals += 2;
    while let Some(told) = load.join_next().await {
        told.unwrap();
    }
    assert_eq!(people.approve(&asked.remove(0)).await, Some(200));
    require_reads(&log).await;
    row.runs += 1;
    row.checked(log.check().await);

    // None: what is under way still ends, because the anchor is written in place. A start needs new files.
    ballast.extend(disk.take_inodes_up_to(0));
    require_reads(&log).await;
    let told = asked.remove(0);
    assert_eq!(people.approve(&told).await, Some(200));
    server.terminated();

    ballast.extend(disk.take_inodes_up_to(0));
    out_of_room(&mut row, log.folder.start(&mut serve(&log.folder)), &["No space left"]);

    for file in ballast {
        fs::remove_file(file).unwrap();
    }
    let _server = start(&log.folder).await;
    row.checked(log.check().await);
    assert_eq!(people.status(&told).await, "approved");
    assert_eq!(log.appender.append(b"new work".to_vec()).await, Outcome::Told);
    assert_eq!(people.approve(&asked.remove(0)).await, Some(200));
    row.checked(log.check().await);
}

/// As after an error of the disk. `mount -o remount,ro` is not the same: it is refused while a file is open for writing.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root: make fault"]
async fn the_file_system_becomes_read_only_under_load() {
    let mut row = Row::new("file system turns read-only (ext4)");
    let folder = Folder::new();
    let disk = Image::mount(&folder, &[]);
    let mut server = start(&folder).await;
    let log = Log::new(folder).await;
    let people = People::enrol(&log).await;
    for round in 1..=3 {
        let asked = people.ask("Deploy", 3600).await.unwrap();
        let signed = people.sign(&asked).await;
        let mut load = log.load(&format!("round {round}"), 8);
        log.until(log.size().await + 50).await;
        disk.make_read_only();
        let ended = server.ended();
        let (code, sentence) = ended.refusal();
        assert_eq!(code, Some(1), "{sentence}");
        // What the kernel says depends on the call that meets it first, a write or a sync.
        let says_why = sentence.contains("Read-only file system") || sentence.contains("Input/output error");
        assert!(sentence.contains("the writer stopped") && says_why, "{sentence}");
        while let Some(told) = load.join_next().await {
            told.unwrap();
        }
        assert_eq!(people.decide(&asked, &signed).await, None);

        // No restart cures it, and the sentence does not call it damage of the store.
        let ended = log.folder.start(&mut serve(&log.folder)).ended();
        let (code, sentence) = ended.refusal();
        assert_eq!(code, Some(78), "{sentence}");
        assert!(sentence.contains("its file system is read-only"), "{sentence}");
        row.refusals += 2;
        row.runs += 1;

        disk.mount_again();
        server = start(&log.folder).await;
        row.checked(log.check().await);
        assert_eq!(people.status(&asked).await, "pending");
        assert_eq!(people.decide(&asked, &signed).await, Some(200));
    }
    row.checked(log.check().await);
}

/// An ext4 file system in a file, mounted as the disk of a folder. Dropped, it is unmounted.
struct Image {
    file: PathBuf,
    at: PathBuf,
}

impl Image {
    /// Larger than the server's reserve; nearly all of it is a hole.
    const BYTES: u64 = 1 << 30;

    fn mount(folder: &Folder, options: &[&str]) -> Self {
        let image = Self { file: folder.path("disk.img"), at: folder.path("disk") };
        fs::create_dir(&image.at).unwrap();
        File::create(&image.file).unwrap().set_len(Self::BYTES).unwrap();
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).args(options).arg(&image.file));
        run(&mut image.mounting());
        image
    }

    fn mounting(&self) -> Command {
        let mut mount = Command::new("mount");
        mount.args(["-o", "loop,errors=remount-ro"]).arg(&self.file).arg(&self.at);
        mount
    }

    /// As an operator would after such an error.
    fn mount_again(&self) {
        run(Command::new("umount").arg(&self.at));
        // 1: errors were found, as they were made, and corrected.
        let checked = Command::new("e2fsck").args(["-f", "-p"]).arg(&self.file).output().unwrap();
        assert!(matches!(checked.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&checked.stdout));
        run(&mut self.mounting());
    }

    /// Makes empty files until so many inodes are free. The server makes and removes files meanwhile.
    fn take_inodes_up_to(&self, free: u64) -> Vec<PathBuf> {
        let mut files = Vec::new();
        while statvfs(&self.at).unwrap().f_favail > free {
            let name = format!("ballast-{}", fs::read_dir(&self.at).unwrap().count());
            let file = self.at.join(name);
            if File::create_new(&file).is_ok() {
                files.push(file);
            }
        }
        files
    }

    /// What the kernel does when it finds an error in the file system.
    fn make_read_only(&self) {
        let mounts = fs::read_to_string("/proc/mounts").unwrap();
        let ours = |line: &&str| line.split(' ').nth(1).is_some_and(|at| Path::new(at) == self.at);
        let device = mounts.lines().find(ours).and_then(|line| line.strip_prefix("/dev/")).unwrap();
        let name = device.split(' ').next().unwrap();
        fs::write(format!("/sys/fs/ext4/{name}/trigger_fs_error"), "a fault that a test made").unwrap();
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // The server of a test that fails may still have it open; the mount goes once it is gone.
        _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}
