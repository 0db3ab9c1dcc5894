//! The log, its single writer, the approval engine and their HTTP surface.
//!
//! From the bottom up: [`store`] keeps bytes; [`tree`], [`anchor`] and [`clock`] are what the [`writer`] works with; the
//! writer is the only one that changes anything; [`log`] and [`approvals`] are what the server does, without HTTP;
//! [`mod@start`] puts it together; and [`http`] is its surface. Clock, randomness, signature primitive and listener come in
//! as values.

pub mod anchor;
pub mod api_keys;
pub mod app;
pub mod approvals;
pub mod backup;
mod by_key;
pub mod clock;
pub mod contents;
pub mod http;
pub mod identity;
mod keyspace;
mod leaf_index;
pub mod limits;
pub mod log;
pub mod notifications;
pub mod problem;
pub mod random;
pub mod start;
pub mod store;
mod tiles;
pub mod tree;
pub mod waiters;
pub mod writer;
