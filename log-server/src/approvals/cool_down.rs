//! After a rejection an API key waits before it asks that approver again: under the same title, whatever the payload, and after
//! several rejections in a row under any title. Every further rejection doubles the wait; an approval by the same person, or a
//! day without a rejection, ends the row.
//!
//! ```text
//! R ‖ key id ‖ hash   the rejections in a row, by the hash of approver and title, and by that of the approver alone
//! ```
//!
//! The title and not the payload, because whoever wants to tire somebody out changes a byte of the payload; and any title in the
//! end, because the title has bytes too.

use api::{RejectedTitle, Status};
use verifier::document::Core;
use verifier::json::Object;

use super::precedents::hash;
use super::records::{ConfirmationRecord, RejectionsRecord};
use super::{Approvals, time_text};
use crate::keyspace;
use crate::limits::{ANY_TITLE_AFTER, LONGEST_COOL_DOWN, REJECTIONS_COUNT_FOR};
use crate::problem::Problem;
use crate::store::StoreError;
use crate::writer::{Failed, Transaction};

/// Where the rejections of a confirmation are counted. Hashed before the writer is asked.
pub(super) struct Rows(Vec<[Row; 2]>);

/// Rejections by one approver in a row.
#[derive(Clone, Copy)]
struct Row {
    hash: [u8; 32],
    /// How many of them ask for no wait yet.
    free: u32,
    /// What the row is about, for words.
    of: &'static str,
}

impl Rows {
    /// For each approver of a core, in their order.
    pub(super) fn of(core: &Core) -> Self {
        let rows = core.approvers.iter().map(|approver| {
            let approver = approver.as_str();
            let anything = Object::new([("approver", approver.into())]);
            [of_title(core, approver), Row { hash: hash(anything), free: ANY_TITLE_AFTER, of: "under any title" }]
        });
        Self(rows.collect())
    }

    /// Refuses to ask somebody who rejected what this key asked before, until the wait is over.
    pub(super) fn check(
        &self,
        tx: &Transaction<'_>,
        key_id: &str,
        core: &Core,
        seconds: u32,
    ) -> Result<(), Failed<Problem>> {
        let now = tx.now().unix();
        for (approver, rows) in core.approvers.iter().zip(&self.0) {
            for row in rows {
                let Some(before) = tx.get::<RejectionsRecord>(&row.key(key_id))? else { continue };
                let cool_at = before.at.saturating_add(wait(seconds, before.times.saturating_sub(row.free)));
                if cool_at > now {
                    let reason = format!(
                        "{approver} rejected what this API key asked {}, last at {} and {} in a row; it can ask {approver} \
                         so again at {}: the limit is cool_down_seconds, {seconds}, doubled by each further rejection up \
                         to {LONGEST_COOL_DOWN}",
                        row.of,
                        time_text(before.at),
                        before.times,
                        time_text(cool_at)
                    );
                    return Err(Failed::Refused(Problem::TooMany { reason, retry_after: cool_at - now }));
                }
            }
        }
        Ok(())
    }

    /// Counts how a confirmation ended, if by a decision.
    pub(super) fn count(
        &self,
        tx: &mut Transaction<'_>,
        record: &ConfirmationRecord,
        status: Status,
    ) -> Result<(), StoreError> {
        for (slot, rows) in record.approvers.iter().zip(&self.0) {
            let Some(decision) = slot.decision.as_ref().filter(|decision| decision.revoked_at.is_none()) else {
                continue;
            };
            for row in rows {
                let key = row.key(&record.key_id);
                let before = tx.get::<RejectionsRecord>(&key)?;
                match status {
                    Status::Rejected if !decision.approves => {
                        let counts =
                            |before: &RejectionsRecord| before.at + REJECTIONS_COUNT_FOR >= decision.decided_at;
                        let times = before.filter(counts).map_or(0, |before| before.times).saturating_add(1);
                        tx.put(key, &RejectionsRecord { times, at: decision.decided_at });
                    }
                    Status::Approved if before.is_some() => tx.delete(key),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

impl Approvals {
    /// What this approver rejected in a row of all that the same key asked under this title, whatever its payload. They know
    /// it: it is their own doing.
    pub(super) fn rejected_title(
        &self,
        key_id: &str,
        core: &Core,
        approver: &str,
    ) -> Result<Option<RejectedTitle>, Problem> {
        let before: Option<RejectionsRecord> = self.record(&of_title(core, approver).key(key_id))?;
        Ok(before.map(|before| RejectedTitle { times: before.times, at: time_text(before.at) }))
    }
}

fn of_title(core: &Core, approver: &str) -> Row {
    let title = Object::new([("action", core.action.as_str().into()), ("approver", approver.into())]);
    Row { hash: hash(title), free: 0, of: "under this title" }
}

impl Row {
    fn key(&self, key_id: &str) -> Vec<u8> {
        keyspace::rejections(key_id, &self.hash)
    }
}

/// The wait after so many rejections that ask for one.
fn wait(seconds: u32, times: u32) -> u64 {
    let Some(doublings) = times.checked_sub(1) else { return 0 };
    let grown = u64::from(seconds).saturating_mul(1_u64.checked_shl(doublings).unwrap_or(u64::MAX));
    // An operator who sets more than the longest means it.
    grown.min(LONGEST_COOL_DOWN.max(u64::from(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_an_hour() {
        for (seconds, times, expected) in [
            (60, 0, 0),
            (60, 1, 60),
            (60, 2, 120),
            (60, 3, 240),
            (60, 6, 1920),
            (60, 7, 3600),
            (60, u32::MAX, 3600),
            (0, 9, 0),
            (7200, 1, 7200),
            (7200, 2, 7200),
        ] {
            assert_eq!(wait(seconds, times), expected, "{seconds} {times}");
        }
    }
}
