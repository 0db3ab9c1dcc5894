//! `notify` of a request: who is told of it on which channel, and what the messages say.

use super::outbox::{self, About, Draft, NotificationRecord};
use super::records::ConfirmationRecord;
use super::{Approvals, contacts};
use crate::notifications::{Changed, Channel, Couriers, Message, Words};
use crate::problem::Problem;
use crate::writer::{Failed, Transaction};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notify {
    /// On each of these.
    Each(&'static [Channel]),
    /// On the first of these that there is, and on the next one if that fails.
    First(&'static [Channel]),
}

use Channel::{Email, Telegram};

impl Notify {
    /// Reads the word, if the server has what it asks for.
    pub(super) fn read(word: Option<&str>, couriers: &Couriers) -> Result<Self, Problem> {
        let notify = match word.unwrap_or("none") {
            "none" => Self::Each(&[]),
            "email" => Self::Each(&[Email]),
            "telegram" => Self::Each(&[Telegram]),
            "telegram_or_email" => Self::First(&[Telegram, Email]),
            "all" => Self::Each(&[Email, Telegram]),
            _ => return Err(Problem::invalid("notify", "none, email, telegram, telegram_or_email or all")),
        };
        let missing = match notify {
            Self::Each(channels) => channels.iter().find(|channel| !couriers.has(**channel)).map(|it| it.as_str()),
            Self::First(channels) if channels.iter().any(|channel| couriers.has(*channel)) => None,
            Self::First(_) => Some("telegram and no channel email"),
        };
        match missing {
            Some(names) => Err(Problem::invalid("notify", format!("this server has no channel {names}"))),
            None => Ok(notify),
        }
    }

    pub(super) fn is_none(self) -> bool {
        self == Self::Each(&[])
    }

    /// The channels on which one approver is told, each with the one to try when it fails.
    fn channels(
        self,
        tx: &Transaction<'_>,
        couriers: &Couriers,
        approver: &str,
    ) -> Result<Vec<(Channel, Option<Channel>)>, Failed<Problem>> {
        let missing = |names: &str| {
            let reason = format!("{approver} has no confirmed contact for {names}");
            Err(Failed::Refused(Problem::invalid("notify", reason)))
        };
        match self {
            Self::Each(channels) => {
                for channel in channels {
                    if !contacts::has_address(tx, approver, *channel)? {
                        return missing(channel.as_str());
                    }
                }
                Ok(channels.iter().map(|channel| (*channel, None)).collect())
            }
            Self::First(channels) => {
                let possible: Vec<_> = channels.iter().copied().filter(|channel| couriers.has(*channel)).collect();
                let mut there = Vec::new();
                for channel in &possible {
                    if contacts::has_address(tx, approver, *channel)? {
                        there.push(*channel);
                    }
                }
                if let Some(first) = there.first() {
                    return Ok(vec![(*first, there.get(1).copied())]);
                }
                let names: Vec<_> = possible.iter().map(|it| it.as_str()).collect();
                missing(&names.join(" or "))
            }
        }
    }
}

/// Writes the messages about a new confirmation: one for everybody who may decide, on each of their channels.
pub(super) fn tell(
    tx: &mut Transaction<'_>,
    record: &ConfirmationRecord,
    notify: Notify,
    couriers: &Couriers,
) -> Result<(), Failed<Problem>> {
    for slot in &record.approvers {
        for (channel, otherwise) in notify.channels(tx, couriers, &slot.username)? {
            let half = tx.now().unix().midpoint(record.expires_at);
            let draft = Draft {
                id: outbox::id_for(&record.id, channel, &slot.username),
                channel,
                username: &slot.username,
                about: About::Confirmation { id: record.id.clone() },
                expires_at: otherwise.map_or(record.expires_at, |_| half),
                due: None,
                otherwise,
            };
            outbox::write_draft(tx, draft);
        }
    }
    Ok(())
}

impl Approvals {
    /// What is sent for a record; none if it is of no use any more.
    pub(crate) fn message(&self, record: &NotificationRecord) -> Result<Option<Message>, Problem> {
        if self.time.now().unix() > record.expires_at {
            return Ok(None);
        }
        let (username, public_url) = (record.username.as_str(), self.identity.public_url.as_str());
        let mut replaces = None;
        let (to, words) = match &record.about {
            About::Confirmation { id } => match self.asked(id, username, record.channel)? {
                Some(asked) => asked,
                None => return Ok(None),
            },
            About::Verification { token, .. } if !self.is_proposed(token)? => return Ok(None),
            About::Verification { address, token } => {
                let url = format!("{public_url}/contact/{token}");
                (address.clone(), Words::confirm_address(username, &url, public_url))
            }
            About::Change { address, removed, added } => {
                let what = match (added, removed) {
                    (true, _) => Changed::Added,
                    (false, true) => Changed::Removed,
                    (false, false) => Changed::Replaced,
                };
                (address.clone(), Words::contact_changed(username, record.channel, what, public_url))
            }
            About::Linked { address } => (address.clone(), Words::chat_linked(username, public_url)),
            // For a program: see `webhooks.rs`.
            About::Result { .. } => return Ok(None),
            About::Ended { id, address, reference } => {
                replaces = Some(reference.clone());
                (address.clone(), self.ended(id, username)?)
            }
        };
        let at = verifier::time::Timestamp::from_unix(record.created_at);
        Ok(Some(Message { id: record.message_id(&self.identity.relying_party.rp_id), to, at, words, replaces }))
    }

    /// Address and words for somebody who can still decide, and can be reached.
    fn asked(&self, id: &str, username: &str, channel: Channel) -> Result<Option<(String, Words)>, Problem> {
        let current = self.current(id)?;
        let slot = current.record.slot(username);
        if current.status != api::Status::Pending || slot.is_none_or(|slot| slot.decision.is_some()) {
            return Ok(None);
        }
        let Some(address) = self.address(username, channel)? else { return Ok(None) };
        let core = current.record.parsed_core()?;
        let words = Words::asked(&core, username, channel, &self.approve_url(id), &self.identity.public_url);
        let words = if self.couriers.show_payload() { words.with_payload(&core) } else { words };
        Ok(Some((address, words)))
    }

    /// What a message about a request says once that has ended.
    fn ended(&self, id: &str, username: &str) -> Result<Words, Problem> {
        let current = self.current(id)?;
        if current.status == api::Status::Pending {
            return Err(Problem::Busy("how it ended is not published yet"));
        }
        Ok(Words::ended(&current.record.parsed_core()?, username, current.status))
    }
}
