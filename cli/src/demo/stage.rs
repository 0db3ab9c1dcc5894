//! Where the demo plays: the real server in this process, on a free port of this machine, with data that is deleted.

use std::io;
use std::net::Ipv4Addr;

use log_server::identity::Identity;
use log_server::limits::Limits;
use log_server::notifications::Couriers;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::DemoError;
use crate::serve::{Place, ServeError, Server};

/// The running server and its temporary data.
pub(super) struct Stage {
    url: String,
    place: Place,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
    /// Deleted when this is dropped.
    _folder: TempDir,
}

impl Stage {
    /// Starts the server. Blocks for a moment, like any start.
    pub(super) fn open() -> Result<Self, DemoError> {
        let folder = tempfile::Builder::new().prefix("countersign-demo-data-").tempdir()?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let url = format!("http://localhost:{}", listener.local_addr()?.port());

        let place = Place::new(&folder.path().join("data"), &folder.path().join("anchor"))?;
        let identity = Identity::from_public_url(&url).map_err(ServeError::from)?;
        let server = Server::start(&place, &identity, Limits::default(), Couriers::default(), Some("demo"))?;
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(server.run(listener, async {
            // An end of the sender is an end of the stage too.
            _ = stopped.await;
        }));
        Ok(Self { url, place, stop, served, _folder: folder })
    }

    /// The server's public URL.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Its folders.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Stops the server gracefully and deletes its data.
    pub(super) async fn close(self) -> Result<(), ServeError> {
        // The server may have stopped by itself already; its result says so.
        _ = self.stop.send(());
        self.served.await.map_err(|error| ServeError::Runtime(io::Error::other(error)))?
    }
}
