//! The server as its callers see it: every test starts one in this process, on a free port, and talks HTTP to it. Log,
//! writer and store are the real ones, with a store in memory, and the passkeys are a software authenticator's.
//!
//! One binary, so that it links once. What the modules share stands first.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod authenticator;
mod bot_api;
mod call;
mod courier;
mod me;
mod pause;
mod people;
mod server;

mod administration;
mod appending;
mod backing_up;
mod bodies;
mod concurrency;
mod consuming;
mod contacts;
mod cross_site;
mod deciding;
mod enrolling;
mod expiry;
mod fatigue;
mod fields;
mod flows;
mod foreign_clients;
mod foreign_keys;
mod idempotency;
mod injection;
mod keys_and_scopes;
mod load;
mod mcp;
mod notifying;
mod own_page;
mod own_passkeys;
mod pages;
mod proofs;
mod publication;
mod races;
mod recovery;
mod revoked_keys;
mod revoking;
mod several_actors;
mod starting;
mod telegram;
mod threat_model;
mod tiles;
mod webhooks;
