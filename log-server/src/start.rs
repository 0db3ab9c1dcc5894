//! Starting: the lock, the rules that keep a copied, restored or foreign data directory from signing, the scrub of what
//! was written last, and the recovery of what was committed and not published.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use merkle::TreeSize;
use serde::{Deserialize, Serialize};
use verifier::encoding;
use verifier::entry::Entry;
use verifier::note::SignerKey;
use verifier::time::Timestamp;
use verifier::webauthn::{PublicKey, SignaturePrimitive, verify_signature};

use crate::anchor::{Anchor, AnchorError, AnchorFolder};
use crate::api_keys::{ApiKey, Scope};
use crate::app::App;
use crate::approvals::{Approvals, Challenges, CredentialRecord, key_record};
use crate::clock::{Clock, Timekeeper};
use crate::identity::Identity;
use crate::keyspace;
use crate::limits::{Gate, Limits};
use crate::log::Log;
use crate::random::{self, Random};
use crate::store::{Batch, Store, StoreError};
use crate::tree::{self, TreeHead};
use crate::waiters::Waiters;
use crate::writer::{Fatal, Observer, Parts, Writer, record_from, record_to};

/// How many entries a start hashes again. What lies before them is scrubbed by an audit.
const SCRUBBED: u64 = 65_536;
/// The form of the records. A store with a higher one was written by a newer server.
const SCHEMA: u32 = 1;

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
    /// How much room there is.
    pub free_disk: FreeDisk,
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

/// Who this store belongs to; written at the first start and never changed.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Owner {
    schema: u32,
    log_origin: String,
    public_url: String,
    key_id: u32,
}

/// Starts a server: takes the lock, applies the rules, recovers, and starts the writer. Blocks.
pub fn start(settings: Settings) -> Result<Started, StartError> {
    let store = settings.store.clone();
    let first_start = store.get(keyspace::IDENTITY)?.is_none();
    if !first_start && !settings.anchor.is_dir() {
        // Before the folder would be made: its owner is about to bring it back.
        return Err(anchor_missing(stored_head(&*store)?));
    }
    let mut anchor = AnchorFolder::open(&settings.anchor)?;
    let ours = Owner {
        schema: SCHEMA,
        log_origin: settings.identity.log_origin.clone(),
        public_url: settings.identity.public_url.clone(),
        key_id: settings.key.verifier_key().id(),
    };
    if settings.key.verifier_key().name() != ours.log_origin {
        let (name, origin) = (settings.key.verifier_key().name().to_owned(), &ours.log_origin);
        return Err(StartError::Refused(format!(
            "the log key is named {name}, but the public URL makes the log {origin}; start with the public URL that the \
             log was made with"
        )));
    }
    if first_start {
        begin(&settings, &ours, &mut anchor)?;
    }
    let head = check_owner(&*store, &ours, &anchor)?;
    scrub(&settings, anchor.anchor().map_or(TreeSize::ZERO, |anchor| anchor.head.size), head)?;

    let last = store
        .get(keyspace::TIME)?
        .map_or(Ok(0), |bytes| crate::writer::index_from(&bytes).map(merkle::LeafIndex::get))?;
    let last = Timestamp::from_unix(last);
    if settings.clock.now() < last {
        let now = settings.clock.now();
        tracing::warn!(%now, %last, "the clock is behind the last batch; until it is past that, time stands still here");
    }
    let time = Arc::new(Timekeeper::new(settings.clock, last));
    let waiters = Arc::new(Waiters::default());
    let log_key = settings.key.verifier_key();
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
        log: Log { store: store.clone(), writer: handle.clone() },
        approvals: Approvals {
            store,
            writer: handle,
            time,
            random: settings.random,
            waiters,
            identity: settings.identity,
            primitive: settings.primitive,
            challenges: Challenges::default(),
        },
        gate: Gate::new(settings.limits),
        limits: settings.limits,
        log_key,
        free_disk: settings.free_disk,
        banner: settings.banner,
        stopping: tokio::sync::watch::Sender::new(false),
    };
    Ok(Started { app: Arc::new(app), writer, first_start })
}

/// The first start: an anchor of the empty tree, then the store.
///
/// In this order, because a store without an anchor is refused for ever, while an anchor of size 0 promises nothing: a
/// crash between the two is finished by the next start.
fn begin(settings: &Settings, ours: &Owner, anchor: &mut AnchorFolder) -> Result<(), StartError> {
    let empty = Anchor { log_origin: ours.log_origin.clone(), key_id: ours.key_id, head: TreeHead::EMPTY };
    match anchor.anchor() {
        None => anchor.replace(empty)?,
        Some(found) if *found == empty => {}
        Some(found) => {
            return Err(StartError::Refused(format!(
                "the data directory is empty, but the anchor says that the log {} has {} entries; bring back its data \
                 directory, or start a new log with another public URL, data directory and anchor",
                found.log_origin, found.head.size
            )));
        }
    }
    let mut batch = Batch::default();
    batch.put(keyspace::IDENTITY.to_vec(), record_to(ours));
    batch.put(keyspace::HEAD.to_vec(), TreeHead::EMPTY.to_bytes());
    let id = random::id(&*settings.random, "key");
    let record = key_record(id.clone(), "admin".to_owned(), vec![Scope::Admin], &settings.admin_key);
    batch.put(keyspace::api_key_hash(&settings.admin_key.hash()), id.clone().into_bytes());
    batch.put(keyspace::api_key(&id), record_to(&record));
    Ok(settings.store.commit(&batch)?)
}

