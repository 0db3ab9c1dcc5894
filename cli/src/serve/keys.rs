//! The two key files of the data directory, made at the first start and never again.
//!
//! They are made before the database and the anchor, each whole or not at all. So a first start that was cut short finds
//! what it has made and makes the rest, and a database without its key is never the trace of a crash: it is refused.

use log_server::api_keys::ApiKey;
use log_server::identity::Identity;
use log_server::random::{OsRandom, bytes32};
use verifier::note::SignerKey;

use super::{Place, ServeError};
use crate::secret_file;

/// The keys of a server.
pub(super) struct Keys {
    /// The log's key.
    pub(super) log: SignerKey,
    /// The API key that a first start puts into the store.
    pub(super) admin: ApiKey,
}

impl Keys {
    /// Reads the key files; at a first start, makes what is missing.
    pub(super) fn read_or_make(place: &Place, identity: &Identity) -> Result<Self, ServeError> {
        let earlier = place.earlier_data()?;
        match earlier {
            None => place.make_data_dir()?,
            Some(_) => place.require_private()?,
        }
        let log = match (secret_file::read(&place.log_key())?, &earlier) {
            (Some(text), _) => parse_log_key(place, &text)?,
            (None, None) => make_log_key(place, identity)?,
            (None, Some(data)) => {
                return Err(ServeError::KeyMissing { key: place.log_key(), data: data.clone() });
            }
        };
        let admin = match (secret_file::read(&place.admin_key())?, earlier) {
            (Some(text), _) => parse_admin_key(place, &text)?,
            (None, None) => make_admin_key(place)?,
            // It was taken out of the directory, as it should be. The store knows it; this one serves for nothing.
            (None, Some(_)) => ApiKey::generate(&OsRandom),
        };
        Ok(Self { log, admin })
    }
}

fn make_log_key(place: &Place, identity: &Identity) -> Result<SignerKey, ServeError> {
    let damaged = |reason: String| ServeError::KeyDamaged { path: place.log_key(), what: "log key", reason };
    let key =
        SignerKey::from_seed(&identity.log_origin, &bytes32(&OsRandom)).map_err(|error| damaged(error.to_string()))?;
    secret_file::create(&place.log_key(), &(key.to_secret_text() + "\n"))?;
    Ok(key)
}

/// The log key in the text of its file.
pub(crate) fn parse_log_key(place: &Place, text: &str) -> Result<SignerKey, ServeError> {
    SignerKey::from_secret_text(text).map_err(|error| ServeError::KeyDamaged {
        path: place.log_key(),
        what: "log key",
        reason: error.to_string(),
    })
}

fn make_admin_key(place: &Place) -> Result<ApiKey, ServeError> {
    let key = ApiKey::generate(&OsRandom);
    secret_file::create(&place.admin_key(), &format!("{}\n", key.reveal()))?;
    Ok(key)
}

fn parse_admin_key(place: &Place, text: &str) -> Result<ApiKey, ServeError> {
    ApiKey::parse(text).ok_or_else(|| ServeError::KeyDamaged {
        path: place.admin_key(),
        what: "API key",
        reason: "its check symbols do not fit".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_first_start_that_was_cut_short_is_completed_and_a_lost_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(&folder.path().join("data"), &folder.path().join("anchor")).unwrap();
        let identity = Identity::from_public_url("http://localhost:8080").unwrap();
        let made = Keys::read_or_make(&place, &identity).unwrap();
        std::fs::remove_file(place.admin_key()).unwrap();
        let again = Keys::read_or_make(&place, &identity).unwrap();
        assert_eq!(again.log.verifier_key(), made.log.verifier_key());
        assert_ne!(again.admin, made.admin);
        assert_eq!(Keys::read_or_make(&place, &identity).unwrap().admin, again.admin);

        std::fs::create_dir(place.database()).unwrap();
        std::fs::remove_file(place.admin_key()).unwrap();
        assert!(Keys::read_or_make(&place, &identity).is_ok());
        assert!(!place.admin_key().exists());
        std::fs::remove_file(place.log_key()).unwrap();
        assert!(matches!(Keys::read_or_make(&place, &identity), Err(ServeError::KeyMissing { .. })));
        assert!(!place.log_key().exists());
    }
}
