//! The program says what it does. That it has a test of its own makes `cargo test --workspace` build it, for the tests of the
//! doors, which find it beside the command.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;

#[test]
fn the_program_prints_the_table_of_testdata() {
    let output = Command::new(env!("CARGO_BIN_EXE_misbehaving")).arg("--table").output().unwrap();
    let parsed = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/doors.json")).unwrap();
    assert_eq!(parsed(&output.stdout), parsed(&file));
}
