//! `countersign serve`: the settings, the first start, the server, and a graceful end.

mod announce;
mod config;
mod error;
mod keys;
mod logging;
mod mail;
mod open_files;
mod place;
mod server;
mod signals;
mod telegram;
mod webhooks;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use log_server::identity::Identity;
use log_server::notifications::Couriers;
use tokio::net::TcpSocket;

pub(crate) use announce::shell_quoted;
pub(crate) use config::{mail_settings, telegram_settings, webhook_settings};
pub(crate) use error::ServeError;
pub(crate) use keys::parse_log_key;
pub(crate) use open_files::allowed;
pub(crate) use place::{Place, beside};
pub(crate) use server::Server;

use config::Config;
use signals::Signals;

/// Run the server. Without any option it keeps its data in ./countersign-data and serves this machine alone.
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct ServeArgs {
    /// Where the log key, the admin key and the database are. Default: ./countersign-data
    #[arg(long, env = "COUNTERSIGN_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where the last signed tree head is kept, outside the data directory. Default: the data directory and `.anchor`
    #[arg(long, env = "COUNTERSIGN_ANCHOR", value_name = "DIR")]
    anchor: Option<PathBuf>,
    /// Where backups are made when an admin asks for one. Default: the data directory and `.backups`
    #[arg(long, env = "COUNTERSIGN_BACKUPS", value_name = "DIR")]
    backups: Option<PathBuf>,
    /// The address to listen on. Default: 127.0.0.1:8080
    #[arg(long, env = "COUNTERSIGN_LISTEN", value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Scheme, host and port as browsers see them; fixed for ever at the first start. Default: `http://localhost:8080`
    #[arg(long, env = "COUNTERSIGN_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// A TOML file with data_dir, anchor, backups, listen, public_url and the tables `limits`, `mail`, `telegram`, `webhooks` and
    /// `notify`.
    #[arg(long, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

const HELP: &str = "\
Options win over the environment, the environment over the file, the file over the defaults.
COUNTERSIGN_LOG filters the log on standard error, for example `debug` or `log_server=debug`; the default is `info`.

Example:
  countersign serve --public-url https://approvals.example.com --data-dir /var/lib/countersign

Exit codes: 0 stopped by SIGTERM or SIGINT, 78 what no restart can cure, 2 a wrong call, 1 anything else.";

/// Runs the server until a signal stops it.
pub(crate) fn run(args: ServeArgs) -> Result<(), ServeError> {
    let config = Config::from(args)?;
    let _log = logging::start()?;
    let identity = Identity::from_public_url(&config.public_url)?;
    let couriers = couriers(&config, &identity)?;
    let limits = open_files::bounded(config.limits)?;
    let place = Place::new(&config.data_dir, &config.anchor)?.with_backups(&config.backups)?;
    let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(ServeError::Runtime)?;
    let _context = runtime.enter();
    let signals = Signals::watch().map_err(ServeError::Runtime)?;

    // The address is taken before anything is made, so that a first start that fails on it leaves nothing behind; but
    // nobody can connect before the start is through.
    let socket = bind(config.listen)?;
    let server = Server::start(&place, &identity, limits, couriers, None)?;
    let refused = |error| ServeError::Listen { address: config.listen, error };
    let listener = socket.listen(1024).map_err(refused)?;
    announce::ready(&server, &place, &identity, listener.local_addr().map_err(refused)?);
    runtime.block_on(server.run(listener, signals.first()))
}

/// The channels that the file sets up.
fn couriers(config: &Config, identity: &Identity) -> Result<Couriers, ServeError> {
    let mut couriers = Couriers::default();
    if let Some(mail) = &config.mail {
        couriers = mail.add_to(couriers, identity).map_err(ServeError::Mail)?;
    }
    if let Some(telegram) = &config.telegram {
        couriers = telegram.add_to(couriers).map_err(ServeError::Telegram)?;
    }
    if let Some(webhooks) = &config.webhooks {
        couriers = webhooks.add_to(couriers).map_err(ServeError::Webhooks)?;
    }
    Ok(couriers.showing_payload(config.show_payload))
}

fn bind(address: SocketAddr) -> Result<TcpSocket, ServeError> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let bound = socket.and_then(|socket| {
        // Otherwise a restart would wait for the connections of the last run to be forgotten. A second listener on the
        // same address is refused all the same.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    });
    bound.map_err(|error| ServeError::Listen { address, error })
}
