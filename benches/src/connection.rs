//! An HTTP client as light as it can be, because it shares the machine with the server that it measures: one connection
//! that is kept, one request at a time, no pool, no TLS.

use std::fmt;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Where a server is: `http://host:port`, and a path that is put before every other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Host and port.
    pub authority: String,
    prefix: String,
}

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The content type, empty if there is none.
    pub content_type: String,
    /// After how many seconds another try makes sense, if the server says so.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: Bytes,
}

/// A request without a connection.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// GET or POST.
    pub method: Method,
    /// The path and the query.
    pub path: &'a str,
    /// An API key.
    pub key: Option<&'a str>,
    /// The content type of the body, if there is a body.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// Not reachable.
    #[error("cannot connect to {0}: {1}")]
    Connect(String, std::io::Error),
    /// The connection broke, or what came is not HTTP.
    #[error("{0}")]
    Http(#[from] hyper::Error),
    /// A path that no request can have.
    #[error("not a request: {0}")]
    Request(#[from] hyper::http::Error),
}

/// A URL that is not one of a server.
#[derive(Debug, thiserror::Error)]
#[error("not a URL of the form http://host:port; there is no TLS here, so measure behind the proxy")]
pub struct NotAServer;

/// One connection, opened again when the server has closed it.
pub struct Connection {
    server: Server,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Server {
    /// Reads `http://host:port`, with or without a path.
    pub fn parse(url: &str) -> Result<Self, NotAServer> {
        let uri: Uri = url.parse().map_err(|_| NotAServer)?;
        let host =
            uri.host().filter(|_| uri.scheme_str() == Some("http") && uri.query().is_none()).ok_or(NotAServer)?;
        let authority = format!("{host}:{}", uri.port_u16().unwrap_or(80));
        Ok(Self { authority, prefix: uri.path().trim_end_matches('/').to_owned() })
    }
}

impl<'a> Call<'a> {
    /// A request to read something.
    pub fn get(path: &'a str) -> Self {
        Self { method: Method::GET, path, key: None, content_type: None, body: Bytes::new() }
    }

    /// A request with an API key and a body.
    pub fn post(path: &'a str, key: &'a str, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { method: Method::POST, path, key: Some(key), content_type: Some(content_type), body: body.into() }
    }
}

impl Connection {
    /// A connection that is opened by its first request.
    pub fn new(server: Server) -> Self {
        Self { server, sender: None }
    }

    /// Opens the connection before there is a request.
    pub async fn open_now(&mut self) -> Result<(), ConnectionError> {
        self.sender = Some(self.open().await?);
        Ok(())
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&mut self, call: &Call<'_>) -> Result<Reply, ConnectionError> {
        // What a server closed while nothing was under way (it may, after any answer) shows here.
        let kept = match self.sender.take() {
            Some(mut sender) => sender.ready().await.is_ok().then_some(sender),
            None => None,
        };
        let mut sender = match kept {
            Some(sender) => sender,
            None => self.open().await?,
        };
        let response = sender.send_request(self.request(call)?).await?;
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let (status, content_type) = (response.status(), text(header::CONTENT_TYPE).unwrap_or_default().to_owned());
        let retry_after = text(header::RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
        let body = response.into_body().collect().await?.to_bytes();
        self.sender = Some(sender);
        Ok(Reply { status, content_type, retry_after, body })
    }

    async fn open(&self) -> Result<SendRequest<Full<Bytes>>, ConnectionError> {
        let refused = |error| ConnectionError::Connect(self.server.authority.clone(), error);
        let stream = TcpStream::connect(&self.server.authority).await.map_err(refused)?;
        stream.set_nodelay(true).map_err(refused)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // It ends with the sender; why it ended early is what the sender's request fails with.
        tokio::spawn(async move { _ = connection.await });
        Ok(sender)
    }

    fn request(&self, call: &Call<'_>) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{}{}", self.server.prefix, call.path))
            .header(header::HOST, &self.server.authority);
        if let Some(key) = call.key {
            request = request.header("x-api-key", key);
        }
        if let Some(content_type) = call.content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        request.body(Full::new(call.body.clone()))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.server.authority).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::*;

    #[test]
    fn a_server_is_named_by_a_plain_url() {
        let server = Server::parse("http://localhost:8080/").unwrap();
        assert_eq!((server.authority.as_str(), server.prefix.as_str()), ("localhost:8080", ""));
        let below = Server::parse("http://log.example.com/countersign/").unwrap();
        assert_eq!((below.authority.as_str(), below.prefix.as_str()), ("log.example.com:80", "/countersign"));
        for url in ["https://localhost", "localhost:8080", "http://localhost/?a", "", "http://"] {
            assert!(Server::parse(url).is_err(), "{url}");
        }
    }
}
