//! What a caller expects of a receipt. A receipt proves what was decided; only the caller knows what it is about to do.

use super::facts::Facts;
use crate::document::Decision;
use crate::encoding::base64url;
use crate::json::{Object, Value};
use crate::names::Username;
use crate::time::Timestamp;
use crate::words::quoted;

/// What a caller expects. What is left out is not checked, and the report says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expectation {
    /// The exact payload.
    pub payload: Option<Object>,
    /// The exact title.
    pub action: Option<String>,
    /// Exactly who was asked and how many had to approve.
    pub approvers: Option<Approvers>,
    /// What was decided; approve if left out.
    pub decision: Option<Decision>,
    /// The confirmation's id.
    pub id: Option<String>,
    /// The exact core, as the requester was given it.
    pub core: Option<String>,
    /// The requester's name.
    pub requester: Option<String>,
    /// The time now and the greatest age of the last decision, in seconds.
    pub max_age: Option<(Timestamp, u64)>,
    /// The time now, for a caller about to act: `use_by` must not have passed.
    pub usable_at: Option<Timestamp>,
}

/// Who is expected to have been asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvers {
    /// The names, in any order.
    pub names: Vec<Username>,
    /// How many had to approve.
    pub quorum: u32,
}

impl Expectation {
    /// Compares with what was decided. Names what was compared, or the first thing that differs.
    pub(super) fn check(&self, facts: &Facts) -> Result<String, String> {
        self.check_all_but_decision(facts)?;
        let expected = self.decision.unwrap_or(Decision::Approve);
        if facts.decision != expected {
            return Err(format!("the decision is {}, expected {expected}", facts.decision));
        }
        let stated = self.stated();
        Ok(format!("as expected: {}", [&["decision"], stated.as_slice()].concat().join(", ")))
    }

    /// Whether the decision is the only thing that differs.
    pub(super) fn only_decision_differs(&self, facts: &Facts) -> bool {
        self.check_all_but_decision(facts).is_ok()
    }

    /// The expectations that the caller did not state, by name.
    pub fn not_stated(&self) -> Vec<&'static str> {
        self.table().into_iter().filter_map(|(name, stated)| (!stated).then_some(name)).collect()
    }

    fn stated(&self) -> Vec<&'static str> {
        self.table().into_iter().filter_map(|(name, stated)| stated.then_some(name)).collect()
    }

    fn table(&self) -> [(&'static str, bool); 8] {
        [
            ("payload", self.payload.is_some()),
            ("action", self.action.is_some()),
            ("approvers", self.approvers.is_some()),
            ("id", self.id.is_some()),
            ("core", self.core.is_some()),
            ("requester", self.requester.is_some()),
            ("age", self.max_age.is_some()),
            ("use_by", self.usable_at.is_some()),
        ]
    }

    fn check_all_but_decision(&self, facts: &Facts) -> Result<(), String> {
        let core = &facts.core;
        if let Some(payload) = &self.payload
            && *payload != core.payload
        {
            let text = |payload: &Object| shortened(&Value::from(payload.clone()).to_canonical());
            return Err(format!("the payload is {}, expected {}", text(&core.payload), text(payload)));
        }
        same("action", self.action.as_deref(), &core.action)?;
        if let Some(expected) = &self.approvers {
            expected.check(&core.approvers, core.quorum)?;
        }
        same("id", self.id.as_deref(), core.id.as_str())?;
        if let Some(expected) = &self.core {
            same("core", Some(expected), &core.to_canonical())?;
        }
        same("requester", self.requester.as_deref(), &core.requester)?;
        if let Some((now, limit)) = self.max_age {
            let age = now.unix().saturating_sub(facts.decided_at().unix());
            if age > limit {
                return Err(format!("decided {age} seconds ago, at most {limit} are expected"));
            }
        }
        match self.usable_at {
            Some(now) if now > core.use_by => Err(format!("it could be used until {}, now is {now}", core.use_by)),
            _ => Ok(()),
        }
    }
}

impl Approvers {
    fn check(&self, asked: &[Username], quorum: u32) -> Result<(), String> {
        let mut names = self.names.clone();
        names.sort();
        let list = |names: &[Username]| names.iter().map(Username::as_str).collect::<Vec<_>>().join(", ");
        if names != asked {
            return Err(format!("the approvers are {}, expected {}", list(asked), list(&names)));
        }
        if self.quorum != quorum {
            return Err(format!("the quorum is {quorum}, expected {}", self.quorum));
        }
        Ok(())
    }
}

fn same(what: &str, expected: Option<&str>, given: &str) -> Result<(), String> {
    match expected {
        Some(expected) if expected != given => {
            let (found, wanted) = (quoted(&shortened(given)), quoted(&shortened(expected)));
            Err(format!("the {what} is {found}, expected {wanted}"))
        }
        _ => Ok(()),
    }
}

/// A text that fits on a line of a report; beyond that its hash tells two texts apart.
fn shortened(text: &str) -> String {
    use sha2::Digest as _;
    const LIMIT: usize = 200;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}… (SHA-256 {})", &text[..end], base64url(&sha2::Sha256::digest(text))),
        None => text.to_owned(),
    }
}
