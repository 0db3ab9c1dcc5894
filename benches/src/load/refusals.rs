//! Requests that must be refused, each with the refusal that `docs/api.md` names.

use verifier::bundle::MAX_ENTRY;
use verifier::entry::PREFIX;

use super::{Trouble, ok};
use crate::connection::{Call, Connection};

const BYTES: &str = "application/octet-stream";
const JSON: &str = "application/json";

pub(super) struct Refusal<'a> {
    call: Call<'a>,
    status: u16,
    kind: &'static str,
    /// The field that the refusal must name.
    field: Option<&'static str>,
}

/// What a writer sends.
pub(super) fn of_appends(key: &str) -> Vec<Refusal<'_>> {
    let append = |content_type, body: Vec<u8>| Call::post("/log/entries", key, content_type, body);
    let ours = format!("{PREFIX}decision/v1\n{{}}").into_bytes();
    vec![
        Refusal { call: append(BYTES, vec![b'x'; MAX_ENTRY + 1]), status: 413, kind: "too-large", field: None },
        Refusal { call: append(BYTES, ours), status: 422, kind: "invalid", field: Some("entry") },
        Refusal { call: append(JSON, b"[\"YQ==\",".to_vec()), status: 400, kind: "malformed", field: None },
        Refusal { call: append(JSON, b"[\"YQ==\",\"!\"]".to_vec()), status: 422, kind: "invalid", field: Some("/1") },
        Refusal { call: append(JSON, b"[]".to_vec()), status: 422, kind: "invalid", field: Some("entries") },
    ]
}

/// What a reader sends.
pub(super) fn of_reads() -> Vec<Refusal<'static>> {
    let invalid = |path, field| Refusal { call: Call::get(path), status: 422, kind: "invalid", field: Some(field) };
    let nothing = |path| Refusal { call: Call::get(path), status: 404, kind: "not-found", field: None };
    vec![
        invalid("/log/entries?start=one", "start"),
        invalid("/log/proof/consistency?from=01", "from"),
        invalid("/log/proof/consistency?from=0&to=18446744073709551615", "to"),
        Refusal { call: Call::get("/log/proof/inclusion?indx=1"), status: 400, kind: "malformed", field: None },
        nothing("/log/tile/0/000.p/256"),
        nothing("/log/tiles"),
    ]
}

/// Sends it, and takes nothing but exactly this refusal for an answer.
pub(super) async fn refused(connection: &mut Connection, refusal: &Refusal<'_>) -> Result<(), Trouble> {
    let Refusal { call, status, kind, field } = refusal;
    let reply = connection.send(call).await?;
    if reply.status.as_u16() != *status {
        // A busy server may say so instead.
        let what = format!("{} {}, which must be refused with {status}", call.method, call.path);
        ok(&what, &reply)?;
        return Err(Trouble::wrong(format!("{what}, was taken")));
    }
    let problem: Option<api::Problem> = serde_json::from_slice(&reply.body).ok();
    let as_documented = reply.content_type == "application/problem+json"
        && problem.is_some_and(|problem| {
            problem.kind == format!("urn:countersign:problem:{kind}") && problem.field.as_deref() == *field
        });
    if as_documented {
        return Ok(());
    }
    let body = String::from_utf8_lossy(&reply.body).into_owned();
    Err(Trouble::wrong(format!(
        "{} {} was not refused as {kind} with the field {field:?}: {body}",
        call.method, call.path
    )))
}
