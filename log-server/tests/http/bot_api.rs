//! A stand-in for Telegram's Bot API, written from its documentation (core.telegram.org/bots/api): the few methods that we
//! call, with the checks that are described there, and refusals, limits and delays as a test wants them. It is not Telegram,
//! and what Telegram does otherwise than it says shows with the real one alone.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::Notify;

pub(crate) const TOKEN: &str = "4839574812:AAFD39kkdpWt3ywyRZergyOLMaJhac60qcK";
/// The bot's name.
pub(crate) const BOT: &str = "countersign_test_bot";

/// A running stand-in.
#[derive(Clone)]
pub(crate) struct BotApi {
    pub(crate) address: SocketAddr,
    state: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    /// Something happened.
    news: Notify,
}

#[derive(Default)]
struct Inner {
    /// The messages in each chat, by number.
    messages: BTreeMap<(i64, i64), Value>,
    /// Every call, in order: the method and its body.
    calls: Vec<(String, Value)>,
    updates: VecDeque<Value>,
    written: i64,
    blocked: Vec<i64>,
    /// What the next calls of a method are answered with.
    prepared: VecDeque<(String, Prepared)>,
    webhook: Option<Value>,
}

/// An answer of the test's choice.
#[derive(Clone)]
pub(crate) enum Prepared {
    /// This status and body, and nothing happens.
    Answer(u16, Value),
    /// It happens, and the answer never comes.
    Lost,
}

impl BotApi {
    /// Listens on a free port of this machine.
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Shared::default());
        let routes = Router::new().route("/{bot}/{method}", post(answer)).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.inner.lock().unwrap()
    }

    /// Somebody writes to the bot in a private chat.
    pub(crate) fn write(&self, chat: i64, text: &str) {
        self.write_in(
            &json!({"id": chat, "type": "private", "username": format!("user{chat}"), "first_name": "A"}),
            text,
        );
    }

    /// Somebody writes where the bot is.
    pub(crate) fn write_in(&self, chat: &Value, text: &str) {
        let mut inner = self.lock();
        inner.written += 1;
        let id = 1000 + inner.written;
        let message =
            json!({"message_id": id, "date": 1, "chat": chat, "text": text, "from": {"id": 1, "is_bot": false}});
        inner.updates.push_back(json!({"update_id": id, "message": message}));
        drop(inner);
        self.state.news.notify_waiters();
    }

    /// The person of a chat blocks the bot.
    pub(crate) fn block(&self, chat: i64) {
        self.lock().blocked.push(chat);
    }

    /// The next call of a method is answered like this.
    pub(crate) fn prepare(&self, method: &str, prepared: Prepared) {
        self.lock().prepared.push_back((method.to_owned(), prepared));
    }

    /// Too many messages, for so many seconds.
    pub(crate) fn limit(&self, method: &str, seconds: u64) {
        let words = format!("Too Many Requests: retry after {seconds}");
        let body =
            json!({"ok": false, "error_code": 429, "description": words, "parameters": {"retry_after": seconds}});
        self.prepare(method, Prepared::Answer(429, body));
    }

    /// The messages that stand in a chat now.
    pub(crate) fn chat(&self, chat: i64) -> Vec<Value> {
        self.lock().messages.iter().filter(|((in_chat, _), _)| *in_chat == chat).map(|(_, body)| body.clone()).collect()
    }

    /// How often a method was called.
    pub(crate) fn called(&self, method: &str) -> usize {
        self.lock().calls.iter().filter(|(name, _)| name == method).count()
    }

    /// What was said about calls to the server.
    pub(crate) fn webhook(&self) -> Option<Value> {
        self.lock().webhook.clone()
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let waiting = async {
            loop {
                let news = self.state.news.notified();
                tokio::pin!(news);
                news.as_mut().enable();
                if is_so(self) {
                    return;
                }
                news.await;
            }
        };
        let found = tokio::time::timeout(Duration::from_secs(60), waiting).await;
        assert!(found.is_ok(), "{what}: {:#?}", self.lock().calls);
    }

    /// Waits until so many messages stand in a chat.
    pub(crate) async fn messages(&self, chat: i64, many: usize) -> Vec<Value> {
        self.until(&format!("{many} messages in {chat}"), |api| api.chat(chat).len() >= many).await;
        let messages = self.chat(chat);
        assert_eq!(messages.len(), many, "{messages:#?}");
        messages
    }
}

type Answer = (StatusCode, Json<Value>);

