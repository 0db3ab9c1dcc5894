//! A monitor on logs that grow, lie, vanish and fork, and that is killed at every moment.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on stops")]

use std::fs;

use merkle::{Tile, TreeSize};
use sha2::{Digest as _, Sha256};
use verifier::checkpoint::Checkpoint;
use verifier::names::Username;
use verifier::note::SignerKey;

use super::made::{Growing, Log, Monitor, Seen, key};
use super::*;
use crate::reader::ReadError;
use crate::rules::made::{LOG, Logged as _, Passkey, consumed};

const ALEX: Passkey = Passkey("alex", 0x21);
const ALEX_NEW: Passkey = Passkey("alex", 0x24);
const SAM: Passkey = Passkey("sam", 0x22);

const TILE: Tile = Tile { level: 0, index: 0, width: 7 };

/// Two people, a decision of each, one approval that is used, a new key by an old one and one by an invite alone.
fn story() -> Vec<Vec<u8>> {
    vec![
        "somebody else's".logged(),
        ALEX.enrolled(1).logged(),
        SAM.enrolled(1).logged(),
        ALEX.approved(1, 2).logged(),
        SAM.rejected(2, 3).logged(),
        consumed(1, 4).logged(),
        ALEX_NEW.enrolled(5).logged(),
    ]
}

/// So many entries that are nobody's.
fn filler(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| format!("filler {n}").into_bytes()).collect()
}

fn approver(name: &str) -> Watch {
    Watch::Approver(Username::new(name).unwrap())
}

fn told(events: &[(&str, u64)]) -> Vec<(String, u64)> {
    events.iter().map(|(event, index)| ((*event).to_owned(), *index)).collect()
}

#[test]
fn a_log_is_followed_across_starts_and_each_thing_is_told_once() {
    let monitor = Monitor::new(&[Watch::All]);
    assert_eq!(monitor.tells(&Log::of(&[])), []);
    assert_eq!(monitor.tells(&Log::of(&story()[..3])), told(&[("enrolment", 1), ("enrolment", 2)]));
    assert_eq!(monitor.tells(&Log::of(&story()[..3])), []);
    // Whose approval was used, and that a key was there before, is known from the facts of the first run.
    let mut seen = Seen::default();
    let round = monitor.run(&Log::of(&story()), &mut seen).unwrap();
    assert_eq!(seen.told(), told(&[("decision", 3), ("decision", 4), ("consumption", 5), ("enrolment", 6)]));
    assert_eq!(round, Round { entries: 4, alarms: 1, ended_early: false });
    let used = &seen.reports[2];
    assert!(used.words.starts_with("entry 5: the approval by the approver "), "{}", used.words);
    let last = seen.reports.last().unwrap();
    assert_eq!((last.event.as_str(), last.alarm, last.members["size"].as_u64()), ("checkpoint", false, Some(7)));
}

#[test]
fn a_monitor_that_runs_on_follows_too() {
    let monitor = Monitor::new(&[Watch::All]);
    let mut files = monitor.files();
    let (short, long) = (Log::of(&story()[..3]), Log::of(&story()));
    let growing = std::sync::Mutex::new(&short);
    let reader = Growing(&growing);
    let mut seen = Seen::default();
    let setup = Setup { reader: &reader, ..monitor.setup(&short) };
    let mut follower = Follower::new(setup, &mut files).unwrap();
    assert_eq!(follower.round(&mut seen).unwrap().entries, 3);
    assert_eq!(follower.round(&mut seen).unwrap().entries, 0);
    *growing.lock().unwrap() = &long;
    assert_eq!(follower.round(&mut seen).unwrap().entries, 4);
    assert_eq!(seen.told().len(), 6);
}

