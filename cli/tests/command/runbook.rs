//! docs/backup.md, followed command by command: what stands in the document is what runs here.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::backups::{check_tiles, log_key};
use super::refusals::append;
use super::running::{Ended, Folder, Running, countersign};
use super::static_files;

/// What happens before a block of the document.
enum Step {
    /// Nothing: the block is run.
    Run,
    /// The block starts the server of a folder.
    Serve,
    /// The server is stopped, as the document says, and the block is run.
    StopAndRun,
}

#[tokio::test]
async fn the_runbook_works_as_it_stands() {
    use Step::{Run, Serve, StopAndRun};
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/backup.md");
    let blocks = blocks(&fs::read_to_string(document).unwrap());
    // keys, backup, of a stopped server, drill, lost data, restore, start, doctor; then the way on.
    let steps = [Serve, Run, Run, StopAndRun, Run, Run, Run, Serve, Run];
    // Export, audit, new log.
    let way_on = 3;
    assert_eq!(blocks.len(), 1 + steps.len() + way_on, "the runbook has other blocks than this test knows");

    let (folder, new) = (Folder::new(), Folder::new());
    let settings = [
        ("URL", folder.url()),
        ("LISTEN", format!("127.0.0.1:{}", folder.port)),
        ("DATA", "data".to_owned()),
        ("ANCHOR", "anchor".to_owned()),
        ("BACKUPS", "backups".to_owned()),
        ("KEPT", "kept".to_owned()),
        ("AWAY", "away".to_owned()),
        ("NEW_URL", new.url()),
        ("NEW_LISTEN", format!("127.0.0.1:{}", new.port)),
    ];
    let named: Vec<&str> = blocks[0].lines().map(|line| line.split('=').next().unwrap()).collect();
    assert_eq!(named, settings.iter().map(|(name, _)| *name).collect::<Vec<_>>());

    let mut server: Option<Running> = None;
    for (step, block) in steps.iter().zip(&blocks[1..]) {
        match step {
            Serve => {
                let mut started = folder.start(&mut shell(&folder, &settings, &format!("exec {block}")));
                started.ready(&folder.url()).await;
                if server.is_none() && !folder.path("away").exists() {
                    append(&folder, "an entry").await;
                }
                server = Some(started);
            }
            Run => drop(runs(&folder, &settings, block)),
            StopAndRun => {
                assert_eq!(server.take().unwrap().terminated().code, Some(0));
                runs(&folder, &settings, block);
            }
        }
    }

    // More is signed, and then the data is lost: what was backed up is older now, and refused.
    append(&folder, "signed after the backup").await;
    assert_eq!(server.take().unwrap().terminated().code, Some(0));
    let key = log_key(&folder);
    fs::remove_dir_all(folder.path("data")).unwrap();
    let restore = blocks[1..].iter().find(|block| block.contains("--data-dir") && block.contains("restore")).unwrap();
    let refused = ended(&folder, &settings, restore);
    assert_eq!(refused.code, Some(78), "{}", refused.stderr);
    assert!(!folder.path("data").exists());

    let [export, audit, serve] = &blocks[1 + steps.len()..] else { panic!("three blocks are the way on") };
    runs(&folder, &settings, export);
    check_tiles(&folder.path("old-log/log"), &key, 1);
    static_files::serve(folder.path("old-log"), folder.port);
    runs(&folder, &settings, audit);
    let mut started = folder.start(&mut shell(&folder, &settings, &format!("exec {serve}")));
    started.ready(&new.url()).await;
    assert_eq!(started.terminated().code, Some(0));
}

/// The texts of the blocks of shell commands.
pub(crate) fn blocks(document: &str) -> Vec<String> {
    let blocks = document.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.collect()
}

/// Runs a block that must succeed, and returns what it printed.
pub(crate) fn runs(folder: &Folder, settings: &[(&str, String)], block: &str) -> String {
    let ended = ended(folder, settings, block);
    assert_eq!(ended.code, Some(0), "{block}\n{}{}", ended.stdout, ended.stderr);
    ended.stdout
}

fn ended(folder: &Folder, settings: &[(&str, String)], block: &str) -> Ended {
    let output = shell(folder, settings, block).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A shell in the folder that stops at the first failure, with the command of this build first in its path.
pub(crate) fn shell(folder: &Folder, settings: &[(&str, String)], script: &str) -> Command {
    let built = Path::new(env!("CARGO_BIN_EXE_countersign")).parent().unwrap();
    let path = format!("{}:{}", built.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    for (name, value) in countersign().get_envs() {
        assert!(value.is_none(), "only settings of ours are taken away");
        shell.env_remove(name);
    }
    shell.current_dir(folder.path("")).env("PATH", path).args(["-euc", script]);
    shell.envs(settings.iter().map(|(name, value)| (name, value)));
    shell
}
