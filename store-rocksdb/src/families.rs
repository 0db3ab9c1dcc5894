//! The two column families, and which of them a key is in.

use log_server::store::StoreError;
use rocksdb::{ColumnFamily, ColumnFamilyDescriptor, DB, DEFAULT_COLUMN_FAMILY_NAME};

use crate::settings;

/// What the log's entries begin with: most of all bytes, in ascending order, and never changed. A store in which other keys
/// begin so works as well.
const APPENDED: u8 = b'e';

/// Keys that begin with [`APPENDED`].
const APPENDED_FAMILY: &str = "appended";

/// What to open.
pub(crate) fn all() -> [ColumnFamilyDescriptor; 2] {
    let [options, appended] = settings::families();
    [
        ColumnFamilyDescriptor::new(DEFAULT_COLUMN_FAMILY_NAME, options),
        ColumnFamilyDescriptor::new(APPENDED_FAMILY, appended),
    ]
}

/// The family that a key is in.
pub(crate) fn of<'a>(db: &'a DB, key: &[u8]) -> Result<&'a ColumnFamily, StoreError> {
    let name = if key.first() == Some(&APPENDED) { APPENDED_FAMILY } else { DEFAULT_COLUMN_FAMILY_NAME };
    db.cf_handle(name).ok_or_else(|| StoreError(format!("the column family {name} is missing")))
}

/// Cuts a range where the family changes; the parts are in order, and none is empty.
pub(crate) fn parts<'a>(from: &'a [u8], to: &'a [u8]) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    const FIRST: &[u8] = &[APPENDED];
    const AFTER: &[u8] = &[APPENDED + 1];
    let parts = [(from, to.min(FIRST)), (from.max(FIRST), to.min(AFTER)), (from.max(AFTER), to)];
    parts.into_iter().filter(|(from, to)| from < to)
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn a_range_is_cut_into_parts_of_one_family_each() {
        let cut = |from: &'static str, to: &'static str| {
            parts(from.as_bytes(), to.as_bytes())
                .map(|(from, to)| format!("{}..{}", from.escape_ascii(), to.escape_ascii()))
                .collect::<Vec<_>>()
        };
        assert_eq!(cut("", "z"), ["..e", "e..f", "f..z"]);
        assert_eq!(cut("a", "e"), ["a..e"]);
        assert_eq!(cut("a", "e1"), ["a..e", "e..e1"]);
        assert_eq!(cut("e1", "e2"), ["e1..e2"]);
        assert_eq!(cut("e1", "f"), ["e1..f"]);
        assert_eq!(cut("e1", "g"), ["e1..f", "f..g"]);
        assert_eq!(cut("f", "g"), ["f..g"]);
        assert!(cut("g", "f").is_empty() && cut("e", "e").is_empty() && cut("f", "a").is_empty());
    }
}
