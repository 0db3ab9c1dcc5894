//! What `serve` refuses: each with its exit code and one sentence that says what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use super::person::api_key;
use super::running::{Folder, countersign, web};

/// What no restart can cure.
const PERMANENT: Option<i32> = Some(78);

#[tokio::test]
async fn a_second_server_on_the_same_data_or_the_same_anchor() {
    let folder = Folder::new();
    drop(folder.started().await);
    copy(&folder.path("data"), &folder.path("copy"));
    let _first = folder.started().await;
    let other = Folder::new();
    for (data, anchor, words) in [("data", "other", "open already"), ("copy", "anchor", "another server is running")] {
        let ended = other.start(&mut other.serve_on(&folder.path(data), &folder.path(anchor))).ended();
        let (code, sentence) = ended.refusal();
        assert_eq!(code, PERMANENT, "{sentence}");
        assert!(sentence.contains(words), "{sentence}");
    }
}

#[tokio::test]
async fn a_log_key_that_is_missing_damaged_or_readable_by_others() {
    let folder = Folder::new();
    drop(folder.started().await);
    let path = folder.path("data/log.key");
    let key = fs::read_to_string(&path).unwrap();
    let shown = path.display().to_string();

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    refuses(&folder, &["can be read by others", &format!("chmod 600 {shown}")]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();

    let flipped = key.replacen("PRIVATE", "PRIVATF", 1);
    for garbage in ["", "garbage", &key[..key.len() - 9], &flipped, "\u{0}\u{fffd}"] {
        fs::write(&path, garbage).unwrap();
        refuses(&folder, &[&shown, "no log key"]);
    }

    fs::remove_file(&path).unwrap();
    refuses(&folder, &[&shown, "is missing", "bring the key back"]);
    assert!(!path.exists(), "a new key was made beside an existing database");

    fs::write(&path, key).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    drop(folder.started().await);
}

#[tokio::test]
async fn a_store_without_its_anchor_and_an_anchor_without_its_store() {
    let folder = Folder::new();
    let server = folder.started().await;
    append(&folder, "an entry").await;
    assert_eq!(server.terminated().code, Some(0));
    fs::rename(folder.path("anchor"), folder.path("taken")).unwrap();
    refuses(&folder, &["the anchor is missing"]);
    assert!(!folder.path("anchor").exists(), "its owner is about to bring it back");
    fs::rename(folder.path("taken"), folder.path("anchor")).unwrap();

    fs::rename(folder.path("data/db"), folder.path("taken")).unwrap();
    refuses(&folder, &["the data directory is empty"]);
    fs::remove_dir_all(folder.path("data/db")).unwrap();
    fs::rename(folder.path("taken"), folder.path("data/db")).unwrap();
    drop(folder.started().await);
}

#[tokio::test]
async fn data_that_others_may_look_into() {
    let folder = Folder::new();
    drop(folder.started().await);
    let data = folder.path("data");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    refuses(&folder, &["can be read by others", "mode 0755", "chmod 700"]);
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    drop(folder.started().await);
}

#[tokio::test]
async fn too_few_open_files_are_refused_and_callers_cannot_take_those_of_the_store() {
    let folder = Folder::new();
    let with_limit = |files: u32| {
        let serve = folder.serve();
        let mut shell = Command::new("sh");
        shell.current_dir(serve.get_current_dir().unwrap());
        for (name, value) in serve.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        // Both limits, so that the server cannot raise its own.
        shell.arg("-c").arg(format!("ulimit -n {files}; exec \"$0\" \"$@\"")).arg(serve.get_program());
        shell.args(serve.get_args());
        shell
    };
    refused(&folder, &mut with_limit(200), &["200 files", "ulimit"]);

    let mut server = folder.start(&mut with_limit(320));
    server.ready(&folder.url()).await;
    let key = api_key(&folder, "append").await;
    let address = folder.url().replace("http://localhost", "127.0.0.1");
    let mut idle = Vec::new();
    for _ in 0..400 {
        idle.push(tokio::net::TcpStream::connect(&address).await.unwrap());
    }
    // The appender finds no place among them; once they are gone, the server is as well as before.
    drop(idle);
    let request = web().post(format!("{}/log/entries", folder.url()));
    let answer = request.header("X-Api-Key", key).body("after the flood").send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    assert_eq!(server.terminated().code, Some(0));
}

#[tokio::test]
async fn an_older_copy_of_the_data() {
    let folder = Folder::new();
    let server = folder.started().await;
    append(&folder, "before the copy").await;
    assert_eq!(server.terminated().code, Some(0));
    copy(&folder.path("data"), &folder.path("older"));
    let server = folder.started().await;
    append(&folder, "after the copy").await;
    assert_eq!(server.terminated().code, Some(0));

    fs::rename(folder.path("data"), folder.path("newest")).unwrap();
    fs::rename(folder.path("older"), folder.path("data")).unwrap();
    refuses(&folder, &["1 entries, but 2 were signed", "older copy"]);
}

#[tokio::test]
async fn another_public_url_than_at_the_first_start() {
    let mut folder = Folder::new();
    drop(folder.started().await);
    folder.port = Folder::new().port;
    refuses(&folder, &["public URL"]);
}

#[test]
fn a_public_url_that_nobody_could_be_enrolled_at() {
    let folder = Folder::new();
    for (url, words) in [
        ("https://approvals.example.com/approve", "without a path"),
        ("https://192.0.2.7", "not an IP address"),
        ("http://[::1]:8080", "not an IP address"),
        ("http://approvals.example.com", "must be https"),
        ("approvals.example.com", "must begin with https://"),
    ] {
        let mut command = countersign();
        command.current_dir(folder.path("")).args(["serve", "--public-url", url]);
        refused(&folder, &mut command, &[words]);
    }
    assert!(!folder.path("countersign-data").exists(), "a refused start left something");
}

#[test]
fn a_configuration_file_with_anything_unknown() {
    let folder = Folder::new();
    for (text, words) in
        [("data-dir = 'x'", "unknown field"), ("[limits]\nlong_pols = 1", "line 2"), ("listen = 1", "line 1")]
    {
        fs::write(folder.path("c.toml"), text).unwrap();
        refused(&folder, folder.serve().args(["--config", "c.toml"]), &["c.toml", words]);
    }
    refused(&folder, folder.serve().args(["--config", "none.toml"]), &["none.toml"]);
    assert!(!folder.path("data").exists(), "a refused start left something");
}

#[test]
fn an_anchor_inside_the_data_a_directory_for_everybody_and_a_filter_that_is_none() {
    let folder = Folder::new();
    let mut command = countersign();
    command.current_dir(folder.path("")).args(["serve", "--data-dir", "data", "--anchor", "data/anchor"]);
    refused(&folder, &mut command, &["inside the data directory", "--anchor"]);
    refused(&folder, folder.serve().env("COUNTERSIGN_LOG", "a=b=c"), &["COUNTERSIGN_LOG"]);

    fs::create_dir(folder.path("data")).unwrap();
    fs::set_permissions(folder.path("data"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.path("data/notes.txt"), "mine").unwrap();
    refuses(&folder, &["can be read by others", "chmod 700"]);
}

#[test]
fn a_port_in_use_may_be_free_after_a_restart() {
    let folder = Folder::new();
    let _holder = std::net::TcpListener::bind(("127.0.0.1", folder.port)).unwrap();
    let ended = folder.serve_ends();
    let (code, sentence) = ended.refusal();
    assert_eq!(code, Some(1), "{sentence}");
    assert!(sentence.contains("cannot listen on 127.0.0.1") && sentence.contains("--listen"), "{sentence}");
    assert!(!folder.path("data").exists(), "the next start would not be a first start");
}

#[tokio::test]
async fn a_damaged_store() {
    let folder = Folder::new();
    let server = folder.started().await;
    server.signal(Signal::TERM);
    assert_eq!(server.ended().code, Some(0));
    fs::remove_file(folder.path("data/db/CURRENT")).unwrap();
    refuses(&folder, &["the store in", "damaged"]);
}

/// The server refuses to start for ever, in one sentence with these words.
fn refuses(folder: &Folder, words: &[&str]) {
    refused(folder, &mut folder.serve(), words);
}

fn refused(folder: &Folder, command: &mut Command, words: &[&str]) {
    let ended = folder.start(command).ended();
    let (code, sentence) = ended.refusal();
    assert_eq!(code, PERMANENT, "{sentence}");
    for word in words {
        assert!(sentence.contains(word), "no {word:?} in: {sentence}");
    }
    assert_eq!(ended.stdout, "", "a refused start announced itself");
}

/// Appends an entry to the running server's log.
pub(crate) async fn append(folder: &Folder, entry: &'static str) {
    let key = api_key(folder, "append").await;
    let request = web().post(format!("{}/log/entries", folder.url()));
    let answer = request.header("X-Api-Key", key).body(entry).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
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