/// The rules between store, anchor, key and public URL. Returns the stored head.
fn check_owner(store: &dyn Store, ours: &Owner, anchor: &AnchorFolder) -> Result<TreeHead, StartError> {
    let refuse = |words: String| Err(StartError::Refused(words));
    let owner = store.get(keyspace::IDENTITY)?;
    let owner = owner.ok_or_else(|| StoreError("the identity is missing from the store".to_owned()))?;
    let owner: Owner = record_from(keyspace::IDENTITY, &owner)?;
    if owner.schema > SCHEMA {
        return refuse(format!(
            "the store has schema {}, this server knows up to {SCHEMA}; start the newer server that wrote it",
            owner.schema
        ));
    }
    if owner.public_url != ours.public_url {
        return refuse(format!(
            "this log was made for the public URL {}, not {}; another URL would lose every passkey and fork the log's \
             name, so start with the first one or make a new log",
            owner.public_url, ours.public_url
        ));
    }
    if owner.key_id != ours.key_id || owner.log_origin != ours.log_origin {
        return refuse(format!(
            "the log key has the id {:08x}, the store was made with {:08x}; bring back the log key of this store",
            ours.key_id, owner.key_id
        ));
    }
    let head = stored_head(store)?;
    let Some(anchor) = anchor.anchor() else { return Err(anchor_missing(head)) };
    if anchor.log_origin != ours.log_origin || anchor.key_id != ours.key_id {
        return refuse(format!(
            "the anchor belongs to the log {} with the key id {:08x}, this is {} with {:08x}; give the anchor folder of \
             this log",
            anchor.log_origin, anchor.key_id, ours.log_origin, ours.key_id
        ));
    }
    check_anchored(store, head, anchor.head)?;
    Ok(head)
}

fn stored_head(store: &dyn Store) -> Result<TreeHead, StoreError> {
    let head = store.get(keyspace::HEAD)?;
    TreeHead::from_bytes(&head.ok_or_else(|| StoreError("the tree head is missing from the store".to_owned()))?)
}

fn anchor_missing(head: TreeHead) -> StartError {
    StartError::Refused(format!(
        "the store has {} entries, but the anchor is missing; bring back the anchor folder of this store, because without \
         it nobody knows whether a newer copy has signed already",
        head.size
    ))
}

/// The store must hold at least what was anchored, and the same.
fn check_anchored(store: &dyn Store, head: TreeHead, anchored: TreeHead) -> Result<(), StartError> {
    if head.size < anchored.size {
        return Err(StartError::Refused(format!(
            "the store has {} entries, but {} were signed: this is an older copy of the data; bring back the newest one, \
             or go on with a new log",
            head.size, anchored.size
        )));
    }
    let root = tree::stored_root(store, anchored.size)?;
    if root != anchored.root {
        return Err(StartError::Refused(format!(
            "the first {} entries of the store have the root {root}, but {} was signed: this is another log's data; bring \
             back this log's own",
            anchored.size, anchored.root
        )));
    }
    Ok(())
}

/// Reads what was written last and computes it again: the last entries, the root, and the signatures of the decisions that
/// nobody was told of yet.
fn scrub(settings: &Settings, anchored: TreeSize, head: TreeHead) -> Result<(), StartError> {
    let store = &*settings.store;
    let root = tree::stored_root(store, head.size)?;
    if root != head.root {
        return Err(
            StoreError(format!("the stored tiles have the root {root}, the stored tree head {}", head.root)).into()
        );
    }
    let first = head.size.get().saturating_sub(SCRUBBED).min(anchored.get());
    tree::check_entries(store, first..head.size.get(), |index, bytes, _| {
        if index.get() < anchored.get() {
            return Ok(());
        }
        check_signature(settings, bytes)
            .map_err(|why| StoreError(format!("the decision at index {index} does not verify: {why}")))
    })
    .map_err(StartError::Store)
}

fn check_signature(settings: &Settings, bytes: &[u8]) -> Result<(), String> {
    let Ok(Entry::Decision(entry)) = Entry::parse(bytes) else { return Ok(()) };
    let key = keyspace::credential(&entry.credential);
    let stored = settings.store.get(&key).map_err(|error| error.to_string())?.ok_or("its key is not enrolled")?;
    let stored: CredentialRecord = record_from(&key, &stored).map_err(|error| error.to_string())?;
    let spki = encoding::from_base64url(&stored.public_key).map_err(|error| error.to_string())?;
    let public_key = PublicKey::from_spki_der(&spki).map_err(|error| error.to_string())?;
    let signed = &entry.assertion;
    verify_signature(
        &public_key,
        &signed.authenticator_data,
        &signed.client_data_json,
        &signed.signature,
        &*settings.primitive,
    )
    .map_err(|error| error.to_string())
}
