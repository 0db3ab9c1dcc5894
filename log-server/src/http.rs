//! The HTTP surface: a file for each group of routes, each route a request parsed, a call into the core, a response.

mod administration;
mod append;
mod approve;
mod caller;
mod confirmations;
mod connections;
mod contact;
mod embedded;
mod enrol;
mod headers;
mod log;
mod mcp;
mod me;
mod pages;
mod problem;
mod request;
mod service;
mod session;
mod telegram;
mod unread;
mod webhook;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{delete, get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::app::App;
use crate::problem::Problem;

pub use connections::serve;
use problem::Failure;

/// What a route needs of the server.
type Server = State<Arc<App>>;
/// What a route answers.
type Answer<T> = Result<T, Failure>;

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(log_routes())
        .merge(approval_routes())
        .merge(page_routes(app.banner.as_deref()))
        .merge(mcp::route(&app))
        .route("/trust.json", get(service::trust))
        .route("/healthz", get(service::health))
        .route("/readyz", get(service::ready))
        .fallback(async || Failure::from(Problem::NotFound))
        .method_not_allowed_fallback(async || problem::method_not_allowed())
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(axum::middleware::from_fn(headers::finish))
        .with_state(app)
}

fn log_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/log/checkpoint", get(log::checkpoint))
        .route("/log/tile/{*path}", get(log::tile))
        // Hashes do not compress.
        .route("/log/tile/entries/{*path}", get(log::bundle).layer(CompressionLayer::new()))
        .route("/log/tree-head", get(log::tree_head))
        .route("/log/proof/inclusion", get(log::inclusion))
        .route("/log/proof/consistency", get(log::consistency))
        .route("/log/entries/{index}", get(log::entry))
        .route("/log/entries", get(log::entries).post(append::append))
}

fn approval_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/confirmations", get(confirmations::list).post(confirmations::create))
        .route("/api/confirmations/{id}", get(confirmations::get))
        .route("/api/confirmations/{id}/cancel", post(confirmations::cancel))
        .route("/api/confirmations/{id}/consume", post(confirmations::consume))
        .route("/api/confirmations/{id}/webhook", post(webhook::again))
        .route("/api/webhook", get(webhook::get).put(webhook::set).delete(webhook::remove))
        .route("/public/log/entries/{id}/verification", get(confirmations::public_receipt))
        .route("/api/invites", get(administration::invites).post(administration::create_invite))
        .route("/api/invites/{id}", delete(administration::revoke_invite))
        .route("/api/keys", get(administration::keys).post(administration::create_key))
        .route("/api/keys/{id}", delete(administration::revoke_key))
        .route("/api/approvers", get(administration::approvers))
        .route("/api/credentials/{credential}", delete(administration::revoke_credential))
        .route("/api/notifications", get(administration::notifications))
        .route("/api/backups", post(administration::create_backup))
}

fn page_routes(banner: Option<&str>) -> Router<Arc<App>> {
    Router::new()
        .route("/enrol/{code}", pages::enrol(banner).post(enrol::enrol))
        .route("/enrol/{code}/options", post(enrol::options))
        .route("/approve/{id}", pages::approve(banner))
        .route("/approve/{id}/options", post(approve::options))
        .route("/approve/{id}/decision", post(approve::decision))
        .route("/contact/{token}", pages::contact(banner).post(contact::confirm))
        .route("/contact/{token}/options", post(contact::options))
        .route("/telegram/updates", post(telegram::update))
        .merge(own_routes(banner))
        .route("/verify", pages::verify(banner))
        .route("/log", pages::log(banner))
        .route("/log/entry/{index}", pages::log(banner))
        .route("/web/{name}", get(pages::asset))
        .route("/verifier/{*path}", get(pages::verifier))
}

fn own_routes(banner: Option<&str>) -> Router<Arc<App>> {
    Router::new()
        .route("/me", pages::me(banner).post(me::page))
        .route("/me/options", post(me::options))
        .route("/me/session", post(me::sign_in))
        .route("/me/sign-out", post(me::sign_out))
        .route("/me/receipts/{id}", post(me::receipt))
        .route("/me/passkeys", post(me::add_passkey))
        .route("/me/passkeys/options", post(me::passkey_options))
        .route("/me/passkeys/authorisation", post(me::authorisation))
        .route("/me/passkeys/{credential}/removal/options", post(me::removal_options))
        .route("/me/passkeys/{credential}/removal", post(me::removal))
        .route("/me/contacts/{channel}/options", post(me::contact_change_options))
        .route("/me/contacts/{channel}", post(me::change_contact))
}
