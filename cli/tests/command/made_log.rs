//! A log made by hand, with whatever answers a test wants to give.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use merkle::{TreeSize, leaf_hash, root};
use verifier::bundle::encode_bundle;
use verifier::checkpoint::Checkpoint;
use verifier::note::SignerKey;
use verifier::trust::Trust;
use verifier::webauthn::RelyingParty;

const LOG: &str = "localhost:8080/log";

/// A log of raw entries over HTTP.
pub(crate) struct MadeLog {
    pub(crate) url: String,
    answers: Arc<Mutex<HashMap<String, Vec<u8>>>>,
}

impl MadeLog {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self { url, answers: Arc::default() };
        let answers = fake.answers.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let answers = answers.clone();
                std::thread::spawn(move || respond(&stream.unwrap(), &answers));
            }
        });
        fake
    }

    /// Shows the log of these entries, and returns its checkpoint.
    pub(crate) fn show(&self, entries: &[&str]) -> Checkpoint {
        let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry.as_bytes())).collect();
        let size = TreeSize::new(entries.len() as u64);
        let head = Checkpoint { log_origin: LOG.into(), size, root: root(&leaves) };
        let hashes = leaves.iter().flat_map(|hash| *hash.as_bytes()).collect();
        self.put(&format!("/log/tile/0/000.p/{size}"), hashes);
        self.put(&format!("/log/tile/entries/000.p/{size}"), encode_bundle(entries).unwrap());
        self.put("/log/checkpoint", head.sign(&key()).into_bytes());
        head
    }

    pub(crate) fn put(&self, path: &str, body: Vec<u8>) {
        let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        self.answers.lock().unwrap().insert(path.to_owned(), [head.into_bytes(), body].concat());
    }

    pub(crate) fn put_raw(&self, path: &str, answer: &str) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer.as_bytes().to_vec());
    }
}

fn respond(mut stream: &TcpStream, answers: &Mutex<HashMap<String, Vec<u8>>>) {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap().unwrap();
    while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
    let path = first.split(' ').nth(1).unwrap();
    let missing = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_vec();
    let answer = answers.lock().unwrap().get(path).cloned().unwrap_or(missing);
    // Who has seen enough hangs up.
    _ = stream.write_all(&answer);
}

/// The key that signs it.
pub(crate) fn key() -> SignerKey {
    SignerKey::from_seed(LOG, &[1; 32]).unwrap()
}

/// The trust file that pins it.
pub(crate) fn trust() -> Trust {
    let web_origins = vec!["http://localhost:8080".into()];
    Trust::of_server(key().verifier_key(), RelyingParty { rp_id: "localhost".into(), web_origins })
}
