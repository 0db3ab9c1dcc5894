//! `backup` and `restore` as an operator uses them: under load, beside the anchor, with damage, as static files.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use merkle::{Hash, TreeSize, tiles_changed};
use verifier::bundle::decode_bundle;
use verifier::checkpoint::Checkpoint;
use verifier::encoding::base64;
use verifier::note::{SignerKey, VerifierKey};

use super::anchors;
use super::person::{api_key, enrol_alex};
use super::refusals::append;
use super::running::{Ended, Folder, countersign, post, web};

// With threads, so that the load goes on while a command is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_made_while_appends_go_on_and_an_older_one_is_refused_beside_the_anchor() {
    let folder = Folder::new();
    let server = folder.started().await;
    enrol_alex(&folder).await;
    let key = api_key(&folder, "append").await;
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(appending(folder.url(), key, stop.clone()));
    let mut paths = Vec::new();
    for _ in 0..3 {
        paths.push(backup(&folder));
    }
    stop.store(true, Ordering::SeqCst);
    let appended = load.await.unwrap();
    assert!(appended > 0, "nothing was appended");
    append(&folder, "after the last backup").await;
    assert_eq!(server.terminated().code, Some(0));

    let log_key = log_key(&folder);
    for path in &paths {
        assert_eq!(mode_of(path), 0o700);
        assert_eq!(names(path), ["backup.json", "db"]);
        let tiles = path.with_extension("tiles");
        let size = export(&folder, path, &tiles);
        assert!(size <= appended + 2, "{size} entries");
        check_tiles(&tiles, &log_key, size);
    }
    // Salts and payloads are in a backup, secrets are not.
    for secret in [folder.admin_key(), fs::read_to_string(folder.path("data/log.key")).unwrap()] {
        assert!(!holds(&paths[2], secret.trim_end()), "a backup holds a secret");
    }

    fs::rename(folder.path("data"), folder.path("lost")).unwrap();
    let ended = restore(&folder, &paths[2], &["--data-dir", "data", "--anchor", "anchor"]);
    let (code, sentence) = ended.refusal();
    assert_eq!(code, Some(78), "{sentence}");
    let signed = appended + 2;
    for words in ["older copy", &format!("but {signed} were signed"), "nothing was restored", "--tiles"] {
        assert!(sentence.contains(words), "no {words:?} in: {sentence}");
    }
    assert!(!folder.path("data").exists(), "a refused restore left something");
}

#[tokio::test]
async fn a_stopped_server_is_backed_up_restored_and_goes_on() {
    let folder = Folder::new();
    let server = folder.started().await;
    append(&folder, "before").await;

    let refused = ended(&folder, local_backup().args(["--data-dir", "data", "--anchor", "anchor", "--to", "away"]));
    assert_eq!(refused.code, Some(1));
    assert!(refused.refusal().1.contains("countersign backup --url"), "{}", refused.stderr);
    assert!(!folder.path("away").exists());
    assert_eq!(server.terminated().code, Some(0));

    let made = ended(&folder, local_backup().args(["--data-dir", "data", "--anchor", "anchor", "--to", "away"]));
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let path = PathBuf::from(made.stdout.trim_end());
    assert!(path.starts_with(folder.path("away")) && path.to_str().unwrap().ends_with("Z-1"), "{}", made.stdout);

    fs::rename(folder.path("data"), folder.path("lost")).unwrap();
    let to_data = ["--data-dir", "data", "--anchor", "anchor"];
    for (anchor, words) in [("nowhere", "there is no anchor"), ("data/anchor", "inside the data directory")] {
        let ended = restore(&folder, &path, &["--data-dir", "data", "--anchor", anchor]);
        assert_eq!(ended.code, Some(78), "{}", ended.stderr);
        assert!(ended.refusal().1.contains(words), "{}", ended.stderr);
        assert!(!folder.path(anchor).exists() && !folder.path("data").exists());
    }
    fs::create_dir(folder.path("data")).unwrap();
    fs::write(folder.path("data/mine"), "").unwrap();
    assert!(restore(&folder, &path, &to_data).refusal().1.contains("is not empty"));
    fs::remove_file(folder.path("data/mine")).unwrap();

    let restored = restore(&folder, &path, &to_data);
    assert_eq!(restored.code, Some(0), "{}", restored.stderr);
    assert!(restored.stdout.contains("log.key") && restored.stdout.contains(&folder.url()), "{}", restored.stdout);
    assert_eq!(mode_of(&folder.path("data")), 0o700);
    assert_eq!(names(&folder.path("data")), ["db"]);
    assert!(folder.serve_ends().refusal().1.contains("log key"), "it started without its key");
    for key in ["log.key", "admin.key"] {
        fs::copy(folder.path("lost").join(key), folder.path("data").join(key)).unwrap();
    }
    let server = folder.started().await;
    append(&folder, "after").await;
    let checkpoint = web().get(format!("{}/log/checkpoint", folder.url())).send().await.unwrap().text().await.unwrap();
    assert_eq!(Checkpoint::open(checkpoint.as_bytes(), &log_key(&folder)).unwrap().size.get(), 2);
    let over = restore(&folder, &path, &["--data-dir", "other", "--anchor", "anchor"]);
    assert!(over.code == Some(78) && over.refusal().1.contains("stop it first"), "{}", over.stderr);
    assert_eq!(server.terminated().code, Some(0));
}

