//! The files in testdata/: one case each, for verifiers in every language (testdata/README.md). They are made from
//! fixed keys, so that making them again gives the same bytes; `UPDATE_GOLDEN=1` writes them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use verifier::encoding::base64;
use verifier::json::{Object, Value};

use super::cases::{self, Bytes, Case};
use super::trust_files;

/// What all files together may weigh.
const MAX_BYTES: usize = 3 << 20;

#[test]
fn every_file_is_what_its_case_makes_and_no_file_is_left_over() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata");
    let files = files();
    assert!(files.keys().filter(|path| path.starts_with("receipts")).count() >= 200);
    let total: usize = files.values().map(String::len).sum();
    assert!(total < MAX_BYTES, "{total} bytes");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        write(&folder, &files);
    }
    for (path, text) in &files {
        let file = folder.join(path);
        let found = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(found == *text, "{} is out of date; UPDATE_GOLDEN=1 writes it", file.display());
    }
    for found in ours_below(&folder) {
        let known = files.contains_key(found.strip_prefix(&folder).unwrap());
        assert!(known, "{} is made by no case; UPDATE_GOLDEN=1 removes it", found.display());
    }
}

fn files() -> BTreeMap<PathBuf, String> {
    let (mut files, mut twice) = (BTreeMap::new(), Vec::new());
    let mut add = |path: String, value: Object| {
        if files.insert(PathBuf::from(&path), Value::from(value).to_canonical() + "\n").is_some() {
            twice.push(path);
        }
    };
    for case in cases::all() {
        add(format!("receipts/{}/{}.json", case.folder, case.name), receipt_file(case));
    }
    for case in trust_files::cases() {
        let folder = if case.valid { "accepted" } else { "refused" };
        let members = [("trust", case.text.into()), ("valid", case.valid.into())];
        add(format!("trust/{folder}/{}.json", case.name), Object::new(members));
    }
    assert!(twice.is_empty(), "two cases of one name: {twice:?}");
    files
}

fn receipt_file(case: &Case) -> Object {
    let receipt = match &case.receipt {
        Bytes::Text(text) => match longest_run(text) {
            Some((start, end, unit)) => {
                let (before, run, after) = (&text[..start], &text[start..end], &text[end..]);
                ("receipt_repeat", repeat(before, &run[..unit], run.len() / unit, after))
            }
            None => ("receipt", text.as_str().into()),
        },
        Bytes::Raw(bytes) => ("receipt_base64", base64(bytes).into()),
        Bytes::Repeated { text, times } => ("receipt_repeat", repeat("", text, *times, "")),
    };
    Object::new([
        ("expectation", case.expectation.clone().into()),
        ("failed_step", case.failed_step.map_or(Value::Null, |step| step.id().into())),
        receipt,
        ("trust", case.trust.as_str().into()),
        ("verdict", case.verdict.as_str().into()),
    ])
}

fn repeat(before: &str, text: &str, times: usize, after: &str) -> Value {
    let times = u32::try_from(times).unwrap();
    let members = [("after", after.into()), ("before", before.into()), ("text", text.into()), ("times", times.into())];
    Object::new(members).into()
}

/// Where a text of 1 to 4 bytes stands so often that the file would be large: start, end and the text's length.
fn longest_run(text: &str) -> Option<(usize, usize, usize)> {
    const LARGE: usize = 10_000;
    let bytes = text.as_bytes();
    for unit in [1, 4] {
        let mut start = 0;
        while start + LARGE < bytes.len() {
            let same = (start + unit..bytes.len()).take_while(|at| bytes[*at] == bytes[*at - unit]).count();
            if same >= LARGE && text.is_char_boundary(start) {
                return Some((start, start + unit + same - same % unit, unit));
            }
            start += same + 1;
        }
    }
    None
}

fn write(folder: &Path, files: &BTreeMap<PathBuf, String>) {
    for stale in ours_below(folder) {
        fs::remove_file(stale).unwrap();
    }
    for (path, text) in files {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

/// The files in the two folders that are made here.
fn ours_below(folder: &Path) -> Vec<PathBuf> {
    ["receipts", "trust"].iter().flat_map(|made| found_below(&folder.join(made))).collect()
}

fn found_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(found_below(&path)) } else { found.push(path) }
    }
    found
}
