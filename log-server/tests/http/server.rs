//! A server in this process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use log_server::api_keys::ApiKey;
use log_server::app::App;
use log_server::backup::MakeBackup;
use log_server::clock::{Clock, ManualClock, SystemClock};
use log_server::http::serve;
use log_server::identity::Identity;
use log_server::limits::Limits;
use log_server::notifications::Couriers;
use log_server::random::{OsRandom, Random};
use log_server::start::{Settings, StartError, Started, start};
use log_server::store::memory::MemoryStore;
use log_server::store::{Pair, Store};
use log_server::writer::Fatal;
use reqwest::Method;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use verifier::checkpoint::Checkpoint;
use verifier::note::SignerKey;
use verifier::time::Timestamp;
use verifier::trust::Trust;
use verifier::webauthn::PureRust;

use crate::call::Call;
use crate::pause::Pause;

/// The site's web origin. The port that a test listens on is another one: only the authenticator sees this.
pub(crate) const WEB_ORIGIN: &str = "http://localhost:8080";
pub(crate) const LOG_ORIGIN: &str = "localhost:8080/log";
/// When manual clocks begin.
pub(crate) const BEGINNING: u64 = 1_800_000_000;

/// What a server is made of. Cloned and started again, it is the same server after a restart.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) anchor: Arc<TempDir>,
    pub(crate) public_url: String,
    pub(crate) key_name: String,
    pub(crate) key_seed: [u8; 32],
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) limits: Limits,
    pub(crate) couriers: Couriers,
    pub(crate) free_disk: Arc<AtomicU64>,
    pub(crate) backup: Option<MakeBackup>,
    pub(crate) pause: Pause,
    pub(crate) admin: ApiKey,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) setup: Setup,
    pub(crate) address: SocketAddr,
    pub(crate) app: Arc<App>,
    client: reqwest::Client,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    writer: std::thread::JoinHandle<Result<(), Fatal>>,
}

/// Waits for something that must happen; a test that hangs fails here.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("this takes too long")
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self {
            store: Arc::new(MemoryStore::default()),
            anchor: Arc::new(tempfile::tempdir().unwrap()),
            public_url: WEB_ORIGIN.to_owned(),
            key_name: LOG_ORIGIN.to_owned(),
            key_seed: [7; 32],
            clock: Arc::new(SystemClock::start()),
            random: Arc::new(OsRandom),
            limits: Limits::default(),
            couriers: Couriers::default(),
            free_disk: Arc::new(AtomicU64::new(u64::MAX)),
            backup: None,
            pause: Pause::default(),
            admin: ApiKey::generate(&OsRandom),
        }
    }

    /// With a clock that the test sets.
    pub(crate) fn with_manual_clock() -> (Self, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(BEGINNING)));
        (Self { clock: clock.clone(), ..Self::new() }, clock)
    }

    /// Starts everything but the listener.
    pub(crate) fn try_start(&self) -> Result<Started, StartError> {
        let free = self.free_disk.clone();
        start(Settings {
            identity: Identity::from_public_url(&self.public_url).unwrap(),
            key: SignerKey::from_seed(&self.key_name, &self.key_seed).unwrap(),
            admin_key: self.admin.clone(),
            anchor: self.anchor.path().to_owned(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            primitive: Arc::new(PureRust),
            limits: self.limits,
            couriers: self.couriers.clone(),
            free_disk: Arc::new(move || Some(free.load(Ordering::SeqCst))),
            backup: self.backup.clone(),
            observer: self.pause.observer(),
            banner: None,
        })
    }

    /// With room for so many long-polls, so that a test can tell when they all wait.
    pub(crate) fn long_polls(mut self, polls: usize) -> Self {
        self.limits.long_polls = polls;
        self
    }

    pub(crate) async fn start(self) -> Server {
        let started = self.try_start().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(serve(started.app.clone(), listener, async { _ = stopped.await }));
        // What is sent is looked at as it is sent.
        let client = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
        Server { setup: self, address, app: started.app, client, stop, serving, writer: started.writer }
    }
}

impl Server {
    pub(crate) async fn new() -> Self {
        Setup::new().start().await
    }

    /// Stops it as a signal would, and says how the writer ended.
    pub(crate) async fn stop(self) -> (Setup, Result<(), Fatal>) {
        let Self { setup, client, stop, serving, writer, .. } = self;
        drop(client);
        _ = stop.send(());
        soon(serving).await.unwrap();
        let ended = soon(tokio::task::spawn_blocking(move || writer.join())).await.unwrap().unwrap();
        (setup, ended)
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        let name = format!("{method} {path}");
        Call { request: self.client.request(method, format!("http://{}{path}", self.address)), name }
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    pub(crate) fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    pub(crate) fn admin(&self) -> &str {
        self.setup.admin.reveal()
    }

    /// Ends when as many long-polls wait as the limits allow in all.
    pub(crate) async fn until_all_polls_wait(&self) {
        self.until_polls_wait("probe").await;
    }

    /// Ends when no long-poll more may begin with a key. On one thread, so the probe is in nobody's way.
    pub(crate) async fn until_polls_wait(&self, key_id: &str) {
        soon(async {
            while self.app.gate.poll(key_id).is_ok() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Ends when so many callers wait for the writer's answer.
    pub(crate) async fn until_waiting(&self, callers: usize) {
        soon(async {
            while self.app.log.writer.waiting() < callers {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    pub(crate) async fn trust(&self) -> Trust {
        Trust::parse(&self.get("/trust.json").send().await.expect(200).body).unwrap()
    }

    /// The published checkpoint, opened with the key of the trust file.
    pub(crate) async fn checkpoint(&self) -> Checkpoint {
        let note = self.get("/log/checkpoint").send().await.expect(200).body;
        let trust = self.trust().await;
        Checkpoint::open(&note, &trust.logs[0]).unwrap()
    }

    pub(crate) async fn log_size(&self) -> u64 {
        self.checkpoint().await.size.get()
    }

    /// Everything in the store.
    pub(crate) fn stored(&self) -> Vec<Pair> {
        stored(&*self.setup.store)
    }
}

pub(crate) fn stored(store: &dyn Store) -> Vec<Pair> {
    store.scan(&[0], &[u8::MAX; 8], usize::MAX).unwrap()
}
