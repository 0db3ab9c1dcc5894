//! Why the server does not start or does not go on: one sentence each, which says what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use log_server::identity::PublicUrlError;
use log_server::start::StartError;
use store_rocksdb::OpenError;

use crate::secret_file::SecretFileError;

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// A URL that nobody can be enrolled at.
    #[error(transparent)]
    PublicUrl(#[from] PublicUrlError),
    /// The configuration file.
    #[error("the configuration file {}: {reason}; correct it and start again", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// What the file says about mail.
    #[error("the table [mail] of the configuration file: {0}; correct it and start again")]
    Mail(String),
    /// What the file says about Telegram.
    #[error("the table [telegram] of the configuration file: {0}; correct it and start again")]
    Telegram(String),
    /// What the file says about webhooks.
    #[error("the table [webhooks] of the configuration file: {0}; correct it and start again")]
    Webhooks(String),
    /// The filter for the log.
    #[error("COUNTERSIGN_LOG is not a filter ({0}); leave it away or set it to error, warn, info, debug or trace")]
    LogFilter(String),
    /// The anchor would be copied and restored with the data.
    #[error(
        "the anchor folder {} lies inside the data directory, so that a restored copy would bring an old anchor along; \
         choose one outside with --anchor", .0.display()
    )]
    AnchorInside(PathBuf),
    /// Others can read the data directory.
    #[error("the data directory {0} can be read by others (mode {mode:04o}); run `chmod 700 {0}`", path.display())]
    DataDirOpen {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Too few open files for a server.
    #[error(
        "this process may open {allowed} files, {needed} are needed; raise the limit (`ulimit -n`, or LimitNOFILE)"
    )]
    OpenFiles {
        /// How many it may open.
        allowed: u64,
        /// How many it needs at least.
        needed: u64,
    },
    /// A file with a key.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    /// There is data, and not the key that signed for it.
    #[error(
        "the log key {} is missing, but there is data of its log in {}; bring the key back from where it was kept, because \
         a new key would be a new log", key.display(), data.display()
    )]
    KeyMissing {
        /// Where the key should be.
        key: PathBuf,
        /// Where there is data.
        data: PathBuf,
    },
    /// The file holds no key.
    #[error("{} holds no {what} ({reason}); bring it back from where it was kept", path.display())]
    KeyDamaged {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The rules of a start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address} ({error}); stop what listens there, or choose another address with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The file system failed.
    #[error("{}: {error}; check the path, its permissions and the disk", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The operating system gave no threads, timers or signals.
    #[error("the operating system refuses what a server needs: {0}")]
    Runtime(io::Error),
    /// The writer stopped: nothing more can be promised.
    #[error("the writer stopped ({0}); start the server again, it looks what was written")]
    Writer(String),
}

impl ServeError {
    /// Whether no restart cures it.
    pub(crate) fn is_permanent(&self) -> bool {
        match self {
            Self::PublicUrl(_)
            | Self::Config { .. }
            | Self::Mail(_)
            | Self::Telegram(_)
            | Self::Webhooks(_)
            | Self::LogFilter(_)
            | Self::AnchorInside(_)
            | Self::DataDirOpen { .. }
            | Self::OpenFiles { .. }
            | Self::KeyMissing { .. }
            | Self::KeyDamaged { .. } => true,
            Self::Store(error) => !matches!(error, OpenError::DiskFull { .. }),
            Self::Secret(error) => !matches!(error, SecretFileError::Io { .. }),
            Self::Start(error) => error.is_permanent(),
            Self::Listen { .. } | Self::Io { .. } | Self::Runtime(_) | Self::Writer(_) => false,
        }
    }
}
