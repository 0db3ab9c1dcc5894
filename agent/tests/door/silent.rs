//! The server gives no usable answer.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use agent::{ApiKey, Client, Code, Patience, Settings, TrustSource};

use crate::server::{World, ask_and_use, deployment, patient};

/// Answers every connection with the same bytes, whatever is asked, and closes it; without bytes it says nothing.
fn answering(bytes: Option<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            _ = stream.read(&mut [0; 16 * 1024]);
            match &bytes {
                Some(bytes) => _ = stream.write_all(bytes),
                None => held.push(stream),
            }
        }
    });
    url
}

async fn code_of(url: &str) -> Code {
    let world = World::new().await;
    let trust = TrustSource::Pinned(Box::new(world.trust));
    // Little patience, so that a test of a silent server ends.
    let patience = Patience { one_try: Duration::from_millis(1500), all_tries: Duration::from_secs(3), ..patient() };
    let settings = Settings { patience, ..Settings::new(url, ApiKey::new("csk_x").unwrap(), trust) };
    let denied = ask_and_use(&Client::new(settings).unwrap(), &deployment()).await.unwrap_err();
    assert!(!format!("{denied:?}").contains("csk_x"));
    denied.code
}

#[tokio::test]
async fn nothing_opens_without_a_usable_answer() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let body = |status: &str, body: &str| {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
            .into_bytes()
    };
    let half = b"HTTP/1.1 201 Created\r\ncontent-length: 1000\r\n\r\n{\"id\":\"cnf_".to_vec();
    let huge = b"HTTP/1.1 201 Created\r\ncontent-length: 99999999\r\n\r\n".iter().copied().chain(vec![b' '; 40 << 20]);
    let away =
        b"HTTP/1.1 307 Temporary Redirect\r\nlocation: https://evil.example/\r\ncontent-length: 0\r\n\r\n".to_vec();
    for (what, url) in [
        ("down", format!("http://{free}")),
        ("hangs", answering(None)),
        ("500", answering(Some(body("500 Internal Server Error", "{}")))),
        ("closes mid body", answering(Some(half))),
        ("not JSON", answering(Some(body("201 Created", "<html>")))),
        ("too large", answering(Some(huge.collect()))),
        ("redirects", answering(Some(away))),
    ] {
        assert_eq!(code_of(&url).await, Code::Unreachable, "{what}");
    }
}

#[tokio::test]
async fn a_server_that_dies_while_one_waits_does_not_open() {
    let world = World::new().await;
    let client = world.client();
    let pending = client.ask(&deployment(), None, None).await.unwrap();
    *world.front.busy.lock().unwrap() = u32::MAX;
    let denied = pending.decision(Some(Duration::from_secs(60)), std::future::pending()).await.unwrap_err();
    assert_eq!(denied.code, Code::Unreachable, "{denied}");
}

#[tokio::test]
async fn a_consumption_without_an_answer_does_not_open() {
    let world = World::new().await;
    world.person("approve");
    let pending = world.client().ask(&deployment(), None, None).await.unwrap();
    let approved = pending.decision(None, std::future::pending()).await.unwrap();
    *world.front.busy.lock().unwrap() = u32::MAX;
    assert_eq!(approved.consume(None).await.unwrap_err().code, Code::Unreachable);
}
