//! A server of the benchmarks' own on a store of theirs, in this process: with a listener or without.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use log_server::api_keys::ApiKey;
use log_server::clock::SystemClock;
use log_server::identity::Identity;
use log_server::limits::Limits;
use log_server::notifications::Couriers;
use log_server::problem::Problem;
use log_server::random::OsRandom;
use log_server::start::{Settings, StartError, Started, start};
use log_server::store::Store;
use log_server::writer::Fatal;
use tokio::net::TcpListener;
use verifier::note::SignerKey;
use verifier::webauthn::AwsLc;

/// A running log and its writer's thread.
pub struct Running {
    /// The log.
    pub app: Arc<log_server::app::App>,
    writer: JoinHandle<Result<(), Fatal>>,
}

impl Running {
    /// Starts a log on a store, with its anchor in a folder and without a limit on the requests of one key.
    ///
    /// # Panics
    /// When the fixed names or keys of the benchmark are not acceptable, which would be a bug of the benchmark.
    pub fn start(store: Arc<dyn Store>, anchor: &Path) -> Result<Self, StartError> {
        let limits = Limits { requests_per_minute_per_key: u32::MAX, ..Limits::default() };
        Self::within(store, anchor, limits, Couriers::default())
    }

    /// Starts a log on a store, with its anchor in a folder, within these limits, and with these channels to approvers.
    ///
    /// # Panics
    /// As [`Running::start`] does.
    pub fn within(
        store: Arc<dyn Store>,
        anchor: &Path,
        limits: Limits,
        couriers: Couriers,
    ) -> Result<Self, StartError> {
        let Ok(identity) = Identity::from_public_url("http://localhost:8080") else { panic!("a fixed URL") };
        let Ok(key) = SignerKey::from_seed(&identity.log_origin, &[1; 32]) else { panic!("a fixed key") };
        let Started { app, writer, .. } = start(Settings {
            identity,
            key,
            admin_key: ApiKey::generate(&OsRandom),
            anchor: anchor.to_owned(),
            store,
            clock: Arc::new(SystemClock::start()),
            random: Arc::new(OsRandom),
            primitive: Arc::new(AwsLc),
            limits,
            couriers,
            free_disk: Arc::new(|| None),
            observer: Box::new(|_| ()),
            backup: None,
            banner: None,
        })?;
        Ok(Self { app, writer })
    }

    /// Listens on a free port of this machine, until the runtime ends.
    pub async fn listen(&self) -> std::io::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(log_server::http::serve(self.app.clone(), listener, std::future::pending()));
        Ok(address)
    }

    /// A new API key that may append.
    pub async fn append_key(&self) -> Result<String, Problem> {
        self.key("append").await
    }

    /// A new API key with one scope.
    pub async fn key(&self, scope: &str) -> Result<String, Problem> {
        let (name, scopes) = ("load".to_owned(), vec![scope.to_owned()]);
        let request = api::CreateKey { name, scopes, owner: None, separate: false, approvers: None };
        Ok(self.app.approvals.create_key(&self.admin()?, request).await?.key)
    }

    /// The id of the API key that the first start made.
    pub fn admin(&self) -> Result<String, Problem> {
        let keys = self.app.approvals.keys()?.keys.into_iter();
        let mut admins = keys.filter(|key| key.scopes.iter().any(|scope| scope == "admin"));
        admins.next().map(|key| key.id).ok_or(Problem::NoKey)
    }

    /// Lets the writer finish.
    ///
    /// # Panics
    /// When the writer failed: the figures would mean nothing.
    pub fn stop(self) {
        self.app.approvals.writer.close();
        assert!(matches!(self.writer.join(), Ok(Ok(()))), "the writer failed");
    }
}
