//! One server: keys, store, writer and HTTP put together, for `serve` and for the demo alike.

use std::future::Future;
use std::sync::Arc;

use log_server::clock::SystemClock;
use log_server::identity::Identity;
use log_server::limits::Limits;
use log_server::notifications::Couriers;
use log_server::random::OsRandom;
use log_server::start::{Settings, Started, start};
use store_rocksdb::RocksStore;
use tokio::net::TcpListener;
use tokio::sync::watch;
use verifier::note::VerifierKey;
use verifier::webauthn::AwsLc;

use super::keys::Keys;
use super::{Place, ServeError};
use crate::backup;

/// A server that is ready to answer.
pub(crate) struct Server {
    started: Started,
    log_key: VerifierKey,
}

impl Server {
    /// Makes or reads the keys, opens the store, applies the rules of a start and recovers. Blocks.
    pub(crate) fn start(
        place: &Place,
        identity: &Identity,
        limits: Limits,
        couriers: Couriers,
        banner: Option<&str>,
    ) -> Result<Self, ServeError> {
        let keys = Keys::read_or_make(place, identity)?;
        let log_key = keys.log.verifier_key();
        let store = Arc::new(RocksStore::open(&place.database())?);
        let backup = backup::hook(store.clone(), log_key.clone(), place.backups().to_owned());
        let measured = place.clone();
        let started = start(Settings {
            identity: identity.clone(),
            key: keys.log,
            admin_key: keys.admin,
            anchor: place.anchor().to_owned(),
            store,
            clock: Arc::new(SystemClock::start()),
            random: Arc::new(OsRandom),
            primitive: Arc::new(AwsLc),
            limits,
            couriers,
            free_disk: Arc::new(move || measured.free_disk()),
            backup: Some(backup),
            observer: Box::new(|_| ()),
            banner: banner.map(str::to_owned),
        })?;
        Ok(Self { started, log_key })
    }

    /// The log's public key.
    pub(crate) fn log_key(&self) -> &VerifierKey {
        &self.log_key
    }

    /// Whether a new log was made.
    pub(crate) fn is_first_start(&self) -> bool {
        self.started.first_start
    }

    /// Answers until `stop` ends, then stops gracefully. An error if the writer fails, before or then.
    pub(crate) async fn run(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let Started { app, writer, .. } = self.started;
        let (report, ended) = watch::channel(None);
        std::thread::spawn(move || {
            let end = match writer.join() {
                Ok(Ok(())) => Ok(()),
                Ok(Err(fatal)) => Err(fatal.to_string()),
                Err(_) => Err("its thread panicked".to_owned()),
            };
            report.send_replace(Some(end));
        });
        let mut failed = ended.clone();
        let stop_or_failure = async move {
            tokio::select! {
                () = stop => {}
                _ = failed.wait_for(Option::is_some) => {}
            }
        };
        log_server::http::serve(app, listener, stop_or_failure).await;
        let mut ended = ended;
        let end = match ended.wait_for(Option::is_some).await {
            Ok(end) => end.clone().unwrap_or(Ok(())),
            Err(_) => Err("nobody waited for its thread".to_owned()),
        };
        end.map_err(ServeError::Writer)
    }
}
