//! `countersign keygen`: a log's key pair, the private half for a file, the public half for people.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use p256::elliptic_curve::Generate as _;
use verifier::note::{KeyError, SignerKey};

use crate::secret_file::{self, SecretFileError};

/// Make a log key: the private key to FILE or standard output, the verifier key to standard error.
#[derive(Args)]
#[command(after_help = "Example:\n  countersign keygen approvals.example.com/log --out log.key")]
pub(crate) struct KeygenArgs {
    /// The key's name: the log origin, that is the host of the public URL and `/log`.
    name: String,
    /// Where the private key goes, with mode 0600; an existing file is not overwritten.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeygenError {
    /// The name cannot name a key.
    #[error("the name cannot be used: {0}")]
    Name(KeyError),
    /// No randomness.
    #[error("the operating system gives no random bytes: {0}")]
    Random(String),
    /// The file cannot be written.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// Standard output is closed.
    #[error("cannot write the key: {0}")]
    Write(#[from] io::Error),
}

pub(crate) fn run(args: &KeygenArgs) -> Result<(), KeygenError> {
    let seed = <[u8; 32]>::try_generate().map_err(|error| KeygenError::Random(error.to_string()))?;
    let key = SignerKey::from_seed(&args.name, &seed).map_err(KeygenError::Name)?;
    let text = key.to_secret_text() + "\n";
    match &args.out {
        Some(path) => secret_file::create(path, &text)?,
        None => io::stdout().lock().write_all(text.as_bytes())?,
    }
    eprintln!("{}", key.verifier_key());
    Ok(())
}
