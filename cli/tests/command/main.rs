//! The command as a black box: what it prints, what it leaves on disk, and with which exit code it ends.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod anchors;
mod audit;
mod backups;
mod clients;
mod decisions;
mod demo;
mod doctor;
mod documents;
mod made_log;
mod mail;
mod monitor;
mod person;
mod readme;
mod refusals;
mod runbook;
mod running;
mod start;
mod static_files;
mod stop;
mod telegram;
mod verifying;
mod webhooks;
mod witnesses;

#[allow(dead_code, reason = "the tests of the doors use the rest")]
#[path = "../pages/blocks.rs"]
mod blocks;

// A passkey in this process, as in the crash tests of the store.
#[allow(dead_code, reason = "the crash tests of the store use the rest")]
#[path = "../../../store-rocksdb/tests/crash/authenticator.rs"]
mod authenticator;

// The stand-in for Telegram's Bot API of the server's own tests.
#[allow(dead_code, reason = "the tests of the server use the rest")]
#[path = "../../../log-server/tests/http/bot_api.rs"]
mod bot_api;
