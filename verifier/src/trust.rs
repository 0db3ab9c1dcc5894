//! The trust file: what a verifier pins. Everything else in a receipt is a claim.
//!
//! ```json
//! {"type": "countersign/trust/v1", "logs": ["<verifier key>"], "rp_id": "…", "web_origins": ["…"],
//!  "approvers"?: {"<username>": ["<credential>"]}, "revoked"?: {"<credential>": <index>},
//!  "witnesses"?: ["<verifier key>"], "witness_quorum"?: 1}
//! ```
//!
//! If `approvers` is there it is complete: an unlisted name or key fails.

use std::collections::BTreeMap;

use crate::encoding;
use crate::entry::CredentialHash;
use crate::fields::{FieldError, Fields};
use crate::json::{self, Limits, Numbers, Object, Value};
use crate::names::Username;
use crate::note::{VerifierKey, WitnessKey};
use crate::webauthn::RelyingParty;
use crate::words::quoted;

/// The largest trust file, in bytes.
pub const MAX_TRUST: usize = 1024 * 1024;

const TYPE: &str = "countersign/trust/v1";

/// What a verifier pins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The keys of the logs that are believed; a key's name is its log origin.
    pub logs: Vec<VerifierKey>,
    /// The site on which people approve.
    pub relying_party: RelyingParty,
    /// Who may approve, and with which keys. None: whoever the log enrolled.
    pub approvers: Option<BTreeMap<Username, Vec<CredentialHash>>>,
    /// From which index on a key's decisions are not believed any more.
    pub revoked: BTreeMap<CredentialHash, u64>,
    /// The witnesses whose cosignatures count.
    pub witnesses: Vec<WitnessKey>,
    /// How many of them must have cosigned.
    pub witness_quorum: usize,
}

/// Why a text is not a trust file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Not JSON.
    #[error(transparent)]
    Json(#[from] json::Error),
    /// Not the fields of a trust file.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A rule between fields.
    #[error("{0}")]
    Rule(String),
}

impl Trust {
    /// Parses and checks a trust file.
    pub fn parse(bytes: &[u8]) -> Result<Self, TrustError> {
        let limits = Limits { max_bytes: MAX_TRUST, max_depth: 4, numbers: Numbers::Exact };
        let value = json::parse(bytes, limits)?;
        let fields = Fields::at_most(
            &value,
            &["approvers", "logs", "revoked", "rp_id", "type", "web_origins", "witness_quorum", "witnesses"],
        )?;
        fields.require_type(TYPE)?;
        let trust = Self {
            logs: fields.strings("logs")?.into_iter().map(parse_key).collect::<Result<_, _>>()?,
            relying_party: RelyingParty {
                rp_id: fields.string("rp_id")?.to_owned(),
                web_origins: fields.strings("web_origins")?.into_iter().map(str::to_owned).collect(),
            },
            approvers: fields.get("approvers").map(parse_approvers).transpose()?,
            revoked: fields.get("revoked").map(parse_revoked).transpose()?.unwrap_or_default(),
            witnesses: match fields.get("witnesses") {
                Some(_) => fields.strings("witnesses")?.into_iter().map(parse_key).collect::<Result<_, _>>()?,
                None => Vec::new(),
            },
            witness_quorum: match fields.get("witness_quorum") {
                Some(_) => usize::try_from(fields.integer("witness_quorum")?).unwrap_or(usize::MAX),
                None => 0,
            },
        };
        trust.check()?;
        Ok(trust)
    }

    /// What a server hands out about itself: its log key and its site, no people.
    pub fn of_server(log: VerifierKey, relying_party: RelyingParty) -> Self {
        Self {
            logs: vec![log],
            relying_party,
            approvers: None,
            revoked: BTreeMap::new(),
            witnesses: Vec::new(),
            witness_quorum: 0,
        }
    }

    /// The trust file's text, for a trust file without people and witnesses.
    pub fn to_json(&self) -> String {
        Value::from(Object::new([
            ("logs", self.logs.iter().map(|key| key.to_string().into()).collect()),
            ("rp_id", self.relying_party.rp_id.as_str().into()),
            ("type", TYPE.into()),
            ("web_origins", self.relying_party.web_origins.iter().map(|origin| origin.as_str().into()).collect()),
        ]))
        .to_canonical()
    }

    fn check(&self) -> Result<(), TrustError> {
        let rule = |words: &str| Err(TrustError::Rule(words.to_owned()));
        if self.logs.is_empty() || self.relying_party.web_origins.is_empty() {
            return rule("logs and web_origins must not be empty");
        }
        for web_origin in &self.relying_party.web_origins {
            check_web_origin(web_origin, &self.relying_party.rp_id)?;
        }
        if self.witness_quorum > self.witnesses.len() {
            return rule("witness_quorum is larger than the number of witnesses");
        }
        if self.witness_quorum == 0 && !self.witnesses.is_empty() {
            return rule("witnesses without a witness_quorum would not be asked");
        }
        Ok(())
    }
}

fn parse_key<K: std::str::FromStr<Err = crate::note::KeyError>>(text: &str) -> Result<K, TrustError> {
    text.parse().map_err(|error| TrustError::Rule(format!("{}: {error}", quoted(text))))
}

