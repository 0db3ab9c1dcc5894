//! A server in a folder of its own: where its files are, and how it is started.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use log_server::api_keys::ApiKey;
use log_server::clock::SystemClock;
use log_server::identity::Identity;
use log_server::limits::Limits;
use log_server::random::{OsRandom, Random};
use log_server::start::{Settings, StartError, Started, start};
use log_server::writer::Observer;
use store_rocksdb::{OpenError, RocksStore};
use verifier::note::SignerKey;
use verifier::webauthn::PureRust;

/// The public URL of all servers here.
pub(crate) const PUBLIC_URL: &str = "http://localhost:8080";
/// Where a server keeps its files.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The folder that holds everything.
    pub(crate) folder: PathBuf,
}

/// Why a server did not start.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The store did not open.
    Store(OpenError),
    /// The rules of a start, or the recovery.
    Start(StartError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Start(error) => error.fmt(f),
        }
    }
}

impl Place {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// A disk of the server's own, for the tests that cut its power. What callers were told is kept outside of it.
    pub(crate) fn disk(&self) -> PathBuf {
        self.folder.join("disk")
    }

    /// Where data and anchor are: on the disk, if there is one.
    fn files(&self) -> PathBuf {
        let disk = self.disk();
        if disk.is_dir() { disk } else { self.folder.clone() }
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.files().join("data")
    }

    /// The anchor folder.
    pub(crate) fn anchor(&self) -> PathBuf {
        self.files().join("anchor")
    }

    /// Opens the store and starts the server, without a listener.
    pub(crate) fn start(&self, observer: Observer) -> Result<Started, Failure> {
        let store = RocksStore::open(&self.data()).map_err(Failure::Store)?;
        start(self.settings(store, observer)).map_err(Failure::Start)
    }

    fn settings(&self, store: RocksStore, observer: Observer) -> Settings {
        Settings {
            identity: Identity::from_public_url(PUBLIC_URL).unwrap(),
            key: log_key(),
            admin_key: admin_key(),
            anchor: self.anchor(),
            store: Arc::new(store),
            clock: Arc::new(SystemClock::start()),
            random: Arc::new(OsRandom),
            primitive: Arc::new(PureRust),
            limits: Limits::default(),
            couriers: log_server::notifications::Couriers::default(),
            free_disk: Arc::new(|| None),
            backup: None,
            observer,
            banner: None,
        }
    }
}

/// The log's key, the same in every process.
pub(crate) fn log_key() -> SignerKey {
    SignerKey::from_seed("localhost:8080/log", &[42; 32]).unwrap()
}

/// The API key of the first start, the same in every process.
pub(crate) fn admin_key() -> ApiKey {
    ApiKey::generate(&Same)
}

/// Randomness that repeats itself.
struct Same;

impl Random for Same {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}
