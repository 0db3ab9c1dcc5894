//! Checkpoints that witnesses cosigned (C2SP tlog-cosignature), as `audit` and `monitor` count them.

use std::fs;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use verifier::checkpoint::Checkpoint;
use verifier::encoding::{base64, from_base64};
use verifier::note::SignerKey;

use super::made_log::{MadeLog, key, trust};
use super::running::{Ended, Folder, countersign};

/// The type byte of a cosignature.
const COSIGNATURE: u8 = 0x04;

#[test]
fn as_many_witnesses_as_asked_for_pass_and_one_too_few_does_not() {
    let [first, second, third] = [1, 2, 3].map(Witness::new);
    let folder = Folder::new();
    let mut pinned: Value = serde_json::from_str(&trust().to_json()).unwrap();
    pinned["witnesses"] = json!([first.key(), second.key()]);
    pinned["witness_quorum"] = json!(2);
    fs::write(folder.path("trust.json"), pinned.to_string()).unwrap();

    let log = MadeLog::start();
    let head = log.show(&["a", "b", "c"]);
    let show = |lines: &[String]| log.put("/log/checkpoint", [head.sign(&key()), lines.concat()].concat().into_bytes());
    let too_few =
        |given: &str| format!("size 3 is cosigned by {given} of the 2 witnesses that the trust file asks for");
    for (lines, words) in [
        (vec![], too_few("0")),
        (vec![first.cosigns(&head)], too_few("1")),
        // Nobody pinned this one.
        (vec![first.cosigns(&head), third.cosigns(&head)], too_few("1")),
        (vec![first.cosigns(&head), first.cosigns_at(&head, 1_800_000_001)], too_few("1")),
        (vec![first.cosigns(&head), second.cosigns_the_wrong_time(&head)], "forged or damaged".to_owned()),
    ] {
        show(&lines);
        for ended in [audit(&folder, &log), monitor(&folder, &log)] {
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{}", ended.stderr);
            assert!(ended.stderr.contains(&words), "no {words:?} in: {}", ended.stderr);
        }
    }

    show(&[first.cosigns(&head), third.cosigns(&head), second.cosigns(&head)]);
    let passed = audit(&folder, &log);
    assert_eq!(passed.code, Some(0), "{}{}", passed.stdout, passed.stderr);
    assert!(passed.stdout.contains(", signed, and cosigned by 2"), "{}", passed.stdout);
    let followed = monitor(&folder, &log);
    assert_eq!((followed.code, followed.stderr.as_str()), (Some(0), ""), "{}", followed.stdout);
    assert!(followed.stdout.starts_with("checkpoint of size 3 is consistent, 3 new entries"), "{}", followed.stdout);
}

fn audit(folder: &Folder, log: &MadeLog) -> Ended {
    run(folder, &["audit", "--url", &log.url, "--trust", "trust.json"])
}

fn monitor(folder: &Folder, log: &MadeLog) -> Ended {
    run(folder, &["monitor", "--url", &log.url, "--trust", "trust.json", "--state", "state", "--once"])
}

fn run(folder: &Folder, arguments: &[&str]) -> Ended {
    folder.start(countersign().current_dir(folder.path("")).args(arguments)).ended()
}

/// A witness, which signs checkpoints of logs that it follows.
struct Witness(SignerKey);

impl Witness {
    fn new(number: u8) -> Self {
        Self(SignerKey::from_seed(&format!("witness-{number}.example.com"), &[100 + number; 32]).unwrap())
    }

    fn name(&self) -> String {
        self.0.verifier_key().name().to_owned()
    }

    /// `type ‖ public key`, which the key id is the hash of, under the name.
    fn blob(&self) -> Vec<u8> {
        [&[COSIGNATURE], self.0.verifier_key().public_key().as_slice()].concat()
    }

    fn id(&self) -> [u8; 4] {
        let hash = Sha256::digest([format!("{}\n", self.name()).as_bytes(), &self.blob()].concat());
        *hash.first_chunk().unwrap()
    }

    /// As a trust file pins it.
    fn key(&self) -> String {
        let id = u32::from_be_bytes(self.id());
        format!("{}+{id:08x}+{}", self.name(), base64(&self.blob()))
    }

    fn cosigns(&self, head: &Checkpoint) -> String {
        self.cosigns_at(head, 1_800_000_000)
    }

    fn cosigns_at(&self, head: &Checkpoint, time: u64) -> String {
        self.line(head, time, time)
    }

    fn cosigns_the_wrong_time(&self, head: &Checkpoint) -> String {
        self.line(head, 1_800_000_000, 1_800_000_001)
    }

    /// `— name base64(key id ‖ time ‖ signature)`, where the signature is over `cosignature/v1`, the time and the text.
    fn line(&self, head: &Checkpoint, signed: u64, claimed: u64) -> String {
        let note = self.0.sign(&format!("cosignature/v1\ntime {signed}\n{}", head.to_text()));
        let encoded = note.trim_end().rsplit(' ').next().unwrap();
        // The signer puts its key id in front, as in a log's own line.
        let signature = from_base64(encoded).unwrap().split_off(4);
        let line = [self.id().as_slice(), &claimed.to_be_bytes(), &signature].concat();
        format!("— {} {}\n", self.name(), base64(&line))
    }
}
