//! `audit` as anybody uses it: over HTTP, of a static mirror, in the directory of a stopped server and of a backup.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use merkle::{Hash, TreeSize};
use serde_json::Value;
use verifier::note::SignerKey;

use super::anchors;
use super::backups::{backup, log_key};
use super::decisions::Deciding;
use super::refusals::append;
use super::running::{Ended, Folder, Running, countersign};
use super::static_files;

#[tokio::test]
async fn a_running_servers_log_passes_and_the_report_says_what_is_in_it() {
    let folder = Folder::new();
    let _server = with_log(&folder).await;
    let passed = audit(&folder, &["--url", &folder.url()]);
    assert_eq!(passed.code, Some(0), "{}{}", passed.stdout, passed.stderr);
    let log = format!("localhost:{}/log", folder.port);
    for words in [
        log.as_str(),
        "head       5 entries, root ",
        ", signed",
        "1 enrolments, 0 revocations, 2 decisions, 1 consumptions, 1 of other services, 0 malformed",
        "approvers  1",
        "1 tiles and 2 signatures",
        "\nPASSED: ",
    ] {
        assert!(passed.stdout.contains(words), "no {words:?} in: {}", passed.stdout);
    }
    assert_eq!(passed.stderr, "", "a bar where there is no terminal");

    let prefix = format!("{}/log/", folder.url());
    let report = json(&audit(&folder, &["--url", &prefix, "--json", "--threads", "1"]));
    assert_eq!((&report["passed"], &report["size"], &report["signed"]), (&true.into(), &5.into(), &true.into()));
    assert_eq!((&report["log"], &report["root"]), (&log.into(), &report["computed_root"]));
    assert_eq!(report["entries"]["decisions"], 2);
    // The environment names server and trust file as for every client.
    let mut command = countersign();
    command.arg("audit").env("COUNTERSIGN_URL", folder.url()).env("COUNTERSIGN_TRUST", folder.path("trust.json"));
    assert_eq!(ended(&folder, &mut command).code, Some(0));
}

#[tokio::test]
async fn another_key_another_log_and_wrong_calls_are_told_apart() {
    let folder = Folder::new();
    let server = with_log(&folder).await;
    let trust = fs::read_to_string(folder.path("trust.json")).unwrap();
    let key = log_key(&folder);
    let with_key = |name: &str| {
        let other = SignerKey::from_seed(name, &[7; 32]).unwrap().verifier_key();
        fs::write(folder.path("trust.json"), trust.replace(&key.to_string(), &other.to_string())).unwrap();
    };
    for (name, http, directory) in [
        (
            key.name(),
            "is not signed by a key that the trust file pins for localhost",
            "and the trust file pins localhost",
        ),
        ("example.org/log", "and the trust file pins \"example.org/log\"", "and the trust file pins example.org/log"),
    ] {
        with_key(name);
        refused(&audit(&folder, &["--url", &folder.url()]), 1, http);
        let report = json(&audit(&folder, &["--url", &folder.url(), "--json"]));
        assert!(report["passed"] == false && report["error"].as_str().unwrap().contains(http), "{report}");
        // The server's own directory is locked, a backup of it is not.
        let path = backup(&folder);
        refused(&audit(&folder, &["--data-dir", path.to_str().unwrap()]), 1, directory);
    }
    fs::write(folder.path("trust.json"), &trust).unwrap();
    refused(&audit(&folder, &[]), 2, "--url URL or --data-dir DIR");
    refused(&audit(&folder, &["--url", "localhost:1"]), 2, "it must begin with https:// or http://");
    refused(&audit(&folder, &["--data-dir", "nowhere"]), 2, "there is no log in nowhere");
    refused(&audit(&folder, &["--data-dir", "data", "--anchor", "nowhere"]), 2, "there is no anchor in nowhere");
    assert_eq!(audit(&folder, &["--url", &folder.url(), "--data-dir", "data"]).code, Some(2));
    fs::write(folder.path("trust.json"), "{}").unwrap();
    refused(&audit(&folder, &["--url", &folder.url()]), 2, "trust.json: ");
    fs::write(folder.path("trust.json"), &trust).unwrap();
    assert_eq!(server.terminated().code, Some(0));
    refused(&audit(&folder, &["--url", &folder.url()]), 1, "check the URL and that the server runs");
}

