//! The inclusion and consistency proofs, good and bad, that the transparency-dev/merkle project publishes. They are
//! data of a third party, so they lie outside this tree, in the folder that COUNTERSIGN_VECTORS names.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use merkle::{Hash, LeafIndex, TreeSize, verify_consistency, verify_inclusion};
use serde_json::Value;

#[test]
#[ignore = "needs COUNTERSIGN_VECTORS"]
fn inclusion() {
    let (good, bad) = run("inclusion", |case| {
        let (Some(leaf), Some(root), Some(proof)) = (case.hash("leafHash"), case.hash("root"), case.proof()) else {
            return false;
        };
        let (index, size) = (LeafIndex::new(case.number("leafIdx")), TreeSize::new(case.number("treeSize")));
        verify_inclusion(&leaf, index, size, &proof, &root).is_ok()
    });
    assert!(good >= 5 && bad >= 50, "only {good} good and {bad} bad inclusion proofs: the folder is not complete");
}

#[test]
#[ignore = "needs COUNTERSIGN_VECTORS"]
fn consistency() {
    let (good, bad) = run("consistency", |case| {
        let (Some(old), Some(new), Some(proof)) = (case.hash("root1"), case.hash("root2"), case.proof()) else {
            return false;
        };
        let (from, to) = (TreeSize::new(case.number("size1")), TreeSize::new(case.number("size2")));
        verify_consistency(from, to, &old, &new, &proof).is_ok()
    });
    assert!(good >= 4 && bad >= 50, "only {good} good and {bad} bad consistency proofs: the folder is not complete");
}

/// Checks each case against its `wantErr`; how many should pass and how many should not.
fn run(kind: &str, accepts: impl Fn(&Case) -> bool) -> (usize, usize) {
    let mut counts = (0, 0);
    for path in files_below(&vectors().join("merkle").join(kind)) {
        let case = Case::read(path);
        let bad = case.value["wantErr"].as_bool().unwrap_or_else(|| panic!("no wantErr in {}", case.path.display()));
        assert_eq!(accepts(&case), !bad, "{} ({})", case.path.display(), case.value["desc"]);
        *(if bad { &mut counts.1 } else { &mut counts.0 }) += 1;
    }
    counts
}

fn vectors() -> PathBuf {
    let Some(folder) = env::var_os("COUNTERSIGN_VECTORS") else {
        panic!("set COUNTERSIGN_VECTORS to the folder of third-party test vectors; this test cannot run without them");
    };
    PathBuf::from(folder)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| {
        panic!("cannot read {}, a folder of third-party test vectors: {error}", folder.display());
    });
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

struct Case {
    path: PathBuf,
    value: Value,
}

impl Case {
    fn read(path: PathBuf) -> Case {
        let text = fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        let value = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Case { path, value }
    }

    fn number(&self, name: &str) -> u64 {
        self.value[name].as_u64().unwrap_or_else(|| panic!("no number {name} in {}", self.path.display()))
    }

    /// `None` if the bytes are not a hash, which is how some of the bad cases are bad.
    fn hash(&self, name: &str) -> Option<Hash> {
        decode(&self.value[name])
    }

    fn proof(&self) -> Option<Vec<Hash>> {
        match &self.value["proof"] {
            Value::Null => Some(Vec::new()),
            Value::Array(hashes) => hashes.iter().map(decode).collect(),
            other => panic!("the proof is {other} in {}", self.path.display()),
        }
    }
}

fn decode(value: &Value) -> Option<Hash> {
    let text = value.as_str().expect("a hash is a string");
    let bytes = BASE64_STANDARD.decode(text).expect("a hash is base64");
    Hash::try_from(bytes.as_slice()).ok()
}