#[tokio::test]
async fn an_anchor_in_conflict_and_another_logs_anchor_are_refused() {
    let folder = Folder::new();
    let server = folder.started().await;
    append(&folder, "one").await;
    let path = backup(&folder);
    assert_eq!(server.terminated().code, Some(0));
    let to = ["--data-dir", "restored", "--anchor", "anchor"];
    let anchor = folder.path("anchor/anchor.jsonl");
    let whole = fs::read(&anchor).unwrap();
    let changes: [anchors::Change; 3] = [
        (|anchor| anchor.head.root = Hash::from_bytes([7; 32]), "another log's data"),
        (|anchor| anchor.log_origin = "elsewhere/log".to_owned(), "the anchor belongs to the log elsewhere"),
        (|anchor| anchor.head.size = TreeSize::new(2), "1 entries, but 2 were signed"),
    ];
    let fails = |words: &str| {
        let ended = restore(&folder, &path, &to);
        let (code, sentence) = ended.refusal();
        assert_eq!(code, Some(78), "{sentence}");
        assert!(sentence.contains(words), "no {words:?} in: {sentence}");
        assert!(!folder.path("restored").exists());
    };
    anchors::each_wrong(&folder.path("anchor"), changes, fails);
    fs::write(&anchor, whole).unwrap();
    assert_eq!(restore(&folder, &path, &to).code, Some(0));
}

#[tokio::test]
async fn every_kind_of_damage_is_refused_and_leaves_nothing() {
    let folder = Folder::new();
    let server = folder.started().await;
    append(&folder, "one").await;
    let path = backup(&folder);
    assert_eq!(server.terminated().code, Some(0));
    let mut tables = path.join("db").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let table = tables.find(|path| path.extension().is_some_and(|ending| ending == "sst")).unwrap();
    let refused = |what: &str| {
        for to in [&["--data-dir", "restored", "--anchor", "anchor"][..], &["--tiles", "restored"]] {
            let ended = restore(&folder, &path, to);
            let (code, sentence) = ended.refusal();
            assert_eq!(code, Some(78), "{what}: {sentence}");
            assert!(sentence.contains(&format!("the backup {} is damaged", path.display())), "{what}: {sentence}");
            assert!(!folder.path("restored").exists(), "{what}: something is left");
        }
    };
    // The table is also the stopped server's own, by a hard link: it must not be changed in place.
    let bytes = fs::read(&table).unwrap();
    fs::remove_file(&table).unwrap();
    refused("a missing table");
    for at in [0, bytes.len() / 2, bytes.len() - 60, bytes.len() - 1] {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        fs::write(&table, flipped).unwrap();
        refused(&format!("a flipped byte at {at}"));
    }
    fs::write(&table, &bytes[..bytes.len() / 2]).unwrap();
    refused("a cut table");
    fs::write(&table, &bytes).unwrap();
    fs::write(path.join("db/000099.sst"), "x").unwrap();
    refused("a file too many");
    fs::remove_file(path.join("db/000099.sst")).unwrap();
    let said = fs::read_to_string(path.join("backup.json")).unwrap();
    for changed in
        [said.replace("\"size\":\"1\"", "\"size\":\"2\""), said.replacen("localhost", "elsewhere", 1), String::new()]
    {
        assert_ne!(changed, said);
        fs::write(path.join("backup.json"), changed).unwrap();
        refused("a changed backup.json");
    }
    fs::remove_file(path.join("backup.json")).unwrap();
    refused("no backup.json");
    fs::write(path.join("backup.json"), said).unwrap();
    assert_eq!(restore(&folder, &path, &["--tiles", "restored"]).code, Some(0));
}

