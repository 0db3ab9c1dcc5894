//! The one checkpoint that all clients share. It only grows: another one takes its place when the log has proved that it
//! extends it, so two views of the log cannot both be followed.

use std::sync::{Mutex, PoisonError};

use merkle::{Hash, TreeSize};
use verifier::checkpoint::Checkpoint;
use verifier::encoding;
use verifier::note::VerifierKey;

use super::{Trouble, json, ok};
use crate::connection::{Call, Connection};

pub(super) struct Followed {
    log_key: VerifierKey,
    /// The largest checkpoint that is proved. Held while another one is proved to extend it.
    newest: tokio::sync::Mutex<Checkpoint>,
    /// The note that was opened last: all appends of a batch are answered with the same one.
    opened: Mutex<Option<(String, Checkpoint)>>,
}

impl Followed {
    /// Begins with whatever the log shows.
    pub(super) async fn begin(log_key: &VerifierKey, connection: &mut Connection) -> Result<Self, Trouble> {
        let reply = connection.send(&Call::get("/log/checkpoint")).await?;
        let note = ok("the checkpoint", &reply)?;
        let newest =
            Checkpoint::open(note, log_key).map_err(|error| Trouble::wrong(format!("the checkpoint: {error}")))?;
        Ok(Self { log_key: log_key.clone(), newest: tokio::sync::Mutex::new(newest), opened: Mutex::default() })
    }

    /// The size of the largest checkpoint that is proved.
    pub(super) async fn size(&self) -> TreeSize {
        self.newest.lock().await.size
    }

    /// The largest checkpoint that is proved.
    pub(super) async fn newest(&self) -> Checkpoint {
        self.newest.lock().await.clone()
    }

    /// Verifies the signature of a checkpoint.
    pub(super) fn open(&self, note: &str) -> Result<Checkpoint, Trouble> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, checkpoint)) = opened.as_ref().filter(|(known, _)| known == note) {
            return Ok(checkpoint.clone());
        }
        let checkpoint = Checkpoint::open(note.as_bytes(), &self.log_key);
        let checkpoint = checkpoint.map_err(|error| Trouble::wrong(format!("a checkpoint: {error}")))?;
        *opened = Some((note.to_owned(), checkpoint.clone()));
        Ok(checkpoint)
    }

    /// Fetches the log's checkpoint and has it proved that the larger of the two extends the other.
    pub(super) async fn grow(&self, connection: &mut Connection) -> Result<(), Trouble> {
        // What is known now the log must still know: a smaller answer is a log that went back.
        let least = self.size().await;
        let reply = connection.send(&Call::get("/log/checkpoint")).await?;
        let note = String::from_utf8_lossy(ok("the checkpoint", &reply)?).into_owned();
        let shown = self.open(&note)?;
        if shown.size < least {
            return Err(Trouble::wrong(format!("the log went back from {least} to {} entries", shown.size)));
        }
        self.prove(shown, connection).await
    }

    async fn prove(&self, shown: Checkpoint, connection: &mut Connection) -> Result<(), Trouble> {
        let mut newest = self.newest.lock().await;
        let (old, new) = if shown.size < newest.size { (&shown, &*newest) } else { (&*newest, &shown) };
        let (from, to) = (old.size, new.size);
        let path = format!("/log/proof/consistency?from={from}&to={to}");
        let reply = connection.send(&Call::get(&path)).await?;
        let proof: api::ConsistencyProof = json(&path, &reply)?;
        let hashes = hashes(&path, &proof.hashes)?;
        merkle::verify_consistency(from, to, &old.root, &new.root, &hashes)
            .map_err(|error| Trouble::wrong(format!("the trees of {from} and {to} entries do not agree: {error}")))?;
        if shown.size > newest.size {
            *newest = shown;
        }
        Ok(())
    }
}

/// The hashes of a proof.
pub(super) fn hashes(what: &str, texts: &[String]) -> Result<Vec<Hash>, Trouble> {
    let read = |text: &String| encoding::array_from_base64(text).map(Hash::from_bytes);
    texts.iter().map(read).collect::<Result<_, _>>().map_err(|error| Trouble::wrong(format!("{what}: a hash: {error}")))
}