#[test]
fn alarms_are_told_to_everybody_and_the_rest_to_those_who_watch() {
    let all = [("enrolment", 1), ("decision", 3), ("consumption", 5), ("enrolment", 6)];
    assert_eq!(Monitor::new(&[]).tells(&Log::of(&story())), told(&[("enrolment", 6)]));
    assert_eq!(Monitor::new(&[approver("alex")]).tells(&Log::of(&story())), told(&all));
    let key = Watch::Credential(ALEX.credential());
    assert_eq!(Monitor::new(&[key]).tells(&Log::of(&story())), told(&all));
    let sam = [("enrolment", 2), ("decision", 4), ("enrolment", 6)];
    assert_eq!(Monitor::new(&[approver("sam")]).tells(&Log::of(&story())), told(&sam));

    // An enrolment that the watched key authorised, and a broken rule of somebody else.
    let key = Monitor::new(&[Watch::Credential(ALEX.credential())]);
    let log =
        Log::of(&[ALEX.enrolled(1).logged(), ALEX_NEW.enrolled_by(ALEX, 2).logged(), SAM.approved(1, 3).logged()]);
    let mut seen = Seen::default();
    let round = key.run(&log, &mut seen).unwrap();
    assert_eq!(seen.told(), told(&[("enrolment", 0), ("enrolment", 1), ("finding", 2)]));
    assert_eq!((round.alarms, seen.reports[1].alarm, seen.reports[2].alarm), (1, false, true));
}

#[test]
fn names_are_said_where_they_are_known_and_forged_signatures_are_found() {
    let mut forged = ALEX.approved(1, 2);
    forged.assertion = SAM.approved(1, 2).assertion;
    let monitor = Monitor::new(&[approver("alex")]);
    let mut seen = Seen::default();
    monitor.run(&Log::of(&[ALEX.enrolled(1).logged(), forged.logged()]), &mut seen).unwrap();
    assert_eq!(seen.told(), told(&[("enrolment", 0), ("finding", 1), ("decision", 1)]));
    assert!(seen.reports[0].words.starts_with("entry 0: alex (key "), "{}", seen.reports[0].words);
    assert_eq!(seen.reports[0].members["name"], "alex");
    assert!(seen.reports[2].words.ends_with("do not believe it"), "{}", seen.reports[2].words);
    assert_eq!(seen.reports[2].members["findings"], 1);
    let json: serde_json::Value = serde_json::from_str(&seen.reports[2].to_json()).unwrap();
    assert_eq!(
        (json["event"].as_str(), json["index"].as_u64(), json["log"].as_str()),
        (Some("decision"), Some(1), Some(LOG))
    );
}

/// Events at both ends of several stretches.
fn long_log() -> Log {
    let mut entries = story();
    entries.extend(filler(2_100));
    entries.push(ALEX.approved(7, 6).logged());
    entries.extend(filler(2_300));
    entries.push(consumed(7, 7).logged());
    Log::of(&entries)
}

#[test]
fn killed_before_any_write_of_the_state_a_monitor_skips_nothing() {
    let log = long_log();
    let mut whole = Seen::default();
    Monitor::new(&[Watch::All]).run(&log, &mut whole).unwrap();
    assert_eq!(whole.ids().len(), 8);
    let mut ended = false;
    for saves in 0..20 {
        let monitor = Monitor::new(&[Watch::All]);
        let mut seen = Seen::default();
        let first = monitor.run_until(&log, &mut seen, saves);
        assert!(first.is_ok() || matches!(first, Err(FollowError::Keep(KeepError::Io { .. }))), "{first:?}");
        let before = seen.ids().len();
        let mut second = Seen::default();
        monitor.run(&log, &mut second).unwrap();
        // Said again with the same id, in the same order, and together all of them.
        let overlap = before + second.ids().len() - whole.ids().len();
        assert_eq!(seen.ids(), whole.ids()[..before]);
        assert_eq!(second.ids(), whole.ids()[before - overlap..]);
        assert_eq!(monitor.tells(&log), []);
        ended = first.is_ok();
        if ended {
            break;
        }
    }
    assert!(ended, "a run needs fewer writes");
}

#[test]
fn a_report_that_is_not_delivered_holds_the_cursor_and_none_before_it_is_repeated() {
    let log = long_log();
    let mut whole = Seen::default();
    Monitor::new(&[Watch::All]).run(&log, &mut whole).unwrap();
    for takes in 0..whole.ids().len() {
        let monitor = Monitor::new(&[Watch::All]);
        let mut seen = Seen { takes: Some(takes), ..Seen::default() };
        let failed = monitor.run(&log, &mut seen);
        assert!(matches!(failed, Err(FollowError::Undelivered(_))), "{failed:?}");
        let mut second = Seen::default();
        monitor.run(&log, &mut second).unwrap();
        assert_eq!([seen.ids(), second.ids()].concat(), whole.ids(), "{takes}");
    }
}

