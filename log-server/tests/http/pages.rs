//! What browsers get: pages, their headers, and headers on everything else, errors included.

use log_server::random::Random;
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::call::Reply;
use crate::people::request;
use crate::server::{Server, Setup};

/// What every answer carries.
#[track_caller]
fn check_headers(reply: &Reply) {
    let policy = reply.header("content-security-policy").expect("a content security policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    for unsafe_part in ["unsafe-inline", "unsafe-eval", "*", "http:", "https:"] {
        assert!(!policy.contains(unsafe_part), "{policy}");
    }
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    assert!(reply.header("cache-control").is_some());
}

#[tokio::test]
async fn every_answer_has_the_headers() {
    let server = Server::new().await;
    let (_, key) = (server.enrol("alex").await, server.requester().await);
    let id = server.ask(&key, &request("alex", &json!({}))).await.id;
    for (method, path, status) in [
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/trust.json", 200),
        ("GET", "/log/checkpoint", 200),
        ("GET", "/log/tile/0/000.p/1", 200),
        ("GET", "/log/tile/0/000", 404),
        ("GET", "/log/entries?start=x", 422),
        ("GET", "/log/proof/inclusion?x=1", 400),
        ("GET", &format!("/approve/{id}"), 200),
        ("GET", "/enrol/x", 200),
        ("GET", "/me", 200),
        ("POST", "/me", 403),
        ("GET", "/me/session", 405),
        ("GET", "/web/approve.js", 200),
        ("GET", "/web/style.css", 200),
        ("GET", "/web/nothing.js", 404),
        ("GET", "/web/..%2fapprove.html", 404),
        ("GET", "/nothing", 404),
        ("GET", "/", 404),
        ("PUT", "/api/keys", 405),
        ("DELETE", "/log/checkpoint", 405),
        ("OPTIONS", "/api/keys", 405),
        ("GET", "/api/keys", 401),
        ("POST", "/api/confirmations", 401),
        ("POST", "/enrol/x/options", 415),
        ("POST", &format!("/approve/{id}/decision"), 415),
    ] {
        let reply = server.call(method.parse().unwrap(), path).send().await.expect(status);
        check_headers(&reply);
        if status >= 400 {
            reply.refused(status);
        }
    }
    let unchanged = server.get("/log/checkpoint").header("if-none-match", "*").send().await.expect(304);
    check_headers(&unchanged);
    check_headers(&server.try_ask(&key, &request("alex", &json!({"action": ""}))).await.expect(422));
    check_headers(&server.try_ask(&key, &request("alex", &json!({}))).await.expect(201));
}

