//! The shell commands of README.md, typed into one shell as they stand, against the server that they start, while alex decides
//! in a browser. The Python and JavaScript of the page are run with the SDKs (testdata/documents.json).

use std::os::unix::fs::symlink;
use std::process::Stdio;

use super::blocks::blocks;
use super::decisions::Deciding;
use super::documents::script;
use super::runbook::shell;
use super::running::{Folder, Running};

#[tokio::test]
async fn the_commands_of_the_readme() {
    // The first is `make demo` and `make test`.
    let blocks = blocks("README.md", "sh", file!());
    let [_, serve, furnish, settings, gate, by_hand] = &blocks[..] else { panic!("the table says six") };
    let folder = Folder::new();
    // What the second one builds is built already.
    script(&folder, "cargo", "test \"$*\" = 'build --locked --bin countersign'");
    let _server = started(&folder, serve).await;
    let local = |block: &str| block.replace("http://localhost:8080", &folder.url());

    // What it prints lies in a folder of its own, because the server prints too.
    let (terminal, home) = (Folder::new(), folder.path("").display().to_string());
    let settings_of_its_own = [("HOME", home.clone()), ("XDG_STATE_HOME", home)];
    let mut typed = terminal.start(shell(&folder, &settings_of_its_own, "exec sh -eus").stdin(Stdio::piped()));
    typed.reads(&local(furnish));
    typed.reads("echo \"$KEY\"\n");
    let printed = typed.prints("csk_");
    let alex = Deciding::enrol_at(&folder, printed.lines().next().unwrap().to_owned()).await;
    typed.reads(&local(settings));

    typed.reads(gate);
    let told = typed.says("compare code");
    let page = told.lines().find_map(|line| line.trim().strip_prefix("decide here")).unwrap().trim();
    assert!(!typed.prints("csk_").contains("deploying"), "nothing runs before alex says yes");
    alex.decide_on(page, "approve").await;
    typed.prints("deploying to production");

    let (ask, answered) = by_hand.split_once("\n\n").unwrap();
    typed.reads(&local(ask));
    typed.reads("\n");
    let printed = typed.prints("/approve/cnf_");
    let page = printed.split_whitespace().find(|word| word.contains("/approve/")).unwrap();
    alex.decide_on(page, "approve").await;
    typed.reads(&local(answered));
    let printed = typed.prints("now run it");
    assert!(printed.contains("\napproved\n") && printed.contains("APPROVED"), "{printed}");
}

/// The server of the page, which listens elsewhere here.
async fn started(folder: &Folder, block: &str) -> Running {
    // The folder of the tests' own servers has another name.
    symlink("countersign-data", folder.path("data")).unwrap();
    let settings =
        [("COUNTERSIGN_LISTEN", format!("127.0.0.1:{}", folder.port)), ("COUNTERSIGN_PUBLIC_URL", folder.url())];
    // In place of the shell, so that it ends with the test.
    assert!(block.contains("\ncountersign serve"), "{block}");
    let block = block.replace("\ncountersign serve", "\nexec countersign serve");
    let mut server = folder.start(&mut shell(folder, &settings, &format!("PATH=.:$PATH\n{block}")));
    server.ready(&folder.url()).await;
    server
}
