//! Follows a log: from what was seen last to what it serves now, with no entry left out (docs/monitor.md).
//!
//! ```text
//! checkpoint ─ signed by a pinned key ─ extends the last one ─→ the head moves, kept
//!      stretch of entries ─ hashed, shown to be in the head's tree ─ rules, signatures ─ reports delivered ─→ the cursor
//!                                                                                                    moves, kept
//! ```
//!
//! The cursor moves after the work and never before: whatever fails or is killed, the next round begins with the first
//! entry whose reports were not all delivered. So a report may come twice, with one id, and none is left out.
//!
//! Out of scope, and in the command: waiting, trying again, printing, running other programs.

mod error;
mod evidence;
mod files;
mod keep;
mod report;
mod stretch;
mod watch;

pub use error::FollowError;
pub use evidence::{Evidence, Why};
pub use files::StateFiles;
pub use keep::{FactsMark, KeepError, Keeper, Kept};
pub use report::Report;
pub use watch::{Watch, WatchError};

use merkle::CompactRange;
use verifier::trust::Trust;
use verifier::webauthn::SignaturePrimitive;

use crate::reader::{LogReader, Resource};
use crate::rules::{Applied, Pins, State};
use crate::signed::SignedHead;
use evidence::{Compared, compare};
use watch::Watched;

/// Who gets the reports.
pub trait Receiver {
    /// Delivers a report, however long it takes. The words of an error say why there is no way.
    fn deliver(&mut self, report: &Report) -> Result<(), String>;

    /// Whether to end: asked between two stretches.
    fn wants_end(&self) -> bool;
}

/// What a monitor is made of.
pub struct Setup<'a> {
    /// The log.
    pub reader: &'a dyn LogReader,
    /// What is pinned.
    pub trust: &'a Trust,
    /// Verifies signatures.
    pub primitive: &'a (dyn SignaturePrimitive + Sync),
    /// Whom and what to report besides alarms.
    pub watches: &'a [Watch],
}

/// A monitor of one log.
pub struct Follower<'a> {
    setup: Setup<'a>,
    keeper: &'a mut dyn Keeper,
    /// None until the first checkpoint.
    following: Option<Following>,
    /// Set when memory may be ahead of what is kept.
    spent: bool,
}

/// A log that has shown a checkpoint.
struct Following {
    kept: Kept,
    state: State,
    watched: Watched,
}

/// What a round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// How many entries were checked and reported.
    pub entries: u64,
    /// How many of the reports were alarms.
    pub alarms: u64,
    /// Whether the receiver wanted an end before all entries were done.
    pub ended_early: bool,
}

impl<'a> Follower<'a> {
    /// Takes up a log where it was left, or at entry 0.
    pub fn new(setup: Setup<'a>, keeper: &'a mut dyn Keeper) -> Result<Self, FollowError> {
        let following = match keeper.load()? {
            Some((kept, facts)) => Some(Following::restore(kept, &facts, &setup)?),
            None => None,
        };
        Ok(Self { setup, keeper, following, spent: false })
    }

    /// From the newest checkpoint to the last new entry.
    ///
    /// # Panics
    ///
    /// If an earlier round failed with an error that does not pass ([`FollowError::is_passing`]).
    pub fn round(&mut self, receiver: &mut dyn Receiver) -> Result<Round, FollowError> {
        assert!(!self.spent, "a monitor that could not report or keep something is made anew");
        let round = self.go(receiver);
        self.spent = matches!(&round, Err(error) if !error.is_passing());
        round
    }

    fn go(&mut self, receiver: &mut dyn Receiver) -> Result<Round, FollowError> {
        // Never forgotten: as long as the evidence is there, this is all that a monitor does.
        if let Some((place, report)) = self.keeper.evidence()? {
            receiver.deliver(&report).map_err(FollowError::Undelivered)?;
            return Err(FollowError::Inconsistent { place });
        }
        let news = self.look(receiver)?;
        let Some(following) = &mut self.following else { unreachable!("a checkpoint was accepted") };
        let mut round = Round::default();
        while following.kept.range.size() < following.kept.head.checkpoint.size {
            if receiver.wants_end() {
                round.ended_early = true;
                return Ok(round);
            }
            following.advance(&self.setup, self.keeper, receiver, &mut round)?;
        }
        if news || round.entries > 0 {
            let report = Report::of_checkpoint(&following.kept.head, round.entries);
            receiver.deliver(&report).map_err(FollowError::Undelivered)?;
        }
        Ok(round)
    }

