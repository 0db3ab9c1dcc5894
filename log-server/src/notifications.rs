//! Telling people of what waits for them: channels, the messages that go through them, and the worker that sends them.
//!
//! What is to be sent is written down with its cause, in one batch (`approvals/outbox.rs`); here it leaves the machine. A
//! message is a pointer to a page: it shows the title and who asks, the payload only where the operator wants that, and no
//! link in it changes anything.
//!
//! A channel is added by its name in [`Channel`], a [`Courier`], and an address that `approvals/contacts.rs` takes.

mod address;
mod mail;
mod mime;
mod telegram;
mod webhook;
mod words;
mod worker;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use verifier::time::Timestamp;

pub use address::{AddressError, EmailAddress};
pub use mail::{Credentials, Mail, MailError, MailSettings, Security};
pub(crate) use telegram::{Chat, receive};
pub use telegram::{Receive, Telegram, TelegramError, TelegramSettings};
pub use webhook::Webhooks;
pub use webhook::address::Allowed as AllowedOrigins;
pub use webhook::lookup::{Found, Lookup, system as system_lookup};
pub(crate) use webhook::signature::WebhookKeys;
pub use webhook::signature::WebhookRoot;
pub(crate) use webhook::{Event, NotTaken};
pub(crate) use words::Changed;
pub use words::Words;
pub(crate) use worker::work;

/// A way to reach somebody. A server has those that its operator set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// E-mail.
    Email,
    /// A Telegram chat.
    Telegram,
    /// A call to a requester's server: told to nobody who decides.
    Webhook,
}

/// What is sent, whatever the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same for every try, so that whoever receives it twice can tell: `<…@host>`, the form of a Message-ID.
    pub id: String,
    /// The address, in the channel's own form.
    pub to: String,
    /// When its cause was.
    pub at: Timestamp,
    /// What it says.
    pub words: Words,
    /// The message that it takes the place of, as the channel knows that.
    pub replaces: Option<String>,
}

/// Why a message did not leave, or why nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// Another try may go through.
    #[error("{0}")]
    Later(String),
    /// The other side wants nothing at all from us for so many seconds.
    #[error("{error}")]
    After {
        /// Its words.
        error: String,
        /// How long.
        seconds: u64,
    },
    /// The other side refuses this message or address for good.
    #[error("{0}")]
    Never(String),
}

/// What a [`Courier`] answers with: what the channel knows the message by, where it can be changed later.
pub type Delivery<'a> = Pin<Box<dyn Future<Output = Result<Option<String>, Undelivered>> + Send + 'a>>;

/// Brings messages through one channel. It must end by itself, however slow the other side is.
pub trait Courier: Send + Sync + 'static {
    /// Tries once. `Ok` only when the other side has taken the message over.
    fn deliver<'a>(&'a self, message: &'a Message) -> Delivery<'a>;
}

/// The channels that a server has.
#[derive(Clone, Default)]
pub struct Couriers {
    by_channel: BTreeMap<Channel, Way>,
    telegram: Option<Arc<Telegram>>,
    /// Whether messages about requests show the payload.
    show_payload: bool,
    webhooks: Option<(Arc<Webhooks>, usize)>,
}

/// One channel, and how many of its messages are under way at a time: a slow one does not hold the others.
#[derive(Clone)]
struct Way {
    courier: Arc<dyn Courier>,
    at_a_time: usize,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Email, Self::Telegram, Self::Webhook];
    /// Those on which approvers are told.
    pub const OF_PEOPLE: [Self; 2] = [Self::Email, Self::Telegram];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Telegram => "telegram",
            Self::Webhook => "webhook",
        }
    }
}

impl Couriers {
    /// With one more channel, and so many of its messages under way at a time.
    #[must_use]
    pub fn with(mut self, channel: Channel, courier: Arc<dyn Courier>, at_a_time: usize) -> Self {
        self.by_channel.insert(channel, Way { courier, at_a_time });
        self
    }

    /// With Telegram, where chats are linked by writing to the bot.
    #[must_use]
    pub fn with_telegram(mut self, telegram: Arc<Telegram>, at_a_time: usize) -> Self {
        self.telegram = Some(telegram.clone());
        self.with(Channel::Telegram, telegram, at_a_time)
    }

    /// With the payload in the messages about requests, or without it, which is how they are if nobody says.
    #[must_use]
    pub fn showing_payload(self, show_payload: bool) -> Self {
        Self { show_payload, ..self }
    }

    /// Whether messages about requests show the payload.
    pub(crate) fn show_payload(&self) -> bool {
        self.show_payload
    }

    /// With webhooks to requesters, so many under way at a time.
    #[must_use]
    pub fn with_webhooks(mut self, webhooks: Arc<Webhooks>, at_a_time: usize) -> Self {
        self.webhooks = Some((webhooks, at_a_time));
        self
    }

    /// Whether there is anything to send with.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_channel.is_empty() && self.webhooks.is_none()
    }

    /// Whether there is this channel.
    pub fn has(&self, channel: Channel) -> bool {
        self.by_channel.contains_key(&channel)
    }

    /// The names of the channels.
    pub fn channels(&self) -> impl Iterator<Item = Channel> {
        self.by_channel.keys().copied()
    }

    /// The bot, if there is one.
    pub(crate) fn telegram(&self) -> Option<&Arc<Telegram>> {
        self.telegram.as_ref()
    }

    /// The webhooks, if there are any.
    pub(crate) fn webhooks(&self) -> Option<&Arc<Webhooks>> {
        self.webhooks.as_ref().map(|(webhooks, _)| webhooks)
    }

    /// How many messages of a channel are under way at a time.
    fn at_a_time(&self, channel: Channel) -> usize {
        match channel {
            Channel::Webhook => self.webhooks.as_ref().map_or(1, |(_, at_a_time)| *at_a_time),
            Channel::Email | Channel::Telegram => self.by_channel.get(&channel).map_or(1, |way| way.at_a_time),
        }
    }

    fn of(&self, channel: Channel) -> Option<Way> {
        self.by_channel.get(&channel).cloned()
    }
}
