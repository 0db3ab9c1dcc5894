//! Tile paths: a table of good ones, a table of hostile ones, and the law that what parses prints as it was.

use merkle::{Tile, TilePath};
use proptest::prelude::*;

#[test]
fn good_paths() {
    let table = [
        (0, 0, 256, "0/000", "entries/000"),
        (0, 0, 1, "0/000.p/1", "entries/000.p/1"),
        (0, 7, 255, "0/007.p/255", "entries/007.p/255"),
        (0, 999, 256, "0/999", "entries/999"),
        (0, 1000, 256, "0/x001/000", "entries/x001/000"),
        (0, 1_234_067, 256, "0/x001/x234/067", "entries/x001/x234/067"),
        (0, 1_234_067, 8, "0/x001/x234/067.p/8", "entries/x001/x234/067.p/8"),
        (0, 1_000_000_000, 256, "0/x001/x000/x000/000", "entries/x001/x000/x000/000"),
        (
            0,
            u64::MAX,
            255,
            "0/x018/x446/x744/x073/x709/x551/615.p/255",
            "entries/x018/x446/x744/x073/x709/x551/615.p/255",
        ),
    ];
    for (level, index, width, hashes, entries) in table {
        let tile = Tile { level, index, width };
        assert_eq!(tile.path(), hashes);
        assert_eq!(tile.entries_path(), entries);
        assert_eq!(Tile::parse_path(hashes), Some(TilePath::Hashes(tile)));
        assert_eq!(Tile::parse_path(entries), Some(TilePath::Entries(tile)));
    }
    let top = Tile { level: 63, index: 0, width: 17 };
    assert_eq!(top.path(), "63/000.p/17");
    assert_eq!(Tile::parse_path("63/000.p/17"), Some(TilePath::Hashes(top)));
}

#[test]
fn hostile_paths() {
    let table = [
        // nothing, or not all of it
        "",
        "/",
        "0",
        "0/",
        "/000",
        "0//000",
        "entries",
        "entries/",
        "000",
        "x001/000",
        "0/000/",
        " 0/000",
        "0/000 ",
        "0/000\n",
        "0/000\0",
        // what belongs before this path
        "/0/000",
        "tile/0/000",
        "8/0/000",
        "tile/entries/000",
        // the level
        "64/000",
        "255/000",
        "256/000",
        "00/000",
        "01/000",
        "+1/000",
        "-1/000",
        "x0/000",
        "0x0/000",
        "Entries/000",
        "entries/0/000",
        "data/000",
        "99999999999999999999/000",
        // the index
        "0/0",
        "0/00",
        "0/0000",
        "0/1000",
        "0/1234067",
        "0/x000",
        "0/x000/000",
        "0/x000/001",
        "0/000/001",
        "0/001/000",
        "0/x01/000",
        "0/x0001/000",
        "0/x001/00",
        "0/x001/x000",
        "0/x001//000",
        "0/xx01/000",
        "0/X001/000",
        "0/+01",
        "0/-01",
        "0/ 01",
        "0/0.1",
        "0/1e3",
        "0/x001\\000",
        "0/٠٠٠",
        "0/０00",
        // beyond 64 bits
        "0/x018/x446/x744/x073/x709/x551/616",
        "0/x999/x999/x999/x999/x999/x999/999",
        "0/x001/x000/x000/x000/x000/x000/x000/000",
        // the width
        "0/000.p",
        "0/000.p/",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/257",
        "0/000.p/65536",
        "0/000.p/01",
        "0/000.p/+1",
        "0/000.p/-1",
        "0/000.p/1/",
        "0/000.p/1.p/1",
        "0/000.P/1",
        "0/000.p1",
        "0/000/1",
        "0/000.p/x01",
        ".p/1",
        "0/.p/1",
        "0/x001.p/1",
        "0/x001.p/1/000",
        // out of the folder
        "../0/000",
        "0/../000",
        "0/..",
        "0/000/..",
        "0/000.p/..",
        "0/%30%30%30",
        "0/000?x",
        "0/000#x",
    ];
    for path in table {
        assert_eq!(Tile::parse_path(path), None, "{path:?}");
    }
    assert_eq!(Tile::parse_path(&"x001/".repeat(1_000_000)), None);
}

#[test]
#[should_panic(expected = "only tiles of level 0 have entries")]
fn inner_tiles_have_no_entries() {
    let _ = Tile { level: 1, index: 0, width: 1 }.entries_path();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_parses(level in 0u8..64, index in any::<u64>(), shift in 0u32..64, width in 1u16..=256) {
        let tile = Tile { level, index: index >> shift, width };
        prop_assert_eq!(Tile::parse_path(&tile.path()), Some(TilePath::Hashes(tile)));
        let leaves = Tile { level: 0, ..tile };
        prop_assert_eq!(Tile::parse_path(&leaves.entries_path()), Some(TilePath::Entries(leaves)));
    }

    #[test]
    fn what_parses_prints_as_it_was(
        text in "(entries|[0-9]{1,2})/(x[0-9]{3}/){0,7}[0-9]{2,4}(\\.p/[0-9]{0,3})?",
        noise in ".{0,60}",
    ) {
        for text in [text, noise] {
            if let Some(path) = Tile::parse_path(&text) {
                prop_assert_eq!(path.to_string(), text);
            }
        }
    }
}
