//! The evidence: receipt, trust file and payload in a folder that stays, checked by the code of `countersign-verify`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use tempfile::TempDir;
use verifier::cli::VerifyArgs;
use verifier::trust::Trust;
use verifier::verify::{Expectation, Step, Verdict, verify};
use verifier::webauthn::PureRust;

use super::alex::ALEX;
use super::{Wrong, require};
use crate::serve::shell_quoted;

const RECEIPT: &str = "deploy.receipt.json";
const TRUST: &str = "trust.json";
const PAYLOAD: &str = "payload.json";

/// The folder.
pub(super) struct Evidence {
    folder: TempDir,
}

/// What a person would type behind `countersign verify`.
#[derive(Parser)]
struct Typed {
    #[command(flatten)]
    verify: VerifyArgs,
}

impl Evidence {
    /// Writes the files into a new folder.
    pub(super) fn write(receipt: &str, trust: &[u8], payload: &str) -> Result<Self, Wrong> {
        let folder = tempfile::Builder::new().prefix("countersign-demo-").tempdir()?;
        let evidence = Self { folder };
        fs::write(evidence.receipt(), receipt)?;
        fs::write(evidence.trust(), trust)?;
        fs::write(evidence.path(PAYLOAD), payload)?;
        Ok(evidence)
    }

    /// The arguments that verify the receipt against what was asked.
    fn arguments(&self) -> Vec<OsString> {
        let path = |name: &str| self.path(name).into_os_string();
        vec![
            path(RECEIPT),
            "--trust".into(),
            path(TRUST),
            "--payload".into(),
            path(PAYLOAD),
            "--approvers".into(),
            ALEX.into(),
            "--usable".into(),
        ]
    }

    /// The command to type.
    pub(super) fn command(&self) -> String {
        let quoted = self.arguments().iter().map(|argument| shell_quoted(Path::new(argument))).collect::<Vec<_>>();
        format!("{} verify {}", program(), quoted.join(" "))
    }

    /// Runs that command and returns the step table and the verdict line, as it prints them.
    pub(super) fn verify(&self) -> Result<String, Wrong> {
        let typed = Typed::try_parse_from([OsString::new()].into_iter().chain(self.arguments()))?;
        let mut out = Vec::new();
        let as_expected = typed.verify.run(crate::now(), &PureRust, &mut out)?;
        let text = String::from_utf8_lossy(&out).into_owned();
        require(as_expected, &format!("the receipt does not verify:\n{text}"))?;
        // What a receipt cannot show is left to the command itself; the story goes on.
        let end = text.find("\nWhat this receipt does not show").unwrap_or(text.len());
        Ok(text[..end].trim_end().to_owned())
    }

    /// Writes a changed receipt beside the genuine one.
    pub(super) fn write_changed(&self, receipt: &str) -> Result<PathBuf, Wrong> {
        let path = self.path("changed.receipt.json");
        fs::write(&path, receipt)?;
        Ok(path)
    }

    /// The folder stays from now on.
    pub(super) fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    pub(super) fn receipt(&self) -> PathBuf {
        self.path(RECEIPT)
    }

    pub(super) fn trust(&self) -> PathBuf {
        self.path(TRUST)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Verifies what must not verify, and returns the reason. It must fail, and at this step.
pub(super) fn refusal(
    receipt: &str,
    trust: &Trust,
    expectation: &Expectation,
    expected: Step,
) -> Result<String, Wrong> {
    let report = verify(receipt.as_bytes(), trust, expectation, &PureRust);
    match report.failure() {
        Some((step, reason)) if step == expected => Ok(format!("the step {} failed: {reason}", step.id())),
        Some((step, reason)) => {
            let expected = expected.id();
            Err(Wrong(format!("it failed at the step {} ({reason}) instead of {expected}", step.id())))
        }
        None => Err(Wrong("what was changed still verifies".to_owned())),
    }
}

/// A genuine rejection verifies as one, for a caller that hoped for something else.
pub(super) fn is_rejection(receipt: &str, trust: &Trust) -> bool {
    let report = verify(receipt.as_bytes(), trust, &Expectation::default(), &PureRust);
    report.verdict == Verdict::Rejected && !report.as_expected
}

/// This program as it was called, so that the commands which the story ends with can be typed as they stand.
pub(super) fn program() -> String {
    let called = std::env::args_os().next().map_or_else(|| "countersign".into(), PathBuf::from);
    shell_quoted(&called)
}
