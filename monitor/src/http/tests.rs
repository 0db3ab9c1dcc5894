//! The reader against servers that answer by hand: busy, slow, silent, huge, elsewhere.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on stops")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::thread::JoinHandle;

use merkle::Tile;

use super::*;

/// `a bundle that was compressed`, by gzip.
const COMPRESSED: [u8; 48] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 75, 84, 72, 42, 205, 75, 201, 73, 85, 40, 201, 72, 44, 81, 40, 79, 44, 86, 72,
    206, 207, 45, 40, 74, 45, 46, 78, 77, 1, 0, 196, 155, 185, 48, 28, 0, 0, 0,
];

/// Answers one connection after the other, and returns the requests.
fn serve(answers: Vec<Vec<u8>>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/log", listener.local_addr().unwrap());
    let answer = move || {
        let respond = |answer: &Vec<u8>| {
            let (mut stream, _) = listener.accept().unwrap();
            let request = request(&mut stream);
            // A reader that has seen enough hangs up.
            let _ = stream.write_all(answer);
            request
        };
        answers.iter().map(respond).collect()
    };
    (url, std::thread::spawn(answer))
}

fn request(stream: &mut TcpStream) -> String {
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// A reader whose waits are only counted.
fn reader(url: &str, tries: u32) -> HttpReader {
    let mut reader = HttpReader::new(url, Patience { tries, ..Patience::default() }).unwrap();
    reader.sleep = |_| ();
    reader
}

const CHECKPOINT: Resource = Resource::Checkpoint;

#[test]
fn resources_are_asked_for_by_their_paths() {
    let entries = Resource::Entries(Tile { level: 0, index: 1234, width: 5 });
    let (url, server) = serve(vec![answer("200 OK", "", b"note"), answer("200 OK", "", b"")]);
    let reader = reader(&format!("{url}/"), 1);
    assert_eq!(reader.place(), url);
    assert_eq!(reader.read(CHECKPOINT), Ok(b"note".to_vec()));
    assert_eq!(reader.read(entries), Ok(Vec::new()));
    let requests = server.join().unwrap();
    assert!(requests[0].starts_with("GET /log/checkpoint HTTP/1.1\r\n"), "{requests:?}");
    assert!(requests[0].to_lowercase().contains("accept-encoding: gzip"), "{requests:?}");
    assert!(requests[1].starts_with("GET /log/tile/entries/x001/234.p/5 HTTP/1.1\r\n"), "{requests:?}");
}

#[test]
fn compressed_answers_are_read_and_their_content_is_what_counts() {
    let (url, server) = serve(vec![answer("200 OK", "Content-Encoding: gzip\r\n", &COMPRESSED)]);
    assert_eq!(reader(&url, 1).read(CHECKPOINT), Ok(b"a bundle that was compressed".to_vec()));
    server.join().unwrap();
}

#[test]
fn a_missing_resource_is_missing_at_once() {
    let (url, server) = serve(vec![answer("404 Not Found", "", b"no")]);
    assert_eq!(reader(&url, 5).read(CHECKPOINT), Err(ReadError::NotFound(CHECKPOINT)));
    assert_eq!(server.join().unwrap().len(), 1);
}

#[test]
fn a_busy_server_is_asked_again_and_what_it_asks_for_is_kept() {
    static WAITS: Mutex<Vec<Duration>> = Mutex::new(Vec::new());
    let busy = |headers| answer("503 Service Unavailable", headers, b"");
    let (url, server) = serve(vec![
        busy(""),
        answer("429 Too Many Requests", "Retry-After: 7\r\n", b""),
        busy("Retry-After: 100000\r\n"),
        busy("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"),
        answer("200 OK", "", b"note"),
    ]);
    let mut reader = reader(&url, 5);
    reader.sleep = |wait| WAITS.lock().unwrap().push(wait);
    assert_eq!(reader.read(CHECKPOINT), Ok(b"note".to_vec()));
    assert_eq!(server.join().unwrap().len(), 5);
    let waits = WAITS.lock().unwrap();
    let [first, asked, too_long, last] = waits[..] else { panic!("{waits:?}") };
    let seconds = Duration::from_secs_f64;
    assert!((seconds(0.125)..=seconds(0.25)).contains(&first), "{first:?}");
    assert_eq!((asked, too_long), (seconds(7.0), seconds(60.0)));
    assert!((seconds(1.0)..=seconds(2.0)).contains(&last), "{last:?}");
}

#[test]
fn patience_ends() {
    let (url, server) = serve(vec![answer("500 Internal Server Error", "", b""); 3]);
    let error = reader(&url, 3).read(CHECKPOINT).unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(error.to_string(), "checkpoint: the server answered 500 Internal Server Error");
    assert_eq!(server.join().unwrap().len(), 3);
}

#[test]
fn nobody_there_and_a_connection_that_breaks_may_be_tried_again() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = reader(&format!("http://{closed}/log"), 2).read(CHECKPOINT).unwrap_err();
    assert!(error.is_retryable(), "{error}");

    let whole = answer("200 OK", "", b"a note");
    let broken = whole[..whole.len() - 1].to_vec();
    let (url, server) = serve(vec![broken, Vec::new(), whole]);
    assert_eq!(reader(&url, 3).read(CHECKPOINT), Ok(b"a note".to_vec()));
    server.join().unwrap();
}

