//! Proofs and entries as JSON: every pair of a small tree verifies, and what is out of range names its parameter.

use api::{ConsistencyProof, LogEntryList, LogInclusionProof};
use merkle::{Hash, LeafIndex, TreeSize, leaf_hash, verify_consistency, verify_inclusion};
use verifier::checkpoint::Checkpoint;
use verifier::encoding::{array_from_base64, base64, from_base64};

use crate::server::Server;
use crate::tiles::{entry, log_of};

fn hash(text: &str) -> Hash {
    Hash::from_bytes(array_from_base64(text).unwrap())
}

fn hashes(texts: &[String]) -> Vec<Hash> {
    texts.iter().map(|text| hash(text)).collect()
}

/// The roots of the trees of all sizes up to the whole.
fn roots(size: u64) -> Vec<Hash> {
    let leaves: Vec<Hash> = (0..size).map(|i| leaf_hash(&entry(i))).collect();
    (0..=leaves.len()).map(|size| merkle::root(&leaves[..size])).collect()
}

#[tokio::test]
async fn every_inclusion_proof_of_a_small_tree_verifies() {
    let server = log_of(20).await;
    let roots = roots(20);
    for size in 1..=20_u64 {
        for index in 0..size {
            let proof = server.get(&format!("/log/proof/inclusion?index={index}&size={size}")).send().await;
            let proof: LogInclusionProof = proof.expect(200).json();
            assert_eq!((proof.index, proof.size), (index, size));
            let leaf = leaf_hash(&entry(index));
            assert_eq!(hash(&proof.leaf_hash), leaf);
            let (path, root) = (hashes(&proof.hashes), &roots[usize::try_from(size).unwrap()]);
            verify_inclusion(&leaf, LeafIndex::new(index), TreeSize::new(size), &path, root).unwrap();
        }
    }
}

#[tokio::test]
async fn every_consistency_proof_of_a_small_tree_verifies() {
    let server = log_of(20).await;
    let roots = roots(20);
    for to in 0..=20_usize {
        for from in 0..=to {
            let proof = server.get(&format!("/log/proof/consistency?from={from}&to={to}")).send().await;
            let proof: ConsistencyProof = proof.expect(200).json();
            assert_eq!((proof.from, proof.to), (from as u64, to as u64));
            let (smaller, larger) = (TreeSize::new(from as u64), TreeSize::new(to as u64));
            verify_consistency(smaller, larger, &roots[from], &roots[to], &hashes(&proof.hashes)).unwrap();
        }
    }
}

#[tokio::test]
async fn without_a_size_a_proof_is_for_the_checkpoint() {
    let server = log_of(5).await;
    let leaf = base64(leaf_hash(&entry(3)).as_bytes());
    let leaf = leaf.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    for query in ["index=3".to_owned(), format!("leaf_hash={leaf}"), format!("leaf_hash={leaf}&size=5")] {
        let proof: LogInclusionProof =
            server.get(&format!("/log/proof/inclusion?{query}")).send().await.expect(200).json();
        let checkpoint = Checkpoint::open(proof.checkpoint.as_bytes(), &server.trust().await.logs[0]).unwrap();
        let (leaf, index) = (hash(&proof.leaf_hash), LeafIndex::new(proof.index));
        assert_eq!((checkpoint.size.get(), index.get()), (proof.size, 3));
        verify_inclusion(&leaf, index, checkpoint.size, &hashes(&proof.hashes), &checkpoint.root).unwrap();
    }
    server.get(&format!("/log/proof/inclusion?leaf_hash={leaf}&size=3")).send().await.refused(404);
    let to: ConsistencyProof = server.get("/log/proof/consistency?from=2").send().await.expect(200).json();
    assert_eq!((to.from, to.to), (2, 5));
}

#[tokio::test]
async fn parameters_out_of_range_are_named() {
    let server = log_of(5).await;
    for (path, field) in [
        ("/log/proof/inclusion", "index"),
        ("/log/proof/inclusion?index=5", "index"),
        ("/log/proof/inclusion?index=3&size=3", "index"),
        ("/log/proof/inclusion?index=-1", "index"),
        ("/log/proof/inclusion?index=18446744073709551616", "index"),
        ("/log/proof/inclusion?index=0x1", "index"),
        ("/log/proof/inclusion?index=1&leaf_hash=AA%3D%3D", "index"),
        ("/log/proof/inclusion?index=0&size=6", "size"),
        ("/log/proof/inclusion?index=0&size=0", "size"),
        ("/log/proof/inclusion?index=0&size=", "size"),
        ("/log/proof/inclusion?leaf_hash=AA%3D%3D", "leaf_hash"),
        ("/log/proof/inclusion?leaf_hash=!", "leaf_hash"),
        ("/log/proof/consistency", "from"),
        ("/log/proof/consistency?to=3", "from"),
        ("/log/proof/consistency?from=4&to=3", "from"),
        ("/log/proof/consistency?from=0&to=6", "to"),
        ("/log/proof/consistency?from=x", "from"),
        ("/log/entries?start=x", "start"),
        ("/log/entries?start=3&end=2", "end"),
        ("/log/entries?start=0&end=257", "end"),
        ("/log/entries?start=0&end=-1", "end"),
    ] {
        let problem = server.get(path).send().await.refused(422);
        assert_eq!(problem.field.as_deref(), Some(field), "{path}");
        assert!(problem.detail.starts_with(field), "{path}: {}", problem.detail);
    }
    for path in [
        "/log/proof/inclusion?idx=1",
        "/log/proof/inclusion?index=3&from=4",
        "/log/proof/consistency?from=1&from=2",
        "/log/proof/consistency?from=1&size=3",
        "/log/entries?limit=1",
        "/log/entries?index=5",
    ] {
        server.get(path).send().await.refused(400);
    }
    let empty = log_of(0).await;
    empty.get("/log/proof/inclusion?index=0").send().await.refused(404);
}

#[tokio::test]
async fn entries_by_index_and_by_range() {
    let server = log_of(300).await;
    let range = async |query: &str| -> Vec<u64> {
        let list: LogEntryList = server.get(&format!("/log/entries{query}")).send().await.expect(200).json();
        for read in &list.entries {
            assert_eq!(from_base64(&read.entry).unwrap(), entry(read.index));
            assert_eq!(hash(&read.leaf_hash), leaf_hash(&entry(read.index)));
        }
        list.entries.into_iter().map(|read| read.index).collect()
    };
    let whole: Vec<u64> = (0..300).collect();
    assert_eq!(range("").await, whole[..256]);
    assert_eq!(range("?start=256").await, whole[256..]);
    assert_eq!(range("?start=10&end=12").await, [10, 11]);
    assert_eq!(range("?start=299&end=500").await, [299]);
    for nothing in ["?start=10&end=10", "?start=300", "?start=18446744073709551615", "?start=5000&end=5001"] {
        assert!(range(nothing).await.is_empty(), "{nothing}");
    }
    one(&server, "299", 200).await;
    for missing in ["300", "18446744073709551615", "18446744073709551616", "-1", "x", "%00"] {
        one(&server, missing, 404).await;
    }
}

async fn one(server: &Server, index: &str, status: u16) {
    server.get(&format!("/log/entries/{index}")).send().await.expect(status);
}
