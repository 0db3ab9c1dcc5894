//! Telegram by its Bot API (core.telegram.org/bots/api) over HTTPS: messages without any markup, their link as a button, and
//! changed once the request has ended. How chats are linked: `telegram/updates.rs`.
//!
//! The API knows no idempotency: if its answer is lost on the way, nobody knows, and the message is sent again.

mod call;
mod text;
mod updates;

use std::time::Duration;

use reqwest::redirect::Policy;
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq as _;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use super::{Courier, Delivery, Message, Undelivered};
use call::Refusal;
pub(crate) use updates::{Chat, receive};

/// How the bot hears what is written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receive {
    /// It asks, and the answer waits until there is something: nothing has to reach this server from outside.
    Poll,
    /// Telegram calls this server at its public URL.
    Webhook,
}

/// How Telegram is used.
#[derive(Clone)]
pub struct TelegramSettings {
    /// The bot's token: whoever has it is the bot.
    pub token: Zeroizing<String>,
    /// Where the Bot API is, without a slash at the end.
    pub api: String,
    /// How long one call may take.
    pub timeout: Duration,
    /// How the bot hears.
    pub receive: Receive,
}

/// Why Telegram cannot be used with these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TelegramError {
    /// The token. It is not shown.
    #[error("the token is not of the form that BotFather gives: a number, a colon, and letters, digits, _ or -")]
    Token,
    /// The address of the API.
    #[error(
        "api: {0:?} is no address such as https://api.telegram.org; http is for this machine (localhost, 127.0.0.1, ::1)"
    )]
    Api(String),
    /// TLS.
    #[error("HTTP cannot be set up: {0}")]
    Http(String),
}

/// A bot.
pub struct Telegram {
    client: reqwest::Client,
    /// Holds the token: never in a log or an error.
    base: Zeroizing<String>,
    token: Zeroizing<String>,
    timeout: Duration,
    receive: Receive,
    /// Made anew at each start, and told to Telegram.
    secret: Zeroizing<String>,
    name: OnceCell<String>,
}

#[derive(Deserialize)]
struct Me {
    username: String,
}

#[derive(Deserialize)]
struct SentMessage {
    message_id: i64,
}

impl Telegram {
    /// Checks the settings. `secret` is what Telegram's calls must bring along: random letters, digits, _ or -.
    pub fn new(settings: TelegramSettings, secret: String) -> Result<Self, TelegramError> {
        if !is_token(&settings.token) {
            return Err(TelegramError::Token);
        }
        let api = settings.api.trim_end_matches('/');
        let plain = is_usable(api).ok_or_else(|| TelegramError::Api(settings.api.clone()))?;
        let mut builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")));
        if plain {
            // Without TLS no certificate authorities are needed. This machine is not reached through a proxy.
            builder = builder.tls_certs_only([]).no_proxy();
        }
        Ok(Self {
            client: builder.build().map_err(|error| TelegramError::Http(error.to_string()))?,
            base: format!("{api}/bot{}/", *settings.token).into(),
            token: settings.token,
            timeout: settings.timeout,
            receive: settings.receive,
            secret: secret.into(),
            name: OnceCell::new(),
        })
    }

    /// The bot's name, asked for once.
    pub async fn name(&self) -> Result<String, Undelivered> {
        let asked = self.name.get_or_try_init(async || {
            let me: Me = self.call("getMe", &json!({}), self.timeout).await.map_err(Refusal::into_undelivered)?;
            let usual = me.username.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if usual { Ok(me.username) } else { Err(Undelivered::Later("the bot's name is none".to_owned())) }
        });
        asked.await.cloned()
    }

    /// Whether a call to this server brings the secret along that Telegram was told. Takes the same time wherever they differ.
    pub(crate) fn is_called_with(&self, secret: &[u8]) -> bool {
        self.receive == Receive::Webhook && bool::from(self.secret.as_bytes().ct_eq(secret))
    }

    async fn send(&self, message: &Message) -> Result<Option<String>, Undelivered> {
        let Ok(chat) = message.to.parse::<i64>() else {
            return Err(Undelivered::Never("the contact is not a chat".to_owned()));
        };
        if let Some(reference) = &message.replaces {
            return self.change(chat, reference, message).await.map(|()| None);
        }
        let sent = self.call::<SentMessage>("sendMessage", &text::body(chat, &message.words), self.timeout).await;
        Ok(Some(sent.map_err(Refusal::into_undelivered)?.message_id.to_string()))
    }

    async fn change(&self, chat: i64, reference: &str, message: &Message) -> Result<(), Undelivered> {
        let Ok(id) = reference.parse::<i64>() else {
            return Err(Undelivered::Never("the message has no number".to_owned()));
        };
        let mut body = text::body(chat, &message.words);
        body["message_id"] = id.into();
        // Said although it is the default: what asked for a decision must lead nowhere any more.
        body["reply_markup"] = json!({"inline_keyboard": []});
        match self.call::<serde_json::Value>("editMessageText", &body, self.timeout).await {
            // It says so already, or its owner has deleted it: there is nothing left to do.
            Ok(_) => Ok(()),
            Err(refusal) if refusal.says_it_is_done() => Ok(()),
            Err(refusal) => Err(refusal.into_undelivered()),
        }
    }
}

impl Courier for Telegram {
    fn deliver<'a>(&'a self, message: &'a Message) -> Delivery<'a> {
        Box::pin(self.send(message))
    }
}

fn is_token(token: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    token.len() <= 256
        && token.split_once(':').is_some_and(|(id, secret)| {
            let number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
            number && !secret.is_empty() && secret.bytes().all(allowed)
        })
}

/// Whether it is without TLS; none if it is no address that may be called.
fn is_usable(api: &str) -> Option<bool> {
    let url = reqwest::Url::parse(api).ok()?;
    let bare =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    let host = url.host_str().filter(|_| bare)?;
    match url.scheme() {
        "https" => Some(false),
        "http" if super::mail::is_loopback(host.trim_matches(['[', ']'])) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn made(token: &str, api: &str) -> Result<Telegram, TelegramError> {
        let settings = TelegramSettings {
            token: token.to_owned().into(),
            api: api.to_owned(),
            timeout: Duration::from_secs(1),
            receive: Receive::Webhook,
        };
        Telegram::new(settings, "secret".to_owned())
    }

    #[test]
    fn a_token_and_an_address_are_checked_at_once() {
        for token in ["", "123", ":abc", "123:", "12a:abc", "123:a/b", "123:a b", "123:a\nb", "123:../x"] {
            assert_eq!(made(token, "https://api.telegram.org").err(), Some(TelegramError::Token), "{token}");
        }
        for api in [
            "http://api.telegram.org",
            "ftp://localhost",
            "api.telegram.org",
            "https://a@b",
            "https://a/?x",
            "http://127.0.0.1.example.com",
        ] {
            assert_eq!(made("123:abc", api).err(), Some(TelegramError::Api(api.to_owned())), "{api}");
        }
        for api in ["http://localhost:1", "http://127.0.0.1:8081/", "http://[::1]:2/base"] {
            assert!(made("123:abc-_Z", api).is_ok(), "{api}");
        }
    }

    #[test]
    fn only_the_whole_secret_is_one() {
        let telegram = made("123:abc", "http://localhost").unwrap();
        assert!(telegram.is_called_with(b"secret"));
        for other in [b"".as_slice(), b"secre", b"secret ", b"Secret"] {
            assert!(!telegram.is_called_with(other));
        }
    }
}