#[tokio::test]
async fn a_live_directory_is_locked_and_a_stopped_one_is_compared_with_its_anchor() {
    let folder = Folder::new();
    let server = with_log(&folder).await;
    refused(
        &audit(&folder, &["--data-dir", "data"]),
        1,
        "a running server holds the store in data/db; audit it with --url",
    );
    append(&folder, "it goes on").await;
    let path = backup(&folder);
    assert_eq!(server.terminated().code, Some(0));

    let before = contents(&folder.path("data"));
    for directory in ["data", "data/db", path.to_str().unwrap()] {
        let passed = audit(&folder, &["--data-dir", directory, "--anchor", "anchor"]);
        assert_eq!(passed.code, Some(0), "{directory}: {}{}", passed.stdout, passed.stderr);
        assert!(passed.stdout.contains("as stored, not signed"), "{}", passed.stdout);
    }
    assert!(contents(&folder.path("data")) == before, "an audit changed something");

    let changes: [anchors::Change; 3] = [
        (|anchor| anchor.head.size = TreeSize::new(7), "6 entries, but 7 were signed"),
        (|anchor| anchor.head.root = Hash::from_bytes([7; 32]), "another log's data"),
        (|anchor| anchor.log_origin = "elsewhere/log".to_owned(), "is of the log elsewhere"),
    ];
    let fails = |words: &str| {
        let failed = audit(&folder, &["--data-dir", "data", "--anchor", "anchor"]);
        assert_eq!(failed.code, Some(1), "{}", failed.stderr);
        assert!(failed.stdout.contains(words) && failed.stdout.contains("FAILED: 1 findings"), "{}", failed.stdout);
    };
    anchors::each_wrong(&folder.path("anchor"), changes, fails);
    // One that lies where anchors lie is found, one that lies elsewhere must be named.
    assert_eq!(audit(&folder, &["--data-dir", "data"]).code, Some(0));
    fs::rename(folder.path("anchor"), folder.path("data.anchor")).unwrap();
    assert_eq!(audit(&folder, &["--data-dir", "data/"]).code, Some(1));
}

#[tokio::test]
async fn a_flipped_byte_in_a_table_never_passes() {
    let folder = Folder::new();
    let server = with_log(&folder).await;
    append(&folder, "an entry to be found").await;
    let path = backup(&folder);
    assert_eq!(server.terminated().code, Some(0));
    let tables = path.join("db").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let tables = tables.filter(|path| path.extension().is_some_and(|ending| ending == "sst"));
    let tables: Vec<_> = tables.map(|path| (fs::read(&path).unwrap(), path)).collect();
    for (bytes, table) in &tables {
        // In the first block, whatever it holds: entries, the leaf index, records. The table is also the server's own, by a hard
        // link.
        let mut flipped = bytes.clone();
        flipped[30] ^= 1;
        fs::remove_file(table).unwrap();
        fs::write(table, flipped).unwrap();
        assert_eq!(audit(&folder, &["--data-dir", path.to_str().unwrap()]).code, Some(1), "{}", table.display());
        fs::write(table, bytes).unwrap();
    }
    assert_eq!(audit(&folder, &["--data-dir", path.to_str().unwrap()]).code, Some(0));

    let needle = b"an entry to be found";
    let found = |bytes: &[u8]| bytes.windows(needle.len()).position(|bytes| bytes == needle);
    let (bytes, table) = tables.iter().find(|(bytes, _)| found(bytes).is_some()).unwrap();
    let mut flipped = bytes.clone();
    flipped[found(bytes).unwrap()] ^= 1;
    fs::remove_file(table).unwrap();
    fs::write(table, flipped).unwrap();
    let report = json(&audit(&folder, &["--data-dir", path.to_str().unwrap(), "--json"]));
    assert_eq!(report["passed"], false, "{report}");
    // The block may hold tiles too.
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["resource"] == "tile/entries/000.p/6");
    let words = found.unwrap()["words"].as_str().unwrap();
    assert!(words.contains("tile/entries/000.p/6: the store failed") && words.contains(".sst"), "{report}");
    fs::write(table, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(audit(&folder, &["--data-dir", path.to_str().unwrap()]).code, Some(1));
}

