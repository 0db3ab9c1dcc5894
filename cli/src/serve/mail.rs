//! The table `[mail]` of the configuration file: how mail is sent, checked when the server starts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use log_server::identity::Identity;
use log_server::notifications::{Channel, Couriers, Credentials, Mail, MailSettings, Security};
use serde::Deserialize;

use crate::secret_file;

/// The largest file of certificate authorities, in bytes.
const MAX_AUTHORITIES: u64 = 1024 * 1024;
const TIMEOUT: std::ops::RangeInclusive<u64> = 1..=300;
const CONNECTIONS: std::ops::RangeInclusive<usize> = 1..=64;

/// What the file says about mail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileMail {
    /// The SMTP server.
    host: String,
    /// Its port; 587, 465 or 25 by the kind of security if left out.
    port: Option<u16>,
    security: Option<FileSecurity>,
    username: Option<String>,
    /// A file with the password that nobody else can read.
    password_file: Option<PathBuf>,
    from: String,
    /// Trusted in the place of this machine's authorities.
    ca_file: Option<PathBuf>,
    timeout_seconds: Option<u64>,
    /// How many messages are under way at a time.
    connections: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileSecurity {
    StartTls,
    Tls,
    Plain,
}

impl FileMail {
    /// The channel, if everything that it needs is there.
    pub(crate) fn mail(&self, identity: &Identity) -> Result<Mail, String> {
        let timeout = self.timeout_seconds.unwrap_or(30);
        if !TIMEOUT.contains(&timeout) {
            return Err(format!("timeout_seconds: {timeout}, {} to {} are allowed", TIMEOUT.start(), TIMEOUT.end()));
        }
        let settings = MailSettings {
            host: self.host.clone(),
            port: self.port,
            security: match self.security.unwrap_or(FileSecurity::StartTls) {
                FileSecurity::StartTls => Security::StartTls,
                FileSecurity::Tls => Security::Tls,
                FileSecurity::Plain => Security::Plain,
            },
            credentials: self.credentials()?,
            from: self.from.clone(),
            authorities: self.ca_file.as_deref().map(authorities).transpose()?,
            timeout: Duration::from_secs(timeout),
        };
        let host = &identity.relying_party.rp_id;
        Mail::new(settings, host, &identity.public_url).map_err(|error| error.to_string())
    }

    /// The channels with mail as one more.
    pub(super) fn add_to(&self, couriers: Couriers, identity: &Identity) -> Result<Couriers, String> {
        let connections = self.connections.unwrap_or(4);
        if !CONNECTIONS.contains(&connections) {
            let (least, most) = (CONNECTIONS.start(), CONNECTIONS.end());
            return Err(format!("connections: {connections}, {least} to {most} are allowed"));
        }
        Ok(couriers.with(Channel::Email, std::sync::Arc::new(self.mail(identity)?), connections))
    }

    fn credentials(&self) -> Result<Option<Credentials>, String> {
        let (username, path) = match (&self.username, &self.password_file) {
            (None, None) => return Ok(None),
            (Some(username), Some(path)) => (username.clone(), path),
            _ => return Err("username and password_file go together".to_owned()),
        };
        let password = secret_file::read(path).map_err(|error| format!("password_file: {error}"))?;
        let password = password.filter(|password| !password.is_empty());
        let password = password.ok_or_else(|| format!("password_file: {} holds no password", path.display()))?;
        Ok(Some(Credentials { username, password: password.into() }))
    }
}

fn authorities(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |reason: String| format!("ca_file: {}: {reason}", path.display());
    let size = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if size > MAX_AUTHORITIES {
        return Err(failed(format!("{size} bytes, at most {MAX_AUTHORITIES} are allowed")));
    }
    std::fs::read(path).map_err(|error| failed(error.to_string()))
}
