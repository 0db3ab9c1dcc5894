//! The server that is measured, as a process of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use api::CreateInvite;
use benches::Running;
use benches::connection;
use log_server::limits::Limits;
use serde::{Deserialize, Serialize};
use store_rocksdb::RocksStore;
use tempfile::TempDir;
use verifier::trust::Trust;

use crate::messages;
use crate::process::Process;

/// As many as it takes to open ten thousand long-polls, a thousand with each.
const KEYS: usize = 10;
/// How many people one invite enrols.
const PEOPLE: u32 = 1000;

/// A running server.
pub(crate) struct Server {
    child: Child,
    folder: TempDir,
    /// Where it is.
    pub(crate) place: connection::Server,
    /// API keys that may ask.
    pub(crate) keys: Vec<Arc<str>>,
    /// The code of an invite of many uses.
    pub(crate) invite: String,
    /// The codes of invites that bring an address, for one person each.
    pub(crate) addressed: Vec<String>,
    /// What a verifier pins.
    pub(crate) trust: Trust,
    /// The process.
    pub(crate) process: Process,
}

/// What the server says of itself.
#[derive(Serialize, Deserialize)]
struct Told {
    url: String,
    keys: Vec<String>,
    invite: String,
    addressed: Vec<String>,
    trust: String,
}

impl Server {
    /// Starts this program again, as a server.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.arg("--serve").arg(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a server");
        let mut told = String::new();
        let output = child.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut told).expect("what it says of itself");
        let told: Told = serde_json::from_str(&told).expect("what it says of itself");
        Self {
            process: Process::of(child.id()),
            child,
            folder,
            place: connection::Server::parse(&told.url).expect("its URL"),
            keys: told.keys.into_iter().map(Into::into).collect(),
            invite: told.invite,
            addressed: told.addressed,
            trust: Trust::parse(told.trust.as_bytes()).expect("its trust file"),
        }
    }

    /// Where its data is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The secrets of the links that were sent to addresses.
    pub(crate) fn links(&self) -> Vec<String> {
        messages::links(self.folder.path())
    }

    /// Lets it finish.
    pub(crate) fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().expect("its end").success(), "the server failed");
        self.folder.close().expect("an empty place");
    }
}

/// Serves until the input ends. The limits are the usual ones but for how often and for how much one key may ask one
/// person, which is what is measured here.
pub(crate) async fn serve(folder: &Path) {
    let store = RocksStore::open(&folder.join("db")).expect("a store");
    let limits = Limits {
        requests_per_minute_per_key: u32::MAX,
        requests_per_minute_per_approver: u32::MAX,
        pending_per_key_and_approver: Limits::default().pending_per_approver,
        ..Limits::default()
    };
    let couriers = messages::couriers(folder);
    let running = Running::within(Arc::new(store), &folder.join("anchor"), limits, couriers).expect("a log");
    let address = running.listen().await.expect("a port");
    let mut keys = Vec::new();
    for _ in 0..KEYS {
        keys.push(running.key("request").await.expect("a key"));
    }
    let admin = running.admin().expect("an admin key");
    let note = "People of the benchmark".to_owned();
    let invite = CreateInvite { note, max_uses: Some(PEOPLE), username: None, email: None, expires_in: None };
    let invite = running.app.approvals.create_invite(&admin, invite).await.expect("an invite").code;
    let mut addressed = Vec::new();
    for number in 0..messages::PEOPLE {
        let (note, email) = ("Somebody with an address".to_owned(), Some(format!("told-{number}@example.com")));
        let invite = CreateInvite { note, max_uses: None, username: None, email, expires_in: None };
        addressed.push(running.app.approvals.create_invite(&admin, invite).await.expect("an invite").code);
    }
    let trust = running.app.trust().to_json();
    let told = Told { url: format!("http://{address}"), keys, invite, addressed, trust };
    let told = serde_json::to_string(&told).expect("plain structures");
    let mut output = std::io::stdout();
    writeln!(output, "{told}").and_then(|()| output.flush()).expect("a reader");
    let waited = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    waited.await.expect("a thread").expect("the end of the input");
    running.stop();
}