#[test]
fn a_first_run_over_a_long_log_may_be_ended_and_goes_on() {
    let log = long_log();
    let monitor = Monitor::new(&[Watch::All]);
    let mut seen = Seen { enough: Some(1), ..Seen::default() };
    let round = monitor.run(&log, &mut seen).unwrap();
    assert_eq!(round, Round { entries: 2_048, alarms: 1, ended_early: true });
    let rest = monitor.tells(&log);
    assert_eq!(rest, told(&[("decision", 2_107), ("consumption", 4_408)]));
    // A log that has grown in the meantime is no obstacle either.
    let monitor = Monitor::new(&[Watch::All]);
    monitor.run(&Log::of(&log.entries[..3_000]), &mut Seen { enough: Some(1), ..Seen::default() }).unwrap();
    assert_eq!(monitor.tells(&log), rest);
}

/// A log whose entry 1 was exchanged.
fn forked(size: usize) -> Log {
    let mut entries = [story(), filler(600)].concat();
    entries[1] = b"another entry".to_vec();
    entries.truncate(size);
    Log::of(&entries)
}

#[test]
fn every_contradiction_is_kept_as_evidence_and_never_forgotten() {
    let known = Log::of(&[story(), filler(300)].concat());
    for (fork, words) in [
        (forked(307), "two different roots for the size 307"),
        (forked(500), "a tree of size 500 that does not begin with the tree of size 307"),
        (forked(512), "a tree of size 512 that does not begin with the tree of size 307"),
        (forked(100), "went back from size 307 to size 100, and does not show"),
        (Log::of(&known.entries[..256]), "went back from size 307 to size 256, and does not show"),
        (Log::of(&[]), "went back from size 307 to size 0"),
    ] {
        let monitor = Monitor::new(&[]);
        monitor.tells(&known);
        let mut seen = Seen::default();
        let failed = monitor.run(&fork, &mut seen).unwrap_err();
        assert!(matches!(failed, FollowError::Inconsistent { .. }), "{failed}");
        let report = &seen.reports[0];
        assert_eq!((report.event.as_str(), report.alarm, seen.reports.len()), ("inconsistency", true, 1));
        assert!(report.words.contains(words), "{}", report.words);
        assert_eq!(fs::read(monitor.path(".evidence/known.checkpoint")).unwrap(), known.note());
        assert_eq!(fs::read(monitor.path(".evidence/shown.checkpoint")).unwrap(), fork.note());

        // The honest log again does not make up for it; only the operator does.
        let mut again = Seen::default();
        let failed = monitor.run(&known, &mut again).unwrap_err();
        assert!(matches!(failed, FollowError::Inconsistent { .. }), "{failed}");
        assert_eq!(again.reports, seen.reports);
        fs::rename(monitor.path(".evidence"), monitor.path(".kept")).unwrap();
        assert_eq!(monitor.tells(&known), []);
    }
}

#[test]
fn the_evidence_of_a_fork_convicts_without_the_log() {
    let (known, fork) = (Log::of(&[story(), filler(300)].concat()), forked(500));
    let monitor = Monitor::new(&[]);
    monitor.tells(&known);
    let mut seen = Seen::default();
    monitor.run(&fork, &mut seen).unwrap_err();
    let text = |name: &str| fs::read_to_string(monitor.path(".evidence").join(name)).unwrap();
    let report: Report = serde_json::from_str(&text("report.json")).unwrap();
    let open = |note: String| Checkpoint::open(note.as_bytes(), &key().verifier_key()).unwrap();
    let (old, new) = (open(text("known.checkpoint")), open(text("shown.checkpoint")));
    let hash = |value: &serde_json::Value| {
        merkle::Hash::from_bytes(verifier::encoding::array_from_base64(value.as_str().unwrap()).unwrap())
    };
    let proof: Vec<_> = report.members["proof"].as_array().unwrap().iter().map(hash).collect();
    let prefix = hash(&report.members["prefix_root"]);
    assert_ne!(prefix, old.root);
    merkle::verify_consistency(old.size, new.size, &prefix, &new.root, &proof).unwrap();
}

#[test]
fn a_log_that_shows_an_older_state_of_itself_with_its_tiles_is_told_apart() {
    let known = Log::of(&[story(), filler(300)].concat());
    let monitor = Monitor::new(&[]);
    monitor.tells(&known);
    let older = Log::of(&known.entries[..256]).note();
    let mut seen = Seen::default();
    monitor.run(&known.lying(Resource::Checkpoint, Ok(older)), &mut seen).unwrap_err();
    assert!(seen.reports[0].words.contains("an older state of the same tree"), "{}", seen.reports[0].words);
}

