//! Trust files that a verifier reads or refuses. Most that a typing error could make is refused, because a pin that is
//! not understood would pin nothing.

use sha2::{Digest as _, Sha256};
use verifier::encoding::{base64, base64url, from_base64};
use verifier::trust::Trust;

use super::made::{ALEX, LOG, LOG_SEED, RP_ID, Story, Witness, log};

/// One trust file.
pub(crate) struct TrustCase {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) valid: bool,
}

#[test]
fn every_trust_file_is_read_or_refused() {
    for case in cases() {
        let read = Trust::parse(case.text.as_bytes());
        assert_eq!(read.is_ok(), case.valid, "{}: {:?}", case.name, read.err());
    }
}

pub(crate) fn cases() -> Vec<TrustCase> {
    [accepted(), refused_fields(), refused_keys(), refused_origins()].into_iter().flatten().collect()
}

/// The usual trust file with one text replaced.
fn edited(valid: bool, rows: &[(&str, &str, &str)]) -> Vec<TrustCase> {
    let usual = Story::trust().to_json();
    let case = |(name, from, to): &(&str, &str, &str)| {
        assert!(usual.contains(from), "{from} is not in {usual}");
        TrustCase { name: name.replace(' ', "-"), text: usual.replacen(from, to, 1), valid }
    };
    rows.iter().map(case).collect()
}

fn key() -> String {
    log::log_key(LOG, LOG_SEED).verifier_key().to_string()
}

/// The text of a key of these bytes, with their right id.
fn key_of(kind: u8, public: [u8; 32]) -> String {
    let blob = [&[kind][..], &public].concat();
    let id = Sha256::new().chain_update(LOG).chain_update([b'\n']).chain_update(&blob).finalize();
    format!("{LOG}+{:02x}{:02x}{:02x}{:02x}+{}", id[0], id[1], id[2], id[3], base64(&blob))
}

fn witness() -> String {
    Witness { name: "a.example/w", seed: 0x31, time: 0 }.key_text()
}

fn accepted() -> Vec<TrustCase> {
    let credential = base64url(&ALEX.credential());
    let people = format!("{{\"approvers\":{{\"alex\":[\"{credential}\"],\"sam\":[]}},");
    let revoked = format!("{{\"revoked\":{{\"{credential}\":0}},");
    let witnesses = format!("{{\"witness_quorum\":1,\"witnesses\":[\"{}\"],", witness());
    edited(
        true,
        &[
            ("as a server hands it out", "{", "{"),
            ("in another layout", "{", " {\r\n\t"),
            ("nobody", "{", "{\"approvers\":{},"),
            ("people", "{", &people),
            ("a revoked key", "{", &revoked),
            ("a revoked index in another spelling of a whole number", "{", &revoked.replace(":0}", ":20e-1}")),
            ("a revoked key at the largest index", "{", &revoked.replace(":0}", ":9007199254740992}")),
            ("witnesses", "{", &witnesses),
            ("no witnesses", "{", "{\"witness_quorum\":0,\"witnesses\":[],"),
            ("a site above", "\"rp_id\":\"approvals.example.com\"", "\"rp_id\":\"example.com\""),
            ("a port", ".com\"]", ".com:8443\"]"),
        ],
    )
}

fn refused_fields() -> Vec<TrustCase> {
    let credential = base64url(&ALEX.credential());
    let people = format!("{{\"approvers\":{{\"Alex\":[\"{credential}\"]}},");
    let twice = format!("{{\"approvers\":{{\"alex\":[\"{credential}\"],\"alex\":[]}},");
    let padded = format!("{{\"approvers\":{{\"alex\":[\"{credential}=\"]}},");
    let revoked = |index: &str| format!("{{\"revoked\":{{\"{credential}\":{index}}},");
    let site = "\"rp_id\":\"approvals.example.com\"";
    edited(
        false,
        &[
            ("nothing more", "}", "} x"),
            ("no end", "}", ""),
            ("a byte order mark", "{", "\u{feff}{"),
            ("an array", "{", "[{"),
            ("an unknown field", "{", "{\"approver\":{},"),
            ("an unknown field proto", "{", "{\"__proto__\":{},"),
            ("a repeated field", "{", "{\"rp_id\":\"approvals.example.com\","),
            ("a field repeated by an escape", "{", "{\"rp\\u005fid\":\"approvals.example.com\","),
            ("another type", "trust/v1", "trust/v2"),
            ("no type", ",\"type\":\"countersign/trust/v1\"", ""),
            ("no rp_id", &format!("{site},"), ""),
            ("an empty rp_id", site, "\"rp_id\":\"\""),
            ("rp_id in an array", site, "\"rp_id\":[\"approvals.example.com\"]"),
            ("approvers in an array", "{", "{\"approvers\":[\"alex\"],"),
            ("approvers that are null", "{", "{\"approvers\":null,"),
            ("a username with a capital", "{", &people),
            ("a repeated username", "{", &twice),
            ("an approver with a text", "{", "{\"approvers\":{\"alex\":\"\"},"),
            ("a credential with padding", "{", &padded),
            ("a credential that is too short", "{", "{\"approvers\":{\"alex\":[\"AA\"]},"),
            ("a credential that is null", "{", "{\"approvers\":{\"alex\":[null]},"),
            ("a revoked credential that is too short", "{", "{\"revoked\":{\"AA\":1},"),
            ("a revoked index as a text", "{", &revoked("\"1\"")),
            ("a negative revoked index", "{", &revoked("-1")),
            ("a fraction of a revoked index", "{", &revoked("1.5")),
            ("a revoked index that is null", "{", &revoked("null")),
            ("a revoked index beyond 2 to the 53", "{", &revoked("9007199254740994")),
        ],
    )
}

