//! The process killed between each two of the eight steps, killed again while it recovers, and killed at random under
//! load: every answer stays true, and all checkpoints ever published are of one log.
//!
//! The program runs itself as a child ([`as_child`]): a server that kills its own process with SIGKILL at a moment of its
//! writer. What its callers were told is in a journal, and the next child checks the server against all of it before it
//! goes on. The long tests are ignored and run by `make fault`: kills at random, a fault in each system call, and losses of power, which
//! keep less than a kill does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod appends;
mod authenticator;
mod checks;
mod child;
mod decisions;
mod disk;
mod journal;
mod moments;
mod parent;
mod power;
mod random;
#[allow(dead_code, reason = "the fault tests of the command use the rest")]
mod report;
mod server;
mod syscalls;
mod told;
mod trial;

/// Not a test of its own: what a child process runs. Without orders in its environment it does nothing.
#[test]
fn as_child() {
    if let Some((place, work, kill_at)) = parent::read_orders() {
        child::run(&place, work, kill_at);
    }
}
