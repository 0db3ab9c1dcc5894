//! What a gate writes down about itself, apart from what its command does:
//!
//! ```json
//! {"type": "countersign/gate-status/v1",
//!  "verdict": "approved", "reason": null, "detail": "…", "exit_code": null,
//!  "id": "cnf_…", "url": "https://…", "compare_code": "…", "consumed_at": "…", "receipt": "…"}
//! ```
//!
//! The file is replaced as a whole. It is `pending` before anybody is asked, so that a file of an earlier run is never taken
//! for this one's, and `approved` after the approval was used and before the command is started. `approved` does not say that
//! the command ran, or how it ended; nobody is left to say that, because the command takes the gate's place.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::client::Pending;
use crate::gate::Cleared;
use crate::outcome::Code;

/// How many links are followed, as Linux does it.
const MAX_LINKS: usize = 40;

/// How it stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// Nothing is decided; if the gate has ended, it was killed.
    Pending,
    /// Approved, verified and used; the command is about to be started.
    Approved,
    /// The command did not run.
    Denied,
}

/// Why the command did not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The door stayed closed.
    Denied(Code),
    /// What would run is not what was approved, or cannot be told.
    Changed,
    /// The call of the gate was wrong.
    WrongCall,
    /// It was approved and used, and could not be started.
    NotStarted,
}

impl Reason {
    /// The reason as the status file names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied(code) => code.as_str(),
            Self::Changed => "changed",
            Self::WrongCall => "wrong_call",
            Self::NotStarted => "not_started",
        }
    }
}

/// The file, if one was asked for.
#[derive(Debug)]
pub struct StatusFile {
    path: Option<PathBuf>,
    content: Content,
}

#[derive(Debug, Serialize)]
struct Content {
    #[serde(rename = "type")]
    kind: &'static str,
    verdict: Verdict,
    reason: Option<&'static str>,
    detail: String,
    exit_code: Option<u8>,
    id: Option<String>,
    url: Option<String>,
    compare_code: Option<String>,
    consumed_at: Option<String>,
    receipt: Option<String>,
}

impl StatusFile {
    /// Begins the file, in place of an older one.
    pub fn begin(path: Option<PathBuf>) -> io::Result<Self> {
        let content = Content {
            kind: "countersign/gate-status/v1",
            verdict: Verdict::Pending,
            reason: None,
            detail: "nobody is asked yet".to_owned(),
            exit_code: None,
            id: None,
            url: None,
            compare_code: None,
            consumed_at: None,
            receipt: None,
        };
        let file = Self { path, content };
        file.write()?;
        Ok(file)
    }

    /// The request is made.
    pub fn pending(&mut self, pending: &Pending) -> io::Result<()> {
        let content = &mut self.content;
        "waiting for the decision".clone_into(&mut content.detail);
        content.id = Some(pending.id().to_owned());
        content.url = Some(pending.url().to_owned());
        content.compare_code = Some(pending.compare_code());
        self.write()
    }

    /// The approval is used. If this cannot be written the command must not run.
    pub fn approved(&mut self, cleared: &Cleared) -> io::Result<()> {
        let content = &mut self.content;
        content.verdict = Verdict::Approved;
        "approved, verified and used; the command is started after this was written".clone_into(&mut content.detail);
        content.consumed_at = Some(cleared.used.consumed.consumed_at.clone());
        content.receipt = Some(cleared.used.receipt.clone());
        self.write()
    }

    /// The command did not run.
    pub fn denied(&mut self, reason: Reason, detail: &str, exit_code: u8) -> io::Result<()> {
        let content = &mut self.content;
        content.verdict = Verdict::Denied;
        content.reason = Some(reason.as_str());
        detail.clone_into(&mut content.detail);
        content.exit_code = Some(exit_code);
        self.write()
    }

    fn write(&self) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut text = serde_json::to_vec_pretty(&self.content)?;
        text.push(b'\n');
        replace_file(path, &text)
    }
}

/// Replaces a file as a whole: a crash leaves the old one or the new one. Permissions stay; a link is followed, also to a file
/// that is not there yet.
pub fn replace_file(path: &Path, text: &[u8]) -> io::Result<()> {
    let target = behind_links(path)?;
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    if let Ok(old) = target.metadata() {
        file.as_file().set_permissions(old.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

/// Where a path leads.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        if !target.is_symlink() {
            return Ok(target);
        }
        let next = target.read_link()?;
        target = target.parent().unwrap_or(Path::new("")).join(next);
    }
    Err(io::Error::other("too many links"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    #[test]
    fn an_older_file_is_replaced_before_anybody_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status.json");
        std::fs::write(&path, r#"{"verdict":"approved"}"#).unwrap();
        let read = || serde_json::from_slice::<serde_json::Value>(&std::fs::read(&path).unwrap()).unwrap();
        let mut file = StatusFile::begin(Some(path.clone())).unwrap();
        assert_eq!(read()["verdict"], "pending");
        file.denied(Reason::Denied(Code::Rejected), "alex rejected it", 77).unwrap();
        let status = read();
        assert_eq!(
            (&status["verdict"], &status["reason"], &status["exit_code"]),
            (&"denied".into(), &"rejected".into(), &77.into())
        );
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
        assert!(StatusFile::begin(Some(folder.path().join("no").join("status.json"))).is_err());
        StatusFile::begin(None).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one_also_before_its_file_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let [link, file, round] = ["link", "file", "round"].map(|name| folder.path().join(name));
        std::os::unix::fs::symlink("file", &link).unwrap();
        for text in ["first", "second"] {
            replace_file(&link, text.as_bytes()).unwrap();
            assert!(link.is_symlink());
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
        std::os::unix::fs::symlink("round", &round).unwrap();
        replace_file(&round, b"x").unwrap_err();
    }
}
