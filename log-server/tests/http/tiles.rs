//! The log as C2SP tlog-tiles clients read it: checkpoint, tiles, entry bundles.

use std::io::Read as _;

use merkle::{Hash, leaf_hash};
use verifier::bundle::{decode_bundle, decode_tile};
use verifier::checkpoint::Checkpoint;
use verifier::encoding::base64;

use crate::call::Reply;
use crate::server::{LOG_ORIGIN, Server};

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// A log of so many entries, whose bytes are their indexes.
pub(crate) async fn log_of(entries: u64) -> Server {
    let server = Server::new().await;
    let all: Vec<Vec<u8>> = (0..entries).map(entry).collect();
    for chunk in all.chunks(1000) {
        server.app.log.append(chunk.to_vec()).await.unwrap();
    }
    server
}

pub(crate) fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

async fn tile(server: &Server, path: &str) -> Reply {
    server.get(&format!("/log/tile/{path}")).send().await
}

#[tokio::test]
async fn the_checkpoint_opens_with_the_key_of_the_trust_file() {
    let server = log_of(0).await;
    let empty = server.checkpoint().await;
    assert_eq!((empty.size.get(), empty.root, &*empty.log_origin), (0, merkle::EMPTY_ROOT, LOG_ORIGIN));
    let server = log_of(3).await;
    let reply = server.get("/log/checkpoint").send().await.expect(200);
    let checkpoint = Checkpoint::open(&reply.body, &server.trust().await.logs[0]).unwrap();
    let leaves: Vec<Hash> = (0..3).map(|i| leaf_hash(&entry(i))).collect();
    assert_eq!(checkpoint.root, merkle::root(&leaves));
    assert_eq!(reply.text().lines().count(), 5, "log origin, size, root, an empty line, one signature");
    assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), Some("no-cache"));
    let head: api::TreeHead = server.get("/log/tree-head").send().await.expect(200).json();
    assert_eq!((head.size, &*head.log_origin, head.checkpoint), (3, LOG_ORIGIN, reply.text()));
    assert_eq!(head.root, base64(checkpoint.root.as_bytes()));
}

#[tokio::test]
async fn an_unchanged_checkpoint_is_not_sent_again() {
    let server = log_of(1).await;
    let first = server.get("/log/checkpoint").send().await.expect(200);
    let etag = first.header("etag").unwrap().to_owned();
    for tags in [etag.clone(), format!("\"x\", {etag}"), "*".to_owned()] {
        let same = server.get("/log/checkpoint").header("if-none-match", &tags).send().await.expect(304);
        assert_eq!((same.body.len(), same.header("etag")), (0, Some(&*etag)));
        assert_eq!(same.header("cache-control"), Some("no-cache"));
    }
    server.app.log.append(vec![b"more".to_vec()]).await.unwrap();
    let next = server.get("/log/checkpoint").header("if-none-match", &etag).send().await.expect(200);
    assert_ne!(next.header("etag"), Some(&*etag));
}

#[tokio::test]
async fn tiles_hold_the_hashes_and_a_partial_one_is_a_prefix() {
    let server = log_of(600).await;
    let leaves: Vec<Hash> = (0..600).map(|i| leaf_hash(&entry(i))).collect();
    let full = tile(&server, "0/000").await.expect(200);
    assert_eq!(decode_tile(&full.body).unwrap(), leaves[..256]);
    assert_eq!(full.header("cache-control"), Some(IMMUTABLE));
    assert_eq!(full.header("content-type"), Some("application/octet-stream"));
    for width in [1, 2, 87, 88] {
        let partial = tile(&server, &format!("0/002.p/{width}")).await.expect(200);
        assert_eq!(decode_tile(&partial.body).unwrap(), leaves[512..512 + width]);
        let bundle = tile(&server, &format!("entries/002.p/{width}")).await.expect(200);
        let expected: Vec<Vec<u8>> = (512..512 + width as u64).map(entry).collect();
        assert_eq!(decode_bundle(&bundle.body, width).unwrap(), expected);
    }
    let smaller = tile(&server, "0/000.p/255").await.expect(200);
    assert_eq!(smaller.body, full.body[..255 * 32], "a width that a client saw once can still be read");
    let above = decode_tile(&tile(&server, "1/000.p/2").await.expect(200).body).unwrap();
    assert_eq!(above, [merkle::root(&leaves[..256]), merkle::root(&leaves[256..512])]);
}

