//! The shape of the workspace, checked: which crate may use which, who links RocksDB, and that RocksDB is built once.
//!
//! The table below is the rule; ARCHITECTURE.md says what each crate is. The tests live in this crate because it links next
//! to nothing, so they run in a second. Out of scope: what is inside a crate.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A crate and those of ours that it may use outside its tests. A crate that the workspace does not have yet may stand
/// here; a crate of the workspace that does not stand here fails.
const ARROWS: [(&str, &[&str]); 11] = [
    ("merkle", &[]),
    ("verifier", &["merkle"]),
    ("api", &[]),
    ("log-server", &["merkle", "verifier", "api", "mcp"]),
    ("store-rocksdb", &["log-server"]),
    ("mcp", &["verifier", "api"]),
    ("agent", &["merkle", "verifier", "api", "mcp"]),
    ("monitor", &["merkle", "verifier", "api"]),
    ("cli", &["merkle", "verifier", "api", "log-server", "store-rocksdb", "mcp", "agent", "monitor"]),
    // for tests alone
    ("misbehaving", &["merkle", "verifier", "api", "log-server"]),
    ("benches", &["merkle", "verifier", "api", "log-server", "store-rocksdb", "mcp", "agent", "monitor", "cli"]),
];

/// The crates that may link RocksDB, and so take minutes to build the first time.
const LINKS_ROCKSDB: [&str; 3] = ["store-rocksdb", "cli", "benches"];

/// What no part of the offline verifier may pull in: an executor, a client, a server.
const NOT_IN_VERIFIER: [&str; 8] = ["tokio", "reqwest", "axum", "hyper", "mio", "socket2", "rustls", "rocksdb"];

#[test]
fn every_folder_with_a_manifest_is_a_member_and_stands_in_the_table() {
    let members = members();
    let folders = crate_folders();
    assert_eq!(folders, members, "the folders with a Cargo.toml and the members of the workspace differ");
    for member in &members {
        assert!(ARROWS.iter().any(|(name, _)| name == member), "{member} is missing from the table of arrows");
        assert_eq!(
            manifest(member)["package"]["name"].as_str(),
            Some(member.as_str()),
            "a crate is named as its folder"
        );
    }
}

#[test]
fn arrows_point_one_way() {
    let ours: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for member in members() {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == member) else { continue };
        for used in dependencies(&member, &["dependencies", "build-dependencies"]) {
            if ours.contains(used.as_str()) {
                assert!(allowed.contains(&used.as_str()), "{member} may not use {used}; it may use {allowed:?}");
            }
        }
    }
}

#[test]
fn merkle_depends_on_nothing_but_sha2() {
    let used = dependencies("merkle", &["dependencies", "build-dependencies"]);
    assert_eq!(used, BTreeSet::from(["sha2".to_owned()]));
}

#[test]
fn only_the_store_the_command_and_the_benchmarks_reach_rocksdb() {
    for member in members() {
        let reaches = crates_below(&["-p", &member, "-e", "normal,build,dev", "--all-features"]).contains("rocksdb");
        let may = LINKS_ROCKSDB.contains(&member.as_str());
        assert_eq!(reaches, may, "{member}: reaches RocksDB: {reaches}, may: {may}");
    }
}

#[test]
fn the_verifier_has_no_network_and_no_executor() {
    let below = crates_below(&["-p", "verifier", "-e", "normal,build", "--all-features"]);
    assert!(below.contains("p256"), "cargo tree printed something unexpected");
    for name in NOT_IN_VERIFIER {
        assert!(!below.contains(name), "verifier reaches {name}");
    }
}

/// Cargo compiles a dependency again for another set of features, of itself or of anything below it. For the build
/// script of RocksDB that means minutes of C++, so all ways to build it must agree. The remedy for a failure is to
/// declare the missing feature in the workspace.
#[test]
fn rocksdb_is_built_once_for_the_demo_the_tests_and_the_docs() {
    let tests = below_librocksdb(&["--workspace", "-e", "normal,build,dev"]);
    assert!(tests.len() > 10, "cargo tree printed something unexpected: {tests:?}");
    let other_ways: [&[&str]; 4] = [
        &["--workspace", "-e", "normal,build"],
        &["-p", "cli", "-e", "normal,build"],
        &["-p", "store-rocksdb", "-e", "normal,build,dev"],
        &["-p", "benches", "-e", "normal,build,dev"],
    ];
    for way in other_ways {
        let other = below_librocksdb(way);
        let differing: Vec<_> = tests.symmetric_difference(&other).collect();
        assert!(differing.is_empty(), "cargo tree {way:?} and the tests build RocksDB with different {differing:?}");
    }
}

/// AWS-LC is C: only the feature `aws-lc` brings it, which the server turns on and `countersign-verify` does not.
#[test]
fn countersign_verify_builds_without_a_c_compiler() {
    let below = crates_below(&["-p", "verifier", "-e", "normal,build"]);
    assert!(below.contains("p256"), "cargo tree printed something unexpected");
    for name in ["aws-lc-rs", "aws-lc-sys", "cc", "cmake"] {
        assert!(!below.contains(name), "the plain verifier reaches {name}");
    }
}

