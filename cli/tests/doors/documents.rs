//! docs/gate.md, docs/claude-code.md and the examples: every command in them is run as it stands.

use std::fs;
use std::path::Path;

use crate::process::{Ended, Folder};
use crate::servers::servers;

/// Runs a script with a shell that stops at the first failure.
fn shell(folder: &Folder, case: &str, script: &str) -> Ended {
    let mut shell = folder.program("sh", &servers().url(case));
    folder.run(shell.env("JOB", "17").args(["-euc", script]), b"")
}

/// The blocks of a document that are in a language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let (text, fence) = (read(&format!("docs/{document}")), format!("```{language}\n"));
    let blocks = text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

#[test]
fn the_commands_of_the_gate_s_document() {
    let folder = Folder::new();
    let printed = ["terraform apply plan.out\n", "drop table sessions;\n", "exit code 77\n", "deployed\n"];
    let blocks = blocks("gate.md", "sh");
    assert_eq!(blocks.len(), printed.len(), "the document has other blocks than this test knows");
    for (block, printed) in blocks.iter().zip(printed) {
        let ended = shell(&folder, "approves", block);
        assert_eq!(ended.code, Some(0), "{block}\n{ended:?}");
        assert!(ended.stdout.starts_with(printed), "{block}\n{ended:?}");
        let refused = Folder::new();
        let ended = shell(&refused, "rejects", block);
        // The third block is about a command that ends with the code that gate has for a rejection.
        match refused.read("status.json") {
            Some(status) => assert!(status.contains("\"reason\": \"rejected\""), "{status}"),
            None => assert!(ended.code != Some(0) && !ended.stdout.contains(printed), "{block}\n{ended:?}"),
        }
    }
    // The example shows the lines that are printed.
    let shown = shell(&folder, "approves", &blocks[0]).stderr;
    let words = |text: &str| text.lines().take(4).map(|line| line[..14].to_owned()).collect::<Vec<_>>();
    let text = read("docs/gate.md");
    let example = text.split("```text\n").nth(1).unwrap();
    assert_eq!(words(&shown), words(example));
    // Every field of the status file stands in the table, and every code too.
    for field in folder.json("status.json").as_object().unwrap().keys().filter(|field| *field != "type") {
        assert!(text.contains(&format!("`{field}`")), "{field} is not in the document");
    }
}

#[test]
fn the_commands_of_claude_code_s_document() {
    let folder = Folder::new();
    let [install, try_it] = &blocks("claude-code.md", "sh")[..] else {
        panic!("the document has other blocks than this test knows")
    };
    let ended = shell(&folder, "approves", install);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // What the document shows is what is written, but for where the program is.
    let here = Path::new(env!("CARGO_BIN_EXE_countersign")).canonicalize().unwrap();
    let written = folder.read(".claude/settings.json").unwrap();
    let written = written.replace(here.to_str().unwrap(), "/usr/local/bin/countersign");
    assert_eq!(written, blocks("claude-code.md", "json")[0]);
    assert!(shell(&folder, "approves", try_it).stdout.contains("\"permissionDecision\":\"allow\""));
    assert!(shell(&folder, "rejects", try_it).stdout.contains("\"permissionDecision\":\"deny\""));
}

#[test]
fn the_examples_run() {
    for (example, printed) in [
        ("examples/gate/apply.sh", "applying: create 2, destroy 0\nit ran and ended with 0\n"),
        ("examples/claude-code/try.sh", "Claude Code would run it\n"),
    ] {
        let script = read(example);
        let ended = shell(&Folder::new(), "approves", &script);
        assert_eq!(ended.code, Some(0), "{example}: {ended:?}");
        assert!(ended.stdout.ends_with(printed), "{example}: {ended:?}");
        let refused = shell(&Folder::new(), "rejects", &script);
        assert_ne!(refused.code, Some(0), "{example}");
        assert!(!refused.stdout.contains(printed) && !refused.stdout.contains("applying"), "{example}: {refused:?}");
    }
}
