//! The commands of docs/mcp-proxy.md as they stand, in the folder of the example that they speak of.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::host::{Folder, Host, code};
use crate::misbehaving;

#[test]
fn the_commands_of_the_guide_work_as_they_stand() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let guide = fs::read_to_string(root.join("docs/mcp-proxy.md")).unwrap();
    let blocks: Vec<&str> = guide.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let [make, with_rules] = blocks.as_slice() else { panic!("the guide has other blocks than this test knows") };
    for (case, expected) in [("approves", None), ("rejects", Some("rejected"))] {
        let folder = Folder::new();
        for name in ["notes.py", "rules.toml"] {
            fs::copy(root.join("examples/mcp-proxy").join(name), folder.path(name)).unwrap();
        }
        // A person who said no is not asked the same again for a minute: the second block then asks for another note.
        let second = format!("sed -i s/hello/goodbye/ call.json\n{with_rules}");
        for (block, text) in [(*make, "hello"), (second.as_str(), "goodbye")] {
            let answer = runs(&folder, case, block);
            assert_eq!(code(&answer), expected, "{block}: {answer}");
            let said = answer["result"]["content"][0]["text"].as_str().unwrap();
            assert_eq!(said.contains(text), expected.is_none(), "{said}");
        }
    }
}

#[test]
fn the_rules_of_the_guide_are_rules() {
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/mcp-proxy.md")).unwrap();
    let rules = guide.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = Folder::new();
    let rules = folder.rules("rules.toml", rules);
    let mut host = folder.start("approves", &["--rules", &rules]);
    host.call(1, "read_notes", &Value::Object(serde_json::Map::new()));
    assert_eq!(code(&host.answer()), None);
}

/// The answer that a block prints. The end of standard input, which a person would type, ends it.
fn runs(folder: &Folder, case: &str, block: &str) -> Value {
    let built = Path::new(env!("CARGO_BIN_EXE_countersign")).parent().unwrap();
    let mut shell = Command::new("sh");
    shell
        .args(["-euc", block])
        .current_dir(folder.path(""))
        .env("PATH", format!("{}:{}", built.display(), std::env::var("PATH").unwrap()))
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
