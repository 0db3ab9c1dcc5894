//! The lock, and what a stopped server's store says: its schema, its key, its head against the anchor, its last time.

use log_server::anchor::{AnchorError, AnchorFolder};
use log_server::contents::{self, Owner, SCHEMA};
use log_server::identity::Identity;
use log_server::tree;
use store_rocksdb::RocksStore;
use verifier::note::VerifierKey;

use super::Findings;
use crate::serve::Place;

const STORE: &str = "store";

/// Looks at the lock, and at the store if nobody holds it.
pub(super) fn look(place: &Place, log_key: Option<&VerifierKey>, findings: &mut Findings) {
    const CHECK: &str = "server";
    if !place.anchor().join("lock").exists() {
        // Taking the lock would make it, and this command changes nothing.
        return findings.warning(CHECK, "no server has ever run with this anchor folder");
    }
    // Held until the end, so that no server starts while its store is being read.
    let locked = match AnchorFolder::open(place.anchor()) {
        Ok(locked) => locked,
        Err(AnchorError::Locked(_)) => {
            findings.ok(CHECK, "running: it holds the lock");
            findings.ok(STORE, "the running server holds it, and compared it with the anchor when it started");
            return;
        }
        // What is wrong with the anchor was said already.
        Err(AnchorError::Damaged(_)) => return,
        Err(error) => return findings.problem(CHECK, error.to_string()),
    };
    findings.ok(CHECK, "not running: nobody holds the lock");
    match RocksStore::open_copy(&place.database()) {
        Ok(store) => {
            if let Err(words) = stopped(&store, &locked, log_key, findings) {
                findings.problem(STORE, words);
            }
        }
        Err(error) => findings.problem(STORE, error.to_string()),
    }
}

fn stopped(
    store: &RocksStore,
    locked: &AnchorFolder,
    log_key: Option<&VerifierKey>,
    findings: &mut Findings,
) -> Result<(), String> {
    let owner = Owner::read(store).map_err(|error| error.to_string())?;
    let owner = owner.ok_or("it holds no log: the first start did not get through; start the server")?;
    match owner.require_known_schema() {
        Ok(()) => findings.ok("schema", format!("{}, this program knows up to {SCHEMA}", owner.schema)),
        Err(error) => findings.problem("schema", error.to_string()),
    }
    match Identity::from_public_url(&owner.public_url) {
        Ok(identity) => findings.ok("public URL", identity.public_url),
        Err(error) => findings.problem("public URL", error.to_string()),
    }
    if let Some(key) = log_key.filter(|key| (key.name(), key.id()) != (owner.log_origin.as_str(), owner.key_id)) {
        return Err(format!(
            "it was made by {} with the key id {:08x}, the log key is of {} with {:08x}; bring back the log key of this store",
            owner.log_origin,
            owner.key_id,
            key.name(),
            key.id()
        ));
    }
    let head = contents::head(store).map_err(|error| error.to_string())?;
    let root = tree::stored_root(store, head.size).map_err(|error| error.to_string())?;
    if root != head.root {
        return Err(format!("its tiles have the root {root}, its tree head {}; restore a backup", head.root));
    }
    if let Some(anchor) = locked.anchor() {
        contents::require_anchored(store, head, anchor.head).map_err(|error| error.to_string())?;
        findings
            .ok(STORE, format!("{} entries, and the {} that were signed are among them", head.size, anchor.head.size));
    }
    clock(store, findings)
}

fn clock(store: &RocksStore, findings: &mut Findings) -> Result<(), String> {
    const CHECK: &str = "clock";
    let last = contents::last_stamp(store).map_err(|error| error.to_string())?;
    let now = crate::now();
    match last {
        Some(last) if last > now => findings.problem(
            CHECK,
            format!(
                "it says {now}, and the last change was made at {last}; set the clock, or nothing expires until then"
            ),
        ),
        Some(last) => findings.ok(CHECK, format!("{now}, after the last change at {last}")),
        None => findings.ok(CHECK, format!("{now}")),
    }
    Ok(())
}
