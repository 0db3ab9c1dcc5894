//! A log in memory, its signed checkpoint, and witnesses that cosign it (C2SP tlog-cosignature).

use ed25519_dalek::{Signer as _, SigningKey};
use merkle::{Hash, LeafIndex, TreeSize, leaf_hash, prove_inclusion, root};
use sha2::{Digest as _, Sha256};
use verifier::checkpoint::Checkpoint;
use verifier::encoding::base64;
use verifier::note::{SignerKey, WitnessKey};
use verifier::receipt::LoggedEntry;
use verifier::time::Timestamp;

/// The entries of a log, first to last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(pub(crate) Vec<Vec<u8>>);

impl Log {
    pub(crate) fn append(&mut self, entry: Vec<u8>) -> usize {
        self.0.push(entry);
        self.0.len() - 1
    }

    /// An entry with its proof in the tree of all entries.
    pub(crate) fn logged(&self, index: usize) -> LoggedEntry {
        let leaves = self.leaves();
        let (at, size) = (LeafIndex::new(index as u64), TreeSize::new(leaves.len() as u64));
        let hashes = prove_inclusion(at, size, leaves.as_slice()).unwrap();
        LoggedEntry { entry: String::from_utf8(self.0[index].clone()).unwrap(), hashes, index: at }
    }

    pub(crate) fn checkpoint(&self, log_origin: &str) -> Checkpoint {
        let leaves = self.leaves();
        Checkpoint { log_origin: log_origin.to_owned(), size: TreeSize::new(leaves.len() as u64), root: root(&leaves) }
    }

    fn leaves(&self) -> Vec<Hash> {
        self.0.iter().map(|entry| leaf_hash(entry)).collect()
    }
}

pub(crate) fn log_key(log_origin: &str, seed: u8) -> SignerKey {
    SignerKey::from_seed(log_origin, &[seed; 32]).unwrap()
}

/// A witness with a fixed key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Witness {
    pub(crate) name: &'static str,
    pub(crate) seed: u8,
    /// When it cosigns, in seconds since 1970.
    pub(crate) time: u64,
}

impl Witness {
    const TYPE: u8 = 0x04;

    pub(crate) fn key(self) -> WitnessKey {
        self.key_text().parse().unwrap()
    }

    pub(crate) fn key_text(self) -> String {
        let blob = [&[Self::TYPE], self.secret().verifying_key().as_bytes().as_slice()].concat();
        format!("{}+{:08x}+{}", self.name, u32::from_be_bytes(self.key_id()), base64(&blob))
    }

    /// The same witness at this many seconds after the stories' confirmations were asked for.
    pub(crate) fn after(self, seconds: u64) -> Self {
        let asked: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        Self { time: asked.plus(seconds).unix(), ..self }
    }

    /// The signature line over a checkpoint's text, cosigned at this time.
    pub(crate) fn line(self, text: &str, time: u64) -> String {
        let signature = self.secret().sign(format!("cosignature/v1\ntime {time}\n{text}").as_bytes());
        let line = [&self.key_id()[..], &time.to_be_bytes(), &signature.to_bytes()].concat();
        format!("— {} {}\n", self.name, base64(&line))
    }

    fn key_id(self) -> [u8; 4] {
        let public = self.secret().verifying_key();
        let hash = Sha256::new().chain_update(self.name).chain_update([b'\n', Self::TYPE]).chain_update(public);
        hash.finalize()[..4].try_into().unwrap()
    }

    fn secret(self) -> SigningKey {
        SigningKey::from_bytes(&[self.seed; 32])
    }
}
