//! The machine: room on the disks, inodes, open files.

use std::path::Path;

use log_server::app::DISK_RESERVE;
use log_server::limits::Limits;

use super::Findings;
use crate::serve::{Place, allowed};

const MIB: u64 = 1024 * 1024;
/// Below this many times the reserve it is time to look.
const SOON: u64 = 4;
/// The database makes a file now and then; the anchor one at every batch, and removes it again.
const FEW_INODES: u64 = 1000;

pub(super) fn look(place: &Place, findings: &mut Findings) {
    disk("disk of data", "inodes of data", place.data_dir(), findings);
    disk("disk of anchor", "inodes of anchor", place.anchor(), findings);
    open_files(findings);
}

fn disk(room: &'static str, inodes: &'static str, folder: &Path, findings: &mut Findings) {
    let disk = match rustix::fs::statvfs(folder) {
        Ok(disk) => disk,
        Err(error) => return findings.warning(room, format!("{}: {error}", folder.display())),
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let words = format!("{} MiB are free, {} MiB are the reserve", free / MIB, DISK_RESERVE / MIB);
    if free < DISK_RESERVE {
        findings
            .problem(room, format!("{words}; nothing new is accepted until there is room: delete or move something"));
    } else if free < SOON * DISK_RESERVE {
        findings.warning(room, format!("{words}; make room soon"));
    } else {
        findings.ok(room, words);
    }
    // Some file systems have no fixed number of inodes, and say 0.
    if disk.f_files > 0 {
        let words = format!("{} are free", disk.f_favail);
        if disk.f_favail < FEW_INODES {
            findings.problem(inodes, format!("{words}; delete files that nobody needs"));
        } else {
            findings.ok(inodes, words);
        }
    }
}

fn open_files(findings: &mut Findings) {
    const CHECK: &str = "open files";
    let wanted = Limits::default().connections as u64;
    match allowed() {
        Ok(allowed) if allowed.connections < wanted => findings.warning(
            CHECK,
            format!(
                "{} are allowed here, which leaves {} connections of {wanted}; raise the limit (`ulimit -n`, LimitNOFILE)",
                allowed.files, allowed.connections
            ),
        ),
        Ok(allowed) => findings.ok(CHECK, format!("{} are allowed here", allowed.files)),
        Err(error) => findings.problem(CHECK, error.to_string()),
    }
}