#[tokio::test]
async fn the_root_is_that_of_the_bundles() {
    let server = log_of(1000).await;
    let mut leaves = Vec::new();
    for (path, width) in [("000", 256), ("001", 256), ("002", 256), ("003.p/232", 232)] {
        let bundle = tile(&server, &format!("entries/{path}")).await.expect(200);
        assert_eq!(bundle.header("cache-control"), Some(IMMUTABLE));
        leaves.extend(decode_bundle(&bundle.body, width).unwrap().into_iter().map(leaf_hash));
    }
    let checkpoint = server.checkpoint().await;
    assert_eq!((leaves.len() as u64, merkle::root(&leaves)), (checkpoint.size.get(), checkpoint.root));
}

#[tokio::test]
async fn a_path_that_is_not_published_or_not_the_one_way_to_write_it_is_404() {
    let server = log_of(300).await;
    for path in ["0/001.p/44", "0/000.p/1", "1/000.p/1", "entries/001.p/44"] {
        tile(&server, path).await.expect(200);
    }
    for path in [
        "0/001",
        "0/001.p/45",
        "0/002",
        "0/002.p/1",
        "1/000",
        "1/000.p/2",
        "1/001.p/1",
        "2/000.p/1",
        "63/000.p/1",
        "entries/001",
        "entries/001.p/45",
        "entries/002.p/1",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/257",
        "0/000.p/01",
        "0/000.p/",
        "0/000.p",
        "0/0",
        "0/00",
        "0/0000",
        "0/x000/000",
        "0/x001",
        "00/000",
        "+0/000",
        "64/000",
        "-1/000",
        "0/999/999",
        "0/x999/x999/x999/x999/x999/x999/999",
        "entries/0/000",
        "0/entries/000",
        "0",
        "",
        "0/000/",
        "/0/000",
        "0/000.q/1",
        "0/%30%30%30%30",
        "0/000?x",
        "0/\u{0660}00",
    ] {
        let missing = server.get(&format!("/log/tile/{}", path.replace('?', "%3F"))).send().await.refused(404);
        assert_eq!(missing.kind, "urn:countersign:problem:not-found", "{path}");
    }
    let empty = log_of(0).await;
    for path in ["0/000", "0/000.p/1", "entries/000", "entries/000.p/1", "1/000.p/1"] {
        tile(&empty, path).await.refused(404);
    }
}

#[tokio::test]
async fn bundles_are_compressed_for_who_accepts_it() {
    let server = log_of(300).await;
    let call = |accepts: &str| server.get("/log/tile/entries/000").header("accept-encoding", accepts).send();
    let plain = call("identity").await.expect(200);
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("accept-encoding")));
    let gzip = call("gzip").await.expect(200);
    assert_eq!((gzip.header("content-encoding"), gzip.header("vary")), (Some("gzip"), Some("accept-encoding")));
    assert_eq!(gzip.header("cache-control"), Some(IMMUTABLE));
    assert!(gzip.body.len() < plain.body.len());
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&*gzip.body).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    let hashes = server.get("/log/tile/0/000").header("accept-encoding", "gzip").send().await.expect(200);
    assert_eq!((hashes.header("content-encoding"), hashes.body.len()), (None, 256 * 32), "hashes do not compress");
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let server = log_of(300).await;
    for path in
        ["/log/checkpoint", "/log/tile/0/000", "/log/tile/entries/001.p/44", "/log/tree-head", "/log/tile/0/009"]
    {
        let get = server.get(path).send().await;
        let head = server.call(reqwest::Method::HEAD, path).send().await.expect(get.status);
        assert!(head.body.is_empty());
        for name in ["content-type", "content-length", "cache-control", "etag", "access-control-allow-origin"] {
            assert_eq!(head.header(name), get.header(name), "{path}: {name}");
        }
    }
}
