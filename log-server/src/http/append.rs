//! `POST /log/entries`: one raw entry as the body, or a JSON list of base64 entries, all or nothing.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use verifier::bundle::MAX_ENTRY;
use verifier::encoding::{self, base64};

use super::{Answer, Server, caller, request};
use crate::api_keys::Scope;
use crate::log::{MAX_ENTRIES, check_raw};
use crate::problem::Problem;

pub(super) async fn append(State(app): Server, request: Request) -> Answer<Response> {
    let key = caller::key(&app, request.headers(), Scope::Append)?;
    app.require_room()?;
    if request::is_json(request.headers()) {
        let texts: Vec<String> = request::json(request).await?;
        let appended = app.log.append_by(&key.id, decode(&texts)?).await?;
        let entries = appended
            .into_iter()
            .map(|(index, hash)| api::AppendedEntry { index: index.get(), leaf_hash: base64(hash.as_bytes()) });
        let checkpoint = app.log.published().checkpoint.to_string();
        return Ok(Json(api::AppendedList { entries: entries.collect(), checkpoint }).into_response());
    }
    let entry = request::body(request, "an entry", MAX_ENTRY).await?.to_vec();
    let appended = app.log.append_by(&key.id, vec![entry]).await?;
    let [(index, leaf_hash)] = appended[..] else { unreachable!("one entry has one place") };
    Ok(Json(api::Appended {
        index: index.get(),
        leaf_hash: base64(leaf_hash.as_bytes()),
        checkpoint: app.log.published().checkpoint.to_string(),
    })
    .into_response())
}

fn decode(texts: &[String]) -> Result<Vec<Vec<u8>>, Problem> {
    if !(1..=MAX_ENTRIES).contains(&(texts.len() as u64)) {
        return Err(Problem::invalid("entries", format!("{} entries, 1 to {MAX_ENTRIES} are allowed", texts.len())));
    }
    let decode = |(i, text): (usize, &String)| {
        let field = format!("/{i}");
        let bytes = encoding::from_base64(text).map_err(|error| Problem::invalid(&field, error))?;
        check_raw(&bytes, field).map(|()| bytes)
    };
    texts.iter().enumerate().map(decode).collect()
}
