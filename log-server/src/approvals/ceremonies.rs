//! The challenges of ceremonies under way: in bounded memory, each for one use, none for long. A restart forgets them.
//!
//! Each kind of ceremony has its own, so that a challenge made for one never serves another, and nobody who begins many of
//! one kind can push out those of another.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use verifier::time::Timestamp;

use super::add_passkey::Addition;
use super::change_contact::Change;
use super::enrol::Enrolment;
use super::remove_passkey::Removal;
use super::sign_in::SignIn;

/// How long a person may take for a ceremony, in seconds.
pub(crate) const CEREMONY: u64 = 300;
/// How many ceremonies of a kind may be under way; beyond that the oldest are forgotten.
pub(crate) const MAX_CEREMONIES: usize = 10_000;

/// All ceremonies under way.
#[derive(Debug, Default)]
pub struct Ceremonies {
    pub(super) enrolments: Challenges<Enrolment>,
    pub(super) sign_ins: Challenges<SignIn>,
    pub(super) additions: Challenges<Addition>,
    pub(super) removals: Challenges<Removal>,
    pub(super) contact_changes: Challenges<Change>,
}

/// The challenges of one kind of ceremony, and what each was made for.
#[derive(Debug)]
pub(super) struct Challenges<T>(Mutex<HashMap<Vec<u8>, Begun<T>>>);

#[derive(Debug)]
struct Begun<T> {
    ceremony: T,
    expires_at: Timestamp,
}

impl<T> Default for Challenges<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Challenges<T> {
    /// Remembers a challenge for as long as a ceremony may take.
    pub(super) fn put(&self, challenge: &[u8], ceremony: T, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_CEREMONIES {
            all.retain(|_, begun| begun.expires_at >= now);
        }
        if all.len() >= MAX_CEREMONIES {
            let oldest = all.iter().min_by_key(|(_, begun)| begun.expires_at).map(|(key, _)| key.clone());
            oldest.map(|key| all.remove(&key));
        }
        all.insert(challenge.to_vec(), Begun { ceremony, expires_at: now.plus(CEREMONY) });
    }

    /// Takes a challenge out, so that it serves once.
    pub(super) fn take(&self, challenge: &[u8], now: Timestamp) -> Option<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(challenge).filter(|begun| begun.expires_at >= now).map(|begun| begun.ceremony)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_serves_once_and_not_for_long() {
        let (all, now) = (Challenges::default(), Timestamp::from_unix(1_000));
        all.put(b"a", 1, now);
        all.put(b"b", 2, now);
        assert_eq!(all.take(b"a", now.plus(CEREMONY)), Some(1));
        assert_eq!(all.take(b"a", now), None);
        assert_eq!(all.take(b"b", now.plus(CEREMONY + 1)), None);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes_first() {
        let (all, now) = (Challenges::default(), Timestamp::from_unix(1_000));
        all.put(b"first", 0, now);
        for number in 0..MAX_CEREMONIES {
            all.put(&number.to_be_bytes(), number, now.plus(1));
        }
        assert_eq!(all.take(b"first", now), None);
        assert_eq!(all.take(&7_usize.to_be_bytes(), now.plus(1)), Some(7));
    }
}
