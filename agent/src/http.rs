//! Asking the server: JSON over HTTP, each answer capped, each try with a deadline, tries repeated with waits that grow and
//! are spread at random. Redirects are not followed, and the API key stands in one header and nowhere else.

use std::time::Duration;

use reqwest::header::{HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Method, Response, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::sleep;
use verifier::words::chain;

use crate::clock::{Clock, Moment};
use crate::outcome::{Code, Denied};
use crate::settings::{ApiKey, Patience, Settings, SettingsError, checked_url};

/// The largest answer that is read: a receipt with room around it.
const MAX_ANSWER: usize = 34 * 1024 * 1024;

/// One server, asked with one key.
#[derive(Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    base: String,
    key: HeaderValue,
    pub(crate) patience: Patience,
    pub(crate) clock: Clock,
}

/// One question.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) body: Option<String>,
    pub(crate) idempotency_key: Option<&'a str>,
    /// After this moment nobody needs the answer.
    pub(crate) until: Moment,
    /// How long the server may hold the question before it answers.
    pub(crate) held: Duration,
    /// Whether one try is enough.
    pub(crate) once: bool,
}

impl<'a> Call<'a> {
    pub(crate) fn get(path: &'a str, until: Moment) -> Self {
        Self { method: Method::GET, path, body: None, idempotency_key: None, until, held: Duration::ZERO, once: false }
    }

    pub(crate) fn post(path: &'a str, until: Moment) -> Self {
        Self { method: Method::POST, ..Self::get(path, until) }
    }
}

impl Http {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let base = checked_url(settings)?;
        let mut builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .user_agent(concat!("countersign-agent/", env!("CARGO_PKG_VERSION")));
        if base.starts_with("http://") {
            // Without TLS no certificate authorities are needed, and a small container may have none. This machine is
            // not reached through a proxy.
            builder = builder.tls_certs_only([]).no_proxy();
        }
        let client = builder.build().map_err(|error| SettingsError::Http(chain(&error)))?;
        Ok(Self {
            client,
            base,
            key: header(&settings.api_key)?,
            patience: settings.patience,
            clock: settings.clock.clone(),
        })
    }

    /// Where the server is.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Asks until there is a usable answer, and at most until nobody needs it or the patience with the server ends.
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, Denied> {
        let bytes = self.bytes(call, check::<T>).await?;
        parse(&bytes).map_err(|reason| self.unreachable(&reason, 1))
    }

    /// The same for bytes that are used as they are, if `usable` has nothing to say against them.
    pub(crate) async fn bytes(
        &self,
        call: &Call<'_>,
        usable: fn(&[u8]) -> Result<(), String>,
    ) -> Result<Vec<u8>, Denied> {
        let give_up = call.until.min(self.clock.moment() + call.held + self.patience.all_tries);
        let mut tries = 0;
        loop {
            let failed = match self.try_once(call, give_up).await {
                Ok(bytes) => match usable(&bytes) {
                    Ok(()) => return Ok(bytes),
                    Err(reason) => Failed::Again { reason, retry_after: None },
                },
                Err(failed) => failed,
            };
            let (reason, retry_after) = match failed {
                Failed::ForGood(denied) => return Err(denied),
                Failed::Again { reason, retry_after } => (reason, retry_after),
            };
            tries += 1;
            let wait = retry_after.unwrap_or_else(|| self.jitter(tries));
            if call.once || self.clock.left(give_up) <= wait {
                return Err(self.unreachable(&reason, tries));
            }
            sleep(wait).await;
        }
    }

    async fn try_once(&self, call: &Call<'_>, give_up: Moment) -> Result<Vec<u8>, Failed> {
        let left = self.clock.left(give_up);
        let mut request = self
            .client
            .request(call.method.clone(), format!("{}{}", self.base, call.path))
            .timeout(left.min(self.patience.one_try + call.held))
            .header("x-api-key", self.key.clone());
        if let Some(key) = call.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = &call.body {
            request = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body.clone());
        }
        let response = request.send().await?;
        let status = response.status();
        let retry_after = retry_after(&response);
        let body = self.body(response).await?;
        if status.is_success() { Ok(body) } else { Err(self.refused(status, retry_after, &body)) }
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Failed> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_ANSWER {
                let reason = format!("an answer of more than {MAX_ANSWER} bytes");
                return Err(Failed::ForGood(self.unreachable(&reason, 1)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// A refusal is final, unless the server is broken or says when to come back.
    fn refused(&self, status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Failed {
        let problem = serde_json::from_slice::<api::Problem>(body).ok();
        let (kind, detail) = match &problem {
            Some(problem) => (problem.kind.as_str(), problem.detail.as_str()),
            None => ("", "the answer is no problem document; is this a Countersign server?"),
        };
        let busy =
            status == StatusCode::TOO_MANY_REQUESTS && retry_after.is_some_and(|wait| wait <= self.patience.all_tries);
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT || busy {
            return Failed::Again { reason: format!("it answered {status}: {detail}"), retry_after };
        }
        if status.is_client_error() {
            return Failed::ForGood(Denied::refused(status.as_u16(), kind, detail));
        }
        let reason = format!("it answered {status}, which leads nowhere: redirects are not followed");
        Failed::ForGood(self.unreachable(&reason, 1))
    }

    fn unreachable(&self, reason: &str, tries: u32) -> Denied {
        let times = if tries == 1 { String::new() } else { format!(" (tried {tries} times)") };
        Denied::new(Code::Unreachable, format!("no usable answer from {}: {reason}{times}", self.base))
    }

    /// Anything from nothing to the wait doubled for each failed try, so that many clients do not come back at one moment.
    fn jitter(&self, failed_tries: u32) -> Duration {
        let Patience { first_wait, longest_wait, .. } = self.patience;
        let doubled = first_wait.saturating_mul(2_u32.saturating_pow(failed_tries - 1));
        doubled.min(longest_wait).mul_f64(random_fraction())
    }
}

/// A try that failed.
enum Failed {
    /// The next one may not.
    Again { reason: String, retry_after: Option<Duration> },
    /// All others would too.
    ForGood(Denied),
}

impl From<reqwest::Error> for Failed {
    fn from(error: reqwest::Error) -> Self {
        let timed_out = error.is_timeout();
        let reason = if timed_out { "it did not answer in time".to_owned() } else { chain(&error.without_url()) };
        Self::Again { reason, retry_after: None }
    }
}

/// Whether an answer is of the form that was asked for. Something in between that answers for the server mostly is not, and
/// a status that no version has is not either.
fn check<T: DeserializeOwned>(bytes: &[u8]) -> Result<(), String> {
    parse::<T>(bytes).map(drop)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes)
        .map_err(|error| format!("the answer is not JSON of the form that was asked for: {error}"))
}

fn header(key: &ApiKey) -> Result<HeaderValue, SettingsError> {
    let mut value = HeaderValue::from_str(key.reveal()).map_err(|_| SettingsError::Key)?;
    value.set_sensitive(true);
    Ok(value)
}

/// `Retry-After` in seconds. Its other form, a date, would need a clock that agrees with the server's.
fn retry_after(response: &Response) -> Option<Duration> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// A number from 0 to 1; without randomness the middle.
fn random_fraction() -> f64 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}
