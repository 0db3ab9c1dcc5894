//! The command as a black box: what it prints, what it leaves on disk, and with which exit code it ends.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod backups;
mod clients;
mod demo;
mod doctor;
mod person;
mod refusals;
mod runbook;
mod running;
mod start;
mod stop;