#[test]
fn a_silent_server_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/log", listener.local_addr().unwrap());
    let patience = Patience { timeout: Duration::from_millis(50), tries: 1, ..Patience::default() };
    // Connections are taken by the kernel, and nobody answers.
    let error = HttpReader::new(&url, patience).unwrap().read(CHECKPOINT).unwrap_err();
    assert!(error.is_retryable(), "{error}");
}

#[test]
fn answers_over_the_cap_are_not_read_on() {
    let limit = CHECKPOINT.limit();
    let (url, server) =
        serve(vec![answer("200 OK", "", &vec![b'x'; limit]), answer("200 OK", "", &vec![b'x'; limit + 1])]);
    let reader = reader(&url, 5);
    assert_eq!(reader.read(CHECKPOINT).map(|bytes| bytes.len()), Ok(limit));
    assert_eq!(reader.read(CHECKPOINT), Err(CHECKPOINT.too_large()));
    server.join().unwrap();
}

#[test]
fn redirects_stay_with_the_server() {
    let to = |location: &str| answer("302 Found", &format!("Location: {location}\r\n"), b"");
    let (url, server) = serve(vec![to("/other"), answer("200 OK", "", b"note")]);
    assert_eq!(reader(&url, 1).read(CHECKPOINT), Ok(b"note".to_vec()));
    assert!(server.join().unwrap()[1].starts_with("GET /other "));

    let (url, server) = serve(vec![to("http://localhost:1/log/checkpoint")]);
    let error = reader(&url, 5).read(CHECKPOINT).unwrap_err();
    assert!(matches!(error, ReadError::Refused { .. }), "{error}");
    server.join().unwrap();

    let (url, server) = serve(vec![to("/log/checkpoint"); 4]);
    let error = reader(&url, 5).read(CHECKPOINT).unwrap_err();
    assert!(matches!(error, ReadError::Refused { .. }), "{error}");
    server.join().unwrap();
}

#[test]
fn other_refusals_are_final() {
    let (url, server) = serve(vec![answer("403 Forbidden", "", b""), answer("204 No Content", "", b"")]);
    let reader = reader(&url, 5);
    for _ in 0..2 {
        assert!(matches!(reader.read(CHECKPOINT), Err(ReadError::Refused { .. })));
    }
    server.join().unwrap();
}

#[test]
fn only_addresses_are_taken() {
    for other in ["", "example.com/log", "ftp://example.com/log", "https://", "file:///log"] {
        let refused = HttpReader::new(other, Patience::default()).err();
        assert!(matches!(refused, Some(SetupError::Url(_))), "{other:?}");
    }
}

#[test]
fn a_reader_may_be_dropped_by_an_executor() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { drop(reader("http://127.0.0.1:9/log", 1)) });
}
