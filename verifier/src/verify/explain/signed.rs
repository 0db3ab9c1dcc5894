//! The values of what an approver signed: document, challenge, client data, authenticator data, signature.

use sha2::{Digest as _, Sha256};

use super::{Lines, Parts, canonical};
use crate::entry::DecisionEntry;
use crate::trust::Trust;
use crate::webauthn::{Assertion, ClientData, es256_numbers, signed_message};

pub(super) fn documents(parts: &Parts, lines: &mut Lines) {
    for (n, (part, document)) in parts.receipt.decisions.iter().zip(&parts.documents).enumerate() {
        lines.part(format!("decisions[{n}]"));
        lines.text("size in bytes", part.document.len());
        lines.sha256("document hash", part.document.as_bytes());
        let Some(document) = document else { continue };
        let core = &document.core;
        lines.text("log origin", &core.log);
        lines.text("approver", &document.approver);
        lines.hex("label", &document.approver.label(&core.log).0);
        lines.text("payload size in bytes", canonical(&core.payload).len());
        lines.hex("payload hash", &core.payload_hash());
        lines.sha256("core hash", core.to_canonical().as_bytes());
        lines.text("compare code", core.compare_code());
    }
}

pub(super) fn challenges(parts: &Parts, lines: &mut Lines) {
    let decisions = parts.receipt.decisions.iter().zip(&parts.documents).zip(&parts.decisions);
    for (n, ((part, document), entry)) in decisions.enumerate() {
        lines.part(format!("decisions[{n}]"));
        if let Some(document) = document {
            lines.hex("nonce", &document.core.nonce);
        }
        lines.sha256("document hash", part.document.as_bytes());
        if let Some(entry) = entry {
            as_signed(&entry.assertion, lines);
        }
    }
}

/// The challenge inside the client data, if that can be read.
pub(super) fn as_signed(assertion: &Assertion, lines: &mut Lines) {
    if let Ok(client_data) = ClientData::decode(&assertion.client_data_json) {
        lines.hex("challenge as signed", &client_data.challenge);
    } else {
        lines.text("client data size in bytes", assertion.client_data_json.len());
        lines.sha256("client data hash", &assertion.client_data_json);
    }
}

pub(super) fn client_data(parts: &Parts, lines: &mut Lines) {
    each_decision(parts, lines, |entry, lines| {
        let bytes = &entry.assertion.client_data_json;
        lines.text("size in bytes", bytes.len());
        lines.sha256("client data hash", bytes);
        if let Ok(client_data) = ClientData::decode(bytes) {
            lines.text("type", &client_data.ceremony_type);
            lines.text("web origin", &client_data.origin);
        }
    });
}

pub(super) fn authenticator_data(parts: &Parts, trust: &Trust, lines: &mut Lines) {
    lines.text("rp_id in the trust file", &trust.relying_party.rp_id);
    lines.sha256("its hash", trust.relying_party.rp_id.as_bytes());
    each_decision(parts, lines, |entry, lines| {
        let bytes = &entry.assertion.authenticator_data;
        lines.text("size in bytes", bytes.len());
        lines.hex("authenticator data", bytes);
        let Some((rp_id_hash, rest)) = bytes.split_first_chunk::<32>() else { return };
        lines.hex("rpIdHash", rp_id_hash);
        let Some(([flags, counter @ ..], _)) = rest.split_first_chunk::<5>() else { return };
        lines.text("flags", flags_in_words(*flags));
        lines.text("counter", u32::from_be_bytes(*counter));
    });
}

fn flags_in_words(flags: u8) -> String {
    const BITS: [&str; 8] = [
        "user present (UP)",
        "reserved bit 1",
        "user verified (UV)",
        "backup eligible (BE)",
        "backed up (BS)",
        "reserved bit 5",
        "attested credential (AT)",
        "extensions (ED)",
    ];
    let set: Vec<_> = BITS.iter().enumerate().filter(|(n, _)| flags >> n & 1 == 1).map(|(_, word)| *word).collect();
    format!("0x{flags:02x}: {}", if set.is_empty() { "none".to_owned() } else { set.join(", ") })
}

pub(super) fn signatures(parts: &Parts, lines: &mut Lines) {
    each_decision(parts, lines, |entry, lines| {
        let key = |public_key: &[u8]| entry.credential[..] == Sha256::digest(public_key)[..];
        let enrolled = parts.enrolments.iter().flatten().find(|enrolment| key(&enrolment.public_key));
        let algorithm = enrolled.map_or("", |enrolment| &enrolment.alg);
        lines.hex("credential", &entry.credential);
        lines.text("algorithm", algorithm);
        signature(&entry.assertion, algorithm, lines);
    });
}

/// What was signed, and the signature; of ES256 its two numbers too.
pub(super) fn signature(assertion: &Assertion, algorithm: &str, lines: &mut Lines) {
    let message = signed_message(&assertion.authenticator_data, &assertion.client_data_json);
    lines.hex("signed message", &message);
    lines.sha256("signed message hash", &message);
    lines.hex("signature", &assertion.signature);
    if algorithm == "ES256"
        && let Some((r, s)) = es256_numbers(&assertion.signature)
    {
        lines.hex("r", &r);
        lines.hex("s", &s);
    }
}

fn each_decision(parts: &Parts, lines: &mut Lines, show: impl Fn(&DecisionEntry, &mut Lines)) {
    for (n, entry) in parts.decisions.iter().enumerate() {
        lines.part(format!("decisions[{n}]"));
        if let Some(entry) = entry {
            show(entry, lines);
        }
    }
}
