//! What a gate runs, and the payload that a person approves for it:
//!
//! ```text
//! {"argv": ["terraform", "apply", "plan.out"],
//!  "cwd": "/srv/infra",
//!  "files": {"plan.out": "<SHA-256, hexadecimal>"},     only with bound files
//!  "input": {…}}                                        only with an input
//! ```

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use verifier::document::parse_payload;
use verifier::json::{self, Object, Value};
use verifier::words::quoted;

/// A file with the input is read no further than this, which is more than any payload may have.
const MAX_INPUT: u64 = 4 << 20;

/// One command line, where it runs, and what it depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    argv: Vec<String>,
    cwd: String,
    input: Option<Object>,
    files: BTreeMap<String, String>,
}

/// Why there is nothing that could be approved, or why what was approved is not what would run.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// There is no command.
    #[error("there is no command to run; name it after --")]
    NoCommand,
    /// Nobody could read it.
    #[error("{what} is not text in UTF-8, so nobody can read what they approve: {text}")]
    NotText {
        /// What.
        what: &'static str,
        /// As much as can be shown of it.
        text: String,
    },
    /// The folder is not there.
    #[error("the folder in which the command would run cannot be told: {0}")]
    NoFolder(io::Error),
    /// A file cannot be read.
    #[error("{}: {error}", quoted(path))]
    File {
        /// The file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// A bound file is none.
    #[error("{} is not a regular file, so it has no content that could be bound", quoted(.0))]
    NotAFile(String),
    /// The input is no payload.
    #[error("the input in {}: {error}", quoted(path))]
    Input {
        /// The file.
        path: String,
        /// Why.
        error: json::Error,
    },
    /// A bound file changed after it was shown to the approver.
    #[error("{} is not what was approved any more: its SHA-256 was {before} and is {after}", quoted(path))]
    FileChanged {
        /// The file.
        path: String,
        /// The hash that was approved.
        before: String,
        /// The hash that it has.
        after: String,
    },
    /// The folder was moved.
    #[error("the folder is {} now, approved was {}", quoted(after), quoted(before))]
    FolderChanged {
        /// The folder that was approved.
        before: String,
        /// The folder that this process is in.
        after: String,
    },
}

impl Plan {
    /// The plan for a command line in this process's folder, with the hashes of the files that it is bound to.
    pub fn new(argv: Vec<OsString>, bind: &[PathBuf], input: Option<&Path>) -> Result<Self, PlanError> {
        let argv =
            argv.into_iter().map(|word| text("an argument of the command", word)).collect::<Result<Vec<_>, _>>()?;
        if argv.first().is_none_or(String::is_empty) {
            return Err(PlanError::NoCommand);
        }
        let bound = |path: &PathBuf| {
            let path = text("the name of a bound file", path.clone().into_os_string())?;
            let hash = hash(&path)?;
            Ok((path, hash))
        };
        let files = bind.iter().map(bound).collect::<Result<_, PlanError>>()?;
        Ok(Self { argv, cwd: folder()?, input: input.map(read_input).transpose()?, files })
    }

    /// The program and its arguments.
    pub fn argv(&self) -> &[String] {
        &self.argv
    }

    /// What is approved.
    pub fn payload(&self) -> Object {
        let strings = |texts: &[String]| Value::Array(texts.iter().cloned().map(Value::String).collect());
        let mut members = vec![("argv", strings(&self.argv)), ("cwd", Value::String(self.cwd.clone()))];
        if !self.files.is_empty() {
            let files = self.files.iter().map(|(path, hash)| (path.clone(), Value::String(hash.clone())));
            members.push(("files", Object::new(files).into()));
        }
        if let Some(input) = &self.input {
            members.push(("input", input.clone().into()));
        }
        Object::new(members)
    }

    /// Whether the folder and the bound files are still what was approved. Between this and the run nothing takes long, but
    /// whoever may write the files may still do it: that is for the permissions of the file system to prevent.
    pub fn check_again(&self) -> Result<(), PlanError> {
        let after = folder()?;
        if after != self.cwd {
            return Err(PlanError::FolderChanged { before: self.cwd.clone(), after });
        }
        for (path, before) in &self.files {
            let after = hash(path)?;
            if after != *before {
                return Err(PlanError::FileChanged { path: path.clone(), before: before.clone(), after });
            }
        }
        Ok(())
    }
}

