//! What the disk gives: a sync of a few bytes, and the replacement of a small file as the anchor needs it. Every batch waits
//! for one of each, so no append can be faster than both.

use std::fs::File;
use std::io::Write as _;
use std::time::Instant;

use log_server::anchor::replace_file;

use crate::table::{Aim, Table};
use crate::{Rounds, per_second};

pub(crate) fn measure(rounds: Rounds, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = File::create(folder.path().join("synced")).expect("a file");
    let mut sync = || {
        file.write_all(&[7; 4096]).and_then(|()| file.sync_data()).expect("a sync");
    };
    let anchor = folder.path().join("anchor.json");
    let replace = || replace_file(&anchor, &[7; 200]).expect("a new file");
    let (replaced, synced) = rounds.medians(|| rate(rounds, replace), || rate(rounds, &mut sync));
    table.rate("the anchor file replaced", replaced, "4 KiB appended and synced", synced, Aim::None);
}

fn rate(rounds: Rounds, mut step: impl FnMut()) -> f64 {
    let begun = Instant::now();
    let mut done = 0;
    while begun.elapsed() < rounds.time {
        step();
        done += 1;
    }
    per_second(done, begun)
}
