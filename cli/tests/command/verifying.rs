//! docs/verify.md, command by command in one shell: the evidence that it speaks of is the demo's.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::blocks::{blocks, root};
use super::documents::script;
use super::runbook::runs;
use super::running::Folder;

#[test]
fn the_commands_of_the_guide_to_receipts() {
    let folder = Folder::new();
    fs::create_dir(folder.path("tmp")).unwrap();
    // As in the root of the repository, where what is built lies in another folder, and is built already.
    for name in ["sdk", "verifier-js"] {
        symlink(root().canonicalize().unwrap().join(name), folder.path(name)).unwrap();
    }
    script(&folder, "make", "test \"$*\" = demo && exec countersign demo");
    script(&folder, "cargo", "test \"$*\" = 'build --bin countersign --bin countersign-verify'");
    let verifier = Path::new(env!("CARGO_BIN_EXE_countersign")).with_file_name("countersign-verify");
    assert!(verifier.exists(), "{} is missing: cargo build --workspace --bins", verifier.display());

    let settings = [("TMPDIR", folder.path("tmp").display().to_string())];
    let commands = blocks("docs/verify.md", "sh", file!()).concat();
    let printed = runs(&folder, &settings, &format!("PATH=\"$PWD:$PATH\"\n{commands}"));
    let said = [
        "\nAPPROVED\n",
        "\nexit code 1\n",
        "\napproved: this is where the action would run\n",
        // JavaScript and Python, as commands and as libraries.
        "\nAPPROVED\n",
        "\nAPPROVED\n",
        "\napproved Deploy api-gateway to production\n",
        "\napproved Deploy api-gateway to production\n",
        "\nVerified OK\n",
    ];
    said.iter().fold(printed.as_str(), |rest, line| {
        let at = rest.find(line).unwrap_or_else(|| panic!("no {line:?} in: {rest}\nof: {printed}"));
        // The end of one line may be the beginning of the next.
        &rest[at + line.len() - 1..]
    });
}