#[tokio::test]
async fn pages_and_secrets_are_not_stored_on_the_way() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let id = server.ask(&key, &request("alex", &json!({"reveal": true}))).await.id;
    alex.approve(&server, &id).await;
    for path in [format!("/approve/{id}"), "/enrol/x".to_owned(), "/trust.json".to_owned()] {
        assert_eq!(server.get(&path).send().await.expect(200).header("cache-control"), Some("no-store"), "{path}");
    }
    let call = server.get(&format!("/api/confirmations/{id}")).key(&key);
    assert_eq!(call.send().await.expect(200).header("cache-control"), Some("no-store"));
    let options = server.post(&format!("/approve/{id}/options")).json(&json!({})).send().await.expect(200);
    assert_eq!(options.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_page_may_run_its_own_scripts_and_nothing_else() {
    let server = Server::new().await;
    for path in ["/approve/cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa", "/enrol/x", "/me"] {
        let page = server.get(path).send().await.expect(200);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let policy = page.header("content-security-policy").unwrap();
        for part in ["script-src 'self'", "base-uri 'none'", "require-trusted-types-for 'script'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(page.header("permissions-policy").unwrap().contains("publickey-credentials-get=(self)"));
        let html = page.text();
        for link in html.split(['"', '\'']).filter(|text| text.starts_with("/web/")) {
            server.get(link).send().await.expect(200);
        }
        assert!(html.contains("/web/"), "{html}");
        assert!(!html.contains("<script>") && !html.contains("style=") && !html.contains("onclick"), "{html}");
    }
}

const EMBEDDED: [&str; 9] = [
    "/web/approve.js",
    "/web/style.css",
    "/web/example.json",
    "/verifier/verify/steps.js",
    "/verify",
    "/log",
    "/approve/x",
    "/enrol/x",
    "/me",
];

#[tokio::test]
async fn files_are_compressed_for_who_takes_it() {
    let server = Server::new().await;
    for path in EMBEDDED {
        let plain = server.get(path).send().await.expect(200);
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        for accepted in ["gzip, deflate, br, zstd", "BR;q=0.5", "br; q=1.000"] {
            let small = server.get(path).header("accept-encoding", accepted).send().await.expect(200);
            assert_eq!(small.header("content-encoding"), Some("br"), "{path}: {accepted}");
            assert!(small.body.len() < plain.body.len());
            let mut text = Vec::new();
            brotli::BrotliDecompress(&mut small.body.as_slice(), &mut text).unwrap();
            assert_eq!(text, plain.body, "{path}");
            assert_ne!(small.header("etag"), plain.header("etag"), "{path}: other bytes, another tag");
            assert_eq!(small.header("vary"), Some("accept-encoding"));
            assert_eq!(small.header("content-type"), plain.header("content-type"));
        }
        for refused in ["gzip", "br;q=0", "br; q=0.000", "br;x", "brotli", "identity", ""] {
            let reply = server.get(path).header("accept-encoding", refused).send().await.expect(200);
            assert_eq!(reply.header("content-encoding"), None, "{path}: {refused}");
            assert_eq!(reply.header("vary"), Some("accept-encoding"));
            assert_eq!(reply.body, plain.body);
        }
    }
    let trust = server.get("/trust.json").header("accept-encoding", "br").send().await.expect(200);
    assert_eq!(trust.header("content-encoding"), None, "only files are compressed");
}

#[tokio::test]
async fn a_file_that_the_browser_has_is_not_sent_again() {
    let server = Server::new().await;
    for (path, encoding) in EMBEDDED.iter().flat_map(|path| [(path, "identity"), (path, "br")]) {
        let call = |method: Method| server.call(method, path).header("accept-encoding", encoding);
        let full = call(Method::GET).send().await.expect(200);
        let etag = full.header("etag").expect("a tag").to_owned();
        for tags in [etag.clone(), format!("\"a\", W/{etag}"), "*".to_owned()] {
            let known = call(Method::GET).header("if-none-match", &tags).send().await.expect(304);
            assert!(known.body.is_empty());
            // A browser changes what it keeps by the headers of a 304.
            for name in ["etag", "vary", "cache-control", "content-security-policy", "permissions-policy"] {
                assert_eq!(known.header(name), full.header(name), "{path}: {name}");
            }
        }
        call(Method::GET).header("if-none-match", "\"a\"").send().await.expect(200);
        let head = call(Method::HEAD).send().await.expect(200);
        assert!(head.body.is_empty());
        for name in ["etag", "vary", "content-type", "content-encoding", "content-length"] {
            assert_eq!(head.header(name), full.header(name), "{path}: {name}");
        }
        assert_eq!(head.header("content-length"), Some(full.body.len().to_string().as_str()));
    }
}

#[tokio::test]
async fn looking_changes_nothing() {
    let server = Server::new().await;
    let (_, key) = (server.enrol("alex").await, server.requester().await);
    let id = server.ask(&key, &request("alex", &json!({}))).await.id;
    let code = server.invite(&json!({"note": "join us"})).await.code;
    let before = server.stored();
    for method in [Method::GET, Method::HEAD] {
        for path in [format!("/approve/{id}"), format!("/enrol/{code}"), "/trust.json".to_owned()] {
            server.call(method.clone(), &path).send().await.expect(200);
        }
        for path in
            [format!("/approve/{id}/decision"), format!("/approve/{id}/options"), format!("/enrol/{code}/options")]
        {
            server.call(method.clone(), &path).send().await.expect(405);
        }
    }
    server.approve_options(&id, "alex").await;
    server.enrol_options(&code, "sam").await;
    assert_eq!(server.stored(), before, "not even the ceremonies' first steps are written");
}

#[tokio::test]
async fn only_the_log_can_be_read_by_scripts_of_other_sites() {
    let server = Server::new().await;
    server.enrol("alex").await;
    for path in [
        "/log/checkpoint",
        "/log/tree-head",
        "/log/tile/0/000.p/1",
        "/log/tile/0/005",
        "/log/entries",
        "/log/entries/0",
        "/log/proof/inclusion?index=0",
        "/log/proof/consistency?from=x",
    ] {
        let reply = server.get(path).header("origin", "https://example.com").send().await;
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(reply.header("cross-origin-resource-policy"), Some("cross-origin"), "{path}");
        assert_eq!(reply.header("access-control-allow-credentials"), None);
    }
    for (method, path) in [
        ("GET", "/trust.json"),
        ("GET", "/api/keys"),
        ("GET", "/enrol/x"),
        ("GET", "/web/approve.js"),
        ("GET", "/public/log/entries/x/verification"),
        ("POST", "/log/entries"),
        ("POST", "/approve/x/options"),
        ("OPTIONS", "/api/keys"),
    ] {
        let call = server.call(method.parse().unwrap(), path).header("origin", "https://example.com");
        let reply = call.send().await;
        assert_eq!(reply.header("access-control-allow-origin"), None, "{method} {path}");
        assert_eq!(reply.header("cross-origin-resource-policy"), Some("same-origin"), "{method} {path}");
    }
}

#[tokio::test]
async fn a_wrong_method_names_the_right_ones() {
    let server = Server::new().await;
    for (method, path, allowed) in [("PUT", "/api/keys", ["GET", "POST"]), ("POST", "/log/checkpoint", ["GET", "HEAD"])]
    {
        let reply = server.call(method.parse().unwrap(), path).send().await;
        let allow = reply.header("allow").expect("an Allow header").to_owned();
        assert!(allowed.iter().all(|method| allow.contains(method)), "{allow}");
        assert_eq!(reply.refused(405).kind, "urn:countersign:problem:method");
    }
}

/// Randomness that can fail, as an operating system's may: the only panic in a handler that a test can cause.
struct Failing(AtomicBool);

impl Random for Failing {
    fn fill(&self, bytes: &mut [u8]) {
        assert!(!self.0.load(Ordering::SeqCst), "no random bytes");
        log_server::random::OsRandom.fill(bytes);
    }
}

#[tokio::test]
async fn a_panic_ends_one_request_and_is_answered_like_any_error() {
    let random = Arc::new(Failing(AtomicBool::new(false)));
    let server = Setup { random: random.clone(), ..Setup::new() }.start().await;
    let (_, key) = (server.enrol("alex").await, server.requester().await);
    let stored = server.stored();
    random.0.store(true, Ordering::SeqCst);
    let reply = server.try_ask(&key, &request("alex", &json!({}))).await.expect(500);
    check_headers(&reply);
    assert!(!reply.refusal(500).contains("random"), "the inside stays inside");
    assert_eq!(server.stored(), stored);
    random.0.store(false, Ordering::SeqCst);
    server.ask(&key, &request("alex", &json!({}))).await;
}
