//! The commands of docs/mcp-proxy.md as they stand, in the folder of the example that they speak of.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::blocks::{blocks, root};
use crate::host::{Folder, Host, code};
use crate::misbehaving;

#[test]
fn the_commands_of_the_guide_work_as_they_stand() {
    let [make, with_rules, _] = &blocks("docs/mcp-proxy.md", "sh", file!())[..] else { panic!("the table says three") };
    for (case, expected) in [("approves", None), ("rejects", Some("rejected"))] {
        let folder = Folder::new();
        example_in(&folder.path(""));
        // A person who said no is not asked the same again for a minute: the second block then asks for another note.
        let second = format!("sed -i s/hello/goodbye/ call.json\n{with_rules}");
        for (block, text) in [(make.as_str(), "hello"), (second.as_str(), "goodbye")] {
            let answer = runs(&folder, case, block);
            assert_eq!(code(&answer), expected, "{block}: {answer}");
            let said = answer["result"]["content"][0]["text"].as_str().unwrap();
            assert_eq!(said.contains(text), expected.is_none(), "{said}");
        }
    }
}

#[test]
fn the_rules_of_the_guide_are_rules() {
    let [rules] = &blocks("docs/mcp-proxy.md", "toml", file!())[..] else { panic!("the table says one") };
    let folder = Folder::new();
    let rules = folder.rules("rules.toml", rules);
    let mut host = folder.start("approves", &["--rules", &rules]);
    host.call(1, "read_notes", &Value::Object(serde_json::Map::new()));
    assert_eq!(code(&host.answer()), None);
}

/// Claude Code is not here; a script of its name starts what it is told to.
#[test]
fn claude_code_starts_it() {
    let block = blocks("docs/mcp-proxy.md", "sh", file!()).remove(2);
    let folder = Folder::new();
    for made in [".config/countersign", "notes"] {
        fs::create_dir_all(folder.path(made)).unwrap();
    }
    example_in(&folder.path("notes"));
    fs::write(folder.path(".config/countersign/key"), misbehaving::api_key()).unwrap();
    fs::copy(misbehaving::trust_file(), folder.path(".config/countersign/trust.json")).unwrap();
    fs::write(folder.path("claude"), include_str!("../pages/claude.sh")).unwrap();
    fs::set_permissions(folder.path("claude"), fs::Permissions::from_mode(0o755)).unwrap();
    for (case, expected) in [("approves", None), ("rejects", Some("rejected"))] {
        let block = block.replace("https://approvals.example.com", misbehaving::url(case));
        let path = format!("{}:{}", folder.path("").display(), path());
        let mut host = Host::start(shell(&folder, &block).env("PATH", path).env("HOME", folder.path("")));
        host.call(1, "add_note", &json!({"text": case}));
        assert_eq!(code(&host.answer()), expected);
    }
}

/// The files that the guide speaks of.
fn example_in(folder: &Path) {
    for name in ["notes.py", "rules.toml"] {
        fs::copy(root().join("examples/mcp-proxy").join(name), folder.join(name)).unwrap();
    }
}

/// The answer that a block prints. The end of standard input, which a person would type, ends it.
fn runs(folder: &Folder, case: &str, block: &str) -> Value {
    let mut shell = shell(folder, block);
    shell
        .env("COUNTERSIGN_URL", misbehaving::url(case))
        .env("COUNTERSIGN_API_KEY", misbehaving::api_key())
        .env("COUNTERSIGN_TRUST", misbehaving::trust_file())
        .env("COUNTERSIGN_MEMORY", folder.path("memory.json"));
    let mut host = Host::start(&mut shell);
    let answer = host.answer();
    host.hang_up();
    assert_eq!(host.ended().0, Some(0), "{block}");
    answer
}

/// A shell in the folder that stops at the first failure.
fn shell(folder: &Folder, script: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-euc", script]).current_dir(folder.path("")).env("PATH", path());
    shell
}

/// The command of this build first.
fn path() -> String {
    let built = Path::new(env!("CARGO_BIN_EXE_countersign")).parent().unwrap();
    format!("{}:{}", built.display(), std::env::var("PATH").unwrap())
}
