//! What a process takes, as Linux tells it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// A process of this machine.
pub(crate) struct Process(PathBuf);

impl Process {
    pub(crate) fn of(id: u32) -> Self {
        Self(format!("/proc/{id}").into())
    }

    /// This one.
    pub(crate) fn own() -> Self {
        Self("/proc/self".into())
    }

    /// The processor time of the calling thread.
    pub(crate) fn of_this_thread() -> Duration {
        let told = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells a thread its processor time");
        let nanos = told.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
        Duration::from_nanos(nanos.expect("a number"))
    }

    /// The processor time of all its threads that there are now.
    pub(crate) fn processor_time(&self) -> Duration {
        let threads = fs::read_dir(self.0.join("task")).expect("its threads");
        let of_thread = |thread: std::io::Result<fs::DirEntry>| {
            let told = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            told.split_whitespace().next()?.parse::<u64>().ok()
        };
        Duration::from_nanos(threads.filter_map(of_thread).sum())
    }

    /// What it holds in memory, files that are mapped included, in MiB.
    pub(crate) fn resident_mib(&self) -> f64 {
        let status = fs::read_to_string(self.0.join("status")).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the resident size");
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib / 1024.0
    }

    /// How many files it has open, connections included.
    pub(crate) fn files(&self) -> usize {
        fs::read_dir(self.0.join("fd")).map_or(0, Iterator::count)
    }

    /// How many files it may have open, connections included.
    pub(crate) fn open_files(&self) -> usize {
        let limits = fs::read_to_string(self.0.join("limits")).expect("its limits");
        let line =
            limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("the limit of open files");
        line.split_whitespace().next().and_then(|soft| soft.parse().ok()).unwrap_or(usize::MAX)
    }
}
