//! Anchors that the server of a folder has not written.

use std::fs;
use std::path::Path;

use log_server::anchor::{self, Anchor, AnchorFolder};

/// A change of an anchor, and the words of whoever finds it.
pub(crate) type Change = (fn(&mut Anchor), &'static str);

/// Gives a folder an anchor that differs from the one that it has.
pub(crate) fn change(folder: &Path, change: impl FnOnce(&mut Anchor)) {
    let mut changed = anchor::read(folder).unwrap().unwrap();
    change(&mut changed);
    // Written elsewhere, because a server may hold the lock of this folder.
    let other = tempfile::tempdir().unwrap();
    AnchorFolder::open(other.path()).unwrap().replace(changed).unwrap();
    fs::copy(other.path().join(anchor::FILE), folder.join(anchor::FILE)).unwrap();
}