    /// Reads the checkpoint, and takes it as the head if it extends the last one. Says whether it is a new one.
    fn look(&mut self, receiver: &mut dyn Receiver) -> Result<bool, FollowError> {
        let Setup { reader, trust, .. } = self.setup;
        let shown = SignedHead::open(&reader.read(Resource::Checkpoint)?, trust)?;
        let Some(following) = &mut self.following else {
            shown.witnesses(trust)?;
            let following = Following::begin(shown, &self.setup);
            self.keeper.save(&following.kept, &[])?;
            self.following = Some(following);
            return Ok(true);
        };
        let known = &following.kept.head;
        if known.checkpoint.log_origin != shown.checkpoint.log_origin {
            let (known, given) = (known.checkpoint.log_origin.clone(), shown.checkpoint.log_origin);
            return Err(FollowError::OtherLog { known, given });
        }
        match compare(known, &shown, reader)? {
            Compared::Same => Ok(false),
            Compared::Grown => {
                shown.witnesses(trust)?;
                following.kept.head = shown;
                // Kept before any entry is read, so that the log cannot take it back.
                self.keeper.save(&following.kept, &[])?;
                Ok(true)
            }
            Compared::Contradiction(evidence) => {
                let report = Report::of_inconsistency(&evidence);
                let place = self.keeper.accuse(&evidence, &report)?;
                receiver.deliver(&report).map_err(FollowError::Undelivered)?;
                Err(FollowError::Inconsistent { place })
            }
        }
    }
}

impl Following {
    fn begin(head: SignedHead, setup: &Setup<'_>) -> Self {
        let log = &head.checkpoint.log_origin;
        let state = State::new(Pins::new(setup.trust, log));
        let watched = Watched::new(setup.watches, log);
        Self { kept: Kept { head, range: CompactRange::new(), facts: FactsMark::default() }, state, watched }
    }

    fn restore(kept: Kept, facts: &[u8], setup: &Setup<'_>) -> Result<Self, FollowError> {
        // The keys are looked at again: the trust file may have changed, or be another log's.
        let head = SignedHead::open(kept.head.note.as_bytes(), setup.trust)?;
        let log = &head.checkpoint.log_origin;
        let state = keep::restore(Pins::new(setup.trust, log), &kept, facts)
            .map_err(|error| KeepError::Damaged { path: "the facts file".to_owned(), reason: error.to_string() })?;
        Ok(Self { state, watched: Watched::new(setup.watches, log), kept })
    }

    /// One stretch: read, judged, reported, kept.
    fn advance(
        &mut self,
        setup: &Setup<'_>,
        keeper: &mut dyn Keeper,
        receiver: &mut dyn Receiver,
        round: &mut Round,
    ) -> Result<(), FollowError> {
        let checkpoint = &self.kept.head.checkpoint;
        let to = stretch::end(self.kept.range.size(), checkpoint.size);
        let entries = stretch::read(&self.kept.range, to, checkpoint, setup.reader)?;
        let mut facts = Vec::new();
        let mut undelivered = None;
        for applied in stretch::judge(&mut self.state, entries, setup.primitive) {
            if let Err(words) = self.report(&applied, receiver, round) {
                undelivered = Some(words);
                break;
            }
            self.pass(&applied, &mut facts);
            round.entries += 1;
        }
        // All before a report that could not be delivered is done, and is not reported again.
        keeper.save(&self.kept, &facts)?;
        undelivered.map_or(Ok(()), |words| Err(FollowError::Undelivered(words)))
    }

    fn report(&self, applied: &Applied, receiver: &mut dyn Receiver, round: &mut Round) -> Result<(), String> {
        let log = &self.kept.head.checkpoint.log_origin;
        let findings = applied.findings.iter().enumerate();
        let findings = findings.map(|(ordinal, finding)| Report::of_finding(log, finding, ordinal));
        let event = applied.event.as_ref().filter(|event| self.watched.covers(event));
        let event = event.map(|event| Report::of_event(log, event, applied.findings.len(), &self.watched));
        for report in findings.chain(event) {
            receiver.deliver(&report)?;
            round.alarms += u64::from(report.alarm);
        }
        Ok(())
    }

    /// An entry is done: the cursor moves in memory.
    fn pass(&mut self, applied: &Applied, facts: &mut Vec<u8>) {
        self.kept.range.append(applied.leaf_hash);
        if let Some(fact) = &applied.fact {
            let start = facts.len();
            fact.encode(facts);
            self.kept.facts = self.kept.facts.after(&facts[start..]);
        }
    }
}

#[cfg(test)]
mod made;
#[cfg(test)]
mod tests;
