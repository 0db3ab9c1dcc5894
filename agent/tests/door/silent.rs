//! The server gives no usable answer. How else it can give none is in testdata/doors.json.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use agent::{Client, Code, Settings};

use crate::server::{World, ask_and_use, deployment};

#[tokio::test]
async fn an_answer_that_is_too_large_is_none() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        _ = stream.read(&mut [0; 16 * 1024]);
        _ = stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 99999999\r\n\r\n");
        // The client hangs up in the middle of it.
        _ = stream.write_all(&vec![b' '; 40 << 20]);
    });
    let world = World::new().await;
    let settings = Settings { url, ..world.settings() };
    let denied = ask_and_use(&Client::new(settings).unwrap(), &deployment()).await.unwrap_err();
    assert_eq!(denied.code, Code::Unreachable);
    assert!(denied.detail.contains("an answer of more than"), "{denied}");
    assert!(!format!("{denied:?}").contains(&world.honest.key));
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