async fn answer(
    State(state): State<Arc<Shared>>,
    Path((bot, method)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Answer {
    if bot != format!("bot{TOKEN}") {
        return refused(401, "Unauthorized");
    }
    let prepared = {
        let mut inner = state.inner.lock().unwrap();
        inner.calls.push((method.clone(), body.clone()));
        let place = inner.prepared.iter().position(|(of, _)| *of == method);
        place.and_then(|place| inner.prepared.remove(place)).map(|(_, prepared)| prepared)
    };
    if let Some(Prepared::Answer(status, body)) = prepared {
        state.news.notify_waiters();
        return (StatusCode::from_u16(status).unwrap(), Json(body));
    }
    let result = if method == "getUpdates" { updates(&state, &body).await } else { happen(&state, &method, &body) };
    state.news.notify_waiters();
    match prepared {
        Some(_) => std::future::pending().await,
        None => result,
    }
}

fn happen(state: &Shared, method: &str, body: &Value) -> Answer {
    let mut inner = state.inner.lock().unwrap();
    match method {
        "getMe" => done(&json!({"id": 4_839_574_812_i64, "is_bot": true, "first_name": "Test", "username": BOT})),
        "sendMessage" => match check(&inner, body) {
            Err(answer) => answer,
            Ok(chat) => {
                let id = i64::try_from(inner.calls.len()).unwrap();
                inner.messages.insert((chat, id), body.clone());
                done(
                    &json!({"message_id": id, "date": 1, "chat": {"id": chat, "type": "private"}, "text": body["text"]}),
                )
            }
        },
        "editMessageText" => match check(&inner, body) {
            Err(answer) => answer,
            Ok(chat) => match inner.messages.get_mut(&(chat, body["message_id"].as_i64().unwrap())) {
                None => refused(400, "Bad Request: message to edit not found"),
                Some(message) if message["text"] == body["text"] => {
                    refused(400, "Bad Request: message is not modified")
                }
                Some(message) => {
                    *message = body.clone();
                    done(&json!({"message_id": body["message_id"], "text": body["text"]}))
                }
            },
        },
        "setWebhook" => {
            let url = body["url"].as_str().unwrap_or_default();
            let secret = body["secret_token"].as_str().unwrap_or_default();
            assert!(
                secret.len() <= 256 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
            );
            if !url.starts_with("https://") {
                return refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook");
            }
            inner.webhook = Some(body.clone());
            done(&json!(true))
        }
        "deleteWebhook" => {
            inner.webhook = None;
            done(&json!(true))
        }
        _ => refused(404, "Not Found"),
    }
}

/// What is described for a message: its chat, text, places of entities, and buttons.
fn check(inner: &Inner, body: &Value) -> Result<i64, Answer> {
    assert!(body.get("parse_mode").is_none(), "no markup is interpreted: {body}");
    let chat = body["chat_id"].as_i64().unwrap();
    if inner.blocked.contains(&chat) {
        return Err(refused(403, "Forbidden: bot was blocked by the user"));
    }
    let units = body["text"].as_str().unwrap().encode_utf16().count() as u64;
    if units == 0 || units > 4096 {
        return Err(refused(400, "Bad Request: message is too long"));
    }
    for entity in body["entities"].as_array().into_iter().flatten() {
        assert!(entity["offset"].as_u64().unwrap() + entity["length"].as_u64().unwrap() <= units, "{body}");
    }
    for button in
        body["reply_markup"]["inline_keyboard"].as_array().into_iter().flatten().flat_map(|row| row.as_array().unwrap())
    {
        assert_eq!(button.as_object().unwrap().len(), 2, "text and url, and nothing that calls back: {button}");
        if button["url"].as_str().unwrap().contains("//localhost") {
            return Err(refused(400, "Bad Request: inline keyboard button URL is invalid: Wrong HTTP URL"));
        }
    }
    Ok(chat)
}

/// Waits as long as the question says for something that was not taken over yet.
async fn updates(state: &Shared, body: &Value) -> Answer {
    let offset = body["offset"].as_i64().unwrap_or(0);
    let wait = Duration::from_secs(body["timeout"].as_u64().unwrap_or(0));
    let found = tokio::time::timeout(wait, async {
        loop {
            let news = state.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            {
                let mut inner = state.inner.lock().unwrap();
                if inner.webhook.is_some() {
                    return None;
                }
                inner.updates.retain(|update| update["update_id"].as_i64().unwrap() >= offset);
                if !inner.updates.is_empty() {
                    return Some(inner.updates.iter().cloned().collect::<Vec<_>>());
                }
            }
            news.await;
        }
    });
    match found.await {
        Ok(Some(updates)) => done(&json!(updates)),
        Ok(None) => refused(409, "Conflict: can't use getUpdates method while webhook is active"),
        Err(_) => done(&json!([])),
    }
}

fn done(result: &Value) -> Answer {
    (StatusCode::OK, Json(json!({"ok": true, "result": result})))
}

fn refused(code: u16, description: &str) -> Answer {
    (StatusCode::from_u16(code).unwrap(), Json(json!({"ok": false, "error_code": code, "description": description})))
}
