//! A request and its answer.

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::server::soon;

/// A request in the making.
#[must_use]
pub(crate) struct Call {
    pub(crate) request: reqwest::RequestBuilder,
    pub(crate) name: String,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    name: String,
}

impl Call {
    pub(crate) fn key(self, key: &str) -> Self {
        self.header("x-api-key", key)
    }

    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value), ..self }
    }

    pub(crate) fn json(self, body: &(impl Serialize + ?Sized)) -> Self {
        Self { request: self.request.json(body), ..self }
    }

    /// A body as it stands, sent as JSON.
    pub(crate) fn text(self, body: impl Into<reqwest::Body>) -> Self {
        self.body("application/json", body)
    }

    pub(crate) fn body(self, content_type: &str, body: impl Into<reqwest::Body>) -> Self {
        Self { request: self.request.header(CONTENT_TYPE, content_type).body(body), ..self }
    }

    pub(crate) async fn send(self) -> Reply {
        let name = self.name;
        soon(async {
            let answer = self.request.send().await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let body = answer.bytes().await.unwrap_or_else(|error| panic!("{name}: {error:?}")).to_vec();
            Reply { status, headers, body, name }
        })
        .await
    }
}

impl Reply {
    /// The answer, which must have this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.name, self.beginning());
        self
    }

    #[track_caller]
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.name, self.beginning()))
    }

    /// The problem document of an answer that must be a refusal with this status.
    #[track_caller]
    pub(crate) fn refused(self, status: u16) -> api::Problem {
        let reply = self.expect(status);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{}", reply.name);
        let problem: api::Problem = reply.json();
        assert_eq!(problem.status, status);
        assert!(problem.kind.starts_with("urn:countersign:problem:"), "{}", problem.kind);
        problem
    }

    /// The refusal's detail.
    #[track_caller]
    pub(crate) fn refusal(self, status: u16) -> String {
        self.refused(status).detail
    }

    /// The field that a refusal names.
    #[track_caller]
    pub(crate) fn refused_field(self, status: u16) -> String {
        let problem = self.refused(status);
        problem.field.unwrap_or_else(|| panic!("no field in {:?}", problem.detail))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// As much as a failed test should print.
    fn beginning(&self) -> String {
        self.text().chars().take(500).collect()
    }
}
