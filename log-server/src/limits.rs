//! How much one caller may take: requests in a minute, and long-polls at a time. In memory; a restart forgets it.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::problem::Problem;

/// The limits that an operator may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests with one API key, in a minute.
    pub requests_per_minute_per_key: u32,
    /// New confirmations that ask one approver, in a minute.
    pub requests_per_minute_per_approver: u32,
    /// Messages to one approver about new confirmations, in an hour: requests that say `notify`.
    pub notified_per_hour_per_approver: u32,
    /// Confirmations of one API key that are pending at a time.
    pub pending_per_key: u32,
    /// Confirmations that ask one approver and are pending at a time.
    pub pending_per_approver: u32,
    /// How many of an approver's places one API key may take, so that no key keeps the others out.
    pub pending_per_key_and_approver: u32,
    /// Seconds until the same API key may ask an approver again under a title that they rejected; it grows with every
    /// further rejection.
    pub cool_down_seconds: u32,
    /// Long-polls open at a time.
    pub long_polls: usize,
    /// Long-polls open at a time with one API key.
    pub long_polls_per_key: usize,
    /// Connections open at a time.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_minute_per_key: 60_000,
            requests_per_minute_per_approver: 600,
            notified_per_hour_per_approver: 120,
            pending_per_key: 10_000,
            pending_per_approver: 100,
            pending_per_key_and_approver: share_of(100),
            cool_down_seconds: 60,
            long_polls: 10_000,
            long_polls_per_key: 1_000,
            connections: 12_000,
        }
    }
}

/// The longest wait after rejections, in seconds. Long enough that nobody is worn out by it, and short enough that an honest
/// key that was misunderstood loses no day.
pub const LONGEST_COOL_DOWN: u64 = 3600;

/// For how long after it, in seconds, a rejection makes the wait after the next one longer: the next day is another day.
pub const REJECTIONS_COUNT_FOR: u64 = 24 * 3600;

/// How many rejections in a row, whatever the titles, make a key wait before it asks that approver for anything more. A person
/// rejects a few requests of an honest key one after the other; who changes the title for each try comes to the fifth soon.
pub const ANY_TITLE_AFTER: u32 = 4;

/// The share of an approver's places that one API key may take where nobody sets it: a fifth, so that it takes five keys to
/// keep the others out, and one key still has more than a person reads in a while.
pub const fn share_of(pending_per_approver: u32) -> u32 {
    pending_per_approver.div_ceil(5)
}

/// Sign-ins that may begin in a minute, of everybody together: nobody has said who they are. Even with a full minute's at once
/// that makes fewer challenges in the time that each is kept than are kept at a time, so that whoever begins many keeps
/// others from beginning and pushes out none that has begun.
const SIGN_INS_PER_MINUTE: u32 = 1500;

/// Keeps the limits.
pub struct Gate {
    limits: Limits,
    keys: Rate,
    approvers: Rate,
    /// Of what one approver may be asked, what one API key may ask.
    approvers_by_key: Rate,
    sign_ins: Rate,
    messages: Rate,
    messages_by_key: Rate,
    polls: Arc<Mutex<Polls>>,
}

/// How much of an approver's minute or hour one API key may take: whoever asks without end, refused or not, leaves the others
/// theirs.
fn share(most: u32) -> u32 {
    most.div_ceil(2)
}

/// So much in a time for each name.
struct Rate {
    limiter: DefaultKeyedRateLimiter<String>,
    most: u32,
    of: &'static str,
    calls: Mutex<u32>,
}

#[derive(Default)]
struct Polls {
    all: usize,
    by_key: HashMap<String, usize>,
}

/// A long-poll's place; dropped, it is free again.
pub struct PollPlace {
    polls: Arc<Mutex<Polls>>,
    key_id: String,
}

