//! Anchors that the server of a folder has not written.

use std::fs;
use std::path::Path;

use log_server::anchor::{self, Anchor, AnchorFolder};

/// A change of an anchor, and the words of whoever finds it.
pub(crate) type Change = (fn(&mut Anchor), &'static str);

/// Gives a folder each changed anchor, and at last what is none, each in the place of the one that it has; `finds` is told
/// what must be found then. What it had is not put back.
pub(crate) fn each_wrong<const N: usize>(folder: &Path, changes: [Change; N], finds: impl Fn(&str)) {
    let file = folder.join(anchor::FILE);
    let whole = fs::read(&file).unwrap();
    for (changed, words) in changes {
        fs::write(&file, &whole).unwrap();
        change(folder, changed);
        finds(words);
    }
    fs::write(&file, "nonsense").unwrap();
    finds("is not an anchor file");
}

/// Gives a folder an anchor that differs from the one that it has.
pub(crate) fn change(folder: &Path, change: impl FnOnce(&mut Anchor)) {
    let mut changed = anchor::read(folder).unwrap().unwrap();
    change(&mut changed);
    // Written elsewhere, because a server may hold the lock of this folder.
    let other = tempfile::tempdir().unwrap();
    AnchorFolder::open(other.path()).unwrap().replace(changed).unwrap();
    fs::copy(other.path().join(anchor::FILE), folder.join(anchor::FILE)).unwrap();
}
