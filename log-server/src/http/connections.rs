//! Accepting connections: our own loop, because slow clients must not hold places for ever.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutWriter;

use crate::app::App;
use crate::notifications::{Channel, receive, work};

/// How long a request's headers may take, and how long a connection may stay without a request.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// How long a client may take without reading anything of an answer.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);
/// How long requests under way may take once the server stops.
const STOP_DEADLINE: Duration = Duration::from_secs(10);
/// Bounds a connection's memory.
const MAX_BUFFER: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// Serves until `shutdown` ends; then answers what is under way, long-polls at once, and lets the writer finish its queue.
pub async fn serve(app: Arc<App>, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
    let service = TowerToHyperService::new(super::router(app.clone()));
    let places = Arc::new(Semaphore::new(app.limits.connections));
    let connections = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .max_buf_size(MAX_BUFFER)
        .max_headers(MAX_HEADERS);
    let mut workers = JoinSet::new();
    if !app.approvals.couriers.is_empty() {
        for channel in Channel::ALL {
            workers.spawn(work(app.clone(), channel));
        }
    }
    if let Some(telegram) = app.approvals.couriers.telegram() {
        workers.spawn(receive(app.clone(), telegram.clone()));
    }
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (stream, place) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let mut stream = TimeoutWriter::new(stream);
        stream.set_timeout(Some(WRITE_DEADLINE));
        let stream = TokioIo::new(Box::pin(stream));
        let connection = connections.watch(http.serve_connection(stream, service.clone()));
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    app.stopping.send_replace(true);
    if tokio::time::timeout(STOP_DEADLINE, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests took too long and were cut off");
    }
    // They end by themselves, and say before the writer closes what became of the messages under way.
    while let Some(ended) = workers.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a worker that sends messages failed by a bug");
        }
    }
    app.approvals.writer.close();
}

/// The next connection and its place. Without a place none is accepted; callers wait in the backlog.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { unreachable!("nobody closes the semaphore") };
        match listener.accept().await {
            Ok((stream, _)) => {
                // Small answers must not wait for more of them.
                _ = stream.set_nodelay(true);
                return (stream, place);
            }
            Err(error) => {
                // Out of file descriptors, mostly: wait for some to come back instead of spinning.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
