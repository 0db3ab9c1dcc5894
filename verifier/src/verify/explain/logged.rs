//! The values of what the log holds: checkpoint, entries, enrolments, and the way from each entry to the root.

use merkle::{Hash, Side, TreeSize, inclusion_sides, leaf_hash, node_hash};
use sha2::{Digest as _, Sha256};

use super::signed::{as_signed, signature};
use super::{Lines, Parts};
use crate::entry::{Authorisation, CredentialEntry};
use crate::note::{NoteSignature, cosigned_text};
use crate::receipt::LoggedEntry;
use crate::trust::Trust;

pub(super) fn checkpoint(parts: &Parts, trust: &Trust, lines: &mut Lines) {
    let note = &parts.receipt.checkpoint;
    lines.text("size in bytes", note.len());
    lines.sha256("SHA-256 of the signed note", note.as_bytes());
    if let Some(checkpoint) = &parts.checkpoint {
        lines.text("log origin", &checkpoint.log_origin);
        lines.text("tree size", checkpoint.size);
        lines.text("root hash", checkpoint.root);
    }
    let Some(note) = &parts.note else { return };
    lines.sha256("SHA-256 of the signed text", note.text().as_bytes());
    for (n, line) in note.signatures().iter().enumerate() {
        lines.part(format!("signature line {}", n + 1));
        lines.text("key name", &line.name);
        lines.text("key id", format!("{:08x}", line.key_id));
        if let Some(key) = trust.logs.iter().find(|key| line.is_of(key)) {
            lines.text("key in the trust file", "of a log");
            lines.hex("public key", key.public_key());
            lines.hex("signature", &line.signature);
        } else if let Some(key) = trust.witnesses.iter().find(|key| line.is_of(&key.0)) {
            lines.text("key in the trust file", "of a witness");
            lines.hex("public key", key.public_key());
            cosignature(note.text(), line, lines);
        } else {
            lines.text("key in the trust file", "no, so the line is ignored");
        }
    }
}

fn cosignature(text: &str, line: &NoteSignature, lines: &mut Lines) {
    let Some((time, signature)) = line.signature.split_first_chunk::<8>() else {
        return lines.hex("cosignature", &line.signature);
    };
    let time = u64::from_be_bytes(*time);
    lines.text("time, seconds since 1970", time);
    lines.sha256("SHA-256 of the cosigned text", cosigned_text(text, time).as_bytes());
    lines.hex("signature", signature);
}

pub(super) fn entries(parts: &Parts, lines: &mut Lines) {
    for (n, (part, entry)) in parts.receipt.decisions.iter().zip(&parts.decisions).enumerate() {
        lines.part(format!("decisions[{n}]"));
        lines.text("size in bytes", part.logged.entry.len());
        lines.text("leaf hash", leaf_hash(part.logged.entry.as_bytes()));
        let Some(entry) = entry else { continue };
        lines.hex("label", &entry.approver.0);
        lines.hex("credential", &entry.credential);
        lines.text("decision", entry.decision);
        lines.text("decided at", entry.decided_at);
    }
}

pub(super) fn enrolments(parts: &Parts, lines: &mut Lines) {
    for (n, (part, entry)) in parts.receipt.enrolments.iter().zip(&parts.enrolments).enumerate() {
        lines.part(format!("enrolments[{n}]"));
        lines.text("index", part.index);
        lines.text("size in bytes", part.entry.len());
        let Some(entry) = entry else { continue };
        lines.hex("label", &entry.approver.0);
        lines.text("rp_id", &entry.rp_id);
        lines.text("algorithm", &entry.alg);
        lines.hex("public key (SPKI DER)", &entry.public_key);
        lines.sha256("credential", &entry.public_key);
        lines.text("enrolled at", entry.enrolled_at);
        authorisation(parts, entry, lines);
    }
}

fn authorisation(parts: &Parts, entry: &CredentialEntry, lines: &mut Lines) {
    match &entry.authorised_by {
        Authorisation::Invite(hash) => lines.hex("authorised by invite", hash),
        Authorisation::Credential { credential, assertion } => {
            lines.hex("authorised by credential", credential);
            if let Some(checkpoint) = &parts.checkpoint {
                let document = entry.enrolment_document(&checkpoint.log_origin);
                lines.sha256("enrolment document hash", document.as_bytes());
            }
            as_signed(assertion, lines);
            let earlier = |public_key: &[u8]| credential[..] == Sha256::digest(public_key)[..];
            let earlier = parts.enrolments.iter().flatten().find(|enrolment| earlier(&enrolment.public_key));
            signature(assertion, earlier.map_or("", |enrolment| &enrolment.alg), lines);
        }
    }
}

pub(super) fn inclusion(parts: &Parts, lines: &mut Lines) {
    let Some(checkpoint) = &parts.checkpoint else { return };
    lines.text("tree size", checkpoint.size);
    lines.text("expected root", checkpoint.root);
    for (n, part) in parts.receipt.decisions.iter().enumerate() {
        lines.part(format!("decisions[{n}]"));
        way_to_the_root(&part.logged, checkpoint.size, lines);
    }
    for (n, part) in parts.receipt.enrolments.iter().enumerate() {
        lines.part(format!("enrolments[{n}]"));
        way_to_the_root(part, checkpoint.size, lines);
    }
}

fn way_to_the_root(part: &LoggedEntry, size: TreeSize, lines: &mut Lines) {
    let leaf = leaf_hash(part.entry.as_bytes());
    lines.text("index", part.index);
    lines.text("leaf hash", leaf);
    match inclusion_sides(part.index, size) {
        Ok(sides) if sides.clone().count() == part.hashes.len() => climb(leaf, sides, &part.hashes, lines),
        sides => {
            if let Ok(sides) = sides {
                lines.text("hashes needed", sides.count());
            }
            lines.text("hashes given", part.hashes.len());
            for (n, hash) in part.hashes.iter().enumerate() {
                lines.text(format!("hashes[{n}]"), hash);
            }
        }
    }
}

fn climb(leaf: Hash, sides: impl Iterator<Item = Side>, hashes: &[Hash], lines: &mut Lines) {
    let mut node = leaf;
    for (n, (side, hash)) in sides.zip(hashes).enumerate() {
        let (word, above) = match side {
            Side::Left => ("left", node_hash(hash, &node)),
            Side::Right => ("right", node_hash(&node, hash)),
        };
        lines.text(format!("hashes[{n}], on the {word}"), hash);
        node = above;
        if n + 1 < hashes.len() {
            lines.text("node above", node);
        }
    }
    lines.text("computed root", node);
}
