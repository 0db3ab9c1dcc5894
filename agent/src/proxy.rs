//! A proxy before another MCP server, over standard input and output (docs/mcp-proxy.md). It passes every message on, and
//! holds the calls that its rules name until they are approved, verified and consumed. What it cannot read, it does not pass.
//!
//! ```text
//! host ──> message ──> switch ──> server          passed on as it was read
//!                        │  ↑
//!                        ↓  │ Cleared             only hold makes one, out of client::Used
//!                       hold
//! ```
//!
//! [`rules`] says which tools and whom to ask; `message` reads one line strictly; `switch` decides, and is a pure function
//! of what comes in; `hold` asks the person; [`session`] is the processes, pipes and clocks around it.

mod answer;
mod hold;
mod lines;
mod message;
pub mod rules;
pub mod session;
mod switch;

pub use rules::{Rules, RulesError, RulesFile};
pub use session::{Ended, Proxy, ProxyError, run};