#[tokio::test]
async fn the_log_becomes_static_files_that_verify() {
    let folder = Folder::new();
    let _server = folder.started().await;
    let key = api_key(&folder, "append").await;
    let url = format!("{}/log/entries", folder.url());
    let mut at = 0u32;
    for (number, count) in [(0, 0), (1, 1), (2, 255), (3, 44)] {
        if count > 0 {
            let entries: Vec<String> = (at..at + count).map(|n| base64(format!("entry {n}").as_bytes())).collect();
            let _: api::AppendedList = post(&url, &key, &entries).await;
            at += count;
        }
        let tiles = folder.path(&format!("tiles{number}"));
        let path = backup(&folder);
        assert_eq!(export(&folder, &path, &tiles), u64::from(at));
        check_tiles(&tiles, &log_key(&folder), u64::from(at));
        let again = restore(&folder, &path, &["--tiles", tiles.to_str().unwrap()]);
        assert_eq!(again.code, Some(78), "a folder with files was overwritten");
    }
}

#[tokio::test]
async fn backups_at_once_are_whole_or_busy() {
    let folder = Folder::new();
    let _server = folder.started().await;
    append(&folder, "one").await;
    let one = || {
        let request = web().post(format!("{}/api/backups", folder.url())).header("X-Api-Key", folder.admin_key());
        async move { request.send().await.unwrap().status().as_u16() }
    };
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    let made = [a, b, c, d].iter().filter(|status| **status == 201).count();
    assert!(made >= 1 && [a, b, c, d].iter().all(|status| [201, 503].contains(status)), "{a} {b} {c} {d}");
    let found = names(&folder.path("data.backups"));
    assert_eq!(found.len(), made, "{found:?}");
    for (number, name) in found.iter().enumerate() {
        let path = folder.path("data.backups").join(name);
        assert_eq!(export(&folder, &path, &folder.path(&format!("tiles{number}"))), 1);
    }
}

#[tokio::test]
async fn who_may_not_ask_for_a_backup_and_a_folder_that_cannot_be_written() {
    let folder = Folder::new();
    fs::write(folder.path("file"), "").unwrap();
    let mut server = folder.start(folder.serve().args(["--backups", "file/backups"]));
    server.ready(&folder.url()).await;
    let url = format!("{}/api/backups", folder.url());
    assert_eq!(web().post(&url).send().await.unwrap().status(), 401);
    let requester = api_key(&folder, "append").await;
    assert_eq!(web().post(&url).header("X-Api-Key", requester).send().await.unwrap().status(), 403);

    let asked = ended(&folder, remote_backup(&folder).env_remove("COUNTERSIGN_API_KEY_FILE"));
    assert!(asked.code == Some(1) && asked.refusal().1.contains("--api-key-file"), "{}", asked.stderr);
    let asked = ended(&folder, &mut remote_backup(&folder));
    let (code, sentence) = asked.refusal();
    assert!(code == Some(1) && sentence.contains("file/backups"), "{sentence}");
    append(&folder, "the server goes on").await;
    assert_eq!(server.terminated().code, Some(0));

    // A disk without room, for which a limit on the size of files stands here.
    let made = ended(&folder, local_backup().args(["--data-dir", "data", "--anchor", "anchor", "--to", "away"]));
    let path = made.stdout.trim_end();
    let mut shell = Command::new("sh");
    shell.arg("-c").arg("trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"").arg(env!("CARGO_BIN_EXE_countersign"));
    shell.args(["restore", path, "--data-dir", "new/deep/data", "--anchor", "anchor"]).current_dir(folder.path(""));
    let ended = shell.output().unwrap();
    let words = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(1) && words.contains("too large"), "{words}");
    assert!(!folder.path("new").exists(), "a failed restore left something");
}

