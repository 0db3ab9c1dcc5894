//! The log read by Rust crates that others wrote: `signed_note` opens the checkpoint, `tlog_tiles` reads the tiles and
//! proves from them. The clients in Go, against the real server, are in `interop/`.

use std::collections::BTreeMap;

use signed_note::{Note, NoteError, StandardVerifier, VerifierList};
use tlog_tiles::{
    Checkpoint, Error, Hash, Tile, TileHashReader, TileReader, check_record, check_tree, prove_record, prove_tree,
    record_hash, tree_hash,
};
use verifier::note::SignerKey;

use crate::server::{LOG_ORIGIN, Server};
use crate::tiles::entry;

/// One entry, a tile less one, a full tile, one more, and several tiles with two levels.
const SIZES: [u64; 5] = [1, 255, 256, 257, 1000];
const HEIGHT: u8 = 8;
const FULL_WIDTH: usize = 1 << HEIGHT;

/// The log at one of its sizes.
struct Tree {
    size: u64,
    root: Hash,
    tiles: Tiles,
}

/// The tiles of a tree, fetched beforehand: the crate's reader cannot wait.
#[derive(Clone)]
struct Tiles(BTreeMap<String, Vec<u8>>);

#[tokio::test]
async fn the_checkpoint_opens_with_the_key_of_the_log_and_no_other() {
    let server = Server::new().await;
    grow(&server, 0, 3).await;
    let bytes = server.get("/log/checkpoint").send().await.expect(200).body;
    let note = Note::from_bytes(&bytes).unwrap();
    let (verified, unverified) = note.verify(&known(&server.trust().await.logs[0].to_string())).unwrap();
    assert_eq!((verified.len(), verified[0].name(), unverified.len()), (1, LOG_ORIGIN, 0));
    let checkpoint = Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!((checkpoint.origin(), checkpoint.size(), checkpoint.extension()), (LOG_ORIGIN, 3, ""));

    let other = SignerKey::from_seed(LOG_ORIGIN, &[8; 32]).unwrap().verifier_key().to_string();
    assert!(matches!(note.verify(&known(&other)), Err(NoteError::UnverifiedNote)));
    let changed = String::from_utf8(bytes).unwrap().replacen("\n3\n", "\n4\n", 1);
    let changed = Note::from_bytes(changed.as_bytes()).unwrap();
    let refused = changed.verify(&known(&server.trust().await.logs[0].to_string()));
    assert!(matches!(refused, Err(NoteError::InvalidSignature { .. })));
}

#[tokio::test]
async fn entries_and_earlier_trees_are_proved_from_the_tiles() {
    let server = Server::new().await;
    let mut earlier: Vec<Tree> = Vec::new();
    for size in SIZES {
        let tree = grown(&server, earlier.last().map_or(0, |tree| tree.size), size).await;
        let reader = tree.reader();
        assert_eq!(tree_hash(size, &reader).unwrap(), tree.root);
        for index in (0..size).filter(|index| size < 20 || index % 13 == 0 || (index + 2) % 256 < 4) {
            let proof = prove_record(size, index, &reader).unwrap();
            check_record(&proof, size, tree.root, index, record_hash(&entry(index))).unwrap();
            check_record(&proof, size, tree.root, index, record_hash(b"another")).unwrap_err();
        }
        for before in &earlier {
            let proof = prove_tree(size, before.size, &reader).unwrap();
            check_tree(&proof, size, tree.root, before.size, before.root).unwrap();
            check_tree(&proof, size, tree.root, before.size, record_hash(b"another")).unwrap_err();
            let again = Tiles::fetched(&server, before.size).await;
            assert_eq!(again.0, before.tiles.0, "the tiles of the tree of {} have changed", before.size);
        }
        earlier.push(tree);
    }
}

/// This version of the crate does not compare every full tile with its parent (nor did Go's before CVE-2026-56865 was
/// mended), so a changed tile is found here at the latest by the check of the proof.
#[tokio::test]
async fn nothing_false_is_proved_from_a_tile_with_a_flipped_bit() {
    let server = Server::new().await;
    let tree = grown(&server, 0, 1000).await;
    let indexes: Vec<u64> = (0..tree.size).step_by(50).collect();
    for path in tree.tiles.0.keys() {
        let mut tiles = tree.tiles.clone();
        *tiles.0.get_mut(path).unwrap().last_mut().unwrap() ^= 1;
        let changed = TileHashReader::new(tree.size, tree.root, &tiles);
        let mut refused = 0;
        for &index in &indexes {
            let honest = prove_record(tree.size, index, &tree.reader()).unwrap();
            let leaf = record_hash(&entry(index));
            let outcome = prove_record(tree.size, index, &changed)
                .and_then(|proof| check_record(&proof, tree.size, tree.root, index, leaf).map(|()| proof));
            match outcome {
                Ok(proof) => assert_eq!(proof, honest, "{path}: entry {index}"),
                Err(_) => refused += 1,
            }
        }
        // The tiles at the right edge are in every proof; another one in the proofs of its own entries.
        let at_edge = path.contains(".p/");
        assert!(if at_edge { refused == indexes.len() } else { refused > 0 }, "{path}: {refused} refused");
    }
}

fn known(key: &str) -> VerifierList {
    VerifierList::new(vec![Box::new(StandardVerifier::new(key).unwrap())])
}

async fn grow(server: &Server, from: u64, to: u64) {
    let entries: Vec<Vec<u8>> = (from..to).map(entry).collect();
    server.app.log.append(entries).await.unwrap();
}

/// Appends up to a size and reads the tree of it.
async fn grown(server: &Server, from: u64, size: u64) -> Tree {
    grow(server, from, size).await;
    let bytes = server.get("/log/checkpoint").send().await.expect(200).body;
    let note = Note::from_bytes(&bytes).unwrap();
    note.verify(&known(&server.trust().await.logs[0].to_string())).unwrap();
    let checkpoint = Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!(checkpoint.size(), size);
    Tree { size, root: *checkpoint.hash(), tiles: Tiles::fetched(server, size).await }
}

impl Tree {
    fn reader(&self) -> TileHashReader<'_> {
        TileHashReader::new(self.size, self.root, &self.tiles)
    }
}

impl Tiles {
    /// All tiles of the tree of a size, partial ones under the names they have in it.
    async fn fetched(server: &Server, size: u64) -> Self {
        let mut tiles = BTreeMap::new();
        for tile in Tile::new_tiles(HEIGHT, 0, size) {
            let path = path(&tile);
            let data = server.get(&format!("/log/{path}")).send().await.expect(200).body;
            tiles.insert(path, data);
        }
        Self(tiles)
    }
}

impl TileReader for Tiles {
    fn height(&self) -> u8 {
        HEIGHT
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        Ok(tiles.iter().map(|tile| self.0[&path(tile)].clone()).collect())
    }

    fn save_tiles(&self, _tiles: &[Tile], _data: &[Vec<u8>]) {}
}

/// The crate puts the height into its paths, as the checksum database of Go does; in C2SP tlog-tiles it is always 8.
fn path(tile: &Tile) -> String {
    let path = tile.path().replacen("tile/8/", "tile/", 1);
    assert_eq!(path.contains(".p/"), tile.width() as usize != FULL_WIDTH);
    path
}
