//! The client of a requester against a server in this process: the real log and approval engine with a store in memory, a
//! software passkey, and in front of it somebody who changes the answers or does not give any.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod server;

mod gate;
mod honest;
mod lying;
mod silent;
