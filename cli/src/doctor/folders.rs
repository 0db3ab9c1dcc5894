//! The folders and key files: who may read them, and whose keys they hold.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use log_server::anchor;
use log_server::api_keys::ApiKey;
use verifier::note::VerifierKey;

use super::Findings;
use crate::secret_file;
use crate::serve::{Place, parse_log_key, shell_quoted};

/// Looks, and returns the log's key if there is one.
pub(super) fn look(place: &Place, findings: &mut Findings) -> Option<VerifierKey> {
    data_directory(place, findings);
    let log_key = log_key(place, findings);
    admin_key(place, findings);
    anchor_file(place, log_key.as_ref(), findings);
    log_key
}

fn data_directory(place: &Place, findings: &mut Findings) {
    const CHECK: &str = "data directory";
    let (path, shown) = (place.data_dir(), place.data_dir().display());
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) => return findings.problem(CHECK, format!("{shown}: {error}; name it with --data-dir")),
    };
    let mode = found.mode() & 0o7777;
    if mode & 0o077 != 0 {
        let path = shell_quoted(path);
        findings.problem(CHECK, format!("{shown} can be read by others (mode {mode:04o}); run `chmod 700 {path}`"));
    } else if found.uid() != rustix::process::geteuid().as_raw() {
        let words = format!("{shown} belongs to the user id {}; run this and the server as that user", found.uid());
        findings.warning(CHECK, words);
    } else {
        findings.ok(CHECK, format!("{shown} is for its user alone"));
    }
}

fn log_key(place: &Place, findings: &mut Findings) -> Option<VerifierKey> {
    const CHECK: &str = "log key";
    let path = place.log_key();
    let text = match secret_file::read(&path) {
        Ok(Some(text)) => text,
        Ok(None) => {
            findings.problem(CHECK, format!("{} is missing; bring it back from where it was kept", path.display()));
            return None;
        }
        Err(error) => {
            findings.problem(CHECK, error.to_string());
            return None;
        }
    };
    match parse_log_key(place, &text) {
        Ok(key) => {
            let key = key.verifier_key();
            findings.ok(CHECK, format!("{} with the id {:08x}, for its user alone", key.name(), key.id()));
            Some(key)
        }
        Err(error) => {
            findings.problem(CHECK, error.to_string());
            None
        }
    }
}

fn admin_key(place: &Place, findings: &mut Findings) {
    const CHECK: &str = "admin key";
    let path = place.admin_key();
    match secret_file::read(&path) {
        Ok(None) => findings.ok(
            CHECK,
            "it was taken out of the data directory; keep it: only an API key with the scope admin makes another",
        ),
        Ok(Some(text)) if ApiKey::parse(&text).is_some() => {
            findings.ok(CHECK, format!("{} is for its user alone", path.display()));
        }
        Ok(Some(_)) => {
            findings.problem(CHECK, format!("{} holds no API key; bring it back or delete it", path.display()));
        }
        Err(error) => findings.problem(CHECK, error.to_string()),
    }
}

fn anchor_file(place: &Place, log_key: Option<&VerifierKey>, findings: &mut Findings) {
    const CHECK: &str = "anchor";
    let shown = place.anchor().display();
    let anchor = match anchor::read(place.anchor()) {
        Ok(Some(anchor)) => anchor,
        Ok(None) => {
            let words = format!("there is none in {shown}; name its folder with --anchor, or bring it back");
            return findings.problem(CHECK, words);
        }
        Err(error) => return findings.problem(CHECK, error.to_string()),
    };
    let named = format!("{} with the key id {:08x}", anchor.log_origin, anchor.key_id);
    match log_key {
        Some(key) if (key.name(), key.id()) != (anchor.log_origin.as_str(), anchor.key_id) => {
            let ours = format!("{} with {:08x}", key.name(), key.id());
            findings.problem(CHECK, format!("{shown} is of {named}, the log key is of {ours}; give those of one log"));
        }
        _ => findings.ok(CHECK, format!("{shown} is of {named}, {} entries signed", anchor.head.size)),
    }
}
