//! A log's tree head as the trust file lets it count: signed by a pinned key and, if the file asks for witnesses, cosigned
//! by enough of them.

use std::collections::BTreeSet;

use verifier::checkpoint::{Checkpoint, CheckpointError};
use verifier::note::{Note, NoteError};
use verifier::trust::Trust;

/// A checkpoint that a pinned key signed, and the note that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The signed note as it was served.
    pub note: String,
}

/// Why a checkpoint does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignedHeadError {
    /// Not a signed checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Another log's.
    #[error("the checkpoint is of the log {given:?}, and the trust file pins {pinned}")]
    OtherLog {
        /// Its log.
        given: String,
        /// The logs of the trust file.
        pinned: String,
    },
    /// It bears the log's name, and none of its keys signed it.
    #[error("the checkpoint is not signed by a key that the trust file pins for {0}")]
    OtherKey(String),
    /// A known key's line does not verify.
    #[error("the checkpoint is forged or damaged: {0}")]
    BadSignature(NoteError),
    /// Witnesses are missing.
    #[error(
        "the checkpoint of size {size} is cosigned by {given} of the {needed} witnesses that the trust file asks for"
    )]
    Witnesses {
        /// The checkpoint's size.
        size: merkle::TreeSize,
        /// How many pinned witnesses cosigned it.
        given: usize,
        /// How many are needed.
        needed: usize,
    },
}

impl SignedHead {
    /// Opens a signed checkpoint with the log keys of the trust file. Several keys may have the log's name: one must have
    /// signed, and none badly. Witnesses are another question, because a checkpoint that the log alone signed is evidence
    /// against it all the same: [`SignedHead::witnesses`].
    pub fn open(bytes: &[u8], trust: &Trust) -> Result<Self, SignedHeadError> {
        let note = Note::parse(bytes).map_err(CheckpointError::from)?;
        let checkpoint = Checkpoint::from_text(note.text())?;
        let mut named = trust.logs.iter().filter(|key| key.name() == checkpoint.log_origin).peekable();
        if named.peek().is_none() {
            let pinned = trust.logs.iter().map(|key| format!("{:?}", key.name())).collect::<Vec<_>>().join(", ");
            return Err(SignedHeadError::OtherLog { given: checkpoint.log_origin, pinned });
        }
        let mut signed = false;
        for key in named {
            signed |= is_signed(note.verify(key))?;
        }
        if !signed {
            return Err(SignedHeadError::OtherKey(checkpoint.log_origin));
        }
        // A note is UTF-8, or it would not have been parsed.
        Ok(Self { checkpoint, note: String::from_utf8_lossy(bytes).into_owned() })
    }

    /// How many pinned witness keys cosigned it; an error if the trust file asks for more. One key under two names counts
    /// once.
    pub fn witnesses(&self, trust: &Trust) -> Result<usize, SignedHeadError> {
        let note = Note::parse(self.note.as_bytes()).map_err(CheckpointError::from)?;
        let mut keys = BTreeSet::new();
        for witness in &trust.witnesses {
            if is_signed(note.verify_cosignature(witness).map(drop))? {
                keys.insert(*witness.public_key());
            }
        }
        let (given, needed, size) = (keys.len(), trust.witness_quorum, self.checkpoint.size);
        if given < needed { Err(SignedHeadError::Witnesses { size, given, needed }) } else { Ok(given) }
    }
}

/// Whether a key signed at all. Of a known key, a line that does not verify spoils the note.
fn is_signed(verified: Result<(), NoteError>) -> Result<bool, SignedHeadError> {
    match verified {
        Ok(()) => Ok(true),
        Err(NoteError::NotSigned(_)) => Ok(false),
        Err(error) => Err(SignedHeadError::BadSignature(error)),
    }
}