#[test]
fn what_a_log_does_wrong_is_told_moves_nothing_and_passes() {
    let log = Log::of(&story());
    let other_key = SignerKey::from_seed(LOG, &[9; 32]).unwrap();
    let other_log = SignerKey::from_seed("other.example.com/log", &[9; 32]).unwrap();
    let mut renamed = log.checkpoint();
    renamed.log_origin = "other.example.com/log".into();
    let mut spoiled = log.note();
    let end = spoiled.len() - 8;
    spoiled[end] = if spoiled[end] == b'A' { b'B' } else { b'A' };
    let bundle = |entries: &[&str]| verifier::bundle::encode_bundle(entries).unwrap();
    let busy = |resource| Err(ReadError::Unavailable { resource, reason: "busy".into() });
    let refused = Err(ReadError::Refused { resource: Resource::Checkpoint, reason: "elsewhere".into() });
    let (head, hashes, entries) = (Resource::Checkpoint, Resource::Hashes(TILE), Resource::Entries(TILE));
    for (resource, answer, words) in [
        (head, Ok(b"<html>".to_vec()), "malformed note"),
        (head, Ok(Vec::new()), "malformed note"),
        (head, Ok(spoiled), "does not verify"),
        (head, Ok(log.checkpoint().sign(&other_key).into_bytes()), "is not signed by a key"),
        (head, Ok(renamed.sign(&other_log).into_bytes()), "the trust file pins"),
        (head, Err(head.too_large()), "more than 16384 bytes"),
        (head, Err(ReadError::NotFound(head)), "does not have it"),
        (head, refused, "elsewhere"),
        (head, busy(head), "busy"),
        (hashes, Ok(vec![7; 7 * 32]), "do not lead to the root"),
        (hashes, Ok(vec![7; 5]), "whole hashes"),
        (hashes, Err(ReadError::NotFound(hashes)), "does not have it"),
        (entries, Ok(bundle(&["a", "b", "c", "d", "e", "f", "g"])), "do not hash to the tree"),
        (entries, Ok(bundle(&["a"])), "width"),
        (entries, Err(entries.too_large()), "bytes"),
        (entries, busy(entries), "busy"),
    ] {
        let monitor = Monitor::new(&[Watch::All]);
        assert_eq!(monitor.tells(&Log::of(&story()[..3])).len(), 2);
        let mut seen = Seen::default();
        let error = monitor.run(&log.clone().lying(resource, answer), &mut seen).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.is_passing(), "{error}");
        assert_eq!(error.is_silence(), words == "busy", "{error}");
        assert_eq!((seen.reports.len(), monitor.path(".evidence").exists()), (0, false), "{error}");
        assert_eq!(
            monitor.tells(&log),
            told(&[("decision", 3), ("decision", 4), ("consumption", 5), ("enrolment", 6)])
        );
    }
}

#[test]
fn witnesses_must_have_cosigned_but_a_fork_needs_none() {
    let witness = SignerKey::from_seed("witness.example.com", &[3; 32]).unwrap();
    let mut monitor = Monitor::new(&[]);
    let known = Log::of(&story());
    monitor.tells(&known);
    let key = [&[0x04], &witness.verifier_key().public_key()[..]].concat();
    let id = Sha256::digest([b"witness.example.com\n", &key[..]].concat());
    let [a, b, c, d] = *id.first_chunk().unwrap();
    let id = u32::from_be_bytes([a, b, c, d]);
    let key = format!("witness.example.com+{id:08x}+{}", verifier::encoding::base64(&key)).parse().unwrap();
    monitor.trust.witnesses = vec![key];
    monitor.trust.witness_quorum = 1;
    let mut seen = Seen::default();
    let error = monitor.run(&Log::of(&[story(), filler(1)].concat()), &mut seen).unwrap_err();
    assert!(error.to_string().contains("cosigned by 0 of the 1 witnesses"), "{error}");
    assert!(error.is_passing());
    let error = monitor.run(&forked(7), &mut seen).unwrap_err();
    assert!(matches!(error, FollowError::Inconsistent { .. }), "{error}");
}

/// Something that happens to the files of a monitor.
type Damage = Box<dyn Fn(&Monitor)>;

