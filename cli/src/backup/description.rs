//! `backup.json`: what a backup holds, so that a restore can tell whether it still does.
//!
//! ```json
//! {"checkpoint":"<the signed note>","files":{"000012.sst":"<SHA-256, base64url>"},"log_key":"<verifier key>",
//!  "log_origin":"example.com/log","made_at":"2026-01-02T03:04:05Z","program":"0.1.0","public_url":"https://example.com",
//!  "root":"<base64url>","schema":"1","size":"7","type":"countersign/backup/v1"}
//! ```
//!
//! Size and root are those of the copy, which may be a little ahead of the checkpoint that was published when it was made.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use log_server::tree::TreeHead;
use merkle::{Hash, TreeSize};
use sha2::{Digest as _, Sha256};
use verifier::encoding;
use verifier::json::{self, Limits, Numbers, Object, Value};
use verifier::note::VerifierKey;
use verifier::time::Timestamp;

/// The name of the file.
pub(crate) const FILE: &str = "backup.json";
const TYPE: &str = "countersign/backup/v1";
/// Far more than the files of a very large log take.
const MAX_BYTES: usize = 4 << 20;

/// What a backup says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) log_key: VerifierKey,
    pub(crate) public_url: String,
    pub(crate) schema: u32,
    pub(crate) head: TreeHead,
    pub(crate) checkpoint: String,
    pub(crate) made_at: Timestamp,
    pub(crate) program: String,
    /// The SHA-256 of each file of the database, by name.
    pub(crate) files: BTreeMap<String, [u8; 32]>,
}

impl Description {
    /// The log's name, which is that of its key.
    pub(crate) fn log_origin(&self) -> &str {
        self.log_key.name()
    }

    /// The text of the file.
    pub(crate) fn to_text(&self) -> String {
        let files = self.files.iter().map(|(name, hash)| (name.as_str(), encoding::base64url(hash).into()));
        let object = Object::new([
            ("checkpoint", self.checkpoint.as_str().into()),
            ("files", Object::new(files).into()),
            ("log_key", self.log_key.to_string().into()),
            ("log_origin", self.log_origin().into()),
            ("made_at", self.made_at.to_string().into()),
            ("program", self.program.as_str().into()),
            ("public_url", self.public_url.as_str().into()),
            ("root", encoding::base64url(self.head.root.as_bytes()).into()),
            ("schema", self.schema.to_string().into()),
            ("size", self.head.size.to_string().into()),
            ("type", TYPE.into()),
        ]);
        Value::from(object).to_canonical() + "\n"
    }

    /// Reads the file of a backup. The inner result is none if the bytes are not a description.
    pub(crate) fn read(backup: &Path) -> io::Result<Option<Self>> {
        use io::Read as _;
        let mut bytes = Vec::new();
        File::open(backup.join(FILE))?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        Ok(Self::parse(&bytes))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let limits = Limits { max_bytes: MAX_BYTES, max_depth: 2, numbers: Numbers::Exact };
        let value = json::parse(bytes, limits).ok()?;
        let text = |field: &str| value.as_object()?.get(field)?.as_str();
        let mut files = BTreeMap::new();
        for (name, hash) in value.as_object()?.get("files")?.as_object()?.iter() {
            files.insert(name.to_owned(), encoding::array_from_base64url(hash.as_str()?).ok()?);
        }
        let description = Self {
            log_key: text("log_key")?.parse().ok()?,
            public_url: text("public_url")?.to_owned(),
            schema: text("schema")?.parse().ok()?,
            head: TreeHead {
                size: TreeSize::new(text("size")?.parse().ok()?),
                root: Hash::from_bytes(encoding::array_from_base64url(text("root")?).ok()?),
            },
            checkpoint: text("checkpoint")?.to_owned(),
            made_at: text("made_at")?.parse().ok()?,
            program: text("program")?.to_owned(),
            files,
        };
        // One form only: an edited file is not ours.
        (description.to_text().as_bytes() == bytes).then_some(description)
    }
}

/// The SHA-256 of each file in a folder, by name. A name that is not UTF-8 or a folder among them is an error.
pub(crate) fn hash_files(folder: &Path) -> io::Result<BTreeMap<String, [u8; 32]>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|name| io::Error::other(format!("{} is no name of a table", name.display())))?;
        let mut hasher = Sha256::new();
        let mut file = File::open(entry.path())?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = io::Read::read(&mut file, &mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
        }
        files.insert(name, hasher.finalize().into());
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use verifier::note::SignerKey;

    #[test]
    fn what_is_written_is_read_and_anything_else_is_not() {
        let description = Description {
            log_key: SignerKey::from_seed("example.com/log", &[7; 32]).unwrap().verifier_key(),
            public_url: "https://example.com".into(),
            schema: 1,
            head: TreeHead::EMPTY,
            checkpoint: "a\nnote\n".into(),
            made_at: Timestamp::from_unix(1_800_000_000),
            program: "0.1.0".into(),
            files: BTreeMap::from([("CURRENT".into(), [9; 32])]),
        };
        let text = description.to_text();
        assert_eq!(Description::parse(text.as_bytes()), Some(description.clone()));
        for i in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[i] ^= 1;
            assert_ne!(Description::parse(&bytes), Some(description.clone()), "byte {i}");
            assert_eq!(Description::parse(&text.as_bytes()[..i]), None);
        }
    }
}
