//! Request bodies that are too large, broken, of another type, or not what their headers say.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::json;

use crate::people::request;
use crate::server::{Server, soon};

const LIMIT: usize = 1024 * 1024;

#[tokio::test]
async fn a_body_of_one_mebibyte_is_read_and_one_byte_more_is_not() {
    let server = Server::new().await;
    let (_, key) = (server.enrol("alex").await, server.requester().await);
    let padded = |length: usize| {
        let text = request("alex", &json!({})).to_string();
        format!("{text}{}", " ".repeat(length - text.len()))
    };
    let stored = server.stored();
    let large = server.post("/api/confirmations").key(&key).text(padded(LIMIT + 1)).send().await.refused(413);
    assert!(large.detail.contains("1048576"), "{}", large.detail);
    assert_eq!(server.stored(), stored);
    for length in [LIMIT - 1, LIMIT] {
        server.post("/api/confirmations").key(&key).text(padded(length)).send().await.expect(201);
    }
}

#[tokio::test]
async fn a_chunked_body_has_the_same_limit() {
    let server = Server::new().await;
    let key = server.requester().await;
    let stored = server.stored();
    let mut chunked = head(&key, "transfer-encoding: chunked");
    for _ in 0..=LIMIT / 65_536 {
        chunked.extend(b"10000\r\n");
        chunked.extend(std::iter::repeat_n(b' ', 65_536));
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    let answer = raw(server.address, chunked, true).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("1048576"), "{answer}");
    assert_eq!(server.stored(), stored);
}

#[tokio::test]
async fn a_length_that_is_a_lie_does_no_harm() {
    let server = Server::new().await;
    let (_, key) = (server.enrol("alex").await, server.requester().await);
    let body = request("alex", &json!({})).to_string();
    let stored = server.stored();
    let with_length = |length: usize| [head(&key, &format!("content-length: {length}")), body.clone().into()].concat();

    let huge = raw(server.address, with_length(10_000_000_000), true).await;
    assert!(huge.starts_with("HTTP/1.1 413 ") && huge.contains("1048576"), "answered without waiting for it: {huge}");
    let short = raw(server.address, with_length(body.len() - 1), true).await;
    assert!(short.starts_with("HTTP/1.1 400 "), "{short}");
    let long = raw(server.address, with_length(body.len() + 1), false).await;
    assert!(long.is_empty() || long.starts_with("HTTP/1.1 400 "), "{long}");
    let twice = head(&key, &format!("content-length: {}\r\ncontent-length: 7", body.len()));
    let twice = raw(server.address, [twice, body.clone().into()].concat(), true).await;
    assert!(twice.starts_with("HTTP/1.1 400 "), "{twice}");
    assert_eq!(server.stored(), stored);
    let right = raw(server.address, with_length(body.len()), true).await;
    assert!(right.starts_with("HTTP/1.1 201 "), "{right}");
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_the_server_goes_on() {
    let server = Server::new().await;
    let many = "x: 1\r\n".repeat(100);
    for (bytes, statuses) in [
        (b"\0\xff\x16\x03\x01nonsense\r\n\r\n".to_vec(), ["400", "400"]),
        (b"GET /healthz HTTP/9.9\r\n\r\n".to_vec(), ["400", "505"]),
        (format!("GET /healthz HTTP/1.1\r\nhost: a\r\n{many}\r\n").into_bytes(), ["431", "400"]),
        (format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(70_000)).into_bytes(), ["414", "431"]),
        (b"GET /healthz HTTP/1.1\r\nhost: a\r\nx: \0\r\n\r\n".to_vec(), ["400", "400"]),
    ] {
        let answer = raw(server.address, bytes.clone(), true).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        let sent = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        assert!(statuses.contains(&status), "{sent:?} was answered with {answer:?}");
    }
    server.get("/healthz").send().await.expect(200);
}

#[tokio::test]
async fn broken_json_is_refused_with_its_place() {
    let server = Server::new().await;
    let (_, key) = (server.enrol("alex").await, server.requester().await);
    let stored = server.stored();
    let good = request("alex", &json!({})).to_string();
    let with = |member: &str| format!("{},{member}}}", &good[..good.len() - 1]);
    for (body, place) in [
        (String::new(), "line 1 column 0"),
        ("{".to_owned(), "line 1 column 1"),
        ("{\"action\":\n 7}".to_owned(), "line 2 column 2"),
        (format!("{good}x"), "trailing characters"),
        ("[]".to_owned(), "line 1 column"),
        ("null".to_owned(), "line 1 column"),
        ("{\"action\": \"a\", \"username\": \"alex\"}".to_owned(), "missing field `payload`"),
        (with("\"colour\": 1"), "unknown field `colour`"),
        (with("\"action\": \"b\""), "duplicate field `action`"),
        (with("\"expiresIn\": -1"), "line 1 column"),
        (with("\"expiresIn\": \"5\""), "line 1 column"),
        (with("\"quorum\": 4294967296"), "line 1 column"),
        (with("\"approvers\": \"alex\""), "line 1 column"),
        (with("\"reveal\": \"yes\""), "line 1 column"),
        ("{\"a\":".repeat(200_000), "line 1 column"),
        ("[".repeat(1_000_000), "line 1 column"),
    ] {
        let detail = server.post("/api/confirmations").key(&key).text(body.clone()).send().await.refusal(400);
        assert!(detail.contains(place), "{:?} was refused with {detail:?}", body.get(..80));
    }
    let not_utf8 = good.replace("a1b2c3d", "?").into_bytes();
    let not_utf8: Vec<u8> = not_utf8.into_iter().map(|byte| if byte == b'?' { 0xff } else { byte }).collect();
    server.post("/api/confirmations").key(&key).text(not_utf8).send().await.refused(400);
    assert_eq!(server.stored(), stored);
}

