//! What an answer left unread of its request. Behind an answer that was given early, a refusal mostly, the rest of the body is
//! still to come, and the next request only behind that. So the rest is read and dropped, within limits; what is larger or slower
//! ends the connection, and the answer says so (RFC 9112 §9.6). Otherwise it would be closed without a word, and the client's
//! next request would fail.

use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};

/// The most bytes that are read for nothing.
const MOST: usize = 4 * 1024 * 1024;
/// How long that may take.
const DEADLINE: Duration = Duration::from_secs(1);

/// Comes by the rest of a body once whoever reads it is done.
pub(super) struct Unread {
    rest: Arc<Mutex<Option<Body>>>,
    /// Whether the client sends nothing before it is asked to (`Expect: 100-continue`); reading would ask it.
    waits: bool,
}

/// A body that is given back if it is dropped before its end.
struct Lent {
    body: Body,
    ended: bool,
    rest: Arc<Mutex<Option<Body>>>,
}

/// Watches how much of a request is read. One without a body has nothing to leave.
pub(super) fn watch(request: Request) -> (Request, Option<Unread>) {
    if request.body().is_end_stream() {
        return (request, None);
    }
    let rest = Arc::new(Mutex::new(None));
    let unread = Unread { rest: rest.clone(), waits: request.headers().contains_key(header::EXPECT) };
    (request.map(|body| Body::new(Lent { body, ended: false, rest })), Some(unread))
}

impl Unread {
    /// Reads the rest, or says that the connection ends with this answer.
    pub(super) async fn settle(self, response: &mut Response) {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(rest) = rest else { return };
        if self.waits || !matches!(tokio::time::timeout(DEADLINE, reaches_end(rest)).await, Ok(true)) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

async fn reaches_end(mut rest: Body) -> bool {
    let mut read = 0;
    while let Some(frame) = rest.frame().await {
        let Ok(frame) = frame else { return false };
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > MOST {
            return false;
        }
    }
    true
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.ended |= matches!(polled, Poll::Ready(None));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.ended && !self.body.is_end_stream() {
            *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(mem::take(&mut self.body));
        }
    }
}
