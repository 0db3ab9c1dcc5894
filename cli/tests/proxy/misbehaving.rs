//! The servers that misbehave: one process for all tests, which ends when they end.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use serde::Deserialize;

/// What the binary prints.
#[derive(Deserialize)]
struct Said {
    api_key: String,
    trust_file: PathBuf,
    cases: BTreeMap<String, String>,
}

struct Running {
    said: Said,
    // Its standard input ends with this process.
    _child: Child,
}

static RUNNING: LazyLock<Running> = LazyLock::new(|| {
    let mut child = Command::new(binary()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Running { said: serde_json::from_str(&line).unwrap(), _child: child }
});

/// The binary, which cargo puts beside the command.
pub(crate) fn binary() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_countersign")).with_file_name("misbehaving");
    assert!(path.exists(), "{} is missing: cargo build --workspace --bins --tests", path.display());
    path
}

/// Where a case's server is.
pub(crate) fn url(case: &str) -> &'static str {
    &RUNNING.said.cases[case]
}

/// The key that all of them know.
pub(crate) fn api_key() -> &'static str {
    &RUNNING.said.api_key
}

/// What they are verified with.
pub(crate) fn trust_file() -> &'static Path {
    &RUNNING.said.trust_file
}
