//! A file that this binary holds, as browsers get it: without comments and white space that mean nothing, compressed if
//! the browser takes that (`br`, RFC 7932), and not sent again while the browser's copy is still right (RFC 9110 §13).
//!
//! Both forms are made once, when the file is first asked for. Nothing else that this server says is compressed: what
//! holds a secret beside words that a stranger chose would show the secret in its length.

use std::io::Write as _;
use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use brotli::enc::BrotliEncoderParams;
use sha2::{Digest as _, Sha256};
use verifier::encoding::base64url;

use super::request::{is_known, text};

/// The slowest and best; a file is compressed once in the life of the process.
const QUALITY: i32 = 11;

/// What a file is, which decides how it is made smaller and what it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Page,
    Script,
    Style,
    Data,
}

/// One file: as it is written, and as it is sent once somebody has asked for it.
pub(super) struct Embedded {
    kind: Kind,
    source: String,
    served: OnceLock<Served>,
}

/// The two forms in which a file is sent.
struct Served {
    plain: Form,
    compressed: Form,
}

struct Form {
    bytes: Bytes,
    etag: String,
}

impl Embedded {
    pub(super) fn new(kind: Kind, source: impl Into<String>) -> Self {
        Self { kind, source: source.into(), served: OnceLock::new() }
    }

    /// A file is what the end of its name says.
    pub(super) fn named(name: &str, source: &str) -> Self {
        let kind = match name.rsplit_once('.') {
            Some((_, "css")) => Kind::Style,
            Some((_, "json")) => Kind::Data,
            _ => Kind::Script,
        };
        Self::new(kind, source)
    }

    /// The file in the form that a request asks for, or 304 if the asker has it already. Both carry the same headers: a
    /// browser takes over those of a 304, so one without the page's policy would change the page that it keeps.
    pub(super) fn answer(&self, request: &HeaderMap, headers: &[(HeaderName, &'static str)]) -> Response {
        let served = self.served.get_or_init(|| Served::of(&smaller(self.kind, &self.source)));
        let compress = takes_brotli(request);
        let form = if compress { &served.compressed } else { &served.plain };
        let mut response = if is_known(request, &form.etag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            form.bytes.clone().into_response()
        };
        let answer = response.headers_mut();
        answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind.content_type()));
        answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if compress {
            answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
        if let Ok(etag) = HeaderValue::from_str(&form.etag) {
            answer.insert(header::ETAG, etag);
        }
        for (name, value) in headers {
            answer.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl Served {
    fn of(text: &str) -> Self {
        let hash = base64url(&Sha256::digest(text.as_bytes())[..16]);
        Self {
            plain: Form { bytes: Bytes::copy_from_slice(text.as_bytes()), etag: format!("\"{hash}\"") },
            compressed: Form { bytes: compressed(text.as_bytes()).into(), etag: format!("\"{hash}-br\"") },
        }
    }
}

impl Kind {
    fn content_type(self) -> &'static str {
        match self {
            Self::Page => "text/html; charset=utf-8",
            Self::Script => "text/javascript; charset=utf-8",
            Self::Style => "text/css; charset=utf-8",
            Self::Data => "application/json",
        }
    }
}

/// The text without comments and needless white space. What cannot be made smaller is sent as it is written. That a script
/// keeps all its tokens is tested with a parser of the language (web/tests/served.test.js).
fn smaller(kind: Kind, source: &str) -> String {
    let made = match kind {
        Kind::Script => minifier::js::minify(source).map(|made| made.to_string()),
        Kind::Style => minifier::css::minify(source).map(|made| made.to_string()),
        Kind::Page | Kind::Data => Ok(source.to_owned()),
    };
    made.unwrap_or_else(|error| {
        tracing::warn!(error, "a file of the pages is sent as it is written");
        source.to_owned()
    })
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let params = BrotliEncoderParams { quality: QUALITY, size_hint: bytes.len(), ..BrotliEncoderParams::default() };
    let mut writer = brotli::CompressorWriter::with_params(Vec::new(), 4096, &params);
    let written = writer.write_all(bytes);
    assert!(written.is_ok(), "writing into memory cannot fail");
    writer.into_inner()
}

/// Whether `br` is named and not ruled out (RFC 9110 §12.5.3). Whoever names nothing gets the file uncompressed.
fn takes_brotli(request: &HeaderMap) -> bool {
    text(request, &header::ACCEPT_ENCODING).unwrap_or_default().split(',').any(|offer| {
        let (coding, weight) = offer.split_once(';').map_or((offer, None), |(coding, weight)| (coding, Some(weight)));
        let weight = weight.map_or(Some(1.0), |weight| weight.trim().strip_prefix("q=")?.parse::<f32>().ok());
        coding.trim().eq_ignore_ascii_case("br") && weight.is_some_and(|weight| weight > 0.0)
    })
}
