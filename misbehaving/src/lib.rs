//! The server that the others misbehave around, for tests: the real one with its store in memory, in the process of whoever
//! calls it, and its people with software passkeys.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a tool for tests: whatever it did not expect ends it"
)]

#[path = "../../cli/src/demo/authenticator.rs"]
mod authenticator;
pub mod honest;
