//! Reading the log: C2SP tlog-tiles exactly, and JSON beside it.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use merkle::{Hash, LeafIndex, Tile, TilePath, TreeSize};
use serde::Deserialize;
use verifier::encoding::{self, base64};

use super::request::{Segment, is_known};
use super::{Answer, Server};
use crate::log::{Entry, MAX_ENTRIES};
use crate::problem::Problem;

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// `GET /log/checkpoint`
pub(super) async fn checkpoint(State(app): Server, headers: HeaderMap) -> Response {
    let published = app.log.published();
    let etag = format!("\"{}-{}\"", published.head.size, published.head.root);
    let mut response = if is_known(&headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], published.checkpoint.to_string()).into_response()
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// `GET /log/tile/<L>/<N>[.p/<W>]`
pub(super) async fn tile(State(app): Server, Segment(path): Segment) -> Answer<Response> {
    let Some(TilePath::Hashes(tile)) = Tile::parse_path(&path) else { return Err(Problem::NotFound.into()) };
    immutable(app.log.tile(tile)?)
}

/// `GET /log/tile/entries/<N>[.p/<W>]`
pub(super) async fn bundle(State(app): Server, Segment(path): Segment) -> Answer<Response> {
    let path = Tile::parse_path(&format!("entries/{path}"));
    let Some(TilePath::Entries(tile)) = path else { return Err(Problem::NotFound.into()) };
    immutable(app.log.bundle(tile)?)
}

fn immutable(bytes: Option<Vec<u8>>) -> Answer<Response> {
    let bytes = bytes.ok_or(Problem::NotFound)?;
    let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, IMMUTABLE)];
    Ok((headers, bytes).into_response())
}

/// `GET /log/tree-head`
pub(super) async fn tree_head(State(app): Server) -> Json<api::TreeHead> {
    let published = app.log.published();
    Json(api::TreeHead {
        log_origin: app.log_key.name().to_owned(),
        size: published.head.size.get(),
        root: base64(published.head.root.as_bytes()),
        checkpoint: published.checkpoint.to_string(),
    })
}

/// The parameters of an inclusion proof: texts, as those of the other routes, so that an error can name the parameter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InclusionAsked {
    index: Option<String>,
    leaf_hash: Option<String>,
    size: Option<String>,
}

/// The parameters of a consistency proof.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsistencyAsked {
    from: Option<String>,
    to: Option<String>,
}

/// The parameters of a range of entries.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RangeAsked {
    start: Option<String>,
    end: Option<String>,
}

type Asked<T> = Result<Query<T>, QueryRejection>;

fn parameters<T>(asked: Asked<T>) -> Result<T, Problem> {
    asked.map(|Query(parameters)| parameters).map_err(|error| Problem::Malformed(error.body_text()))
}

/// `GET /log/proof/inclusion?index=|leaf_hash=&size=`
pub(super) async fn inclusion(
    State(app): Server,
    asked: Asked<InclusionAsked>,
) -> Answer<Json<api::LogInclusionProof>> {
    let asked = parameters(asked)?;
    let published = app.log.published();
    if published.head.size == TreeSize::ZERO {
        return Err(Problem::NotFound.into());
    }
    let size = bounded("size", asked.size.as_deref(), published.head.size.get(), 1..=published.head.size.get())?;
    let index = match (asked.index.as_deref(), asked.leaf_hash.as_deref()) {
        (Some(_), None) => bounded("index", asked.index.as_deref(), 0, 0..=size.saturating_sub(1))?,
        (None, Some(hash)) => {
            let hash = encoding::array_from_base64(hash).map_err(|error| Problem::invalid("leaf_hash", error))?;
            let index = app.log.find(&Hash::from_bytes(hash))?.filter(|index| index.get() < size);
            index.ok_or(Problem::NotFound)?.get()
        }
        _ => return Err(Problem::invalid("index", "give either index or leaf_hash").into()),
    };
    let (leaf_hash, hashes) = app.log.inclusion(LeafIndex::new(index), TreeSize::new(size))?;
    Ok(Json(api::LogInclusionProof {
        index,
        size,
        leaf_hash: base64(leaf_hash.as_bytes()),
        hashes: texts(&hashes),
        checkpoint: published.checkpoint.to_string(),
    }))
}

/// `GET /log/proof/consistency?from=&to=`
pub(super) async fn consistency(
    State(app): Server,
    asked: Asked<ConsistencyAsked>,
) -> Answer<Json<api::ConsistencyProof>> {
    let asked = parameters(asked)?;
    let published = app.log.published().head.size.get();
    let to = bounded("to", asked.to.as_deref(), published, 0..=published)?;
    if asked.from.is_none() {
        return Err(Problem::invalid("from", "is missing").into());
    }
    let from = bounded("from", asked.from.as_deref(), 0, 0..=to)?;
    let hashes = app.log.consistency(TreeSize::new(from), TreeSize::new(to))?;
    Ok(Json(api::ConsistencyProof { from, to, hashes: texts(&hashes) }))
}

/// `GET /log/entries/{index}`
pub(super) async fn entry(State(app): Server, Segment(index): Segment) -> Answer<Json<api::LogEntry>> {
    let index = plain_number(&index).ok_or(Problem::NotFound)?;
    let end = index.checked_add(1).ok_or(Problem::NotFound)?;
    let entry = app.log.entries(index..end)?.pop().ok_or(Problem::NotFound)?;
    Ok(Json(described(&entry)))
}

/// `GET /log/entries?start=&end=`
pub(super) async fn entries(State(app): Server, asked: Asked<RangeAsked>) -> Answer<Json<api::LogEntryList>> {
    let asked = parameters(asked)?;
    let published = app.log.published().head.size.get();
    let start = bounded("start", asked.start.as_deref(), 0, 0..=u64::MAX)?;
    let most = start.saturating_add(MAX_ENTRIES);
    let end = bounded("end", asked.end.as_deref(), most.min(published.max(start)), start..=most)?;
    let entries = app.log.entries(start..end)?.iter().map(described).collect();
    Ok(Json(api::LogEntryList { entries }))
}

/// A whole number between bounds, or a default.
fn bounded(
    name: &str,
    given: Option<&str>,
    default: u64,
    allowed: std::ops::RangeInclusive<u64>,
) -> Result<u64, Problem> {
    let number = match given {
        None => default,
        Some(text) => {
            plain_number(text).ok_or_else(|| Problem::invalid(name, "is not a whole number, written plainly"))?
        }
    };
    if allowed.contains(&number) {
        Ok(number)
    } else {
        let (least, most) = (allowed.start(), allowed.end());
        Err(Problem::invalid(name, format!("{number} is not between {least} and {most}")))
    }
}

/// A number in its one form: no sign, no leading zeros, so that one thing has one URL.
fn plain_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

fn described(entry: &Entry) -> api::LogEntry {
    api::LogEntry {
        index: entry.index.get(),
        entry: base64(&entry.bytes),
        leaf_hash: base64(entry.leaf_hash.as_bytes()),
    }
}

fn texts(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| base64(hash.as_bytes())).collect()
}
