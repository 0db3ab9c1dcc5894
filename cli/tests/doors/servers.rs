//! The servers that misbehave, started once for all tests of this program, and the table of what they do.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::thread;

use serde::Deserialize;
use serde_json::Value;

/// How many cases run beside each other.
const AT_ONCE: usize = 6;

/// The servers, which end with this program, because then their standard input ends.
pub(crate) struct Servers {
    pub(crate) api_key: String,
    pub(crate) trust_file: PathBuf,
    cases: Value,
    _process: (Child, ChildStdin),
}

/// A line of testdata/doors.json.
#[derive(Deserialize)]
pub(crate) struct Case {
    #[serde(rename = "case")]
    pub(crate) name: String,
    request: Value,
    pub(crate) timeout: Option<u64>,
    pub(crate) after_approval: bool,
    pub(crate) runs: bool,
    pub(crate) code: Option<String>,
}

/// The servers, all of them behind one start.
pub(crate) fn servers() -> &'static Servers {
    static SERVERS: OnceLock<Servers> = OnceLock::new();
    SERVERS.get_or_init(|| {
        let program = Path::new(env!("CARGO_BIN_EXE_countersign")).with_file_name("misbehaving");
        assert!(program.exists(), "{} is missing: cargo build --workspace --bins", program.display());
        let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| said[name].as_str().unwrap().to_owned();
        let stdin = child.stdin.take().unwrap();
        Servers {
            api_key: text("api_key"),
            trust_file: text("trust_file").into(),
            cases: said["cases"].clone(),
            _process: (child, stdin),
        }
    })
}

impl Servers {
    pub(crate) fn url(&self, case: &str) -> String {
        self.cases[case].as_str().unwrap_or_else(|| panic!("no server for {case}")).to_owned()
    }
}

/// Does something with every case, several at once, because most of them wait.
pub(crate) fn for_each_case(work: impl Fn(&Case) + Sync) {
    let queue = Mutex::new(cases());
    let take = || {
        while let Some(case) = { queue.lock().unwrap().pop() } {
            work(&case);
        }
    };
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(take))));
}

/// All cases.
fn cases() -> Vec<Case> {
    let table = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/doors.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&table).unwrap();
    assert!(cases.len() >= 30, "the table has lost cases");
    cases
}

impl Case {
    /// Whether the case asks something of its own in this field.
    pub(crate) fn asks(&self, field: &str) -> bool {
        self.request.get(field).is_some()
    }

    /// What the case asks, as options.
    pub(crate) fn options(&self) -> Vec<String> {
        let mut options = Vec::new();
        let mut add = |option: &str, value: String| options.extend([option.to_owned(), value]);
        let fields = self.request.as_object().unwrap();
        if !fields.contains_key("approvers") && !fields.contains_key("username") {
            add("--approver", "alex".to_owned());
        }
        for (field, value) in fields {
            match field.as_str() {
                "username" => add("--approver", value.as_str().unwrap().to_owned()),
                "approvers" => {
                    for name in value.as_array().unwrap() {
                        add("--approver", name.as_str().unwrap().to_owned());
                    }
                }
                "quorum" => add("--quorum", value.to_string()),
                "expiresIn" => add("--expires-in", value.to_string()),
                "useWithin" => add("--use-within", value.to_string()),
                other => panic!("the doors have no option for {other}"),
            }
        }
        if let Some(timeout) = self.timeout {
            add("--timeout", timeout.to_string());
        }
        options
    }
}

/// Stands before a server and holds back every request of one kind until it is told to let them pass.
pub(crate) struct Held {
    pub(crate) url: String,
    release: Sender<()>,
}

impl Held {
    /// Holds what begins like this: method and path.
    pub(crate) fn before(url: &str, what: &'static [u8]) -> Self {
        let server = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (release, released) = channel();
        thread::spawn(move || {
            for client in listener.incoming() {
                pass_on(client.unwrap(), &server, what, &released);
            }
        });
        Self { url, release }
    }

    pub(crate) fn let_pass(self) {
        drop(self.release);
    }
}

/// One connection after the other, each request in one piece, as a client with nothing else to do sends them.
fn pass_on(mut client: TcpStream, server: &str, what: &[u8], released: &Receiver<()>) {
    let mut to_server = TcpStream::connect(server).unwrap();
    let (mut from_server, mut to_client) = (to_server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
    let mut bytes = vec![0; 1 << 16];
    while let Ok(read @ 1..) = client.read(&mut bytes) {
        if bytes.starts_with(what) {
            _ = released.recv();
        }
        to_server.write_all(&bytes[..read]).unwrap();
    }
}
