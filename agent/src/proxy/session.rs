//! The proxy at work: the server's process, the pipes, the time, and one task for each call that is held.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::hold::{Cleared, hold};
use super::lines::{Writer, read};
use super::rules::Rules;
use super::switch::{Input, Output, Switch, Ticket};
use crate::approval::Asked;
use crate::client::Client;
use crate::outcome::Denied;

/// How long the server may take to end after its standard input did, and how long the cancels may take.
const FAREWELL: Duration = Duration::from_secs(6);
/// How long somebody may take to read what was written last.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How often an ending server is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How many lines wait to be looked at. A pipe whose lines are not taken is not read on.
const QUEUE: usize = 64;

/// A proxy before one server.
pub struct Proxy {
    /// What is held.
    pub rules: Rules,
    /// The server's program and arguments, which the approver sees.
    pub command: Vec<String>,
    /// How long a call may be held in all.
    pub timeout: Duration,
}

/// How a proxy ended.
#[derive(Debug)]
pub enum Ended {
    /// The host closed the pipe, or somebody stopped the proxy.
    Host,
    /// The server ended before the host did.
    Server(ExitStatus),
}

/// Why a proxy did not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The server did not start.
    #[error("cannot start the server {program:?}: {error}")]
    Start {
        /// Its program.
        program: String,
        /// Why.
        error: io::Error,
    },
    /// It has no command.
    #[error("the server has no command")]
    NoCommand,
    /// How the server ended cannot be found out.
    #[error("the server's process: {0}")]
    Process(io::Error),
}

/// Starts the server and stands between it and the host on standard input and output, until one of them ends or until
/// `stop`. No call is passed on after that.
pub async fn run(proxy: Proxy, client: Client, stop: impl Future<Output = ()>) -> Result<Ended, ProxyError> {
    let Proxy { rules, command, timeout, .. } = proxy;
    let mut server = start(&command)?;
    let (inputs, mut queue) = mpsc::channel(QUEUE);
    let (Some(stdin), Some(stdout)) = (server.stdin.take(), server.stdout.take()) else {
        return Err(ProxyError::NoCommand);
    };
    read_into(io::stdin(), inputs.clone(), Input::Host, || Input::HostGone);
    read_into(stdout, inputs.clone(), Input::Server, || Input::ServerGone);
    let mut session = Session {
        switch: Switch::new(rules, command, timeout),
        client,
        timeout,
        inputs,
        to_host: Writer::new(io::stdout()),
        to_server: Writer::new(stdin),
        errors: Writer::new(io::stderr()),
        stops: BTreeMap::new(),
        holds: JoinSet::new(),
    };
    tokio::pin!(stop);
    let server_ended = loop {
        let input = tokio::select! {
            biased;
            () = &mut stop => Input::HostGone,
            input = queue.recv() => input.unwrap_or(Input::HostGone),
        };
        let ends = match &input {
            Input::HostGone => Some(false),
            Input::ServerGone => Some(true),
            _ => None,
        };
        session.step(input);
        if let Some(by_server) = ends {
            break by_server;
        }
    };
    session.farewell(&mut queue, &mut server, server_ended).await
}

struct Session {
    switch: Switch,
    client: Client,
    timeout: Duration,
    inputs: mpsc::Sender<Input>,
    to_host: Writer,
    to_server: Writer,
    errors: Writer,
    stops: BTreeMap<Ticket, watch::Sender<bool>>,
    holds: JoinSet<()>,
}

impl Session {
    fn step(&mut self, input: Input) {
        if let Input::Decided(ticket, _) = &input {
            self.stops.remove(ticket);
        }
        for output in self.switch.step(input) {
            match output {
                Output::ToHost(line) => self.to_host.write(line),
                Output::ToServer(line) => self.to_server.write(line),
                Output::Ask(ticket, asked) => self.ask(ticket, *asked),
                // Whoever listens on the other end takes the end for a stop.
                Output::Stop(ticket) => drop(self.stops.remove(&ticket)),
                Output::Say(words) => self.errors.write(format!("countersign mcp-proxy: {words}\n")),
            }
        }
        while self.holds.try_join_next().is_some() {}
    }

    fn ask(&mut self, ticket: Ticket, asked: Asked) {
        let (stop, stopped) = watch::channel(false);
        self.stops.insert(ticket, stop);
        let (client, timeout, inputs) = (self.client.clone(), self.timeout, self.inputs.clone());
        let told = inputs.clone();
        self.holds.spawn(async move {
            // Progress that finds no room is left out; the next one comes.
            let tell = |words| _ = told.try_send(Input::Waits(ticket, words));
            let decided: Result<Cleared, Denied> = hold(client, asked, timeout, stopped, tell).await;
            _ = inputs.send(Input::Decided(ticket, decided)).await;
        });
    }

    /// The end: nothing is passed to the server any more, its last answers still go to the host, and what was asked is
    /// cancelled.
    async fn farewell(
        self,
        queue: &mut mpsc::Receiver<Input>,
        server: &mut Child,
        by_server: bool,
    ) -> Result<Ended, ProxyError> {
        let Self { to_host, to_server, errors, inputs, stops, mut holds, .. } = self;
        let until = Instant::now() + FAREWELL;
        drop((inputs, stops, to_server));
        let cancelled = async { while holds.join_next().await.is_some() {} };
        let last_answers = async {
            while !by_server && let Some(input) = queue.recv().await {
                match input {
                    Input::Server(super::switch::Line::Text(mut line)) => {
                        line.push(b'\n');
                        to_host.write(line);
                    }
                    Input::ServerGone => break,
                    _ => {}
                }
            }
            // What else comes is nobody's; a sender must not wait for room.
            queue.close();
            while queue.recv().await.is_some() {}
        };
        let (_, _, status) =
            tokio::join!(timeout(FAREWELL, cancelled), timeout(FAREWELL, last_answers), ended(server, until));
        to_host.finish(LAST_WORDS);
        errors.finish(LAST_WORDS);
        let status = status.map_err(ProxyError::Process)?;
        Ok(if by_server { Ended::Server(status) } else { Ended::Host })
    }
}

/// Starts the server. The key with which the proxy asks is not the server's.
fn start(command: &[String]) -> Result<Child, ProxyError> {
    let [program, arguments @ ..] = command else { return Err(ProxyError::NoCommand) };
    Command::new(program)
        .args(arguments)
        .env_remove("COUNTERSIGN_API_KEY")
        .env_remove("COUNTERSIGN_API_KEY_FILE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| ProxyError::Start { program: program.clone(), error })
}

fn read_into(
    pipe: impl io::Read + Send + 'static,
    inputs: mpsc::Sender<Input>,
    line: fn(super::switch::Line) -> Input,
    end: fn() -> Input,
) {
    read(pipe, move |next| inputs.blocking_send(next.map_or_else(end, line)).is_ok());
}

/// Waits until the server ended, and ends it when the time is over.
async fn ended(server: &mut Child, until: Instant) -> io::Result<ExitStatus> {
    while Instant::now() < until {
        if let Some(status) = server.try_wait()? {
            return Ok(status);
        }
        sleep(LOOK).await;
    }
    server.kill()?;
    server.wait()
}
