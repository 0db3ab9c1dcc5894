//! Full decisions over HTTP: asked for, read, signed by a software passkey, and told to whoever waits, with the receipt. And
//! ten thousand who wait. `make bench-approvals` prints one table; every receipt is verified, and a bad one is a failure.
//!
//! The server is a process of its own, so that its memory and its processor time can be told from those of the clients,
//! which share the machine with it. Ratios mean more than figures on a machine that others use too.

#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a benchmark that cannot begin must stop, and its figures have three digits"
)]

mod bare;
mod client;
mod decision;
mod evidence;
mod messages;
mod polls;
mod process;
mod rounds;
mod server;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use evidence::Evidence;
use server::Server;
use table::Table;

/// Measures decisions.
#[derive(Parser)]
struct Arguments {
    /// How often the full load is measured; the medians are printed.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each round takes, in milliseconds.
    #[arg(long, default_value_t = 3000)]
    millis: u64,
    /// How many people decide at a time, each after being asked by a program of their own.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// How many long-polls are open at a time: ten keys have as many each.
    #[arg(long, default_value_t = 10_000)]
    polls: usize,
    /// Only these parts: decisions, polls.
    #[arg(long)]
    only: Vec<String>,
    /// Be the server, with its data in this folder, until the input ends.
    #[arg(long, hide = true)]
    serve: Option<PathBuf>,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    let runtime = runtime.expect("a runtime");
    if let Some(folder) = &arguments.serve {
        runtime.block_on(server::serve(folder));
        return ExitCode::SUCCESS;
    }
    let (mut table, mut evidence) = (Table::default(), Evidence::default());
    runtime.block_on(measure(&arguments, &mut table, &mut evidence));
    println!("{table}\n{evidence}");
    if evidence.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Each part has a server of its own, so that the memory of the second is not that of the first.
async fn measure(arguments: &Arguments, table: &mut Table, evidence: &mut Evidence) {
    let wanted = |part: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == part);
    if wanted("decisions") {
        let server = Server::start();
        let rounds = rounds::Rounds {
            count: arguments.rounds,
            time: Duration::from_millis(arguments.millis),
            clients: arguments.clients,
        };
        rounds::measure(&server, rounds, table, evidence).await;
        server.stop();
    }
    if wanted("polls") {
        let server = Server::start();
        polls::measure(&server, arguments.polls, table, evidence).await;
        server.stop();
    }
}
