//! The HTTP client of the commands: JSON, problem documents, and a cap on every answer.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use verifier::words::chain;

/// The largest answer that is read: a receipt with room around it.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// The longest wait for an answer: a long-poll of 60 seconds and some.
const TIMEOUT: Duration = Duration::from_secs(90);
/// The longest wait for a backup.
#[cfg(feature = "server")]
const SLOW: Duration = Duration::from_secs(6 * 3600);

/// One server, and the API key for it.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    key: Option<String>,
}

/// Why a request has no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The URL is none.
    #[error("{0:?} is not a URL; it must begin with https:// or http://")]
    Url(String),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    Setup(String),
    /// Nothing answers.
    #[error("{url} does not answer: {reason}; check the URL and that the server runs")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why it failed.
        reason: String,
    },
    /// The server refused.
    #[error("{url} answered {status}: {detail}")]
    Refused {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: StatusCode,
        /// The server's words.
        detail: String,
    },
    /// The answer is not what it should be.
    #[error("{url} answered something unexpected: {reason}")]
    Unexpected {
        /// What was asked.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
}

impl Client {
    /// A client of the server with this public URL.
    pub(crate) fn new(url: &str) -> Result<Self, ClientError> {
        let url = url.strip_suffix('/').unwrap_or(url).to_owned();
        let plain = url.starts_with("http://");
        if !plain && !url.starts_with("https://") {
            return Err(ClientError::Url(url));
        }
        let mut builder = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")));
        if plain {
            // Without TLS no certificate authorities are needed, and a small container may have none.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| ClientError::Setup(chain(&error)))?;
        Ok(Self { http, url, key: None })
    }

    /// The bytes at a path.
    pub(crate) async fn bytes(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        self.send(path, self.request(Method::GET, path)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.key {
            Some(key) => request.header("X-Api-Key", key),
            None => request,
        }
    }

    async fn send(&self, path: &str, request: RequestBuilder) -> Result<Vec<u8>, ClientError> {
        Ok(self.exchange(path, request).await?.0)
    }

    async fn exchange(&self, path: &str, request: RequestBuilder) -> Result<(Vec<u8>, HeaderMap), ClientError> {
        let url = format!("{}{path}", self.url);
        let unreachable =
            |error: reqwest::Error| ClientError::Unreachable { url: url.clone(), reason: chain(&error.without_url()) };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let headers = response.headers().clone();
        let body = body(response).await.map_err(unreachable)?;
        let Some(body) = body else {
            return Err(ClientError::Unexpected { url, reason: format!("more than {MAX_ANSWER} bytes") });
        };
        if status.is_success() {
            return Ok((body, headers));
        }
        Err(ClientError::Refused { url, status, detail: detail(&body) })
    }
}

/// What the demo and the operator's commands ask for besides bytes.
#[cfg(feature = "server")]
impl Client {
    /// The same client with an API key.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    /// The JSON at a path.
    pub(crate) async fn json<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.parse(path, &self.bytes(path).await?)
    }

    /// Sends JSON and reads the JSON that comes back.
    pub(crate) async fn post<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &impl serde::Serialize,
    ) -> Result<T, ClientError> {
        let answer = self.send(path, self.request(Method::POST, path).json(body)).await?;
        self.parse(path, &answer)
    }

    /// Sends an empty request whose answer may take as long as copying a large database.
    pub(crate) async fn post_slowly<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let answer = self.send(path, self.request(Method::POST, path).timeout(SLOW)).await?;
        self.parse(path, &answer)
    }

    /// The bytes at a path, and when the server says that it is.
    pub(crate) async fn bytes_and_date(&self, path: &str) -> Result<(Vec<u8>, Option<String>), ClientError> {
        let (bytes, headers) = self.exchange(path, self.request(Method::GET, path)).await?;
        let date = headers.get(reqwest::header::DATE).and_then(|date| date.to_str().ok());
        Ok((bytes, date.map(str::to_owned)))
    }

    /// Sends an empty request that may be repeated: the same key again gives the same answer.
    pub(crate) async fn post_once<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        idempotency_key: &str,
    ) -> Result<T, ClientError> {
        let request = self.request(Method::POST, path).header("Idempotency-Key", idempotency_key);
        let answer = self.send(path, request).await?;
        self.parse(path, &answer)
    }

    fn parse<T: serde::de::DeserializeOwned>(&self, path: &str, bytes: &[u8]) -> Result<T, ClientError> {
        serde_json::from_slice(bytes)
            .map_err(|error| ClientError::Unexpected { url: format!("{}{path}", self.url), reason: error.to_string() })
    }
}

/// The whole body, or none if it is too large.
async fn body(mut response: Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// The words of a problem document, or a plain remark if it is none.
fn detail(body: &[u8]) -> String {
    match serde_json::from_slice::<api::Problem>(body) {
        Ok(problem) => visible(&problem.detail),
        Err(_) => "no problem document; is this a Countersign server?".to_owned(),
    }
}

/// A server's words must not act on the terminal.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|symbol| if verifier::names::is_hidden(symbol) { '\u{fffd}' } else { symbol }).collect()
}
