//! A tile path that parses prints as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use merkle::Tile;

fuzz_target!(|text: &str| {
    if let Some(path) = Tile::parse_path(text) {
        assert_eq!(path.to_string(), text);
    }
});
