//! Every public item has an example, which the documentation tests run.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

const ITEMS: [&str; 7] =
    ["pub fn ", "pub const fn ", "pub struct ", "pub enum ", "pub trait ", "pub const ", "pub type "];

#[test]
fn every_public_item_has_an_example() {
    let mut seen = 0;
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        let mut docs = String::new();
        for (number, line) in (1..).zip(text.lines().map(str::trim_start)) {
            if line.starts_with("///") {
                docs.push_str(line);
                docs.push('\n');
            } else if ITEMS.iter().any(|item| line.starts_with(item)) {
                seen += 1;
                assert!(docs.contains("/// ```\n"), "{}:{number}: no example: {line}", path.display());
                docs.clear();
            } else if !line.starts_with("#[") {
                docs.clear();
            }
        }
    }
    assert!(seen > 70, "only {seen} public items were found");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}
