//! Which server, with which key, and whom to trust: options first, then the environment.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use verifier::trust::{MAX_TRUST, Trust, TrustError};

use crate::clock::Clock;

/// Everything that a [`crate::Client`] needs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server's public URL.
    pub url: String,
    /// The requester's API key.
    pub api_key: ApiKey,
    /// What the receipts are verified with.
    pub trust: TrustSource,
    /// Where the largest verified tree heads are kept; in memory alone if left out.
    pub memory: Option<PathBuf>,
    /// How patient the client is with the server.
    pub patience: Patience,
    /// Whether plain HTTP is fine for other hosts than this machine.
    pub plain_http: bool,
    /// The clock by which times are over.
    pub clock: Clock,
}

/// A secret that no error and no log line shows.
#[derive(Clone)]
pub struct ApiKey(String);

/// What a receipt is verified with.
#[derive(Debug, Clone)]
pub enum TrustSource {
    /// A trust file that somebody compared and pinned.
    Pinned(Box<Trust>),
    /// What the server says about itself the first time.
    FirstUse,
}

/// How patient a client is with a server that does not answer. A person who does not answer is another matter.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long one try may take, a long-poll's wait not counted.
    pub one_try: Duration,
    /// How long to try in all before the server counts as unreachable.
    pub all_tries: Duration,
    /// The first wait between tries is at most this; each later one may be twice as long.
    pub first_wait: Duration,
    /// The longest wait between tries.
    pub longest_wait: Duration,
    /// How long the server may hold one long-poll.
    pub long_poll: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            one_try: Duration::from_secs(15),
            all_tries: Duration::from_secs(45),
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(8),
            long_poll: Duration::from_secs(25),
        }
    }
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// No server was named.
    #[error("no server is named: give --url or set COUNTERSIGN_URL")]
    NoUrl,
    /// The URL is none, or not encrypted.
    #[error("{0:?} is not https://…; plain http:// is for localhost only")]
    Url(String),
    /// No key was given.
    #[error("no API key is given: set COUNTERSIGN_API_KEY, or COUNTERSIGN_API_KEY_FILE to a file that holds it")]
    NoKey,
    /// The key cannot be a key.
    #[error("the API key is empty or has characters that no key has")]
    Key,
    /// No trust file was given.
    #[error(
        "no trust file is given: set COUNTERSIGN_TRUST to a file from `countersign trust`, compared over another \
         channel; or say --trust-on-first-use"
    )]
    NoTrust,
    /// The trust file is none.
    #[error("{path} is not a trust file: {error}")]
    Trust {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: TrustError,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    Http(String),
}

/// What a command line may say. What it leaves out comes from the environment.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--url`, else `COUNTERSIGN_URL`.
    pub url: Option<String>,
    /// `--api-key-file`, else `COUNTERSIGN_API_KEY`, else `COUNTERSIGN_API_KEY_FILE`.
    pub api_key_file: Option<PathBuf>,
    /// `--trust`, else `COUNTERSIGN_TRUST`.
    pub trust: Option<PathBuf>,
    /// Without a trust file, believe what the server says about itself the first time.
    pub trust_on_first_use: bool,
    /// Where the largest verified tree heads are kept, else `COUNTERSIGN_MEMORY`, else [`crate::memory::default_path`].
    pub memory: Option<PathBuf>,
}

impl Options {
    /// Reads what is not given from an environment (`|name| std::env::var(name).ok()`), and the files.
    pub fn resolve(self, environment: impl Fn(&str) -> Option<String>) -> Result<Settings, SettingsError> {
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let path = |given: Option<PathBuf>, name: &str| given.or_else(|| variable(name).map(PathBuf::from));
        let url = self.url.or_else(|| variable("COUNTERSIGN_URL")).ok_or(SettingsError::NoUrl)?;
        let api_key = match (self.api_key_file, variable("COUNTERSIGN_API_KEY")) {
            (Some(file), _) => ApiKey::read(&file)?,
            (None, Some(key)) => ApiKey::new(&key)?,
            (None, None) => ApiKey::read(&path(None, "COUNTERSIGN_API_KEY_FILE").ok_or(SettingsError::NoKey)?)?,
        };
        let trust = match path(self.trust, "COUNTERSIGN_TRUST") {
            Some(file) => TrustSource::Pinned(Box::new(read_trust(&file)?)),
            None if self.trust_on_first_use => TrustSource::FirstUse,
            None => return Err(SettingsError::NoTrust),
        };
        let memory = path(self.memory, "COUNTERSIGN_MEMORY").or_else(|| crate::memory::default_path(variable));
        Ok(Settings { memory, ..Settings::new(url, api_key, trust) })
    }
}

