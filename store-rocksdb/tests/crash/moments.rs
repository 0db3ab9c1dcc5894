//! A kill at each moment of the writer, of a recovery, and of a decision on its way.

use crate::journal::{self, Event};
use crate::parent::{KillAt, MOMENTS, Work, finish, killed};
use crate::report::Row;
use crate::server::Place;
use crate::trial::Trial;
use log_server::writer::Moment;

/// Enough callers that a batch has several entries, and appends that there are more than five batches.
const BUSY: Work = Work::Append { callers: 8, appends: 8 };
const SHORT: Work = Work::Append { callers: 2, appends: 2 };
const LOOK: Work = Work::Append { callers: 0, appends: 0 };

/// The moments that a recovery goes through again.
const OF_RECOVERY: [Moment; 4] = [Moment::Checked, Moment::Signed, Moment::Anchored, Moment::Published];
/// The moments after which the store is ahead of the anchor.
const BEFORE_ANCHOR: [Moment; 3] = [Moment::Committed, Moment::Checked, Moment::Signed];

#[test]
fn killed_in_the_first_batch() {
    killed_at_every_moment(1);
}

#[test]
fn killed_in_the_second_batch() {
    killed_at_every_moment(2);
}

#[test]
fn killed_in_the_fifth_batch() {
    killed_at_every_moment(5);
}

/// All in one folder, so that each server takes over from every kill before.
fn killed_at_every_moment(occurrence: u32) {
    let mut row = Row::new(format!("SIGKILL at each moment of batch {occurrence}"));
    let trial = Trial::new(&mut row);
    let place = &trial.place;
    for moment in MOMENTS {
        killed(place, BUSY, KillAt { moment, occurrence });
        trial.row.runs += 1;
        finish(place, SHORT);
    }
    finish(place, LOOK);
    assert!(largest_batch(place) > 3, "no batch had the entries of two callers");
}

#[test]
fn killed_again_while_recovering() {
    let mut row = Row::new("SIGKILL in a batch and in its recovery");
    for first in BEFORE_ANCHOR {
        let trial = Trial::new(&mut row);
        let place = &trial.place;
        for second in OF_RECOVERY {
            killed(place, BUSY, KillAt { moment: first, occurrence: 2 });
            trial.row.runs += 1;
            killed(place, LOOK, KillAt::first(second));
            trial.row.runs += 1;
            finish(place, SHORT);
        }
        finish(place, LOOK);
    }
}

#[test]
fn killed_at_every_moment_of_one_recovery_after_the_other() {
    let mut row = Row::new("SIGKILL in one recovery after the other");
    let trial = Trial::new(&mut row);
    let place = &trial.place;
    killed(place, BUSY, KillAt { moment: Moment::Committed, occurrence: 3 });
    trial.row.runs += 1;
    // Up to the anchor each recovery begins anew; from there on nothing is left to recover.
    for moment in [Moment::Checked, Moment::Signed, Moment::Signed, Moment::Anchored] {
        killed(place, LOOK, KillAt::first(moment));
        trial.row.runs += 1;
    }
    finish(place, LOOK);
    finish(place, SHORT);
}

/// The decision is the first batch with entries of its server, the use of the approval the second.
#[test]
fn a_decision_is_made_once_and_told_only_when_it_is_published() {
    let mut row = Row::new("SIGKILL in a decision and in its use");
    let trial = Trial::new(&mut row);
    let place = &trial.place;
    finish(place, Work::Enrol);
    for (round, moment) in (0..).zip(MOMENTS) {
        let decide = Work::Decide { round };
        killed(place, decide, KillAt::first(moment));
        trial.row.runs += 1;
        finish(place, decide);
        let committed = !matches!(moment, Moment::Sequenced | Moment::Integrated);
        assert_eq!(found(place), if committed { "approved" } else { "pending" }, "after a kill at {moment:?}");
    }
    for (round, moment) in (100..).zip(MOMENTS) {
        let decide = Work::Decide { round };
        killed(place, decide, KillAt { moment, occurrence: 2 });
        trial.row.runs += 1;
        finish(place, decide);
        assert_eq!(found(place), "approved", "after a kill in the use, at {moment:?}");
    }
}

/// The most entries between two checkpoints. One caller appends at most three at a time.
fn largest_batch(place: &Place) -> u64 {
    let events = journal::read(&place.folder);
    let sizes = events.iter().filter_map(|event| match event {
        Event::Checkpoint(text) => text.lines().nth(1)?.parse::<u64>().ok(),
        _ => None,
    });
    let sizes: Vec<u64> = sizes.collect();
    sizes.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}

/// How the last server found the confirmation that it was about.
fn found(place: &Place) -> String {
    let last = journal::read(&place.folder).into_iter().rev().find_map(|event| match event {
        Event::Found { status, .. } => Some(status),
        _ => None,
    });
    last.unwrap()
}
