//! What is written to the bot: by long polling, or by calls to this server. Only `/start CODE` in a private chat means
//! anything: it links that chat to whoever made the code. Nothing is decided here.
//!
//! What was taken over is forgotten by Telegram only with the next question, so a crash asks again for the last of it; a code
//! serves once, so that changes nothing.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Refusal;
use super::{Receive, Telegram};
use crate::app::App;
use crate::problem::Problem;

/// How long one question waits for something to happen.
const POLL: Duration = Duration::from_secs(50);
/// The first wait after a failure, which doubles, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How many updates one answer holds.
const AT_A_TIME: u32 = 20;
/// The longest name of a chat that is kept.
const MAX_NAME: usize = 64;
/// Where Telegram calls this server.
const PATH: &str = "/telegram/updates";

/// A private chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chat {
    pub(crate) id: i64,
    /// What its owner calls themself.
    pub(crate) name: Option<String>,
}

#[derive(Deserialize)]
struct Update {
    message: Option<Written>,
}

#[derive(Deserialize)]
struct Written {
    chat: WrittenIn,
    text: Option<String>,
}

#[derive(Deserialize)]
struct WrittenIn {
    id: i64,
    #[serde(rename = "type")]
    kind: String,
    username: Option<String>,
    first_name: Option<String>,
}

/// Hears what is written to the bot until the server stops.
pub(crate) async fn receive(app: Arc<App>, telegram: Arc<Telegram>) {
    let hearing = async {
        match telegram.receive {
            Receive::Poll => telegram.poll(&app).await,
            Receive::Webhook => telegram.be_called(&app).await,
        }
    };
    tokio::select! {
        () = app.stopping() => {}
        () = hearing => {}
    }
}

impl Telegram {
    /// Takes one update, of which others may have written every byte.
    pub(crate) async fn take(&self, app: &App, update: Value) -> Result<(), Problem> {
        let Ok(Update { message: Some(Written { chat, text: Some(text) }) }) = serde_json::from_value(update) else {
            return Ok(());
        };
        let Some(code) = code(&text).filter(|_| chat.kind == "private") else { return Ok(()) };
        match app.approvals.link_chat(code, chat.named()).await {
            Err(Problem::NotFound) => {
                tracing::info!("a code that is unknown, used or too old was sent to the bot");
                Ok(())
            }
            other => other,
        }
    }

    async fn poll(&self, app: &App) {
        // Both ways exclude each other, and an earlier run may have gone the other way.
        self.insist("deleteWebhook", &json!({})).await;
        let mut next = None;
        let mut wait = WAITS.0;
        loop {
            match self.poll_once(app, &mut next).await {
                Ok(()) => wait = WAITS.0,
                Err(refusal) => {
                    tracing::warn!(%refusal, "what is written to the bot cannot be fetched");
                    pause(&refusal, &mut wait).await;
                }
            }
        }
    }

    async fn poll_once(&self, app: &App, next: &mut Option<i64>) -> Result<(), Refusal> {
        let mut question = json!({"timeout": POLL.as_secs(), "limit": AT_A_TIME, "allowed_updates": ["message"]});
        if let Some(next) = *next {
            question["offset"] = next.into();
        }
        let updates: Vec<Value> = self.call("getUpdates", &question, POLL + self.timeout).await?;
        for update in updates {
            let id = update["update_id"].as_i64();
            if let Err(problem) = self.take(app, update).await {
                // Not taken over: it comes again.
                return Err(Refusal::Unreachable(problem.to_string()));
            }
            *next = id.map(|id| id.saturating_add(1)).max(*next);
        }
        Ok(())
    }

    /// Says where Telegram shall call, with a secret of this run.
    async fn be_called(&self, app: &App) {
        let url = format!("{}{PATH}", app.approvals.identity.public_url);
        let place = json!({"url": url, "secret_token": *self.secret, "allowed_updates": ["message"]});
        self.insist("setWebhook", &place).await;
        tracing::info!(url, "Telegram calls this server");
    }

    async fn insist(&self, method: &str, body: &Value) {
        let mut wait = WAITS.0;
        while let Err(refusal) = self.call::<Value>(method, body, self.timeout).await {
            tracing::warn!(method, %refusal, "Telegram is asked again");
            pause(&refusal, &mut wait).await;
        }
    }
}

async fn pause(refusal: &Refusal, wait: &mut Duration) {
    let asked = refusal.retry_after().map(Duration::from_secs);
    tokio::time::sleep(asked.unwrap_or(*wait)).await;
    *wait = (*wait * 2).min(WAITS.1);
}

/// The code behind `/start`, which the link on the own page lets Telegram write.
fn code(text: &str) -> Option<&str> {
    let mut words = text.split_whitespace();
    let command = words.next()?;
    let starts = command == "/start" || command.starts_with("/start@");
    words.next().filter(|_| starts && words.next().is_none())
}

impl WrittenIn {
    fn named(self) -> Chat {
        let name = self.username.map(|name| format!("@{name}")).or(self.first_name);
        Chat { id: self.id, name: name.map(|name| name.chars().take(MAX_NAME).collect()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_start_with_one_word_has_a_code() {
        assert_eq!(code("/start abc"), Some("abc"));
        assert_eq!(code("/start@some_bot abc"), Some("abc"));
        for text in ["", "/start", "abc", "/stop abc", "/started abc", "start abc", "/start a b", "approve abc"] {
            assert_eq!(code(text), None, "{text}");
        }
    }
}