impl Settings {
    /// With the usual patience, and a memory that ends with the process.
    pub fn new(url: impl Into<String>, api_key: ApiKey, trust: TrustSource) -> Self {
        let (memory, patience, plain_http, clock) = (None, Patience::default(), false, Clock::system());
        Self { url: url.into(), api_key, trust, memory, patience, plain_http, clock }
    }
}

impl ApiKey {
    /// Takes a key: visible ASCII.
    pub fn new(text: &str) -> Result<Self, SettingsError> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SettingsError::Key);
        }
        Ok(Self(text.to_owned()))
    }

    /// Reads a key from a file.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        Self::new(&String::from_utf8_lossy(&read(path)?))
    }

    /// The secret, for the one header that carries it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// Reads a trust file.
pub fn read_trust(path: &Path) -> Result<Trust, SettingsError> {
    Trust::parse(&read(path)?).map_err(|error| SettingsError::Trust { path: path.to_owned(), error })
}

/// Reads a small file. One that is larger than any trust file is read no further than that, and then is none.
fn read(path: &Path) -> Result<Vec<u8>, SettingsError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let limit = MAX_TRUST as u64 + 1;
    let reading = fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    reading.map(|_| bytes).map_err(|error| SettingsError::File { path: path.to_owned(), error })
}

/// The URL without a final slash, if it is https, or http to this machine.
pub(crate) fn checked_url(settings: &Settings) -> Result<String, SettingsError> {
    let url = settings.url.trim_end_matches('/').to_owned();
    let refused = || SettingsError::Url(url.clone());
    let parsed = reqwest::Url::parse(&url).map_err(|_| refused())?;
    let local = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let bare = parsed.username().is_empty() && parsed.password().is_none();
    let bare = bare && parsed.query().is_none() && parsed.fragment().is_none();
    match parsed.scheme() {
        "https" if bare => Ok(url),
        "http" if bare && (local || settings.plain_http) => Ok(url),
        _ => Err(refused()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn url(text: &str) -> Result<String, SettingsError> {
        checked_url(&Settings::new(text, ApiKey::new("csk_x").unwrap(), TrustSource::FirstUse))
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for good in ["https://a.example", "http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:1"] {
            assert_eq!(url(good).unwrap(), good);
        }
        assert_eq!(url("https://a.example/").unwrap(), "https://a.example");
        for bad in ["http://a.example", "http://localhost.example", "a.example", "ftp://localhost", "https://u:p@a.b"] {
            assert!(matches!(url(bad), Err(SettingsError::Url(_))), "{bad}");
        }
    }

    #[test]
    fn the_environment_fills_what_is_left_out() {
        let environment = |name: &str| match name {
            "COUNTERSIGN_URL" => Some("https://a.example".to_owned()),
            "COUNTERSIGN_API_KEY" => Some("csk_secret".to_owned()),
            _ => None,
        };
        let refused = Options::default().resolve(environment).unwrap_err();
        assert!(matches!(refused, SettingsError::NoTrust), "{refused}");
        let settings = Options { trust_on_first_use: true, ..Options::default() }.resolve(environment).unwrap();
        assert_eq!(settings.url, "https://a.example");
        assert!(!format!("{settings:?}").contains("secret"));
        assert!(matches!(Options::default().resolve(|_| None), Err(SettingsError::NoUrl)));
    }
}