/// A web origin is https, or http for localhost, with the relying party id as its host or a parent of it.
///
/// It is compared with what browsers write, so a path, an upper-case letter or a default port would never match.
pub fn check_web_origin(web_origin: &str, rp_id: &str) -> Result<(), TrustError> {
    let refuse = |why: &str| Err(TrustError::Rule(format!("the web origin {} {why}", quoted(web_origin))));
    let (scheme, authority) = web_origin.split_once("://").unwrap_or(("", web_origin));
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let form = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if !host.split('.').all(|label| !label.is_empty() && label.bytes().all(form)) {
        return refuse("is not scheme, host and port alone");
    }
    if port.is_some_and(|port| port.parse::<u16>().map(|n| n.to_string()).as_deref() != Ok(port)) {
        return refuse("has a port that is no number");
    }
    let local = host == "localhost" || host.ends_with(".localhost");
    match (scheme, port) {
        ("https", Some("443")) | ("http", Some("80")) => return refuse("must leave out the default port"),
        ("https", _) => {}
        ("http", _) if local => {}
        _ => return refuse("must be https, or http for localhost"),
    }
    let parent = host.strip_suffix(rp_id).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if rp_id.is_empty() || !parent {
        return refuse("does not have rp_id as its host or a parent of it");
    }
    Ok(())
}

fn credential(text: &str) -> Result<CredentialHash, TrustError> {
    encoding::array_from_base64url(text)
        .map_err(|_| TrustError::Rule(format!("the credential {} is not base64url of 32 bytes", quoted(text))))
}

fn parse_approvers(value: &Value) -> Result<BTreeMap<Username, Vec<CredentialHash>>, TrustError> {
    let expected = FieldError::Wrong { field: "approvers", expected: "usernames with arrays of credentials" };
    let members = value.as_object().ok_or_else(|| expected.clone())?;
    let listed = |(name, keys): (&str, &Value)| {
        let name = Username::new(name).map_err(|error| TrustError::Rule(format!("{}: {error}", quoted(name))))?;
        let keys = keys.as_array().ok_or_else(|| expected.clone())?;
        let keys = keys.iter().map(|key| credential(key.as_str().unwrap_or_default())).collect::<Result<_, _>>()?;
        Ok((name, keys))
    };
    members.iter().map(listed).collect()
}

fn parse_revoked(value: &Value) -> Result<BTreeMap<CredentialHash, u64>, TrustError> {
    let expected = FieldError::Wrong { field: "revoked", expected: "credentials with log indexes" };
    let members = value.as_object().ok_or_else(|| expected.clone())?;
    let listed = |(key, index): (&str, &Value)| {
        Ok((credential(key)?, index.as_u64().ok_or_else(|| TrustError::from(expected.clone()))?))
    };
    members.iter().map(listed).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::note::SignerKey;

    fn server() -> Trust {
        let key = SignerKey::from_seed("localhost:8080/log", &[1; 32]).unwrap().verifier_key();
        let web_origins = vec!["http://localhost:8080".into()];
        Trust::of_server(key, RelyingParty { rp_id: "localhost".into(), web_origins })
    }

    #[test]
    fn a_server_s_trust_file_round_trips() {
        assert_eq!(Trust::parse(server().to_json().as_bytes()), Ok(server()));
    }

    #[test]
    fn people_and_revocations_are_read() {
        let credential = encoding::base64url(&[9; 32]);
        let pinned = format!(r#"{{"approvers":{{"alex":["{credential}"]}},"revoked":{{"{credential}":7}},"#);
        let trust = Trust::parse(server().to_json().replacen('{', &pinned, 1).as_bytes()).unwrap();
        assert_eq!(trust.approvers.unwrap()[&Username::new("alex").unwrap()], vec![[9; 32]]);
        assert_eq!(trust.revoked[&[9; 32]], 7);
    }

    #[test]
    fn unknown_repeated_and_wrong_fields_are_errors() {
        let good = server().to_json();
        for (from, to) in [
            ("{", r#"{"approver":{},"#),
            ("{", r#"{"rp_id":"localhost","#),
            ("{", r#"{"approvers":{"Alex":[]},"#),
            ("{", r#"{"approvers":{"alex":["AA"]},"#),
            ("{", r#"{"witness_quorum":1,"#),
            ("{", r#"{"revoked":{"AA":1},"#),
            ("trust/v1", "trust/v2"),
            ("\"rp_id\":\"localhost\"", "\"rp_id\":\"localhos\""),
            ("http://localhost:8080", "http://localhost:8080/"),
            ("+", "+0"),
        ] {
            assert!(Trust::parse(good.replacen(from, to, 1).as_bytes()).is_err(), "{from} -> {to}");
        }
    }

    #[test]
    fn web_origins_belong_to_the_relying_party() {
        for (web_origin, rp_id) in [
            ("https://approve.example.com", "approve.example.com"),
            ("https://approve.example.com:8443", "example.com"),
            ("http://localhost:8080", "localhost"),
        ] {
            assert_eq!(check_web_origin(web_origin, rp_id), Ok(()), "{web_origin}");
        }
        for (web_origin, rp_id) in [
            ("http://approve.example.com", "approve.example.com"),
            ("https://approve.example.com.", "approve.example.com"),
            ("https://approve.example.com.", "approve.example.com."),
            ("https://.localhost", "localhost"),
            ("http://.localhost:8080", ".localhost"),
            ("https://a..example.com", "example.com"),
            ("https://.", "."),
            ("https://badexample.com", "example.com"),
            ("https://example.com", "approve.example.com"),
            ("https://Example.com", "example.com"),
            ("https://example.com:443", "example.com"),
            ("https://example.com:08443", "example.com"),
            ("https://u@example.com", "example.com"),
            ("https://example.com", ""),
            ("example.com", "example.com"),
            ("ftp://example.com", "example.com"),
        ] {
            assert!(check_web_origin(web_origin, rp_id).is_err(), "{web_origin} {rp_id}");
        }
    }
}
