//! Starting: the lock, the rules that keep a copied, restored or foreign data directory from signing, the scrub of what
//! was written last, and the recovery of what was committed and not published.

mod rules;
mod scrub;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use merkle::TreeSize;
use verifier::note::SignerKey;
use verifier::time::Timestamp;
use verifier::webauthn::SignaturePrimitive;

use crate::anchor::AnchorError;
use crate::api_keys::ApiKey;
use crate::app::App;
use crate::approvals::{Approvals, Ceremonies, MadeReceipts, Sessions};
use crate::backup::{Backups, MakeBackup};
use crate::clock::{Clock, Timekeeper};
use crate::contents;
use crate::identity::Identity;
use crate::limits::{Gate, Limits};
use crate::log::Log;
use crate::notifications::{Couriers, WebhookRoot};
use crate::random::Random;
use crate::store::{Store, StoreError};
use crate::waiters::Waiters;
use crate::writer::{Fatal, Observer, Parts, Writer};
use rules::Opened;

/// How many bytes are free where the data is; none when that is unknown.
pub type FreeDisk = Arc<dyn Fn() -> Option<u64> + Send + Sync>;

/// Everything that a server is made of.
pub struct Settings {
    /// What log and site are called.
    pub identity: Identity,
    /// The log's key; its name is the log origin.
    pub key: SignerKey,
    /// The API key that a first start puts into the store, with scope `admin`.
    pub admin_key: ApiKey,
    /// The anchor folder.
    pub anchor: PathBuf,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Checks signatures.
    pub primitive: Arc<dyn SignaturePrimitive + Send + Sync>,
    /// How much one caller may take.
    pub limits: Limits,
    /// How approvers can be told of what waits for them; by default not at all.
    pub couriers: Couriers,
    /// How much room there is.
    pub free_disk: FreeDisk,
    /// Makes a backup; without it the server makes none.
    pub backup: Option<MakeBackup>,
    /// Listens to the moments of a batch.
    pub observer: Observer,
    /// A word that every page shows, such as "demo".
    pub banner: Option<String>,
}

/// A server that is ready to answer.
pub struct Started {
    /// What the requests need.
    pub app: Arc<App>,
    /// The writer's thread; if it ends with an error, the process must end.
    pub writer: JoinHandle<Result<(), Fatal>>,
    /// Whether a new log was made.
    pub first_start: bool,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A rule that protects the log: a restart cannot cure it.
    #[error("{0}")]
    Refused(String),
    /// The anchor folder.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// The store is damaged, or cannot be read.
    #[error(
        "{0}; keep the data directory as it is, check the disk, and bring back the newest copy that the anchor accepts"
    )]
    Store(#[from] StoreError),
    /// What was committed last could not be published.
    #[error(transparent)]
    Recovery(#[from] Fatal),
}

impl StartError {
    /// Whether another start would fail in the same way. Only a failing file system may be different next time.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::Anchor(AnchorError::Io { .. }) | Self::Recovery(Fatal::Anchor(AnchorError::Io { .. })))
    }
}

/// Starts a server: takes the lock, applies the rules, recovers, and starts the writer. Blocks.
pub fn start(settings: Settings) -> Result<Started, StartError> {
    let Opened { anchor, head, first_start } = rules::open(&settings)?;
    scrub::scrub(&settings, anchor.anchor().map_or(TreeSize::ZERO, |anchor| anchor.head.size), head)?;
    let time = Arc::new(keep_time(&settings)?);
    let store = settings.store;
    let waiters = Arc::new(Waiters::default());
    let log_key = settings.key.verifier_key();
    let webhook_root = WebhookRoot::of(&settings.key);
    let parts = Parts {
        store: store.clone(),
        anchor,
        key: settings.key,
        time: time.clone(),
        waiters: waiters.clone(),
        observer: settings.observer,
    };
    let (handle, writer) = Writer::start(parts, head)?;
    let app = App {
        log: Log::new(store.clone(), handle.clone()),
        approvals: Approvals {
            store,
            writer: handle,
            time,
            random: settings.random,
            waiters,
            identity: settings.identity,
            primitive: settings.primitive,
            ceremonies: Ceremonies::default(),
            sessions: Sessions::default(),
            made: MadeReceipts::default(),
            limits: settings.limits,
            couriers: settings.couriers,
            webhook_root,
        },
        gate: Gate::new(settings.limits),
        limits: settings.limits,
        log_key,
        free_disk: settings.free_disk,
        backups: settings.backup.map(Backups::new),
        banner: settings.banner,
        stopping: tokio::sync::watch::Sender::new(false),
    };
    Ok(Started { app: Arc::new(app), writer, first_start })
}

/// The time goes on from the stamp of the last batch.
fn keep_time(settings: &Settings) -> Result<Timekeeper, StoreError> {
    let last = contents::last_stamp(&*settings.store)?.unwrap_or(Timestamp::from_unix(0));
    let now = settings.clock.now();
    if now < last {
        tracing::warn!(%now, %last, "the clock is behind the last batch; until it is past that, time stands still here");
    }
    Ok(Timekeeper::new(settings.clock.clone(), last))
}