impl Gate {
    /// Keeps these limits.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            sign_ins: Rate::new(SIGN_INS_PER_MINUTE, Quota::per_minute, "sign-ins in a minute"),
            keys: Rate::new(limits.requests_per_minute_per_key, Quota::per_minute, "requests in a minute"),
            approvers: Rate::new(limits.requests_per_minute_per_approver, Quota::per_minute, "requests in a minute"),
            approvers_by_key: Rate::new(
                share(limits.requests_per_minute_per_approver),
                Quota::per_minute,
                "requests of this API key in a minute",
            ),
            messages: Rate::new(limits.notified_per_hour_per_approver, Quota::per_hour, "messages in an hour"),
            messages_by_key: Rate::new(
                share(limits.notified_per_hour_per_approver),
                Quota::per_hour,
                "messages of this API key in an hour",
            ),
            polls: Arc::default(),
        }
    }

    /// Counts a request of an API key.
    pub fn request(&self, key_id: &str) -> Result<(), Problem> {
        self.keys.take(key_id, "this API key")
    }

    /// Counts a confirmation that an API key asks an approver. What is refused to the key takes nothing from the others.
    pub fn ask(&self, key_id: &str, approver: &str) -> Result<(), Problem> {
        self.approvers_by_key.take(&format!("{key_id} {approver}"), approver)?;
        self.approvers.take(approver, approver)
    }

    /// Counts a sign-in that begins.
    pub fn sign_in(&self) -> Result<(), Problem> {
        self.sign_ins.take("", "all sign-ins together")
    }

    /// Counts a confirmation that an approver is told of, asked by an API key.
    pub fn notify(&self, key_id: &str, approver: &str) -> Result<(), Problem> {
        self.messages_by_key.take(&format!("{key_id} {approver}"), approver)?;
        self.messages.take(approver, approver)
    }

    /// Takes a place for a long-poll.
    pub fn poll(&self, key_id: &str) -> Result<PollPlace, Problem> {
        let mut polls = self.polls.lock().unwrap_or_else(PoisonError::into_inner);
        if polls.all >= self.limits.long_polls {
            return Err(Problem::Busy("too many long-polls are open"));
        }
        let of_key = polls.by_key.entry(key_id.to_owned()).or_default();
        if *of_key >= self.limits.long_polls_per_key {
            let reason = format!("{} long-polls are open with this API key", self.limits.long_polls_per_key);
            return Err(Problem::TooMany { reason, retry_after: 5 });
        }
        *of_key += 1;
        polls.all += 1;
        Ok(PollPlace { polls: self.polls.clone(), key_id: key_id.to_owned() })
    }
}

impl Drop for PollPlace {
    fn drop(&mut self) {
        let mut polls = self.polls.lock().unwrap_or_else(PoisonError::into_inner);
        polls.all -= 1;
        if let Some(of_key) = polls.by_key.get_mut(&self.key_id) {
            *of_key -= 1;
            if *of_key == 0 {
                polls.by_key.remove(&self.key_id);
            }
        }
    }
}

impl Rate {
    fn new(most: u32, quota: fn(NonZeroU32) -> Quota, of: &'static str) -> Self {
        let quota = quota(NonZeroU32::new(most).unwrap_or(NonZeroU32::MIN));
        Self { limiter: RateLimiter::keyed(quota), most, of, calls: Mutex::new(0) }
    }

    fn take(&self, name: &str, whose: &str) -> Result<(), Problem> {
        self.forget_the_idle();
        self.limiter.check_key(&name.to_owned()).map_err(|wait| Problem::TooMany {
            reason: format!("more than {} {} for {whose}", self.most, self.of),
            retry_after: wait.wait_time_from(DefaultClock::default().now()).as_secs() + 1,
        })
    }

    /// Names that did nothing for a while are dropped now and then, so that memory stays bounded.
    fn forget_the_idle(&self) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls += 1;
        if *calls >= 10_000 {
            *calls = 0;
            drop(calls);
            self.limiter.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approvals::{CEREMONY, MAX_CEREMONIES};

    #[test]
    fn long_polls_are_counted_in_all_and_for_each_key() {
        let gate = Gate::new(Limits { long_polls: 3, long_polls_per_key: 2, ..Limits::default() });
        let first = gate.poll("a");
        let second = gate.poll("a");
        assert!(first.is_ok() && second.is_ok());
        assert!(matches!(gate.poll("a"), Err(Problem::TooMany { .. })));
        let third = gate.poll("b");
        assert!(matches!(gate.poll("c"), Err(Problem::Busy(_))));
        drop((first, third));
        assert!(gate.poll("a").is_ok());
    }

    /// A minute's sign-ins at once, and as many in every minute that a challenge is kept: all of them have room.
    #[test]
    fn sign_ins_never_push_one_another_out() {
        let most = u64::from(SIGN_INS_PER_MINUTE) * (1 + CEREMONY.div_ceil(60));
        assert!(most <= MAX_CEREMONIES as u64, "{most}");
    }

    #[test]
    fn requests_are_counted_by_name() {
        let gate = Gate::new(Limits { requests_per_minute_per_approver: 2, ..Limits::default() });
        assert!(gate.ask("one", "alex").is_ok() && gate.ask("two", "alex").is_ok());
        assert!(matches!(gate.ask("three", "alex"), Err(Problem::TooMany { retry_after: 1..=31, .. })));
        assert!(gate.ask("one", "sam").is_ok());
    }

    #[test]
    fn what_one_key_asks_too_often_takes_nothing_from_the_others() {
        let (requests_per_minute_per_approver, notified_per_hour_per_approver) = (10, 10);
        let gate =
            Gate::new(Limits { requests_per_minute_per_approver, notified_per_hour_per_approver, ..Limits::default() });
        for take in [Gate::ask, Gate::notify] {
            let accepted = (0..100).filter(|_| take(&gate, "greedy", "alex").is_ok()).count();
            assert_eq!(accepted, 5);
            assert!((0..5).all(|_| take(&gate, "honest", "alex").is_ok()));
        }
    }
}