#[tokio::test]
async fn every_route_that_reads_json_refuses_unknown_fields_and_other_types() {
    let server = Server::new().await;
    let (_, key) = (server.enrol("alex").await, server.requester().await);
    let id = server.ask(&key, &request("alex", &json!({}))).await.id;
    let code = server.invite(&json!({"note": "join us"})).await.code;
    let stored = server.stored();
    for (path, key) in [
        ("/api/confirmations", &*key),
        ("/api/invites", server.admin()),
        ("/api/keys", server.admin()),
        (&format!("/enrol/{code}/options"), ""),
        (&format!("/enrol/{code}"), ""),
        (&format!("/approve/{id}/options"), ""),
        (&format!("/approve/{id}/decision"), ""),
    ] {
        let detail = server.post(path).key(key).json(&json!({"colour": 1})).send().await.refusal(400);
        assert!(detail.contains("unknown field `colour`"), "{path}: {detail}");
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
            server.post(path).key(key).body(content_type, "{}").send().await.refused(415);
        }
        server.post(path).key(key).send().await.refused(415);
        for encoding in ["gzip", "br", "identity, gzip"] {
            server.post(path).key(key).header("content-encoding", encoding).text("{}").send().await.refused(415);
        }
    }
    assert_eq!(server.stored(), stored);
    let spelt = server.post("/api/confirmations").key(&key).header("content-encoding", "identity");
    spelt.body("Application/JSON; charset=utf-8", request("alex", &json!({})).to_string()).send().await.expect(201);
}

/// A client that keeps its connection sends the next request behind the body of the refused one.
#[tokio::test]
async fn a_refusal_leaves_the_connection_to_the_next_request() {
    let server = Server::new().await;
    let key = server.requester().await;
    for (path, key, size, status) in [
        ("/log/entries", "", 600, 401),
        ("/log/entries", &*key, 60_000, 403),
        ("/api/confirmations", &key, 60_000, 415),
        ("/log/entries", &server.make_key(&json!({"name": "x", "scopes": ["append"]})).await.key, 3_000_000, 413),
        ("/nowhere", "", 60_000, 404),
        ("/healthz", "", 60_000, 405),
    ] {
        for framing in [format!("content-length: {size}\r\n"), "transfer-encoding: chunked\r\n".to_owned()] {
            let body = vec![b'.'; size];
            let chunked = framing.starts_with('t');
            let body =
                if chunked { [format!("{size:x}\r\n").as_bytes(), &body, b"\r\n0\r\n\r\n"].concat() } else { body };
            let refused = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {key}\r\n{framing}\r\n");
            let next = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
            let answers = raw(server.address, [refused.as_bytes(), &body, next].concat(), true).await;
            let statuses: Vec<&str> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
            assert_eq!(statuses, [&*status.to_string(), "200"], "{path} {size} {framing}: {answers}");
        }
    }
}

/// Who goes on for too long, or waits to be asked for the body, is told that the connection ends.
#[tokio::test]
async fn a_refusal_says_when_it_ends_the_connection() {
    let server = Server::new().await;
    for more in
        ["content-length: 100\r\n", "transfer-encoding: chunked\r\n", "content-length: 9\r\nexpect: 100-continue\r\n"]
    {
        let refused = format!("POST /log/entries HTTP/1.1\r\nhost: localhost\r\n{more}\r\n");
        let answer = raw(server.address, refused.into_bytes(), true).await;
        assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("connection: close\r\n"), "{more}: {answer}");
    }
}

fn head(key: &str, framing: &str) -> Vec<u8> {
    format!(
        "POST /api/confirmations HTTP/1.1\r\nhost: localhost\r\nx-api-key: {key}\r\nconnection: close\r\n\
         content-type: application/json\r\n{framing}\r\n\r\n"
    )
    .into_bytes()
}

/// Sends bytes and reads until the server closes. Unless the other side is kept open, the server sees the end of what is
/// sent.
async fn raw(address: SocketAddr, bytes: Vec<u8>, keep_open: bool) -> String {
    let talk = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(25))).unwrap();
        // The server may answer and close before it has read everything.
        _ = stream.write_all(&bytes);
        if !keep_open {
            _ = stream.shutdown(Shutdown::Write);
        }
        let mut answer = Vec::new();
        _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    soon(tokio::task::spawn_blocking(talk)).await.unwrap()
}
