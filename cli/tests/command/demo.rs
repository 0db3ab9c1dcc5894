//! `countersign demo`: the whole story, plain without a terminal, and nothing left but what it says.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::running::{Folder, countersign, web};

#[test]
fn the_story_is_told_plainly_and_its_commands_work() {
    let folder = Folder::new();
    let since = Instant::now();
    let ended = folder.start(&mut demo(&folder, &[])).ended();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    assert!(since.elapsed() < Duration::from_secs(60));
    for told in [
        "\nCountersign demo",
        "\n    APPROVED\n",
        "NOT VERIFIED: the step challenge failed",
        "NOT VERIFIED: the step expectation failed",
        "REJECTED",
        "EXPIRED",
        "deploy-bot does not act: the answer is rejected",
        "deploy-bot does not act: the answer is expired",
        "give the root that is signed",
        "a consistency proof",
        "countersign serve\n",
    ] {
        assert!(ended.stdout.contains(told), "no {told:?} in: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains('\u{1b}'), "colour without a terminal");
    for step in verifier::verify::Step::ALL {
        assert!(ended.stdout.contains(&format!("✓ {}", step.id())), "{}", step.id());
    }

    // What it says to type next works in a shell as it stands, wherever the program lies.
    let program = countersign().get_program().to_string_lossy().into_owned();
    let typed = ended.stdout.lines().map(str::trim).filter(|line| line.contains(" verify /"));
    let codes: Vec<_> = typed
        .inspect(|line| assert!(line.starts_with(&format!("{program} verify ")), "{line}"))
        .map(|line| Command::new("sh").args(["-c", line]).output().unwrap().status.code())
        .collect();
    assert_eq!(codes, [Some(0), Some(1)]);
    assert_eq!(left(&folder), 1, "more than the folder with the receipt is left");
}

#[test]
fn an_interrupted_demo_cleans_up() {
    let folder = Folder::new();
    let mut running = folder.start(&mut demo(&folder, &[]));
    running.prints("deploy-bot gets an API key");
    running.signal(Signal::INT);
    let ended = running.ended();
    assert_eq!((ended.code, left(&folder)), (Some(130), 0), "{}{}", ended.stdout, ended.stderr);
}

#[tokio::test]
async fn keep_leaves_the_server_running_until_it_is_interrupted() {
    let folder = Folder::new();
    let mut running = folder.start(&mut demo(&folder, &["--keep"]));
    let printed = running.prints("admin key");
    let url = printed.lines().find_map(|line| line.trim().strip_prefix("address")).unwrap().trim().to_owned();
    running.ready(&url).await;
    let page = web().get(format!("{url}/approve/cnf_x")).send().await.unwrap().text().await.unwrap();
    assert!(page.to_lowercase().contains("demo"), "the pages do not say that this is a demo");
    running.signal(Signal::INT);
    assert_eq!((running.ended().code, left(&folder)), (Some(0), 1));
}

/// The demo with its temporary folders inside ours.
fn demo(folder: &Folder, arguments: &[&str]) -> Command {
    let temporary = folder.path("tmp");
    fs::create_dir(&temporary).unwrap();
    let mut command = countersign();
    command.arg("demo").args(arguments).env("TMPDIR", temporary);
    command
}

fn left(folder: &Folder) -> usize {
    fs::read_dir(folder.path("tmp")).unwrap().count()
}
