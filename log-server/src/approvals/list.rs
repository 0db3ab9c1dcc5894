//! Listing confirmations, newest first, in pages.

use api::{ConfirmationList, ConfirmationSummary, Status};
use verifier::encoding::{self, base64url};

use super::confirmation::view;
use super::records::ConfirmationRecord;
use super::{Approvals, time_text};
use crate::api_keys::{KeyRecord, Scope};
use crate::keyspace;
use crate::problem::Problem;

/// The listing that holds everybody's confirmations. No key has this id.
pub(super) const EVERYBODY: &str = "*";

const MAX_PAGE: usize = 100;
const DEFAULT_PAGE: usize = 50;
/// How many records one page looks at, so that a rare filter cannot make a request long.
const MAX_LOOK: usize = 2000;

/// What to list.
#[derive(Debug, Default, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Only those with this status.
    pub status: Option<Status>,
    /// Only those that ask this person.
    pub approver: Option<String>,
    /// Where to go on: the `nextCursor` of the page before.
    pub cursor: Option<String>,
    /// At most so many, 1 to 100.
    pub limit: Option<usize>,
}

impl Approvals {
    /// The confirmations of a requester; an admin sees everybody's.
    pub fn list(&self, key: &KeyRecord, query: &ListQuery) -> Result<ConfirmationList, Problem> {
        let limit = query.limit.unwrap_or(DEFAULT_PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Problem::invalid("limit", format!("{limit}, 1 to {MAX_PAGE} are allowed")));
        }
        let listing = if key.scopes.contains(&Scope::Admin) { EVERYBODY } else { &key.id };
        let prefix = keyspace::listing_prefix(listing);
        let from = match &query.cursor {
            Some(cursor) => after_cursor(cursor, &prefix)?,
            None => prefix.clone(),
        };
        let (now, published) = (self.time.now(), self.writer.published().head.size);
        let pairs = self.store.scan(&from, &keyspace::after(&prefix), MAX_LOOK)?;
        let mut page = Vec::new();
        let mut last = None;
        for (place, _) in &pairs {
            if page.len() == limit {
                break;
            }
            last = Some(place);
            let id = String::from_utf8_lossy(&place[prefix.len() + 8..]).into_owned();
            let Some(record) = self.record::<ConfirmationRecord>(&keyspace::confirmation(&id))? else { continue };
            let status = view(&record, published, now);
            let wanted = query.status.is_none_or(|wanted| wanted == status)
                && query.approver.as_deref().is_none_or(|name| record.slot(name).is_some());
            if wanted {
                page.push(summary(&record, status)?);
            }
        }
        let more =
            last.is_some_and(|last| pairs.last().is_some_and(|(place, _)| place != last)) || pairs.len() == MAX_LOOK;
        let next_cursor = last.filter(|_| more).map(|place| base64url(&place[prefix.len()..]));
        Ok(ConfirmationList { confirmations: page, next_cursor })
    }
}

/// The place behind a cursor. A cursor is bound to the caller's own listing, so it leads nowhere else.
fn after_cursor(cursor: &str, prefix: &[u8]) -> Result<Vec<u8>, Problem> {
    let place = encoding::from_base64url(cursor).map_err(|_| Problem::invalid("cursor", "is not one of ours"))?;
    Ok([prefix, &place, &[0]].concat())
}

fn summary(record: &ConfirmationRecord, status: Status) -> Result<ConfirmationSummary, Problem> {
    let core = record.parsed_core()?;
    Ok(ConfirmationSummary {
        id: record.id.clone(),
        status,
        action: core.action,
        requester: core.requester,
        approvers: record.approvers.iter().map(|slot| slot.username.clone()).collect(),
        created_at: core.issued_at.to_string(),
        expires_at: time_text(record.expires_at),
    })
}
