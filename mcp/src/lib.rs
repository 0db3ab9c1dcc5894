//! The approval tools of the Model Context Protocol: a model asks a person, waits, and hears what to do next.
//!
//! The tools stand on the small trait [`Desk`], so that the server serves them over HTTP on its approval engine
//! ([`http::service`]) and the agent over stdio on its HTTP client ([`stdio::serve`]). What a model is told is
//! fixed here: `approved` is true only for an approval whose receipt was verified, and every other answer says in words not
//! to act. A tool is advice all the same; a model can leave it out. What must not be left out belongs behind the proxy or
//! into the executor.
//!
//! The protocol itself is rmcp's: 2024-11-05 to 2025-11-25 with `initialize`, and 2026-07-28 without.

mod answer;
mod arguments;
mod asking;
pub mod desk;
pub mod http;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "for tests")]
mod made;
mod receipt;
mod server;
pub mod stdio;
mod tools;

pub use ::http::request::Parts as RequestParts;
pub use desk::{Ask, Desk, Flaw, Seen, Trouble};
pub use server::Tools;
