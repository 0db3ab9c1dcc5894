//! docs/gate.md, docs/claude-code.md and the examples: every command in them is run as it stands; and that every block of every
//! page about a door is run somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::blocks::{all_blocks, blocks, read, root, table};
use crate::process::{Ended, Folder};
use crate::servers::servers;

/// Runs a script with a shell that stops at the first failure.
fn shell(folder: &Folder, case: &str, script: &str) -> Ended {
    let mut shell = folder.program("sh", &servers().url(case));
    folder.run(shell.env("JOB", "17").args(["-euc", script]), b"")
}

/// Every block of the README and of the pages about doors stands in the table, every page that docs/doors.md leads to is
/// looked at, and the tests exist.
#[test]
fn the_table_has_every_block() {
    let doors = read("docs/doors.md");
    let mut pages: BTreeSet<&str> = doors.split('`').filter(|text| text.starts_with("docs/")).collect();
    assert!(pages.len() >= 8, "docs/doors.md leads to its pages: {pages:?}");
    pages.extend(["README.md", "docs/doors.md"]);
    let mut found = BTreeMap::<(String, String), usize>::new();
    for page in pages {
        for (language, _) in all_blocks(page) {
            *found.entry((page.to_owned(), language)).or_default() += 1;
        }
    }
    let table = table();
    let told: BTreeMap<_, _> = table.iter().map(|row| ((row.page.clone(), row.language.clone()), row.blocks)).collect();
    assert_eq!(told.len(), table.len(), "a row stands twice");
    assert_eq!(found, told);
    for row in table {
        assert!(root().join(&row.run_by).is_file(), "{} is missing", row.run_by);
        assert!(row.but.iter().all(|(index, why)| *index < row.blocks && !why.is_empty()), "{}", row.page);
    }
}

#[test]
fn the_commands_of_the_gate_s_document() {
    let folder = Folder::new();
    let printed = ["terraform apply plan.out\n", "drop table sessions;\n", "exit code 77\n", "deployed\n"];
    let blocks = blocks("docs/gate.md", "sh", file!());
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
    let example = crate::blocks::blocks("docs/gate.md", "text", file!());
    let shown = shell(&folder, "approves", &blocks[0]).stderr;
    let words = |text: &str| text.lines().take(4).map(|line| line[..14].to_owned()).collect::<Vec<_>>();
    assert_eq!(words(&shown), words(&example[0]));
    let text = read("docs/gate.md");
    // Every field of the status file stands in the table, and every code too.
    for field in folder.json("status.json").as_object().unwrap().keys().filter(|field| *field != "type") {
        assert!(text.contains(&format!("`{field}`")), "{field} is not in the document");
    }
}

#[test]
fn the_commands_of_claude_code_s_document() {
    let folder = Folder::new();
    let [install, try_it] = &blocks("docs/claude-code.md", "sh", file!())[..] else {
        panic!("the document has other blocks than this test knows")
    };
    let ended = shell(&folder, "approves", install);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // What the document shows is what is written, but for where the program is.
    let here = Path::new(env!("CARGO_BIN_EXE_countersign")).canonicalize().unwrap();
    let written = folder.read(".claude/settings.json").unwrap();
    let written = written.replace(here.to_str().unwrap(), "/usr/local/bin/countersign");
    assert_eq!(written, blocks("docs/claude-code.md", "json", file!())[0]);
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
