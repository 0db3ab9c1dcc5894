//! What runs beside a requester: a client of the approval API that fails closed.
//!
//! ```text
//! Client::ask ──> Pending::decision ──> Approved::consume ──> Used: now the action may run
//! ```
//!
//! Every step is a value that only the step before it makes, so nobody acts on a request that was not approved, verified
//! and consumed. Whatever goes wrong is a [`Denied`] with one of twelve [`Code`]s, and the action does not run.
//!
//! [`settings`] says which server, which key and whom to trust; [`approval`] holds the checks, which are pure; [`memory`]
//! keeps the largest tree head that was verified; [`client`] is the door itself. [`gate`] is a command behind the door,
//! [`hook`] an agent host's tool call.

pub mod approval;
pub mod client;
pub mod clock;
pub mod desk;
pub mod gate;
pub mod hook;
mod http;
pub mod memory;
pub mod outcome;
pub mod proxy;
pub mod settings;

pub use approval::Asked;
pub use client::{Approved, Client, Looked, Pending, Used};
pub use clock::Clock;
pub use outcome::{Code, Denied};
pub use settings::{ApiKey, Patience, Settings, TrustSource};
