//! Checkpoints (C2SP tlog-checkpoint v1.0.0): the tree head that a log signs.
//!
//! ```text
//! <log origin>
//! <tree size, decimal>
//! <base64 of the root hash>
//!
//! — <log origin> <signature>
//! ```
//!
//! No extension lines: witnesses refuse them. No time: signing the same head again gives the same bytes.

use merkle::{EMPTY_ROOT, Hash, TreeSize};

use crate::encoding;
use crate::note::{Note, NoteError, SignerKey, VerifierKey};

/// A tree head with the name of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, `approvals.example.com/log`.
    pub log_origin: String,
    /// How many entries the tree has.
    pub size: TreeSize,
    /// The root hash over all of them.
    pub root: Hash,
}

/// Why a checkpoint is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a signed note, or without a good signature.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The note's text is not a checkpoint.
    #[error("malformed checkpoint: {0}")]
    Malformed(&'static str),
    /// The checkpoint of another log.
    #[error("the checkpoint is of the log {given}, not of {expected}")]
    OtherLog {
        /// The log origin in the checkpoint.
        given: String,
        /// The log origin of the key.
        expected: String,
    },
}

impl Checkpoint {
    /// Reads a note's text. The caller verifies the note's signature: see [`Checkpoint::open`].
    pub fn from_text(text: &str) -> Result<Self, CheckpointError> {
        use CheckpointError::Malformed;
        let body = text.strip_suffix('\n').ok_or(Malformed("no newline at the end"))?;
        let lines: Vec<&str> = body.split('\n').collect();
        let [log_origin, size, root] = lines[..] else {
            return Err(Malformed("not exactly three lines: log origin, size, root hash"));
        };
        let parsed = Self {
            log_origin: log_origin.to_owned(),
            size: TreeSize::new(size.parse().map_err(|_| Malformed("the size is not a decimal number below 2^64"))?),
            root: Hash::from_bytes(
                encoding::array_from_base64(root).map_err(|_| Malformed("the root hash is not base64 of 32 bytes"))?,
            ),
        };
        if log_origin.is_empty() || parsed.to_text() != text {
            return Err(Malformed("an empty log origin, or a size that is not written plainly"));
        }
        if parsed.size == TreeSize::ZERO && parsed.root != EMPTY_ROOT {
            return Err(Malformed("size 0 with a root hash that is not the empty tree's"));
        }
        Ok(parsed)
    }

    /// Parses a signed checkpoint and verifies the signature of the log whose key is given.
    pub fn open(bytes: &[u8], key: &VerifierKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        let checkpoint = Self::from_text(note.text())?;
        if checkpoint.log_origin != key.name() {
            let expected = key.name().to_owned();
            return Err(CheckpointError::OtherLog { given: checkpoint.log_origin, expected });
        }
        note.verify(key)?;
        Ok(checkpoint)
    }

    /// The text that is signed.
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.log_origin, self.size.get(), encoding::base64(self.root.as_bytes()))
    }

    /// The signed note.
    pub fn sign(&self, key: &SignerKey) -> String {
        key.sign(&self.to_text())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TEXT: &str = "example.com/log\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn a_signed_checkpoint_opens_with_its_key_alone() {
        let key = SignerKey::from_seed("example.com/log", &[1; 32]).unwrap();
        let checkpoint = Checkpoint::from_text(TEXT).unwrap();
        let signed = checkpoint.sign(&key);
        assert_eq!(Checkpoint::open(signed.as_bytes(), &key.verifier_key()), Ok(checkpoint));
        let other = SignerKey::from_seed("example.com/log", &[2; 32]).unwrap().verifier_key();
        assert!(matches!(Checkpoint::open(signed.as_bytes(), &other), Err(CheckpointError::Note(_))));
        let named = SignerKey::from_seed("example.org/log", &[1; 32]).unwrap().verifier_key();
        assert!(matches!(Checkpoint::open(signed.as_bytes(), &named), Err(CheckpointError::OtherLog { .. })));
    }

    #[test]
    fn other_forms_are_refused() {
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        for text in [
            String::new(),
            format!("log\n1\n{root}"),
            format!("log\n1\n{root}\nextension\n"),
            format!("\n1\n{root}\n"),
            format!("log\n01\n{root}\n"),
            format!("log\n+1\n{root}\n"),
            format!("log\n-1\n{root}\n"),
            format!("log\n18446744073709551616\n{root}\n"),
            format!("log\n1\n{}\n", &root[1..]),
            format!("log\n0\n{root}\n"),
        ] {
            assert!(matches!(Checkpoint::from_text(&text), Err(CheckpointError::Malformed(_))), "{text:?}");
        }
    }
}
