//! The head of a log that a trust file's log key signed, with as many witnesses as the trust file asks for.

use std::collections::HashSet;

use verifier::checkpoint::{Checkpoint, CheckpointError};
use verifier::note::{Note, NoteError};
use verifier::trust::Trust;

/// A checkpoint that the trust file accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// How many pinned witness keys cosigned it.
    pub witnesses: usize,
}

/// Why a checkpoint is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    /// It is none, or its signature is bad.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// It is another log's.
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
    /// A signature is not one.
    #[error("the checkpoint is forged or damaged: {0}")]
    BadSignature(NoteError),
    /// Too few witnesses.
    #[error("the checkpoint is cosigned by {given} of the {needed} witnesses that the trust file asks for")]
    Witnesses {
        /// How many cosigned.
        given: usize,
        /// How many must.
        needed: usize,
    },
}

/// Opens a checkpoint with a trust file. Several keys may have the log's name: one must have signed, and none badly.
pub fn signed_head(bytes: &[u8], trust: &Trust) -> Result<Signed, SignedError> {
    let note = Note::parse(bytes).map_err(CheckpointError::from)?;
    let checkpoint = Checkpoint::from_text(note.text())?;
    let mut named = trust.logs.iter().filter(|key| key.name() == checkpoint.log_origin).peekable();
    if named.peek().is_none() {
        let pinned = trust.logs.iter().map(|key| format!("{:?}", key.name())).collect::<Vec<_>>().join(", ");
        return Err(SignedError::OtherLog { given: checkpoint.log_origin, pinned });
    }
    let mut signed = false;
    for key in named {
        match note.verify(key) {
            Ok(()) => signed = true,
            Err(NoteError::NotSigned(_)) => {}
            Err(error) => return Err(SignedError::BadSignature(error)),
        }
    }
    if !signed {
        return Err(SignedError::OtherKey(checkpoint.log_origin));
    }
    let witnesses = count_witnesses(&note, trust)?;
    Ok(Signed { checkpoint, witnesses })
}

/// One key under two names counts once.
fn count_witnesses(note: &Note, trust: &Trust) -> Result<usize, SignedError> {
    let mut cosigned = HashSet::new();
    for witness in &trust.witnesses {
        match note.verify_cosignature(witness) {
            Ok(_time) => _ = cosigned.insert(*witness.public_key()),
            Err(NoteError::NotSigned(_)) => {}
            Err(error) => return Err(SignedError::BadSignature(error)),
        }
    }
    if cosigned.len() < trust.witness_quorum {
        return Err(SignedError::Witnesses { given: cosigned.len(), needed: trust.witness_quorum });
    }
    Ok(cosigned.len())
}
