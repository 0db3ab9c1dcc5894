//! Kills at random moments under load: a few in every run of the tests, 200 in `make fault`.

use std::process::{Child as Process, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::journal::{self, Event};
use crate::parent::{Work, command, finish, was_killed};
use crate::report::Row;
use crate::server::Place;
use crate::trial::{Trial, setting};

const LOOK: Work = Work::Append { callers: 0, appends: 0 };
const SHORT: Work = Work::Append { callers: 2, appends: 2 };
/// More than a server is let live for.
const ENDLESS: Work = Work::Append { callers: 8, appends: 1_000_000 };

/// Kills for each log.
const CYCLES: u32 = 10;
/// The longest that a server lives under load.
const LIFE_MS: u64 = 400;
/// How long a start may take, with everything checked.
const START: Duration = Duration::from_secs(60);

#[test]
#[ignore = "long: make fault"]
fn killed_two_hundred_times_at_random_under_load() {
    kill_logs("SIGKILL at random under load", setting("COUNTERSIGN_FAULT_KILLS", 200).div_ceil(CYCLES));
}

#[test]
fn killed_a_few_times_at_random_under_load() {
    kill_logs("SIGKILL at random, the few of make test", 1);
}

fn kill_logs(fault: &str, logs: u32) {
    let mut row = Row::new(fault);
    let mut chance = Chance::new();
    println!("\n log  kills  in start  requests  answered  unheard  checkpoints  entries  last restart");
    for log in 0..logs {
        let trial = Trial::new(&mut row);
        let place = &trial.place;
        let mut in_start = 0;
        for _ in 0..CYCLES {
            in_start += u32::from(kill_at_random(place, &mut chance));
            trial.row.runs += 1;
        }
        let start = Instant::now();
        finish(place, LOOK);
        print_row(place, log, in_start, start.elapsed());
        finish(place, SHORT);
    }
}

/// Starts a server and kills it: one in four during its start, the others under load. Whether it was in its start.
fn kill_at_random(place: &Place, chance: &mut Chance) -> bool {
    let ready_before = ready(place);
    let mut server = command(place, ENDLESS, None).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
    if chance.below(4) > 0 {
        wait_until_ready(place, ready_before, &mut server);
        sleep(Duration::from_millis(chance.below(LIFE_MS)));
    } else {
        sleep(Duration::from_millis(chance.below(60)));
    }
    server.kill().unwrap();
    let status = server.wait().unwrap();
    assert!(was_killed(status), "the server ended by itself: {status}; {:?}", journal::read(&place.folder).last());
    ready(place) == ready_before
}

pub(crate) fn wait_until_ready(place: &Place, ready_before: usize, server: &mut Process) {
    let start = Instant::now();
    while ready(place) == ready_before {
        assert!(start.elapsed() < START && server.try_wait().unwrap().is_none(), "the server did not come up");
        sleep(Duration::from_millis(5));
    }
}

pub(crate) fn ready(place: &Place) -> usize {
    journal::read(&place.folder).iter().filter(|event| **event == Event::Ready).count()
}

fn print_row(place: &Place, log: u32, in_start: u32, restart: Duration) {
    let events = journal::read(&place.folder);
    let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count();
    let (tried, answered) = (count(|e| matches!(e, Event::Try(_))), count(|e| matches!(e, Event::Answer(_))));
    let checkpoints = count(|e| matches!(e, Event::Checkpoint(_)));
    println!(
        "{log:>4} {CYCLES:>6} {in_start:>9} {tried:>9} {answered:>9} {:>8} {checkpoints:>12} {:>8} {:>10} ms",
        tried - answered,
        largest(&events),
        restart.as_millis()
    );
}

fn largest(events: &[Event]) -> String {
    let last = events.iter().rev().find_map(|event| match event {
        Event::Checkpoint(text) => text.lines().nth(1),
        _ => None,
    });
    last.unwrap_or("0").to_owned()
}

/// A generator that gives the same numbers in every run (SplitMix64).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new() -> Self {
        Self(20_261)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}
