//! A disk that can be copied as it is at one moment: a file system in a file.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::power::DEADLINE;
use crate::server::Place;

/// What the disk is formatted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileSystem {
    /// ext4 as it comes: data is on the disk before the names and sizes that lead to it.
    Ext4,
    /// ext4 with `data=writeback`: in any order.
    Ext4Writeback,
    /// XFS.
    Xfs,
}

impl FileSystem {
    pub(crate) const ALL: [Self; 3] = [Self::Ext4, Self::Ext4Writeback, Self::Xfs];

    /// How large the file is. mkfs.xfs refuses to make less than 300 MiB; nearly all of it is a hole.
    fn bytes(self) -> u64 {
        match self {
            Self::Ext4 | Self::Ext4Writeback => 64 << 20,
            Self::Xfs => 320 << 20,
        }
    }

    fn maker(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Ext4 | Self::Ext4Writeback => ("mkfs.ext4", &["-q", "-F"]),
            Self::Xfs => ("mkfs.xfs", &["-q", "-f"]),
        }
    }

    fn options(self) -> &'static str {
        match self {
            Self::Ext4 => "loop,commit=600",
            Self::Ext4Writeback => "loop,commit=600,data=writeback",
            Self::Xfs => "loop",
        }
    }
}

impl fmt::Display for FileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ext4 => "ext4",
            Self::Ext4Writeback => "ext4 data=writeback",
            Self::Xfs => "XFS",
        })
    }
}

/// A file with a file system, mounted as the disk of a place. Dropped, it is unmounted.
pub(crate) struct Disk {
    file_system: FileSystem,
    image: PathBuf,
    pub(crate) at: PathBuf,
}

impl Disk {
    pub(crate) fn make(place: &Place, file_system: FileSystem) -> Self {
        let disk = Self { file_system, image: place.folder.join("disk.img"), at: place.disk() };
        fs::create_dir(&disk.at).unwrap();
        fs::File::create(&disk.image).unwrap().set_len(file_system.bytes()).unwrap();
        let (program, arguments) = file_system.maker();
        run(Command::new(program).args(arguments).arg(&disk.image));
        disk.mount();
        disk
    }

    fn mount(&self) {
        run(Command::new("mount").args(["-o", self.file_system.options()]).arg(&self.image).arg(&self.at));
    }

    /// Copies the image, lets the server end, and goes on with the copy.
    pub(crate) fn lose_power(&mut self, end: impl FnOnce()) {
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