fn folder() -> Result<String, PlanError> {
    text("the folder's name", std::env::current_dir().map_err(PlanError::NoFolder)?.into_os_string())
}

fn text(what: &'static str, word: OsString) -> Result<String, PlanError> {
    word.into_string().map_err(|word| PlanError::NotText { what, text: quoted(&word.to_string_lossy()) })
}

/// The SHA-256 of a regular file, as `sha256sum` prints it.
fn hash(path: &str) -> Result<String, PlanError> {
    let failed = |error| PlanError::File { path: path.to_owned(), error };
    // Looked at before it is opened, because opening a pipe waits for somebody at its other end.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(PlanError::NotAFile(path.to_owned()));
    }
    let mut file = File::open(path).map_err(failed)?;
    let mut hasher = Sha256::new();
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut bytes).map_err(failed)?;
        if read == 0 {
            break;
        }
        hasher.update(&bytes[..read]);
    }
    Ok(hasher.finalize().iter().fold(String::new(), |mut text, byte| {
        let written = write!(text, "{byte:02x}");
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
        text
    }))
}

fn read_input(path: &Path) -> Result<Object, PlanError> {
    let name = || path.to_string_lossy().into_owned();
    let mut bytes = Vec::new();
    let reading = File::open(path).and_then(|file| file.take(MAX_INPUT).read_to_end(&mut bytes));
    reading.map_err(|error| PlanError::File { path: name(), error })?;
    parse_payload(&bytes).map_err(|error| PlanError::Input { path: name(), error })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn the_payload_is_what_runs() {
        let folder = tempfile::tempdir().unwrap();
        let (file, input) = (folder.path().join("plan.out"), folder.path().join("input.json"));
        std::fs::write(&file, "abc").unwrap();
        std::fs::write(&input, r#"{ "why": "Friday" }"#).unwrap();
        let plan = Plan::new(words(&["a", "", "b c"]), std::slice::from_ref(&file), Some(&input)).unwrap();
        let expected = serde_json::json!({
            "argv": ["a", "", "b c"],
            "cwd": std::env::current_dir().unwrap(),
            "files": {file.to_str().unwrap(): "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
            "input": {"why": "Friday"},
        });
        let payload: serde_json::Value = serde_json::from_str(&Value::from(plan.payload()).to_canonical()).unwrap();
        assert_eq!(payload, expected);
        plan.check_again().unwrap();
        std::fs::write(&file, "abd").unwrap();
        assert!(matches!(plan.check_again(), Err(PlanError::FileChanged { .. })));
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(plan.check_again(), Err(PlanError::File { .. })));
    }

    #[test]
    fn what_nobody_could_approve_is_refused() {
        assert!(matches!(Plan::new(Vec::new(), &[], None), Err(PlanError::NoCommand)));
        assert!(matches!(Plan::new(words(&[""]), &[], None), Err(PlanError::NoCommand)));
        let folder = tempfile::tempdir().unwrap();
        let bind = [folder.path().to_owned()];
        assert!(matches!(Plan::new(words(&["a"]), &bind, None), Err(PlanError::NotAFile(_))));
        let input = folder.path().join("input.json");
        for text in ["", "[]", r#"{"a":1,"a":2}"#, r#"{"a":0.10000000000000000001}"#] {
            std::fs::write(&input, text).unwrap();
            assert!(matches!(Plan::new(words(&["a"]), &[], Some(&input)), Err(PlanError::Input { .. })), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn an_argument_that_nobody_can_read_is_refused() {
        use std::os::unix::ffi::OsStringExt as _;
        let argv = vec![OsString::from("rm"), OsString::from_vec(vec![0xff])];
        assert!(matches!(Plan::new(argv, &[], None), Err(PlanError::NotText { .. })));
    }
}
