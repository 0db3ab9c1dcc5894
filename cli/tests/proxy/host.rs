//! A host that speaks in lines: it starts the proxy before the small server of `misbehaving --tools`, and sees what comes
//! out, and what reached the server.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::misbehaving;

/// How long anything may take. Nothing takes nearly as long; it is what separates slow from stuck.
const DEADLINE: Duration = Duration::from_secs(90);

/// A folder for a proxy: its rules, its memory, and what reached the server behind it.
pub(crate) struct Folder(TempDir);

/// A proxy that runs.
pub(crate) struct Host {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    errors: Receiver<String>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The proxy's command before `--`, with everything that it is told by the environment.
    pub(crate) fn command(&self, case: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command
            .current_dir(self.0.path())
            .env("COUNTERSIGN_URL", misbehaving::url(case))
            .env("COUNTERSIGN_API_KEY", misbehaving::api_key())
            .env("COUNTERSIGN_TRUST", misbehaving::trust_file())
            .env("COUNTERSIGN_MEMORY", self.path("memory.json"))
            .arg("mcp-proxy")
            .args(arguments);
        command
    }

    /// A proxy before the small server.
    pub(crate) fn start(&self, case: &str, arguments: &[&str]) -> Host {
        let mut command = self.command(case, arguments);
        command.arg("--").arg(misbehaving::binary()).arg("--tools").arg(self.path("calls"));
        Host::start(&mut command)
    }

    /// A file of rules, and its path.
    pub(crate) fn rules(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    /// What reached the server.
    pub(crate) fn calls(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("calls")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Host {
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (to_lines, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let line = line.unwrap();
                let value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not the protocol: {line}"));
                _ = to_lines.send(value);
            }
        });
        let (to_errors, errors) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                _ = to_errors.send(line.unwrap());
            }
        });
        Self { stdin: child.stdin.take(), child, lines, errors }
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string());
    }

    /// Sends a line as it stands.
    pub(crate) fn send_text(&mut self, line: &str) {
        writeln!(self.stdin.as_ref().unwrap(), "{line}").unwrap();
    }

    /// Sends a call of a tool.
    pub(crate) fn call(&mut self, id: impl Into<Value>, tool: &str, arguments: &Value) {
        let id = id.into();
        let params = json!({"name": tool, "arguments": arguments, "_meta": {"progressToken": id}});
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}));
    }

    /// The next message that is no progress.
    pub(crate) fn answer(&mut self) -> Value {
        loop {
            let message = self.next();
            if message["method"] != "notifications/progress" {
                return message;
            }
        }
    }

    /// The next message.
    pub(crate) fn next(&mut self) -> Value {
        match self.lines.recv_timeout(DEADLINE) {
            Ok(message) => message,
            Err(error) => panic!("nothing came: {error}; it said {:?}", self.errors.try_iter().collect::<Vec<_>>()),
        }
    }

    /// Closes standard input.
    pub(crate) fn hang_up(&mut self) {
        drop(self.stdin.take());
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end: the exit code, and what was said on standard error.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        let since = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(since.elapsed() < DEADLINE, "the proxy still runs");
            thread::sleep(Duration::from_millis(10));
        };
        (status.code(), self.errors.iter().collect::<Vec<_>>().join("\n"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Ended already, as a rule; without its input it ends by itself, and takes its server with it.
        drop(self.stdin.take());
        _ = self.child.wait();
    }
}

/// The code of a call that was not made.
pub(crate) fn code(answer: &Value) -> Option<&str> {
    answer["result"]["_meta"]["countersign/code"].as_str()
}