#[test]
fn every_source_file_begins_with_a_line_that_says_what_it_is() {
    for (path, text) in rust_sources() {
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//! "), "{}: the first line is {first:?}, not a //! line", path.display());
    }
}

#[test]
fn nothing_is_left_for_later_in_the_sources() {
    // In two parts, so that this file does not find itself.
    let needles = [("TO", "DO"), ("FIX", "ME"), ("unimplem", "ented!"), ("todo", "!(")].map(|(a, b)| format!("{a}{b}"));
    for (path, text) in rust_sources() {
        for (number, line) in text.lines().enumerate() {
            let found = needles.iter().find(|needle| line.contains(needle.as_str()));
            assert!(found.is_none(), "{}:{}: {line}", path.display(), number + 1);
        }
    }
}

/// The tests on third-party vectors do not run where the vectors are not, and that must be visible: they are ignored
/// with one fixed reason, and live in files that the test script finds by name.
#[test]
fn tests_on_third_party_vectors_are_where_the_test_script_finds_them() {
    let variable = ["COUNTERSIGN", "VECTORS"].join("_");
    let marker = format!("#[ignore = \"needs {variable}\"]");
    for (path, text) in rust_sources() {
        let count = |needle: &str| text.lines().filter(|line| line.trim() == needle).count();
        if text.contains(&variable) && count("#[test]") > 0 {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let in_tests = path.parent().is_some_and(|folder| folder.ends_with("tests"));
            assert!(in_tests && name.contains("vectors"), "{} belongs into tests/*vectors*.rs", path.display());
            assert_eq!(count("#[test]"), count(&marker), "{}: each test needs {marker}", path.display());
        }
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The manifest of one crate, or of the workspace for ".".
fn manifest(folder: &str) -> toml::Table {
    let path = root().join(folder).join("Cargo.toml");
    toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap()
}

/// The members that the workspace lists.
fn members() -> BTreeSet<String> {
    let workspace = manifest(".");
    let listed = workspace["workspace"]["members"].as_array().unwrap();
    listed.iter().map(|member| member.as_str().unwrap().to_owned()).collect()
}

/// The folders beside each other at the root that hold a manifest.
fn crate_folders() -> BTreeSet<String> {
    let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.path().join("Cargo.toml").is_file());
    folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// The names in the given sections of a manifest, those for single platforms included, after renames are undone.
fn dependencies(member: &str, sections: &[&str]) -> BTreeSet<String> {
    let manifest = manifest(member);
    let platforms = manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    let tables = platforms.filter_map(toml::Value::as_table).chain([&manifest]);
    let mut names = BTreeSet::new();
    for table in tables {
        for section in sections.iter().filter_map(|section| table.get(*section)?.as_table()) {
            names.extend(section.iter().map(|(key, value)| {
                let renamed = value.get("package").and_then(toml::Value::as_str);
                renamed.unwrap_or(key).to_owned()
            }));
        }
    }
    names
}

/// The names of all crates that `cargo tree` finds below a selection.
fn crates_below(selection: &[&str]) -> BTreeSet<String> {
    let nodes = cargo_tree(selection);
    nodes.iter().filter_map(|(_, node)| node.split(' ').next()).map(str::to_owned).collect()
}

/// The build of RocksDB and everything below it, each with its version and features.
fn below_librocksdb(selection: &[&str]) -> BTreeSet<String> {
    let nodes = cargo_tree(selection);
    let mut children: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut above: Vec<&str> = Vec::new();
    for (depth, node) in &nodes {
        above.truncate(*depth);
        if let Some(parent) = above.last() {
            children.entry(parent).or_default().insert(node);
        }
        above.push(node);
    }
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = nodes.iter().map(|(_, node)| node.as_str()).collect();
    open.retain(|node| node.starts_with("librocksdb-sys "));
    while let Some(node) = open.pop() {
        if found.insert(node.to_owned()) {
            open.extend(children.get(node).into_iter().flatten());
        }
    }
    found
}

/// The lines of `cargo tree`: depth, then name, version and features. A node that was printed before appears again
/// without what is below it.
fn cargo_tree(selection: &[&str]) -> Vec<(usize, String)> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(["tree", "--locked", "--prefix", "depth", "-f", "{p} {f}"]).args(selection);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| !line.is_empty()).map(depth_and_node).collect()
}

/// Splits `12name v1.0.0 feature,feature (*)` into 12 and the rest without the mark of a repetition.
fn depth_and_node(line: &str) -> (usize, String) {
    let end = line.find(|c: char| !c.is_ascii_digit()).unwrap();
    let node = line[end..].trim_end_matches(" (*)").trim_end();
    (line[..end].parse().unwrap(), node.to_owned())
}

/// Every Rust source file of the tree with its text.
fn rust_sources() -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !is_foreign(&path) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                sources.push((path, text));
            }
        }
    }
    assert!(!sources.is_empty(), "no Rust source was found");
    sources
}

/// Whether a folder holds what is not ours: hidden folders, build output (it carries a tag), packages of npm.
fn is_foreign(folder: &Path) -> bool {
    let hidden = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    hidden || folder.ends_with("node_modules") || folder.ends_with("target") || folder.join("CACHEDIR.TAG").exists()
}
