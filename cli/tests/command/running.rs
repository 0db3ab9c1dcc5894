//! The command in a folder of its own: starting it, waiting for it, ending it.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

/// How long anything may take. Nothing takes nearly as long; it is what separates slow from stuck.
const DEADLINE: Duration = Duration::from_secs(300);
/// How long a message may take.
pub(crate) const MESSAGE_DEADLINE: Duration = Duration::from_secs(60);

/// A folder for one server: its data, its anchor, and what it printed.
pub(crate) struct Folder {
    folder: TempDir,
    pub(crate) port: u16,
}

/// A process that was started; killed if a test fails before it ends.
pub(crate) struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// How a process ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The command, without any setting of ours from the environment.
pub(crate) fn countersign() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COUNTERSIGN_") {
            command.env_remove(name);
        }
    }
    command
}

impl Folder {
    pub(crate) fn new() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { folder: tempfile::tempdir().unwrap(), port: free.local_addr().unwrap().port() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// `countersign serve` on this folder and port.
    pub(crate) fn serve(&self) -> Command {
        self.serve_on(Path::new("data"), Path::new("anchor"))
    }

    /// The same on other folders.
    pub(crate) fn serve_on(&self, data: &Path, anchor: &Path) -> Command {
        let mut command = countersign();
        command.current_dir(self.folder.path()).arg("serve");
        command.arg("--data-dir").arg(data).arg("--anchor").arg(anchor);
        command.args(["--listen", &format!("127.0.0.1:{}", self.port), "--public-url", &self.url()]);
        command
    }

    /// Starts a server and waits until it is ready.
    pub(crate) async fn started(&self) -> Running {
        let mut server = self.start(&mut self.serve());
        server.ready(&self.url()).await;
        server
    }

    /// Starts a command whose output goes into files of this folder.
    pub(crate) fn start(&self, command: &mut Command) -> Running {
        let stderr = File::create(self.path("stderr.txt")).unwrap();
        self.start_with_stderr(command, stderr.into())
    }

    /// The same with a standard error of its own, of which the file has nothing.
    pub(crate) fn start_with_stderr(&self, command: &mut Command, stderr_of_its_own: Stdio) -> Running {
        let (stdout, stderr) = (self.path("stdout.txt"), self.path("stderr.txt"));
        File::options().create(true).append(true).open(&stderr).unwrap();
        command.stdout(File::create(&stdout).unwrap()).stderr(stderr_of_its_own);
        Running { child: command.spawn().unwrap(), stdout, stderr }
    }

    /// Starts a server that ends by itself, and returns how.
    pub(crate) fn serve_ends(&self) -> Ended {
        self.start(&mut self.serve()).ended()
    }

    /// The admin key that the first start made.
    pub(crate) fn admin_key(&self) -> String {
        fs::read_to_string(self.path("data/admin.key")).unwrap().trim_end().to_owned()
    }
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the server says that it is ready.
    pub(crate) async fn ready(&mut self, url: &str) {
        let since = Instant::now();
        let client = web();
        loop {
            if let Ok(answer) = client.get(format!("{url}/readyz")).send().await
                && answer.status().is_success()
            {
                return;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the server ended with {status}: {}", fs::read_to_string(&self.stderr).unwrap());
            }
            assert!(since.elapsed() < DEADLINE, "the server is not ready after {DEADLINE:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Writes to its standard input, which must be a pipe.
    pub(crate) fn reads(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Waits until standard output has a text, and returns all of it.
    pub(crate) fn prints(&mut self, text: &str) -> String {
        let stdout = self.stdout.clone();
        self.wait_for_text(&stdout, text)
    }

    /// Waits until standard error has a text, and returns all of it.
    pub(crate) fn says(&mut self, text: &str) -> String {
        let stderr = self.stderr.clone();
        self.wait_for_text(&stderr, text)
    }

    fn wait_for_text(&mut self, file: &Path, text: &str) -> String {
        let since = Instant::now();
        loop {
            let written = fs::read_to_string(file).unwrap();
            if written.contains(text) {
                return written;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && since.elapsed() < DEADLINE, "no {text:?} in: {written}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Ends the process with SIGTERM.
    pub(crate) fn terminated(self) -> Ended {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Waits until the process ends.
    pub(crate) fn ended(mut self) -> Ended {
        let status = self.exit_status();
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        Ended { code: status.code(), stdout: read(&self.stdout), stderr: read(&self.stderr) }
    }

    fn exit_status(&mut self) -> ExitStatus {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(since.elapsed() < DEADLINE, "the process still runs after {DEADLINE:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already, as a rule.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Ended {
    /// The exit code and the one sentence of a refusal.
    pub(crate) fn refusal(&self) -> (Option<i32>, &str) {
        let errors: Vec<&str> = self.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "not one sentence: {}", self.stderr);
        assert_eq!(self.stderr.lines().last(), Some(errors[0]), "the refusal is not the last word");
        (self.code, errors[0])
    }
}

/// An HTTP client that needs no certificate authorities, because it talks to this machine alone.
pub(crate) fn web() -> reqwest::Client {
    reqwest::Client::builder().tls_certs_only([]).build().unwrap()
}

/// Sends JSON with an API key and reads the JSON of a success.
pub(crate) async fn post<T: DeserializeOwned>(url: &str, key: &str, body: &impl Serialize) -> T {
    let sent = web().post(url).header("X-Api-Key", key).json(body).send().await.unwrap();
    let (status, text) = (sent.status(), sent.text().await.unwrap());
    assert!(status.is_success(), "{url}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// A server with its configuration file, once it is ready.
pub(crate) async fn started(folder: &Folder) -> Running {
    let mut server = folder.start(folder.serve().args(["--config", "countersign.toml"]));
    server.ready(&folder.url()).await;
    server
}

/// Kills a server, and waits for its end.
pub(crate) fn kill(server: Running) {
    server.signal(Signal::KILL);
    drop(server.ended());
}

/// Waits until something is there.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(since.elapsed() < MESSAGE_DEADLINE, "no {what} after {MESSAGE_DEADLINE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
