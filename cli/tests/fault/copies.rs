//! Copied, restored and foreign folders, and two servers at a time: refused for ever, in a sentence that says why. The log
//! itself goes on as if nothing had been.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::log::{Log, Outcome};
use crate::report::Row;
use crate::running::{Folder, countersign};

/// What no restart can cure.
const PERMANENT: Option<i32> = Some(78);

#[tokio::test(flavor = "multi_thread")]
async fn copied_restored_and_foreign_folders() {
    let mut row = Row::new("copied, restored and foreign folders");
    let (log, server) = Log::started().await;
    append(&log, "first").await;
    assert_eq!(server.terminated().code, Some(0));
    copy(&log.folder.path("data"), &log.folder.path("older"));
    let server = log.folder.started().await;
    append(&log, "second").await;
    assert_eq!(server.terminated().code, Some(0));

    // A log of the same name with another key and history.
    let mut other = Folder::new();
    other.port = log.folder.port;
    let server = other.started().await;
    let other = Log::new(other).await;
    append(&other, "elsewhere").await;
    assert_eq!(server.terminated().code, Some(0));

    let ours = |name: &str| log.folder.path(name);
    let theirs = |name: &str| other.folder.path(name);
    // Their database with our keys: the same key file over another history.
    copy(&ours("data"), &ours("mixed"));
    fs::remove_dir_all(ours("mixed/db")).unwrap();
    copy(&theirs("data/db"), &ours("mixed/db"));
    fs::create_dir(ours("nothing")).unwrap();
    for (data, anchor, words) in [
        (ours("older"), ours("anchor"), "older copy"),
        (theirs("data"), ours("anchor"), "the anchor belongs to"),
        (ours("data"), theirs("anchor"), "the anchor belongs to"),
        (ours("mixed"), ours("anchor"), "the log key has the id"),
        (ours("data"), ours("nowhere"), "the anchor is missing"),
        (ours("data"), ours("nothing"), "the anchor is missing"),
    ] {
        refuses(&mut row, &log, &data, &anchor, words);
    }

    let _server = log.folder.started().await;
    append(&log, "third").await;
    row.checked(log.check().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_folder_or_on_two_copies() {
    let mut row = Row::new("two servers, on one folder or two copies");
    let (log, server) = Log::started().await;
    append(&log, "first").await;
    assert_eq!(server.terminated().code, Some(0));
    copy(&log.folder.path("data"), &log.folder.path("copy"));
    symlink(log.folder.path("anchor"), log.folder.path("linked")).unwrap();
    let server = log.folder.started().await;
    let mut load = log.load("beside another server", 4);
    log.until(50).await;
    let path = |name: &str| log.folder.path(name);
    for (data, anchor, words) in [
        (path("data"), path("anchor"), "open already"),
        (path("data"), path("elsewhere"), "open already"),
        (path("copy"), path("anchor"), "another server is running"),
        (path("copy"), path("linked"), "another server is running"),
        (path("copy"), path("nowhere"), "the anchor is missing"),
    ] {
        refuses(&mut row, &log, &data, &anchor, words);
    }
    assert_eq!(server.terminated().code, Some(0));
    while let Some(told) = load.join_next().await {
        told.unwrap();
    }
    // The copy is older now than what was signed meanwhile.
    refuses(&mut row, &log, &path("copy"), &path("anchor"), "older copy");
    let _server = log.folder.started().await;
    row.checked(log.check().await);
}

/// A start with these folders, under the public URL of the log, ends with a refusal.
fn refuses(row: &mut Row, log: &Log, data: &Path, anchor: &Path, words: &str) {
    row.runs += 1;
    let elsewhere = Folder::new();
    let mut command = countersign();
    command.arg("serve").arg("--data-dir").arg(data).arg("--anchor").arg(anchor);
    command.args(["--public-url", &log.folder.url(), "--listen", &format!("127.0.0.1:{}", elsewhere.port)]);
    let ended = elsewhere.start(&mut command).ended();
    let (code, sentence) = ended.refusal();
    assert_eq!(code, PERMANENT, "{sentence}");
    assert!(sentence.contains(words), "no {words:?} in: {sentence}");
    row.refusals += 1;
}

async fn append(log: &Log, entry: &str) {
    assert_eq!(log.appender.append(entry.as_bytes().to_vec()).await, Outcome::Told);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, from.metadata().unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