fn refused_keys() -> Vec<TrustCase> {
    let (key, witness) = (key(), witness());
    let logs = format!("\"logs\":[\"{key}\"]");
    let with_id = key.replacen('+', "+0", 1);
    let other_id = key.replacen('+', "+00000000+", 1);
    let of_bytes = |first: u8, rest: u8, last: u8| {
        let mut public = [rest; 32];
        (public[0], public[31]) = (first, last);
        public
    };
    assert_eq!(log::log_key(LOG, LOG_SEED).verifier_key().to_string(), key_of(1, public_of(&key)), "the form of a key");
    let witnesses = |quorum: &str, key: &str| format!("{{\"witness_quorum\":{quorum},\"witnesses\":[\"{key}\"],");
    edited(
        false,
        &[
            ("no logs", &logs, "\"logs\":[]"),
            ("logs as a text", &logs, &format!("\"logs\":\"{key}\"")),
            ("a log that is null", &logs, "\"logs\":[null]"),
            ("a log key with another id", &key, &with_id),
            ("a log key with two ids", &key, &other_id),
            ("a log key without its end", &key, &key[..key.len() - 4]),
            ("a log key with a space", &key, &key.replacen("approvals", "appro vals", 1)),
            ("a log key without a name", &key, &key.replacen(LOG, "", 1)),
            ("a log key of order 1", &key, &key_of(1, of_bytes(1, 0, 0))),
            ("a log key of order 2", &key, &key_of(1, of_bytes(0xec, 0xff, 0x7f))),
            ("a log key of order 4", &key, &key_of(1, of_bytes(0, 0, 0))),
            ("a log key of order 1 with the other sign", &key, &key_of(1, of_bytes(1, 0, 0x80))),
            ("a log key that is not reduced", &key, &key_of(1, of_bytes(0xff, 0xff, 0x7f))),
            ("a log key that is no point", &key, &key_of(1, of_bytes(2, 0, 0))),
            ("a witness key of order 4", "{", &witnesses("1", &key_of(4, of_bytes(0, 0, 0)))),
            ("a log key of a witness", &key, &witness),
            ("a witness key of a log", "{", &witnesses("1", &key)),
            ("a witness quorum without witnesses", "{", "{\"witness_quorum\":1,"),
            ("a witness quorum of more than all", "{", &witnesses("2", &witness)),
            ("a witness quorum of none", "{", &witnesses("0", &witness)),
            ("witnesses without a quorum", "{", &format!("{{\"witnesses\":[\"{witness}\"],")),
            ("a witness quorum as a text", "{", &witnesses("\"1\"", &witness)),
            ("a negative witness quorum", "{", &witnesses("-1", &witness)),
            ("a witness key with another id", "{", &witnesses("1", &witness.replacen('+', "+0", 1))),
        ],
    )
}

fn public_of(key: &str) -> [u8; 32] {
    let blob = from_base64(key.rsplit('+').next().unwrap()).unwrap();
    blob[1..].try_into().unwrap()
}

fn refused_origins() -> Vec<TrustCase> {
    let rows = [
        ("no web origins", "[]"),
        ("web origins as a text", "\"https://approvals.example.com\""),
        ("an empty web origin", "[\"\"]"),
        ("a web origin without its scheme", "[\"approvals.example.com\"]"),
        ("a web origin of http", "[\"http://approvals.example.com\"]"),
        ("a web origin of ftp", "[\"ftp://approvals.example.com\"]"),
        ("a web origin with a path", "[\"https://approvals.example.com/\"]"),
        ("a web origin with a capital", "[\"https://Approvals.example.com\"]"),
        ("a web origin with the default port", "[\"https://approvals.example.com:443\"]"),
        ("a web origin with a port of five zeros", "[\"https://approvals.example.com:08443\"]"),
        ("a web origin with a port that is too large", "[\"https://approvals.example.com:65536\"]"),
        ("a web origin with an empty port", "[\"https://approvals.example.com:\"]"),
        ("a web origin with a user", "[\"https://u@approvals.example.com\"]"),
        ("a web origin with a dot in front", "[\"https://.approvals.example.com\"]"),
        ("a web origin with two dots in a row", "[\"https://a..approvals.example.com\"]"),
        ("a web origin with a dot at the end", "[\"https://approvals.example.com.\"]"),
        ("a web origin of another site", "[\"https://evil.example\"]"),
        ("a web origin that ends so", "[\"https://evilapprovals.example.com\"]"),
        ("a web origin above", "[\"https://example.com\"]"),
        ("a good and a bad web origin", "[\"https://approvals.example.com\",\"https://evil.example\"]"),
    ];
    let origins = "[\"https://approvals.example.com\"]";
    assert!(Story::trust().to_json().contains(RP_ID));
    rows.iter().flat_map(|(name, to)| edited(false, &[(name, origins, to)])).collect()
}
