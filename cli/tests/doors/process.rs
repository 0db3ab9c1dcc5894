//! A door as a process: in a folder of its own, with the settings of one server, and what is left of it when it ended.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::servers::servers;

/// How long anything may take. Nothing takes nearly as long; it is what separates slow from stuck.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// A folder for doors, with a memory of its own.
pub(crate) struct Folder(TempDir);

/// A process that was started; killed if a test fails before it ends.
pub(crate) struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// A script that can be run by its name.
    pub(crate) fn write_program(&self, name: &str, text: &str) {
        fs::set_permissions(self.write(name, text), fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path(name)).ok()
    }

    /// The JSON in a file.
    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name).unwrap()).unwrap()
    }

    /// Any program in this folder, with the settings of a server, and the programs of the folder first.
    pub(crate) fn program(&self, program: &str, url: &str) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("COUNTERSIGN_") || name == "CLAUDE_CONFIG_DIR" {
                command.env_remove(&*name);
            }
        }
        let built = PathBuf::from(env!("CARGO_BIN_EXE_countersign"));
        let built = built.parent().unwrap().display();
        let path = format!("{}:{built}:{}", self.0.path().display(), std::env::var("PATH").unwrap());
        command.current_dir(self.0.path()).env("PATH", path).env("HOME", self.0.path());
        command.env("COUNTERSIGN_URL", url).env("COUNTERSIGN_API_KEY", &servers().api_key);
        command.env("COUNTERSIGN_TRUST", &servers().trust_file).env("COUNTERSIGN_MEMORY", self.path("memory.json"));
        command
    }

    pub(crate) fn countersign(&self, url: &str) -> Command {
        self.program(env!("CARGO_BIN_EXE_countersign"), url)
    }

    /// Starts a command whose output goes into files of this folder, with this as its input.
    pub(crate) fn start(&self, command: &mut Command, input: &[u8]) -> Running {
        let (stdout, stderr) = (self.path("stdout.txt"), self.path("stderr.txt"));
        command.stdin(Stdio::piped());
        command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
        let mut child = command.spawn().unwrap();
        // A process that does not want its input is free to end.
        _ = child.stdin.take().unwrap().write_all(input);
        Running { child, stdout, stderr }
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, command: &mut Command, input: &[u8]) -> Ended {
        self.start(command, input).ended()
    }
}

impl Running {
    /// Waits until standard error has a text, and returns all of it.
    pub(crate) fn says(&mut self, text: &str) -> String {
        let since = Instant::now();
        loop {
            let written = fs::read_to_string(&self.stderr).unwrap();
            if written.contains(text) {
                return written;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && since.elapsed() < DEADLINE, "no {text:?} in: {written}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap(), signal).unwrap();
    }

    pub(crate) fn ended(mut self) -> Ended {
        let since = Instant::now();
        let status: ExitStatus = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(since.elapsed() < DEADLINE, "the process still runs after {DEADLINE:?}");
            std::thread::sleep(Duration::from_millis(10));
        };
        let read = |path: &PathBuf| fs::read_to_string(path).unwrap();
        let (stdout, stderr) = (read(&self.stdout), read(&self.stderr));
        Ended { code: status.code(), signal: status.signal(), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already, as a rule.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
