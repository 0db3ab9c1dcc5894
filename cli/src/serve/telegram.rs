//! The table `[telegram]` of the configuration file, checked when the server starts.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use log_server::notifications::{Couriers, Receive, Telegram, TelegramSettings};
use log_server::random::{self, OsRandom};
use serde::Deserialize;

use crate::secret_file;

/// Holds the token in the place of a file.
const TOKEN: &str = "COUNTERSIGN_TELEGRAM_TOKEN";
const API: &str = "https://api.telegram.org";
const TIMEOUT: std::ops::RangeInclusive<u64> = 1..=300;
const CONNECTIONS: std::ops::RangeInclusive<usize> = 1..=64;

/// What the file says about Telegram.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileTelegram {
    /// A file with the token that nobody else can read; without it the environment has it.
    token_file: Option<PathBuf>,
    /// Where the Bot API is.
    api: Option<String>,
    receive: Option<FileReceive>,
    timeout_seconds: Option<u64>,
    /// How many messages are under way at a time.
    connections: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileReceive {
    Poll,
    Webhook,
}

impl FileTelegram {
    /// The bot, if everything that it needs is there.
    pub(crate) fn bot(&self) -> Result<Telegram, String> {
        let timeout = self.timeout_seconds.unwrap_or(30);
        if !TIMEOUT.contains(&timeout) {
            return Err(format!("timeout_seconds: {timeout}, {} to {} are allowed", TIMEOUT.start(), TIMEOUT.end()));
        }
        let settings = TelegramSettings {
            token: self.token()?.into(),
            api: self.api.clone().unwrap_or_else(|| API.to_owned()),
            timeout: Duration::from_secs(timeout),
            receive: match self.receive.unwrap_or(FileReceive::Poll) {
                FileReceive::Poll => Receive::Poll,
                FileReceive::Webhook => Receive::Webhook,
            },
        };
        Telegram::new(settings, random::id(&OsRandom, "tg")).map_err(|error| error.to_string())
    }

    /// The channels with Telegram as one more.
    pub(super) fn add_to(&self, couriers: Couriers) -> Result<Couriers, String> {
        let connections = self.connections.unwrap_or(4);
        if !CONNECTIONS.contains(&connections) {
            let (least, most) = (CONNECTIONS.start(), CONNECTIONS.end());
            return Err(format!("connections: {connections}, {least} to {most} are allowed"));
        }
        Ok(couriers.with_telegram(Arc::new(self.bot()?), connections))
    }

    fn token(&self) -> Result<String, String> {
        match (&self.token_file, std::env::var(TOKEN)) {
            (None, Ok(token)) => Ok(token),
            (None, Err(_)) => Err(format!("name a token_file, or set {TOKEN}")),
            (Some(_), Ok(_)) => Err(format!("the token is given twice, by token_file and by {TOKEN}")),
            (Some(path), Err(_)) => {
                let token = secret_file::read(path).map_err(|error| format!("token_file: {error}"))?;
                token.ok_or_else(|| format!("token_file: {} is not there", path.display()))
            }
        }
    }
}