#[test]
fn a_state_that_is_damaged_or_another_s_is_refused() {
    let log = Log::of(&story());
    let state = |monitor: &Monitor| fs::read_to_string(monitor.path("")).unwrap();
    let change = |from: &'static str, to: &'static str| {
        move |monitor: &Monitor| {
            let text = state(monitor);
            assert!(text.contains(from), "{text}");
            fs::write(monitor.path(""), text.replacen(from, to, 1)).unwrap();
        }
    };
    let facts = |change: fn(&mut Vec<u8>)| {
        move |monitor: &Monitor| {
            let mut bytes = fs::read(monitor.path(".facts")).unwrap();
            change(&mut bytes);
            fs::write(monitor.path(".facts"), bytes).unwrap();
        }
    };
    let cases: Vec<(Damage, &str)> = vec![
        (Box::new(|monitor| fs::write(monitor.path(""), "").unwrap()), "damaged"),
        (Box::new(move |monitor| fs::write(monitor.path(""), &state(monitor)[..100]).unwrap()), "damaged"),
        (Box::new(|monitor| fs::write(monitor.path(""), vec![b' '; 70_000]).unwrap()), "damaged"),
        (Box::new(|monitor| fs::remove_file(monitor.path("")).unwrap()), "missing"),
        (Box::new(|monitor| fs::remove_file(monitor.path(".facts")).unwrap()), "damaged"),
        (Box::new(change("monitor-state/v1", "monitor-state/v2")), "another version"),
        (Box::new(change("\"cursor\": 7", "\"cursor\": 8")), "damaged"),
        (Box::new(change("\"cursor\": 7", "\"cursor\": 6")), "damaged"),
        (Box::new(change("\"log\": \"approvals", "\"log\": \"approval")), "damaged"),
        (Box::new(change("\"cursor\"", "\"more\": 1, \"cursor\"")), "damaged"),
        (Box::new(facts(|bytes| bytes.truncate(bytes.len() - 1))), "damaged"),
        (Box::new(facts(|bytes| bytes[20] ^= 1)), "damaged"),
    ];
    for (damage, words) in cases {
        let monitor = Monitor::new(&[Watch::All]);
        monitor.tells(&log);
        damage(&monitor);
        let mut seen = Seen::default();
        let error = monitor.run(&log, &mut seen).unwrap_err();
        assert!(matches!(error, FollowError::Keep(_)) && error.to_string().contains(words), "{words}: {error}");
        assert_eq!(seen.reports, []);
    }

    let mut monitor = Monitor::new(&[]);
    monitor.tells(&log);
    monitor.trust.logs = vec![SignerKey::from_seed("other.example.com/log", &[9; 32]).unwrap().verifier_key()];
    let error = monitor.run(&log, &mut Seen::default()).unwrap_err();
    assert!(error.to_string().contains("the trust file pins"), "{error}");
}

#[test]
fn what_a_killed_run_left_behind_the_facts_is_not_read() {
    let monitor = Monitor::new(&[Watch::All]);
    monitor.tells(&Log::of(&story()[..4]));
    let facts = fs::read(monitor.path(".facts")).unwrap();
    fs::write(monitor.path(".facts"), [facts, vec![0xff; 1_000]].concat()).unwrap();
    assert_eq!(monitor.tells(&Log::of(&story())), told(&[("decision", 4), ("consumption", 5), ("enrolment", 6)]));
    assert_eq!(monitor.tells(&Log::of(&story())), []);
}

#[test]
fn two_monitors_do_not_share_a_state() {
    let monitor = Monitor::new(&[]);
    let held = monitor.files();
    let error = StateFiles::open(&monitor.path("")).unwrap_err();
    assert!(matches!(error, KeepError::Locked(_)), "{error}");
    drop(held);
    monitor.files();
}

#[test]
fn stretches_end_with_bundles() {
    let end = |cursor, tree| stretch::end(TreeSize::new(cursor), TreeSize::new(tree)).get();
    assert_eq!((end(0, 10), end(0, 2_048), end(0, 5_000)), (10, 2_048, 2_048));
    assert_eq!((end(2_047, 5_000), end(2_048, 5_000), end(4_097, 5_000)), (2_048, 4_096, 5_000));
    assert_eq!(end(u64::MAX - 1, u64::MAX), u64::MAX);
}
