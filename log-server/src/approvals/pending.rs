//! What is pending, counted by API key, by approver and by both together: nobody is asked for more at a time than a person can read, and a
//! revocation finds what it has a part in.
//!
//! ```text
//! n ‖ name ‖ 0 ‖ expires_at ‖ id   one place for each name that a pending confirmation counts for
//! N ‖ name                         how many places there are
//! ```
//!
//! Expiry needs no write, so places of what expired are removed by whoever looks next.

use verifier::names::Username;
use verifier::time::Timestamp;

use super::records::{ApproverSlot, ConfirmationRecord};
use crate::keyspace;
use crate::limits::Limits;
use crate::problem::Problem;
use crate::store::{Store, StoreError};
use crate::writer::{Failed, Transaction};

/// Nobody can tell when somebody will decide, so this is a guess.
const RETRY_AFTER: u64 = 30;

/// Takes the places of a new confirmation, if there is room.
pub(super) fn open(
    tx: &mut Transaction<'_>,
    record: &ConfirmationRecord,
    limits: &Limits,
) -> Result<(), Failed<Problem>> {
    for Places { name, most, limit, whose } in places(record, limits) {
        let pending = count_after_expiry(tx, &name)?;
        if pending >= most {
            let reason =
                format!("{pending} confirmations {whose} are pending, at most {most} may be: the limit is {limit}");
            return Err(Failed::Refused(Problem::TooMany { reason, retry_after: RETRY_AFTER }));
        }
        tx.put(keyspace::pending_count(&name), &(pending + 1));
        tx.put_bytes(keyspace::pending(&name, record.expires_at, &record.id), Vec::new());
    }
    Ok(())
}

/// What a confirmation takes a place of.
struct Places {
    name: String,
    most: u32,
    /// The limit's name in the configuration.
    limit: &'static str,
    /// For words.
    whose: String,
}

/// Of its key; and of each approver the key's share, and all.
fn places(record: &ConfirmationRecord, limits: &Limits) -> Vec<Places> {
    let mut places = vec![Places {
        name: of_key(&record.key_id),
        most: limits.pending_per_key,
        limit: "pending_per_key",
        whose: "of this API key".to_owned(),
    }];
    for ApproverSlot { username, .. } in &record.approvers {
        places.push(Places {
            name: of_both(&record.key_id, username),
            most: limits.pending_per_key_and_approver,
            limit: "pending_per_key_and_approver",
            whose: format!("of this API key that ask {username}"),
        });
        places.push(Places {
            name: of_approver(username),
            most: limits.pending_per_approver,
            limit: "pending_per_approver",
            whose: format!("that ask {username}"),
        });
    }
    places
}

/// Gives the places of a confirmation back: it ended.
pub(super) fn close(tx: &mut Transaction<'_>, record: &ConfirmationRecord) -> Result<(), StoreError> {
    let approvers =
        record.approvers.iter().flat_map(|slot| [of_approver(&slot.username), of_both(&record.key_id, &slot.username)]);
    for name in approvers.chain([of_key(&record.key_id)]) {
        let place = keyspace::pending(&name, record.expires_at, &record.id);
        if tx.get_bytes(&place)?.is_some() {
            tx.delete(place);
            let pending = count(tx, &name)?;
            tx.put(keyspace::pending_count(&name), &pending.saturating_sub(1));
        }
    }
    Ok(())
}

/// The ids of everything that asks somebody and has not ended but perhaps expired.
pub(super) fn asking(tx: &Transaction<'_>, approver: &Username) -> Result<Vec<String>, StoreError> {
    let prefix = keyspace::pending_prefix(&of_approver(approver.as_str()));
    let places = tx.scan(&prefix, &keyspace::after(&prefix))?;
    Ok(places.keys().map(|place| id_in(place, &prefix)).collect())
}

/// The ids of what asks somebody and can still be decided as far as time goes, soonest to expire first.
pub(super) fn asking_from(
    store: &dyn Store,
    approver: &Username,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    let name = of_approver(approver.as_str());
    let prefix = keyspace::pending_prefix(&name);
    let places = store.scan(&keyspace::pending(&name, now.unix(), ""), &keyspace::after(&prefix), limit)?;
    Ok(places.iter().map(|(place, _)| id_in(place, &prefix)).collect())
}

/// Where what an API key asked and can still be decided begins, as far as time goes.
pub(super) fn first_of_key(key_id: &str, now: Timestamp) -> Vec<u8> {
    keyspace::pending(&of_key(key_id), now.unix(), "")
}

/// The ids of what an API key asked, from a place on, and the place behind them; none if there are no more.
pub(super) fn of_key_from(
    store: &dyn Store,
    key_id: &str,
    from: &[u8],
    limit: usize,
) -> Result<(Vec<String>, Option<Vec<u8>>), StoreError> {
    let prefix = keyspace::pending_prefix(&of_key(key_id));
    let places = store.scan(from, &keyspace::after(&prefix), limit)?;
    let behind = places.last().map(|(place, _)| [place.as_slice(), &[0]].concat());
    Ok((places.iter().map(|(place, _)| id_in(place, &prefix)).collect(), behind))
}

fn id_in(place: &[u8], prefix: &[u8]) -> String {
    String::from_utf8_lossy(&place[prefix.len() + 8..]).into_owned()
}

/// How many are pending, once the places of what expired are removed.
fn count_after_expiry(tx: &mut Transaction<'_>, name: &str) -> Result<u32, StoreError> {
    let prefix = keyspace::pending_prefix(name);
    // What expires now can still be decided.
    let not_expired = [prefix.as_slice(), &tx.now().unix().to_be_bytes()].concat();
    let expired = tx.scan(&prefix, &not_expired)?;
    let pending = count(tx, name)?.saturating_sub(u32::try_from(expired.len()).unwrap_or(u32::MAX));
    for place in expired.into_keys() {
        tx.delete(place);
    }
    Ok(pending)
}

fn count(tx: &Transaction<'_>, name: &str) -> Result<u32, StoreError> {
    Ok(tx.get(&keyspace::pending_count(name))?.unwrap_or(0))
}

/// A username has no colon, so no key is mistaken for a person.
fn of_key(id: &str) -> String {
    format!("key:{id}")
}

fn of_both(key_id: &str, username: &str) -> String {
    format!("share:{key_id}:{username}")
}

fn of_approver(username: &str) -> String {
    format!("approver:{username}")
}