/// Appends entries one after the other until it is told to stop, and returns how many.
async fn appending(url: String, key: String, stop: Arc<AtomicBool>) -> u64 {
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        let request = web().post(format!("{url}/log/entries")).header("X-Api-Key", &key);
        let answer = request.body(format!("entry {number}")).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        number += 1;
    }
    number
}

/// Has the running server make a backup, and returns where it is.
pub(crate) fn backup(folder: &Folder) -> PathBuf {
    let made = ended(folder, &mut remote_backup(folder));
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    made.stdout.trim_end().into()
}

fn remote_backup(folder: &Folder) -> Command {
    let mut command = countersign();
    command.arg("backup").env("COUNTERSIGN_URL", folder.url());
    command.env("COUNTERSIGN_API_KEY_FILE", folder.path("data/admin.key"));
    command
}

fn local_backup() -> Command {
    let mut command = countersign();
    command.arg("backup");
    command
}

fn restore(folder: &Folder, backup: &Path, to: &[&str]) -> Ended {
    ended(folder, countersign().arg("restore").arg(backup).args(to))
}

/// Runs a command in the folder; its output does not go where a server's goes.
fn ended(folder: &Folder, command: &mut Command) -> Ended {
    let output = command.current_dir(folder.path("")).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Writes a backup's log as static files and returns how many entries its checkpoint has.
fn export(folder: &Folder, backup: &Path, tiles: &Path) -> u64 {
    let ended = restore(folder, backup, &["--tiles", tiles.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let note = fs::read_to_string(tiles.join("checkpoint")).unwrap();
    note.lines().nth(1).unwrap().parse().unwrap()
}

/// Everything that the checkpoint promises is there as a file, nothing else is, and all of it follows from the entries.
pub(crate) fn check_tiles(folder: &Path, key: &VerifierKey, size: u64) {
    let checkpoint = Checkpoint::open(&fs::read(folder.join("checkpoint")).unwrap(), key).unwrap();
    assert_eq!(checkpoint.size.get(), size);
    let mut expected = BTreeSet::from([PathBuf::from("checkpoint")]);
    let mut leaves: Vec<Hash> = Vec::new();
    for tile in tiles_changed(TreeSize::ZERO, checkpoint.size) {
        expected.insert(Path::new("tile").join(tile.path()));
        if tile.level == 0 {
            let path = Path::new("tile").join(tile.entries_path());
            let bundle = fs::read(folder.join(&path)).unwrap();
            let entries = decode_bundle(&bundle, usize::from(tile.width)).unwrap();
            leaves.extend(entries.into_iter().map(merkle::leaf_hash));
            expected.insert(path);
        }
    }
    assert_eq!(merkle::root(&leaves), checkpoint.root);
    let mut row = leaves;
    for level in 0..8 {
        for (index, hashes) in (0u64..).zip(row.chunks(256)) {
            let width = u16::try_from(hashes.len()).unwrap();
            let path = Path::new("tile").join(merkle::Tile { level, index, width }.path());
            let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
            assert_eq!(fs::read(folder.join(&path)).unwrap(), bytes, "{}", path.display());
        }
        row = row.chunks_exact(256).map(merkle::root).collect();
    }
    assert_eq!(files(folder, Path::new("")), expected);
}

fn files(root: &Path, below: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(root.join(below)).unwrap() {
        let entry = entry.unwrap();
        let path = below.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(root, &path));
        } else {
            found.insert(path);
        }
    }
    found
}

pub(crate) fn log_key(folder: &Folder) -> VerifierKey {
    let secret =
        fs::read_to_string(folder.path("data/log.key")).or_else(|_| fs::read_to_string(folder.path("lost/log.key")));
    SignerKey::from_secret_text(secret.unwrap().trim_end()).unwrap().verifier_key()
}

fn names(folder: &Path) -> Vec<String> {
    let names = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn holds(folder: &Path, secret: &str) -> bool {
    files(folder, Path::new("")).iter().any(|path| {
        let bytes = fs::read(folder.join(path)).unwrap();
        bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
    })
}

fn mode_of(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}
