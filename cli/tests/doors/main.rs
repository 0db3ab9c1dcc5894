//! The doors of the command line, gate, hook and the MCP tools, against servers that misbehave: every case of
//! testdata/doors.json, and what the processes do with signals, files, exit codes and settings.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod documents;
mod gate;
mod hook;
mod install;
mod mcp;
mod mcp_hosts;
mod process;
mod servers;

#[path = "../pages/blocks.rs"]
mod blocks;
