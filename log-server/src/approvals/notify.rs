//! `notify` of a request: who is told of it on which channel, and what the messages say.

use super::outbox::{self, About, NotificationRecord};
use super::records::ConfirmationRecord;
use super::{Approvals, contacts};
use crate::notifications::{Channel, Couriers, Message, Words};
use crate::problem::Problem;
use crate::writer::{Failed, Transaction};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notify {
    /// On each of these.
    Each(&'static [Channel]),
    /// On the first of these that there is.
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

    /// The channels on which one approver is told.
    fn channels(
        self,
        tx: &Transaction<'_>,
        couriers: &Couriers,
        approver: &str,
    ) -> Result<Vec<Channel>, Failed<Problem>> {
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
                Ok(channels.to_vec())
            }
            Self::First(channels) => {
                for channel in channels {
                    if couriers.has(*channel) && contacts::has_address(tx, approver, *channel)? {
                        return Ok(vec![*channel]);
                    }
                }
                let names: Vec<_> =
                    channels.iter().filter(|channel| couriers.has(**channel)).map(|it| it.as_str()).collect();
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
        for channel in notify.channels(tx, couriers, &slot.username)? {
            let id = outbox::id_for(&record.id, channel, &slot.username);
            let about = About::Confirmation { id: record.id.clone() };
            outbox::write(tx, id, channel, &slot.username, about, record.expires_at);
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
            About::Change { address, removed } => {
                let words = Words::address_changed(username, record.channel.as_str(), *removed, public_url);
                (address.clone(), words)
            }
        };
        let at = verifier::time::Timestamp::from_unix(record.created_at);
        Ok(Some(Message { id: record.message_id(&self.identity.relying_party.rp_id), to, at, words }))
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
        let words = Words::asked(&core, username, &self.approve_url(id), &self.identity.public_url);
        Ok(Some((address, words)))
    }
}
