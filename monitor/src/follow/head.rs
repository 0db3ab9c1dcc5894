//! The newest tree head of a log, as the trust file lets it count: signed by a pinned key and, if the file asks for
//! witnesses, cosigned by enough of them.

use std::collections::BTreeSet;

use verifier::checkpoint::{Checkpoint, CheckpointError};
use verifier::note::{Note, NoteError};
use verifier::trust::Trust;

/// A checkpoint that a pinned key signed, and the note that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The signed note as it was served.
    pub note: String,
}

/// Why a checkpoint does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Not a signed checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A known key's line does not verify.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Another log's.
    #[error("the checkpoint is of the log {0:?}, which is not in the trust file")]
    OtherLog(String),
    /// Witnesses are missing.
    #[error("the checkpoint of size {size} is cosigned by {given} of the {needed} witnesses that the trust file needs")]
    Witnesses {
        /// The checkpoint's size.
        size: merkle::TreeSize,
        /// How many pinned witnesses cosigned it.
        given: usize,
        /// How many are needed.
        needed: usize,
    },
}

impl Head {
    /// Opens a signed checkpoint with the log keys of the trust file. Witnesses are another question, because a checkpoint
    /// that the log alone signed is evidence against it all the same: [`Head::check_witnesses`].
    pub fn open(bytes: &[u8], trust: &Trust) -> Result<Self, HeadError> {
        let note = Note::parse(bytes)?;
        let checkpoint = Checkpoint::from_text(note.text())?;
        let mut signed = Err(HeadError::OtherLog(checkpoint.log_origin.clone()));
        // Several keys may have the log's name. Of a known key, a line that fails spoils the note.
        for key in trust.logs.iter().filter(|key| key.name() == checkpoint.log_origin) {
            match note.verify(key) {
                Ok(()) => signed = Ok(()),
                Err(NoteError::NotSigned(name)) if signed.is_err() => signed = Err(NoteError::NotSigned(name).into()),
                Err(NoteError::NotSigned(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // A note is UTF-8, or it would not have been parsed.
        signed.map(|()| Self { checkpoint, note: String::from_utf8_lossy(bytes).into_owned() })
    }

    /// Whether as many of the pinned witnesses cosigned it as the trust file asks for.
    pub fn check_witnesses(&self, trust: &Trust) -> Result<(), HeadError> {
        if trust.witness_quorum == 0 {
            return Ok(());
        }
        let note = Note::parse(self.note.as_bytes())?;
        let mut keys = BTreeSet::new();
        for witness in &trust.witnesses {
            match note.verify_cosignature(witness) {
                // One key under two names counts once.
                Ok(_time) => _ = keys.insert(*witness.public_key()),
                Err(NoteError::NotSigned(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let (given, needed, size) = (keys.len(), trust.witness_quorum, self.checkpoint.size);
        if given < needed { Err(HeadError::Witnesses { size, given, needed }) } else { Ok(()) }
    }
}
