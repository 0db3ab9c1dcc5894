//! Cosignatures of witnesses, and the quorum of them that a trust file may ask for.

use verifier::encoding::{base64, from_base64};
use verifier::json::Value;
use verifier::verify::Step;

use super::{Case, none};
use crate::made::{Changes, Story, Witness};

const A: Witness = Witness { name: "a.example/w", seed: 0x31, time: 1_772_366_460 };
const B: Witness = Witness { name: "b.example/w", seed: 0x32, time: 1_772_366_461 };
const C: Witness = Witness { name: "c.example/w", seed: 0x33, time: 1_772_366_462 };
/// The key of the first under a second name.
const AGAIN: Witness = Witness { name: "again.example/w", ..A };
/// Another key under the name of the first.
const A_OTHER: Witness = Witness { seed: 0x35, ..A };
const UNKNOWN: Witness = Witness { name: "unknown.example/w", seed: 0x34, time: 1 };

pub(super) fn cases() -> Vec<Case> {
    [genuine(), refused()].into_iter().flatten().collect()
}

fn story(witnesses: &[Witness], changes: Changes) -> Story {
    Story { witnesses: witnesses.to_vec(), ..Story::one() }.with(changes)
}

/// Two of these witnesses must have cosigned.
fn asking_two(case: Case, of: &[Witness]) -> Case {
    let keys: Value = of.iter().map(|witness| Value::from(witness.key_text())).collect();
    case.trusting([("witnesses", keys), ("witness_quorum", 2_u32.into())])
}

fn genuine() -> Vec<Case> {
    let of = |name, witnesses: &[Witness]| asking_two(Case::genuine(name, &story(witnesses, none())), &[A, B, C]);
    vec![
        of("witnesses: two of three", &[C, A]),
        of("witnesses: all", &[A, B, C]),
        of("witnesses: two and an unknown one", &[UNKNOWN, A, B]),
        of("witnesses: two and another key of the name of one", &[A_OTHER, A, B]),
        of("witnesses: one twice and another", &[A, A, B]),
        // Alex decided 30 seconds after it was asked.
        of("witnesses: second one 50 seconds after", &[A.after(70), B.after(40), C.after(50), UNKNOWN]),
        of("witnesses: two before the decision", &[A.after(10), B.after(70), C.after(29)]),
        Case::genuine("witnesses: some, and none asked for", &story(&[A, UNKNOWN], none())),
    ]
}

fn refused() -> Vec<Case> {
    let of = |name, witnesses: &[Witness], note| {
        let story = story(witnesses, Changes { note, ..none() });
        asking_two(Case::fails(Step::Checkpoint, name, &story), &[A, B, AGAIN])
    };
    vec![
        of("witnesses: none of two", &[], |it| it),
        of("witnesses: one of two", &[A], |it| it),
        of("witnesses: one of two twice", &[A, A], |it| it),
        of("witnesses: one key under two names", &[A, AGAIN], |it| it),
        of("witnesses: one and an unknown one", &[A, UNKNOWN], |it| it),
        of("witnesses: one and another key of its name", &[A, A_OTHER], |it| it),
        of("witnesses: two and a line that fails", &[A, B], |note| {
            let (text, _) = note.split_once("\n\n").unwrap();
            let other = A.line(&format!("{text} \n"), 1);
            note + &other
        }),
        of("witnesses: one with another time", &[A, B], |note| with_last_line(&note, |it| it[11] ^= 1)),
        of("witnesses: one with a time beyond 63 bits", &[A], |note| {
            let (text, _) = note.split_once("\n\n").unwrap();
            let line = B.line(&format!("{text}\n"), 1 << 63);
            note + &line
        }),
        of("witnesses: one over another checkpoint", &[A], |note| {
            let (text, _) = note.split_once("\n\n").unwrap();
            let line = B.line(&format!("{}\n", text.replace("\n2\n", "\n3\n")), 2);
            note + &line
        }),
        of("witnesses: one with a signature of a byte less", &[A, B], |note| with_last_line(&note, |it| _ = it.pop())),
        of("witnesses: one without a time", &[A, B], |note| with_last_line(&note, |it| drop(it.drain(4..12)))),
    ]
}

fn with_last_line(note: &str, change: fn(&mut Vec<u8>)) -> String {
    let (head, line) = note.trim_end().rsplit_once(' ').unwrap();
    let mut bytes = from_base64(line).unwrap();
    change(&mut bytes);
    format!("{head} {}\n", base64(&bytes))
}
