//! The path of a tile below `<prefix>/tile/`, C2SP tlog-tiles:
//!
//! ```text
//! <level>/<N>          0/x001/x234/067      a full tile of hashes
//! <level>/<N>.p/<W>    1/000.p/17           a partial one of W hashes
//! entries/<N>[.p/<W>]  entries/x001/234.p/5 the entries below a tile of level 0
//! ```
//!
//! `<N>` is the index in groups of three digits, each but the last marked with `x`; `<W>` is 1 to 255.

use alloc::{
    format,
    string::{String, ToString},
};
use core::fmt;

use super::Tile;

/// The highest tile level that a path may name. Trees of at most 2^64 - 1 leaves stop at 7.
const MAX_LEVEL: u8 = 63;

/// The longest path there is, `entries/` with the largest index and a width. Anything longer is refused unread.
const MAX_PATH: usize = "entries/x018/x446/x744/x073/x709/x551/615.p/255".len();

/// What a path below `tile/` names. Prints as the path.
///
/// ```
/// use merkle::{Tile, TilePath};
///
/// let tile = Tile { level: 0, index: 1, width: 4 };
/// assert_eq!(TilePath::Hashes(tile).to_string(), "0/001.p/4");
/// assert_eq!(TilePath::Entries(tile).to_string(), "entries/001.p/4");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TilePath {
    /// The hashes of a tile.
    Hashes(Tile),
    /// The entries below a tile. It is of level 0; another level would not show.
    Entries(Tile),
}

impl Tile {
    /// The path of the hashes of this tile, below `tile/`. A width that no tile has, 0 or more than 256, makes a path that
    /// [`Tile::parse_path`] refuses.
    ///
    /// ```
    /// use merkle::Tile;
    ///
    /// assert_eq!(Tile { level: 0, index: 1_234_067, width: 256 }.path(), "0/x001/x234/067");
    /// assert_eq!(Tile { level: 1, index: 0, width: 17 }.path(), "1/000.p/17");
    /// ```
    pub fn path(&self) -> String {
        TilePath::Hashes(*self).to_string()
    }

    /// The path of the entries below this tile, below `tile/`.
    ///
    /// ```
    /// use merkle::Tile;
    ///
    /// assert_eq!(Tile { level: 0, index: 1234, width: 5 }.entries_path(), "entries/x001/234.p/5");
    /// ```
    ///
    /// # Panics
    ///
    /// If the level is not 0: only the tiles of the leaves have entries.
    pub fn entries_path(&self) -> String {
        assert_eq!(self.level, 0, "only tiles of level 0 have entries");
        TilePath::Entries(*self).to_string()
    }

    /// Reads a path below `tile/`, of hashes or of entries. `None` for anything but the one way to write it, so that
    /// a tile has one address.
    ///
    /// ```
    /// use merkle::{Tile, TilePath};
    ///
    /// let tile = Tile { level: 0, index: 1234, width: 5 };
    /// assert_eq!(Tile::parse_path("0/x001/234.p/5"), Some(TilePath::Hashes(tile)));
    /// assert_eq!(Tile::parse_path("entries/x001/234.p/5"), Some(TilePath::Entries(tile)));
    /// assert_eq!(Tile::parse_path("0/1234.p/5"), None);
    /// ```
    pub fn parse_path(text: &str) -> Option<TilePath> {
        if text.len() > MAX_PATH {
            return None;
        }
        let path = parse_loosely(text)?;
        // Signs, leading zeros and groups of another length all end here: they would be written otherwise.
        (format!("{path}") == text).then_some(path)
    }
}

fn parse_loosely(text: &str) -> Option<TilePath> {
    let (kind, rest) = text.split_once('/')?;
    let (index, width) = match rest.split_once(".p/") {
        None => (rest, Tile::WIDTH),
        Some((index, width)) => (index, width.parse().ok().filter(|width| (1..Tile::WIDTH).contains(width))?),
    };
    let index = parse_index(index)?;
    if kind == "entries" {
        return Some(TilePath::Entries(Tile { level: 0, index, width }));
    }
    let level = kind.parse().ok().filter(|&level: &u8| level <= MAX_LEVEL)?;
    Some(TilePath::Hashes(Tile { level, index, width }))
}

fn parse_index(text: &str) -> Option<u64> {
    text.split('/').try_fold(0u64, |index, group| {
        let group: u16 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
        index.checked_mul(1000)?.checked_add(u64::from(group))
    })
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TilePath::Hashes(tile) => write!(f, "{}/{}", tile.level, Coordinates(tile)),
            TilePath::Entries(tile) => write!(f, "entries/{}", Coordinates(tile)),
        }
    }
}

/// `<N>` and, for a partial tile, `.p/<W>`.
struct Coordinates<'a>(&'a Tile);

impl fmt::Display for Coordinates<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_groups(f, self.0.index / 1000)?;
        write!(f, "{:03}", self.0.index % 1000)?;
        if self.0.is_full() { Ok(()) } else { write!(f, ".p/{}", self.0.width) }
    }
}

/// The groups before the last one: none for 0, or else each with its `x` and its slash.
fn write_groups(f: &mut fmt::Formatter<'_>, thousands: u64) -> fmt::Result {
    if thousands == 0 {
        return Ok(());
    }
    write_groups(f, thousands / 1000)?;
    write!(f, "x{:03}/", thousands % 1000)
}
