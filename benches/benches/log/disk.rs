//! What the disk gives: a sync of a few bytes that are appended, and the anchor. Every batch waits for one of each, so no append
//! can be faster than both.

use std::fs::File;
use std::io::Write as _;
use std::time::Instant;

use log_server::anchor::{Anchor, AnchorFolder};
use log_server::tree::TreeHead;

use crate::table::{Aim, Table};
use crate::{Rounds, per_second};

pub(crate) fn measure(rounds: Rounds, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = File::create(folder.path().join("synced")).expect("a file");
    let mut sync = || {
        file.write_all(&[7; 4096]).and_then(|()| file.sync_data()).expect("a sync");
    };
    let mut folder = AnchorFolder::open(&folder.path().join("anchor")).expect("a folder");
    let anchor = Anchor { log_origin: "localhost:8080/log".to_owned(), key_id: 7, head: TreeHead::EMPTY };
    let mut replace = || folder.replace(anchor.clone()).expect("an anchor");
    let (replaced, synced) = rounds.medians(|| rate(rounds, &mut replace), || rate(rounds, &mut sync));
    table.rate("the anchor replaced", replaced, "4 KiB appended and synced", synced, Aim::None);
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
