//! Which request a call is about: the pending one that asks the same, or a new one.
//!
//! A host that lost an answer calls again, so a call with the same content must find the same request, in whatever session
//! and after a restart. A request that ended must not be found again: an approval is for one run, and a later call is about
//! a later run. So only what is pending is found, and the idempotency key of a new request counts how many equal ones ended
//! before it in its hour. Two calls at one moment make one key, and so one request.

use std::time::Duration;

use api::Status;
use sha2::{Digest as _, Sha256};
use verifier::encoding::base64url;
use verifier::json::{Object, Value};

use crate::desk::{Ask, Desk, Seen, Trouble};

/// How many pending requests with the same title are compared.
const MAX_COMPARED: usize = 8;
/// How often the same may be asked in an hour, each time after the one before has ended.
const MAX_TIMES: u32 = 32;
/// What a key's count begins anew with, in seconds.
const WINDOW: u64 = 3600;

/// The request that a call is about.
pub(crate) async fn find_or_create<D: Desk>(desk: &D, caller: &D::Caller, ask: &Ask) -> Result<Seen, Trouble> {
    if let Some(found) = find(desk, caller, ask).await? {
        return Ok(found);
    }
    let window = desk.now().unix() / WINDOW;
    for times in 0..MAX_TIMES {
        let id = desk.create(caller, ask, &key(ask, window, times)).await?;
        let seen = desk.look(caller, &id, Duration::ZERO).await?;
        if seen.confirmation.status == Status::Pending {
            return Ok(seen);
        }
    }
    let words = format!("this was asked {MAX_TIMES} times within an hour, and each time it ended; do not ask again");
    Err(Trouble::new("too-many", words))
}

/// A pending request of the caller with this content. One made just before the hour was full has a key of that hour.
async fn find<D: Desk>(desk: &D, caller: &D::Caller, ask: &Ask) -> Result<Option<Seen>, Trouble> {
    let pending = desk.pending(caller, &ask.approver).await?;
    let alike = pending.iter().filter(|summary| summary.action == ask.action);
    for summary in alike.take(MAX_COMPARED) {
        // One that ended meanwhile, or that an admin sees and did not make, is none of these.
        let Ok(seen) = desk.look(caller, &summary.id, Duration::ZERO).await else { continue };
        let core = &seen.core;
        let same = core.action == ask.action && core.payload == ask.payload && core.approvers == [ask.approver.clone()];
        if same && seen.confirmation.status == Status::Pending {
            return Ok(Some(seen));
        }
    }
    Ok(None)
}

/// The key of a request: its content, the hour, and how many equal ones ended before it.
fn key(ask: &Ask, window: u64, times: u32) -> String {
    let content = Value::from(Object::new([
        ("action", Value::from(ask.action.as_str())),
        ("approver", ask.approver.as_str().into()),
        ("expires_in", ask.expires_in.to_string().into()),
        ("payload", ask.payload.clone().into()),
        ("times", times.into()),
        ("window", window.to_string().into()),
    ]));
    let hash = Sha256::digest(format!("countersign/mcp-request/v1\n{}", content.to_canonical()));
    format!("mcp-{}", base64url(&hash))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use crate::made::{MadeDesk, ask};

    async fn id(desk: &MadeDesk, ask: &Ask) -> String {
        find_or_create(desk, &(), ask).await.unwrap().confirmation.id
    }

    #[tokio::test]
    async fn a_pending_request_is_found_again_also_in_the_next_hour() {
        let desk = MadeDesk::new();
        let first = id(&desk, &ask()).await;
        assert_eq!(id(&desk, &ask()).await, first);
        desk.advance(60);
        assert_eq!(id(&desk, &ask()).await, first);
        let other = Ask { payload: verifier::json::Object::default(), ..ask() };
        assert_ne!(id(&desk, &other).await, first);
        assert_eq!(desk.count(), 2);
    }

    #[tokio::test]
    async fn what_ended_is_not_found_again_however_it_ended() {
        let desk = MadeDesk::new();
        let mut before = id(&desk, &ask()).await;
        for status in [Status::Approved, Status::Rejected, Status::Expired, Status::Cancelled] {
            desk.becomes(status, None);
            let next = id(&desk, &ask()).await;
            assert_ne!(next, before, "{status:?}");
            assert_eq!(id(&desk, &ask()).await, next);
            before = next;
        }
    }

    #[tokio::test]
    async fn the_same_is_not_asked_for_ever() {
        let desk = MadeDesk::new();
        for _ in 0..MAX_TIMES {
            find_or_create(&desk, &(), &ask()).await.unwrap();
            desk.becomes(Status::Expired, None);
        }
        assert_eq!(find_or_create(&desk, &(), &ask()).await.unwrap_err().code, "too-many");
        desk.advance(WINDOW);
        assert!(find_or_create(&desk, &(), &ask()).await.is_ok());
    }

    #[test]
    fn calls_at_one_moment_have_one_key_and_others_another() {
        let other = Ask { expires_in: 60, ..ask() };
        let keys = [key(&ask(), 1, 0), key(&ask(), 1, 1), key(&ask(), 2, 0), key(&other, 1, 0)];
        assert_eq!(keys[0], key(&ask(), 1, 0));
        let different: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
    }
}
