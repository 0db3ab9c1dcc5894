//! Who is signed in on the page `/me`: in bounded memory, by the hash of a token that only a browser's cookie holds. A restart
//! signs everybody out.
//!
//! A session reads. It decides nothing, enrols nothing and revokes nothing: each of those takes a signature of its own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use verifier::entry::CredentialHash;
use verifier::names::Username;
use verifier::time::Timestamp;

/// After how many seconds without a request a session ends.
const IDLE: u64 = 15 * 60;
/// After how many seconds a session ends in any case.
pub(crate) const LIFE: u64 = 8 * 3600;
/// How many sessions there may be in all; beyond that the one that was used longest ago ends.
const MAX_SESSIONS: usize = 10_000;
/// How many sessions one person may have, so that nobody can end those of others by signing in again and again.
const MAX_OF_ONE: usize = 16;

/// Who is signed in, and with which passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub username: Username,
    /// The passkey that signed; the session ends when it is revoked.
    pub credential: CredentialHash,
}

/// All sessions.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

#[derive(Debug)]
struct Session {
    signed_in: SignedIn,
    began_at: Timestamp,
    used_at: Timestamp,
}

impl Session {
    fn is_over(&self, now: Timestamp) -> bool {
        now > self.used_at.plus(IDLE) || now > self.began_at.plus(LIFE)
    }
}

impl Sessions {
    /// Begins a session under a new token.
    pub(super) fn begin(&self, token: &str, signed_in: SignedIn, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = all.values().filter(|session| session.signed_in.username == signed_in.username).count();
        if all.len() >= MAX_SESSIONS || of_one >= MAX_OF_ONE {
            all.retain(|_, session| !session.is_over(now));
        }
        if of_one >= MAX_OF_ONE {
            end_oldest(&mut all, |session| session.signed_in.username == signed_in.username);
        }
        if all.len() >= MAX_SESSIONS {
            end_oldest(&mut all, |_| true);
        }
        all.insert(hash(token), Session { signed_in, began_at: now, used_at: now });
    }

    /// Whose session it is, if it is not over; using it keeps it from being idle.
    pub(super) fn using(&self, token: &str, now: Timestamp) -> Option<SignedIn> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = all.get_mut(&hash(token))?;
        if session.is_over(now) {
            all.remove(&hash(token));
            return None;
        }
        session.used_at = now;
        Some(session.signed_in.clone())
    }

    /// Ends a session.
    pub(super) fn end(&self, token: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(token));
    }
}

fn end_oldest(all: &mut HashMap<[u8; 32], Session>, of: impl Fn(&Session) -> bool) {
    let oldest = all.iter().filter(|(_, session)| of(session)).min_by_key(|(_, session)| session.used_at);
    let oldest = oldest.map(|(key, _)| *key);
    oldest.map(|key| all.remove(&key));
}

/// Tokens are not kept: who reads the memory of the server later finds no way in.
fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in tests")]

    use super::*;

    fn alex() -> SignedIn {
        SignedIn { username: Username::new("alex").unwrap(), credential: [1; 32] }
    }

    #[test]
    fn a_session_ends_when_idle_and_after_eight_hours() {
        let (all, begin) = (Sessions::default(), Timestamp::from_unix(1_000));
        all.begin("token", alex(), begin);
        assert_eq!(all.using("other", begin), None);
        let mut now = begin;
        while now.plus(IDLE) <= begin.plus(LIFE) {
            now = now.plus(IDLE);
            assert_eq!(all.using("token", now), Some(alex()));
        }
        assert_eq!(all.using("token", begin.plus(LIFE + 1)), None);
        all.begin("token", alex(), begin);
        assert_eq!(all.using("token", begin.plus(IDLE + 1)), None);
        assert_eq!(all.using("token", begin), None, "what is over stays over");
        all.begin("token", alex(), begin);
        all.end("token");
        assert_eq!(all.using("token", begin), None);
    }

    #[test]
    fn one_person_has_a_few_and_ends_nobody_elses() {
        let (all, now) = (Sessions::default(), Timestamp::from_unix(1_000));
        let sam = SignedIn { username: Username::new("sam").unwrap(), credential: [2; 32] };
        all.begin("sam", sam.clone(), now);
        for number in 0..=MAX_OF_ONE {
            all.begin(&format!("alex {number}"), alex(), now.plus(number as u64));
        }
        assert_eq!(all.using("sam", now), Some(sam));
        assert_eq!(all.using("alex 0", now), None);
        assert_eq!(all.using("alex 1", now), Some(alex()));
    }
}
