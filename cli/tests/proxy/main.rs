//! `countersign mcp-proxy` as a black box between a host and a server: every case of `testdata/doors.json`, what passes, what
//! is held, and how it ends. The tests in `mcp/clients` do the same with the official clients.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod doors;
mod ends;
mod guide;
mod held;
mod host;
mod misbehaving;

#[allow(dead_code, reason = "the tests of the doors use the rest")]
#[path = "../pages/blocks.rs"]
mod blocks;
