//! One call of the Bot API: JSON there and back, capped, with a deadline; and what a refusal means.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use verifier::words::chain;

use super::Telegram;
use crate::notifications::Undelivered;

/// The largest answer that is read.
const MAX_ANSWER: usize = 4 * 1024 * 1024;
/// How many letters of a refusal's words are kept.
const MAX_WORDS: usize = 300;
/// The longest wait that is taken from an answer, in seconds.
const MAX_WAIT: u64 = 24 * 3600;

/// Why there is no result.
#[derive(Debug)]
pub(super) enum Refusal {
    /// No answer, or none of the API's.
    Unreachable(String),
    /// The API's refusal.
    Refused { code: u16, words: String, retry_after: Option<u64> },
}

#[derive(Deserialize)]
struct Answer {
    ok: bool,
    result: Option<Value>,
    error_code: Option<u16>,
    #[serde(default)]
    description: String,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<u64>,
}

impl Telegram {
    /// Calls a method.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        body: &Value,
        timeout: Duration,
    ) -> Result<T, Refusal> {
        let answer =
            self.answer(method, body, timeout).await.map_err(|words| Refusal::Unreachable(self.clean(&words)))?;
        if !answer.ok {
            return Err(Refusal::Refused {
                code: answer.error_code.unwrap_or(0),
                words: self.clean(&answer.description),
                retry_after: answer.parameters.and_then(|parameters| parameters.retry_after),
            });
        }
        serde_json::from_value(answer.result.unwrap_or_default()).map_err(|error| {
            Refusal::Unreachable(self.clean(&format!("{method} was answered otherwise than described: {error}")))
        })
    }

    async fn answer(&self, method: &str, body: &Value, timeout: Duration) -> Result<Answer, String> {
        let failed = |error: reqwest::Error| {
            if error.is_timeout() {
                return format!("Telegram did not answer {method} within {} seconds", timeout.as_secs());
            }
            // The address holds the token.
            format!("Telegram cannot be reached: {}", chain(&error.without_url()))
        };
        let url = format!("{}{method}", *self.base);
        let mut response = self.client.post(url).timeout(timeout).json(body).send().await.map_err(failed)?;
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if bytes.len() + chunk.len() > MAX_ANSWER {
                return Err(format!("Telegram answered {method} with more than {MAX_ANSWER} bytes"));
            }
            bytes.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&bytes)
            .map_err(|_| format!("Telegram answered {method} with {status} and no JSON of its API"))
    }

    /// Words of others on one line of a bounded length, without the token, if somebody should send it back.
    fn clean(&self, words: &str) -> String {
        let line = words.replace(self.token.as_str(), "TOKEN");
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        verifier::words::visible(&line).chars().take(MAX_WORDS).collect()
    }
}

impl Refusal {
    /// Whether a message cannot be changed because there is nothing to change.
    pub(super) fn says_it_is_done(&self) -> bool {
        let done = ["message is not modified", "message to edit not found", "message can't be edited"];
        matches!(self, Self::Refused { code: 400, words, .. } if done.iter().any(|it| words.contains(it)))
    }

    /// How long nothing should be asked, in seconds.
    pub(super) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Refused { code: 429, retry_after, .. } => Some(retry_after.unwrap_or(1).clamp(1, MAX_WAIT)),
            _ => None,
        }
    }

    /// A blocked bot or a chat that is gone stays so; a wrong token is about us, and an operator can put it right.
    pub(super) fn into_undelivered(self) -> Undelivered {
        let error = self.to_string();
        match (self.retry_after(), self) {
            (Some(seconds), _) => Undelivered::After { error, seconds },
            (None, Self::Refused { code: 400 | 403, .. }) => Undelivered::Never(error),
            (None, _) => Undelivered::Later(error),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(words) => f.write_str(words),
            Self::Refused { code, words, .. } => write!(f, "Telegram answered {code}: {words}"),
        }
    }
}
