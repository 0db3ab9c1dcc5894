//! A log that is served from a folder, and callers that append to it and write down what they were told.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use api::{Appended, KeyCreated};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::timeout;
use verifier::checkpoint::Checkpoint;
use verifier::encoding::from_base64;
use verifier::note::{SignerKey, VerifierKey};

use crate::journal::{self, Event, Journal};
use crate::running::{Folder, Running, post, web};
use crate::told::{Checked, Told};

/// How long anything may take. Nothing takes nearly as long; it is what separates slow from stuck.
const DEADLINE: Duration = Duration::from_secs(120);
/// How many entries one request reads.
const PAGE: u64 = 256;

/// A folder with a server, and what its callers know.
pub(crate) struct Log {
    pub(crate) folder: Folder,
    pub(crate) appender: Appender,
}

/// Somebody who appends; a clone shares the journal.
#[derive(Clone)]
pub(crate) struct Appender {
    url: String,
    key: String,
    journal: Arc<Journal>,
    web: Client,
}

/// What an append came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is in the log.
    Told,
    /// It was refused with this status, and `Retry-After` or not.
    Refused(u16, bool),
    /// Nobody knows: the server said so, or said nothing.
    Unknown,
}

impl Log {
    /// A new log on a server that runs already.
    pub(crate) async fn new(folder: Folder) -> Self {
        let key = make_key(&folder, "append").await;
        let journal = Arc::new(Journal::open(&folder.path("")));
        let appender = Appender { url: folder.url(), key, journal, web: web() };
        Self { folder, appender }
    }

    /// A new folder, a server in it, and its log.
    pub(crate) async fn started() -> (Self, Running) {
        let folder = Folder::new();
        let server = folder.started().await;
        (Self::new(folder).await, server)
    }

    /// Callers that append until the server is gone. Ends with how many entries they were told of.
    pub(crate) fn load(&self, name: &str, callers: u32) -> JoinSet<u32> {
        self.load_of(name, callers, 0)
    }

    /// The same with entries that are at least so long. On a disk that is nearly full it ends too.
    pub(crate) fn load_of(&self, name: &str, callers: u32, bytes: usize) -> JoinSet<u32> {
        let mut load = JoinSet::new();
        for caller in 0..callers {
            let (appender, name) = (self.appender.clone(), name.to_owned());
            load.spawn(async move {
                let mut told = 0;
                for n in 0.. {
                    let mut entry = format!("{name}: caller {caller}, entry {n}").into_bytes();
                    entry.resize(entry.len().max(bytes), b'-');
                    match appender.append(entry).await {
                        Outcome::Told => told += 1,
                        Outcome::Unknown | Outcome::Refused(507, _) => break,
                        Outcome::Refused(status, _) => panic!("an append was refused with {status}"),
                    }
                }
                told
            });
        }
        load
    }

    /// Waits until the log has so many entries. Nothing tells of them but the log itself.
    pub(crate) async fn until(&self, entries: u64) {
        let grown = async {
            while self.size().await < entries {
                tokio::task::yield_now().await;
            }
        };
        timeout(DEADLINE, grown).await.expect("the log does not grow any more");
    }

    /// The published size.
    pub(crate) async fn size(&self) -> u64 {
        self.head().await.0.size.get()
    }

    /// Compares the log with everything that was told. Nobody may append meanwhile.
    pub(crate) async fn check(&self) -> Checked {
        let (head, text) = self.head().await;
        self.appender.journal.write(&Event::Checkpoint(text));
        let entries = self.entries(head.size.get()).await;
        let told = Told::new(journal::read(&self.folder.path("")), &self.log_key());
        assert!(head.size.get() >= told.largest(), "the log became smaller");
        told.compare(&entries, head.root)
    }

    /// All entries below a size.
    pub(crate) async fn entries(&self, size: u64) -> Vec<Vec<u8>> {
        let mut entries = Vec::new();
        while (entries.len() as u64) < size {
            let (start, end) = (entries.len() as u64, size.min(entries.len() as u64 + PAGE));
            let page: Value = self.get(&format!("/log/entries?start={start}&end={end}")).await.json().await.unwrap();
            let page = page["entries"].as_array().unwrap();
            entries.extend(page.iter().map(|entry| from_base64(entry["entry"].as_str().unwrap()).unwrap()));
        }
        entries
    }

    /// A read that must be answered.
    pub(crate) async fn get(&self, path: &str) -> Response {
        let answer = self.appender.web.get(format!("{}{path}", self.folder.url())).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer
    }

    async fn head(&self) -> (Checkpoint, String) {
        let text = self.get("/log/checkpoint").await.text().await.unwrap();
        (Checkpoint::open(text.as_bytes(), &self.log_key()).unwrap(), text)
    }

    fn log_key(&self) -> VerifierKey {
        let path = [self.folder.path("data/log.key"), self.folder.path("disk/data/log.key")];
        let secret = path.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap();
        SignerKey::from_secret_text(secret.trim_end()).unwrap().verifier_key()
    }
}

impl Appender {
    /// Appends one entry, and writes down what was asked and answered.
    pub(crate) async fn append(&self, entry: Vec<u8>) -> Outcome {
        self.journal.write(&Event::Try(vec![entry.clone()]));
        let request = self.web.post(format!("{}/log/entries", self.url)).header("X-Api-Key", &self.key);
        let Ok(answer) = request.body(entry.clone()).send().await else { return Outcome::Unknown };
        let (status, retry) = (answer.status(), answer.headers().contains_key("retry-after"));
        let Ok(text) = answer.text().await else { return Outcome::Unknown };
        if !status.is_success() {
            let problem: Value = serde_json::from_str(&text).unwrap();
            let unknown = problem["type"].as_str().is_some_and(|kind| kind.ends_with("unknown"));
            return if unknown { Outcome::Unknown } else { Outcome::Refused(status.as_u16(), retry) };
        }
        let appended: Appended = serde_json::from_str(&text).unwrap();
        self.journal.write(&Event::Checkpoint(appended.checkpoint));
        self.journal.write(&Event::Answer(vec![(appended.index, entry)]));
        Outcome::Told
    }
}

/// An API key with one scope.
pub(crate) async fn make_key(folder: &Folder, scope: &str) -> String {
    let admin = [folder.path("data/admin.key"), folder.path("disk/data/admin.key")];
    let admin = admin.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap();
    let asked = json!({"name": "bot", "scopes": [scope]});
    let made: KeyCreated = post(&format!("{}/api/keys", folder.url()), admin.trim_end(), &asked).await;
    made.key
}
