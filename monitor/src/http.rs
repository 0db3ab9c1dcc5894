//! A log over HTTP, as C2SP tlog-tiles serves it.
//!
//! Every answer has a cap and a deadline, a busy or silent server is asked again a few times, with waits that grow and
//! are spread at random, and a redirect is followed only within the same web origin. Compressed bundles are taken with or
//! without having been asked for.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Response, StatusCode};
use tokio::runtime::Runtime;
use verifier::words::chain;

use crate::reader::{LogReader, ReadError, Resource};

/// The most redirects that are followed.
const MAX_REDIRECTS: usize = 3;

/// How patient a reader is.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long one try may take from the connection to the last byte.
    pub timeout: Duration,
    /// How often a resource is asked for, the first time included.
    pub tries: u32,
    /// The wait before the second try; each later one is twice as long.
    pub first_wait: Duration,
    /// The longest wait, whatever the server asks for.
    pub longest_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            tries: 5,
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(60),
        }
    }
}

/// Reads a log from a server. It brings the threads of its own that the network needs.
pub struct HttpReader {
    prefix: String,
    client: reqwest::Client,
    patience: Patience,
    sleep: fn(Duration),
    /// There until the reader is dropped.
    runtime: Option<Runtime>,
}

/// Why there is no reader.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The address is none.
    #[error("{0:?} is not the address of a log; it must begin with https:// or http://")]
    Url(String),
    /// The client or its threads cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    Client(String),
}

impl HttpReader {
    /// A reader of the log with this prefix, `https://approvals.example.com/log`.
    pub fn new(prefix: &str, patience: Patience) -> Result<Self, SetupError> {
        let prefix = prefix.trim_end_matches('/').to_owned();
        let plain = prefix.starts_with("http://");
        if !(plain || prefix.starts_with("https://")) || reqwest::Url::parse(&prefix).is_err() {
            return Err(SetupError::Url(prefix));
        }
        let mut builder = reqwest::Client::builder()
            .timeout(patience.timeout)
            .redirect(Policy::custom(follow))
            .user_agent(concat!("countersign-monitor/", env!("CARGO_PKG_VERSION")));
        if plain {
            // Without TLS no certificate authorities are needed, and a small container may have none. A redirect from
            // here cannot lead to TLS, because that is another web origin.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| SetupError::Client(chain(&error)))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| SetupError::Client(error.to_string()))?;
        Ok(Self { prefix, client, patience, sleep: std::thread::sleep, runtime: Some(runtime) })
    }

    async fn try_once(&self, resource: Resource) -> Result<Vec<u8>, Failed> {
        let unavailable = |error: reqwest::Error| Failed {
            error: ReadError::Unavailable { resource, reason: chain(&error.without_url()) },
            retry_after: None,
        };
        let mut response = self.client.get(format!("{}/{resource}", self.prefix)).send().await.map_err(unavailable)?;
        if response.status() != StatusCode::OK {
            return Err(refused(resource, &response));
        }
        let mut body = Vec::new();
        // Counted after decompression, so that a small answer cannot grow without end.
        while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
            if body.len() + chunk.len() > resource.limit() {
                return Err(resource.too_large().into());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The wait before another try: what the server asks for, or else between half of and all of the doubled wait, so
    /// that many readers that failed at one moment do not come back at one moment.
    fn wait(&self, failed_tries: u32, retry_after: Option<Duration>) -> Duration {
        let Patience { first_wait, longest_wait, .. } = self.patience;
        match retry_after {
            Some(asked) => asked.max(doubled(first_wait, failed_tries, longest_wait)).min(longest_wait),
            None => back_off(first_wait, failed_tries, longest_wait),
        }
    }
}

impl LogReader for HttpReader {
    fn read(&self, resource: Resource) -> Result<Vec<u8>, ReadError> {
        let Some(runtime) = &self.runtime else { unreachable!("the runtime is there until the reader is dropped") };
        let mut tries = 1;
        loop {
            match runtime.block_on(self.try_once(resource)) {
                Err(failed) if failed.error.is_retryable() && tries < self.patience.tries => {
                    (self.sleep)(self.wait(tries, failed.retry_after));
                    tries += 1;
                }
                answer => return answer.map_err(|failed| failed.error),
            }
        }
    }

    fn place(&self) -> String {
        self.prefix.clone()
    }
}

impl Drop for HttpReader {
    fn drop(&mut self) {
        // Dropping a runtime waits for its threads, which an executor's thread must not do.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A try that failed, and how long the server wants to be left alone.
struct Failed {
    error: ReadError,
    retry_after: Option<Duration>,
}

impl From<ReadError> for Failed {
    fn from(error: ReadError) -> Self {
        Self { error, retry_after: None }
    }
}

fn refused(resource: Resource, response: &Response) -> Failed {
    let status = response.status();
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => ReadError::NotFound(resource).into(),
        _ if status.is_server_error() || is_busy(status) => Failed {
            error: ReadError::Unavailable { resource, reason: format!("the server answered {status}") },
            retry_after: retry_after(response),
        },
        _ if status.is_redirection() => ReadError::Refused {
            resource,
            reason: format!("the server answered {status}, to elsewhere or in a circle"),
        }
        .into(),
        _ => ReadError::Refused { resource, reason: format!("the server answered {status}") }.into(),
    }
}

fn is_busy(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS)
}

/// `Retry-After` in seconds. Its other form, a date, would need a clock that agrees with the server's, and falls back to
/// the usual wait.
fn retry_after(response: &Response) -> Option<Duration> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let same = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
    if same && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
}

/// The wait after so many failed tries: `first`, doubled for each try after the first, and of that between half and all, so
/// that many who failed at one moment do not come back at one moment.
pub fn back_off(first: Duration, failed_tries: u32, longest: Duration) -> Duration {
    doubled(first, failed_tries, longest).mul_f64(0.5 + random_fraction() / 2.0)
}

fn doubled(first: Duration, failed_tries: u32, longest: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(failed_tries.saturating_sub(1))).min(longest)
}

/// A number from 0 to 1; without randomness the middle.
fn random_fraction() -> f64 {
    let mut byte = [0; 4];
    match getrandom::fill(&mut byte) {
        Ok(()) => f64::from(u32::from_be_bytes(byte)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}

#[cfg(test)]
#[path = "http/tests.rs"]
mod tests;
