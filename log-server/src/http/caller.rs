//! Who calls: an API key with a scope, or a page of ours.

use axum::http::{HeaderMap, HeaderName, header};

use super::request::text;
use crate::api_keys::{ApiKey, KeyRecord, Scope};
use crate::app::App;
use crate::problem::Problem;

/// The caller's API key, which must have a scope; counted against its limit.
pub(super) fn key(app: &App, headers: &HeaderMap, scope: Scope) -> Result<KeyRecord, Problem> {
    let key = any_key(app, headers)?;
    if key.scopes.contains(&scope) {
        Ok(key)
    } else {
        Err(Problem::Forbidden(format!("this needs an API key with the scope {}", scope.as_str())))
    }
}

/// The caller's API key, whatever its scopes; counted against its limit.
pub(super) fn any_key(app: &App, headers: &HeaderMap) -> Result<KeyRecord, Problem> {
    let bearer = text(headers, &header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let sent = text(headers, &HeaderName::from_static("x-api-key")).or(bearer).ok_or(Problem::NoKey)?;
    let record = app.approvals.authenticate(&ApiKey::parse(sent).ok_or(Problem::NoKey)?)?;
    app.gate.request(&record.id)?;
    Ok(record)
}

/// Refuses what a browser sends on behalf of another site. Programs that send neither header are no browsers.
pub(super) fn same_site(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    let foreign_origin = text(headers, &header::ORIGIN)
        .is_some_and(|origin| !app.approvals.identity.relying_party.web_origins.iter().any(|ours| ours == origin));
    let foreign_site = text(headers, &HeaderName::from_static("sec-fetch-site"))
        .is_some_and(|site| !matches!(site, "same-origin" | "none"));
    if foreign_origin || foreign_site {
        return Err(Problem::Forbidden("this is for our own pages only".to_owned()));
    }
    Ok(())
}
