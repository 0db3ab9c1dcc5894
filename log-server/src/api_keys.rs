//! API keys: `csk_`, 30 random base62 symbols and 6 that check them. The store keeps a hash alone.
//!
//! The prefix lets scanners find a leaked key, the check symbols tell a typing error from an unknown key without asking the
//! store, and 178 random bits make a plain hash enough.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::random::Random;

const PREFIX: &str = "csk_";
const RANDOM: usize = 30;
const CHECK: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The text of an API key. Shown once; its `Debug` form does not show it.
#[derive(Clone, PartialEq, Eq, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub struct ApiKey(String);

/// What an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Ask for confirmations.
    Request,
    /// Append raw entries to the log.
    Append,
    /// Invite people, make keys, revoke.
    Admin,
}

/// What is kept of an API key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Its id.
    pub id: String,
    /// The requester's name, as approvers see it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Whose key it is, if somebody's.
    pub owner: Option<String>,
    /// Whether its owner may not approve what it asks.
    pub separate: bool,
    /// Whom it may ask; anybody if there is no list.
    pub approvers: Option<Vec<String>>,
    /// When it was made, in seconds since 1970.
    pub created_at: u64,
    /// When it was revoked.
    pub revoked_at: Option<u64>,
    /// Its last four symbols, to tell keys apart.
    pub ends_with: String,
}

impl Scope {
    /// The scope as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Append => "append",
            Self::Admin => "admin",
        }
    }
}

impl ApiKey {
    /// Makes a key.
    pub fn generate(random: &dyn Random) -> Self {
        let mut symbols = String::from(PREFIX);
        while symbols.len() < PREFIX.len() + RANDOM {
            let mut byte = [0];
            random.fill(&mut byte);
            // 248 is the largest multiple of 62 below 256: what lies above would make some symbols likelier.
            if byte[0] < 248 {
                symbols.push(char::from(BASE62[usize::from(byte[0] % 62)]));
            }
        }
        let check = check_symbols(&symbols);
        Self(symbols + &check)
    }

    /// Reads a key that somebody sent. A text without the right check symbols is no key.
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.get(..PREFIX.len() + RANDOM)?;
        let valid = body.starts_with(PREFIX)
            && body[PREFIX.len()..].bytes().all(|byte| BASE62.contains(&byte))
            && text[body.len()..] == check_symbols(body);
        valid.then(|| Self(text.to_owned()))
    }

    /// The text, to be shown once or sent in a header.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the store knows it by.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// Its last four symbols.
    pub fn ends_with(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ApiKey(…{})", self.ends_with())
    }
}

fn check_symbols(body: &str) -> String {
    let hash = Sha256::digest(body);
    hash.iter().take(CHECK).map(|byte| char::from(BASE62[usize::from(byte % 62)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn a_key_is_known_by_its_check_symbols() {
        let key = ApiKey::generate(&OsRandom);
        assert_eq!(key.reveal().len(), 40);
        assert_eq!(ApiKey::parse(key.reveal()), Some(key.clone()));
        assert!(!format!("{key:?}").contains(&key.reveal()[4..20]));
        for i in 0..40 {
            let mut bytes = key.reveal().as_bytes().to_vec();
            bytes[i] = if bytes[i] == b'7' { b'8' } else { b'7' };
            assert_eq!(ApiKey::parse(&String::from_utf8_lossy(&bytes)), None, "{i}");
        }
        for text in ["", "csk_", "é", &key.reveal()[..39], &format!("{}a", key.reveal())] {
            assert_eq!(ApiKey::parse(text), None);
        }
    }
}
