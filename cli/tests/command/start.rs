//! The first start and the second: what they print, what they leave on disk, how little they need.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use verifier::note::SignerKey;

use super::running::{Folder, countersign, post};

#[tokio::test]
async fn the_first_start_says_where_everything_is_and_the_second_one_line() {
    let folder = Folder::new();
    let first = folder.started().await.terminated();
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let secret = fs::read_to_string(folder.path("data/log.key")).unwrap();
    let key = SignerKey::from_secret_text(secret.trim_end()).unwrap().verifier_key();
    assert_eq!(key.name(), format!("localhost:{}/log", folder.port));
    for told in [
        &folder.url(),
        &key.to_string(),
        "log.key",
        "admin.key",
        &folder.path("anchor").display().to_string(),
        "loses every\npasskey and forks the log's name",
        "/api/invites",
        "countersign demo",
    ] {
        assert!(first.stdout.contains(told), "no {told:?} in: {}", first.stdout);
    }

    let second = folder.started().await.terminated();
    assert_eq!((second.code, second.stdout.lines().count()), (Some(0), 1), "{}", second.stdout);
    assert!(second.stdout.contains(&key.to_string()));
    for output in [&first, &second] {
        for secret in [secret.trim_end(), &folder.admin_key()] {
            assert!(!output.stdout.contains(secret) && !output.stderr.contains(secret), "a secret was printed");
        }
    }
}

#[tokio::test]
async fn what_the_first_start_makes_is_for_its_user_alone() {
    let folder = Folder::new();
    let server = folder.started().await;
    for (path, mode) in [("data", 0o700), ("data/log.key", 0o600), ("data/admin.key", 0o600)] {
        assert_eq!(mode_of(&folder.path(path)), mode, "{path}");
    }
    assert_eq!(server.terminated().code, Some(0));

    // A fresh volume that everybody can read is closed.
    let volume = Folder::new();
    fs::create_dir(volume.path("data")).unwrap();
    fs::set_permissions(volume.path("data"), fs::Permissions::from_mode(0o755)).unwrap();
    drop(volume.started().await);
    assert_eq!(mode_of(&volume.path("data")), 0o700);
}

#[tokio::test]
async fn a_first_start_that_was_cut_short_is_completed() {
    let folder = Folder::new();
    drop(folder.started().await);
    let key = fs::read_to_string(folder.path("data/log.key")).unwrap();
    // As after a crash behind the first file, and as after one behind both.
    for kept in [&["log.key"][..], &["log.key", "admin.key"]] {
        fs::remove_dir_all(folder.path("anchor")).unwrap();
        fs::remove_dir_all(folder.path("data/db")).unwrap();
        if !kept.contains(&"admin.key") {
            fs::remove_file(folder.path("data/admin.key")).unwrap();
        }
        let server = folder.started().await;
        assert_eq!(fs::read_to_string(folder.path("data/log.key")).unwrap(), key);
        let note = serde_json::json!({"note": "the admin key works"});
        let invite: api::InviteCreated =
            post(&format!("{}/api/invites", folder.url()), &folder.admin_key(), &note).await;
        assert!(!invite.code.is_empty());
        assert!(server.terminated().stdout.starts_with("A new log was made."));
    }
}

#[tokio::test]
async fn the_admin_key_may_be_taken_away_after_the_first_start() {
    let folder = Folder::new();
    drop(folder.started().await);
    fs::remove_file(folder.path("data/admin.key")).unwrap();
    drop(folder.started().await);
    assert!(!folder.path("data/admin.key").exists(), "a key that the store does not know was made");
}

#[tokio::test]
async fn settings_come_from_flags_environment_and_file_in_this_order() {
    let folder = Folder::new();
    let file = format!(
        "data_dir = 'data'\nanchor = 'nowhere/anchor'\nlisten = '127.0.0.1:{}'\npublic_url = 'http://localhost:1'\n\
         [limits]\nlong_polls = 5\n",
        folder.port
    );
    fs::write(folder.path("countersign.toml"), file).unwrap();
    let mut command = countersign();
    command.current_dir(folder.path("")).args(["serve", "--public-url", &folder.url()]);
    command.env("COUNTERSIGN_CONFIG", "countersign.toml").env("COUNTERSIGN_ANCHOR", "anchor");
    command.env("COUNTERSIGN_PUBLIC_URL", "http://localhost:2");
    let mut server = folder.start(&mut command);
    server.ready(&folder.url()).await;
    assert!(folder.path("anchor/anchor.jsonl").exists() && !folder.path("nowhere").exists());
    assert!(server.terminated().stdout.contains(&format!("public URL      {} ", folder.url())));
}

#[tokio::test]
async fn an_idle_server_needs_less_than_60_mib() {
    let folder = Folder::new();
    let server = folder.started().await;
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kibibytes: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kibibytes < 60 * 1024, "{kibibytes} KiB resident");
}

fn mode_of(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}