#[tokio::test]
async fn a_static_mirror_passes_and_every_change_to_it_is_named() {
    let folder = Folder::new();
    let server = with_log(&folder).await;
    let path = backup(&folder);
    assert_eq!(server.terminated().code, Some(0));
    let mirror = folder.path("files/mirror/log");
    let mut restore = countersign();
    restore.arg("restore").arg(path).arg("--tiles").arg(&mirror);
    fs::create_dir_all(folder.path("files/mirror")).unwrap();
    assert_eq!(ended(&folder, &mut restore).code, Some(0));
    static_files::serve(folder.path("files"), folder.port);
    let url = format!("{}/mirror/log", folder.url());
    let passed = audit(&folder, &["--url", &url]);
    assert_eq!(passed.code, Some(0), "{}{}", passed.stdout, passed.stderr);

    let last = |bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 1;
    for (name, change, expected) in [
        ("tile/entries/000.p/5", Some(last as fn(&mut Vec<u8>)), "✗ entry 4: tile/entries/000.p/5 holds bytes with"),
        ("tile/0/000.p/5", Some(last), "✗ entry 4: tile/entries/000.p/5 holds bytes with the leaf hash"),
        ("tile/0/000.p/5", Some(|bytes| bytes.extend([0; 32])), "tile/0/000.p/5: 6 hashes where the width is 5"),
        (
            "tile/entries/000.p/5",
            Some(|bytes| bytes.push(0)),
            "✗ entry 5: tile/entries/000.p/5: the bundle ends inside",
        ),
        ("tile/entries/000.p/5", None, "tile/entries/000.p/5: the log does not have it"),
        ("checkpoint", Some(|bytes| bytes.truncate(10)), "malformed note"),
        ("checkpoint", None, "checkpoint: the log does not have it"),
    ] {
        let file = mirror.join(name);
        let good = fs::read(&file).unwrap();
        match change {
            Some(change) => {
                let mut bytes = good.clone();
                change(&mut bytes);
                fs::write(&file, bytes).unwrap();
            }
            None => fs::remove_file(&file).unwrap(),
        }
        let failed = audit(&folder, &["--url", &url]);
        assert_eq!(failed.code, Some(1), "{name}: {}{}", failed.stdout, failed.stderr);
        let words = failed.stdout + &failed.stderr;
        assert!(words.contains(expected), "no {expected:?} in: {words}");
        fs::write(&file, good).unwrap();
    }
    assert_eq!(audit(&folder, &["--url", &url]).code, Some(0));
}

/// A server whose log has a raw entry, an enrolment, two decisions and a consumption, and its trust file.
async fn with_log(folder: &Folder) -> Running {
    let server = folder.started().await;
    append(folder, "a raw entry").await;
    let people = Deciding::enrol(folder).await;
    let id = people.decide("Deploy", "approve").await;
    people.consume(&id).await;
    people.decide("Delete", "reject").await;
    let trust = countersign().args(["trust", "--url", &folder.url()]).output().unwrap();
    fs::write(folder.path("trust.json"), trust.stdout).unwrap();
    server
}

/// `countersign audit` in the folder, with its trust file.
fn audit(folder: &Folder, arguments: &[&str]) -> Ended {
    ended(folder, countersign().args(["audit", "--trust", "trust.json"]).args(arguments))
}

fn ended(folder: &Folder, command: &mut std::process::Command) -> Ended {
    let output = command.current_dir(folder.path("")).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[track_caller]
fn refused(ended: &Ended, code: i32, words: &str) {
    let (found, sentence) = ended.refusal();
    assert_eq!(found, Some(code), "{sentence}");
    assert!(sentence.contains(words), "no {words:?} in: {sentence}");
    assert_eq!(ended.stdout, "");
}

fn json(ended: &Ended) -> Value {
    assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.stdout);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// Every file below a folder.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files.extend(contents(&entry));
        } else {
            let bytes = fs::read(&entry).unwrap();
            files.insert(entry, bytes);
        }
    }
    files
}
