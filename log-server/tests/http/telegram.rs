//! Telegram from end to end, against a stand-in for its API: a chat is linked, told, and told how it ended.

use std::sync::Arc;
use std::time::Duration;

use api::{Contact, ContactChangeOptions};
use log_server::notifications::{Couriers, Receive, Telegram, TelegramSettings};
use serde_json::{Value, json};
use verifier::encoding::from_base64url;

use crate::authenticator::Device;
use crate::bot_api::{BOT, BotApi, Prepared, TOKEN};
use crate::call::Reply;
use crate::courier::with_mail;
use crate::me::Me;
use crate::people::{Person, request};
use crate::server::{Server, Setup, soon};

const CHAT: i64 = 7_000_000_001;

fn bot(api: &BotApi, receive: Receive) -> Arc<Telegram> {
    let (token, timeout) = (TOKEN.to_owned().into(), Duration::from_secs(20));
    let settings = TelegramSettings { token, api: api.url(), timeout, receive };
    Arc::new(Telegram::new(settings, "a-secret_1".to_owned()).unwrap())
}

/// A server with Telegram alone.
async fn with_telegram(setup: Setup) -> (Setup, BotApi) {
    let api = BotApi::start().await;
    let couriers = setup.couriers.clone().with_telegram(bot(&api, Receive::Poll), 2);
    (Setup { couriers, ..setup }, api)
}

impl Me<'_> {
    async fn telegram_challenge(&self, link: bool) -> Vec<u8> {
        let asked = self.post("/me/contacts/telegram/options").json(&json!({"link": link})).send().await;
        from_base64url(&asked.expect(200).json::<ContactChangeOptions>().challenge).unwrap()
    }

    async fn send_telegram_change(&self, link: bool, by: &Device) -> Reply {
        let assertion = by.sign(&self.telegram_challenge(link).await).await;
        self.post("/me/contacts/telegram").json(&json!({"assertion": assertion})).send().await
    }

    /// Makes a code.
    async fn code(&self, by: &Device) -> String {
        let contacts: Vec<Contact> = self.send_telegram_change(true, by).await.expect(200).json();
        let link = contacts.into_iter().find_map(|contact| contact.link).unwrap();
        let code = link.strip_prefix(&format!("https://t.me/{BOT}?start=")).unwrap().to_owned();
        assert!(code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)));
        code
    }
}

/// Links a chat of somebody, and waits until it is told.
async fn link(server: &Server, api: &BotApi, person: &Person, chat: i64) {
    let me = server.sign_in(&person.device).await;
    let code = me.code(&person.device).await;
    let before = api.chat(chat).len();
    api.write(chat, &format!("/start {code}"));
    let welcome = api.messages(chat, before + 1).await.pop().unwrap();
    assert!(welcome["text"].as_str().unwrap().starts_with("This chat is linked"), "{welcome}");
}

fn told(changes: &Value) -> Value {
    let mut request = request("alex", changes);
    if request.get("notify").is_none() {
        request["notify"] = "telegram".into();
    }
    request
}

fn text(message: &Value) -> &str {
    message["text"].as_str().unwrap()
}

#[tokio::test]
async fn a_message_is_changed_once_its_request_is_decided_cancelled_or_expired() {
    let (setup, clock) = Setup::with_manual_clock();
    let (setup, api) = with_telegram(setup).await;
    let server = setup.start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    link(&server, &api, &alex, CHAT).await;
    let secret = json!({"payload": {"iban": "DE-SECRET"}, "metadata": {"note": "META-SECRET"}});
    let approved = server.ask(&key, &told(&secret)).await;
    let message = api.messages(CHAT, 2).await.pop().unwrap();
    for part in [
        "deploy-bot",
        "Deploy api-gateway to production",
        &approved.compare_code,
        "in your browser",
        "This chat is the contact of alex",
    ] {
        assert!(text(&message).contains(part), "{part} is not in {message}");
    }
    assert!(!message.to_string().contains("SECRET"), "{message}");
    assert!(text(&message).contains(&approved.url), "the address of this machine stands in the text");
    assert_eq!(server.settled(&key, &approved.id).await, [("alex".into(), "sent".into())]);

    alex.approve(&server, &approved.id).await;
    api.until("it is changed", |api| text(&api.chat(CHAT)[1]).contains("It was approved.")).await;
    let changed = &api.chat(CHAT)[1];
    assert!(!text(changed).contains("http") && changed["reply_markup"] == json!({"inline_keyboard": []}), "{changed}");
    assert!(text(changed).contains(&approved.compare_code));

    let rejected = server.ask(&key, &told(&json!({"action": "Delete"}))).await;
    api.messages(CHAT, 3).await;
    server.settled(&key, &rejected.id).await;
    alex.decide(&server, &rejected.id, "reject").await;
    api.until("it is changed", |api| text(&api.chat(CHAT)[2]).contains("It was rejected.")).await;

    let cancelled = server.ask(&key, &told(&json!({"action": "Restart"}))).await;
    api.messages(CHAT, 4).await;
    server.settled(&key, &cancelled.id).await;
    server.post(&format!("/api/confirmations/{}/cancel", cancelled.id)).key(&key).send().await.expect(200);
    api.until("it is changed", |api| text(&api.chat(CHAT)[3]).contains("cancelled it")).await;

    let expired = server.ask(&key, &told(&json!({"action": "Scale"}))).await;
    api.messages(CHAT, 5).await;
    server.settled(&key, &expired.id).await;
    assert_eq!(api.called("editMessageText"), 3);
    clock.advance(301);
    api.until("it is changed", |api| text(&api.chat(CHAT)[4]).contains("It expired")).await;
    assert_eq!((api.called("editMessageText"), api.called("sendMessage")), (4, 5));
    server.notifications("queued", 0).await;
}

#[tokio::test]
async fn a_payload_is_shown_where_the_operator_says_so_until_the_request_ends() {
    let (setup, api) = with_telegram(Setup::new()).await;
    let couriers = setup.couriers.clone().showing_payload(true);
    let server = Setup { couriers, ..setup }.start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    link(&server, &api, &alex, CHAT).await;
    // The most that a title and a payload can take of a message: what stands behind them is not cut off.
    let large =
        json!({"action": "😀".repeat(300), "payload": {"text": format!("/start\u{202e}{}", "😀".repeat(2000))}});
    let asked = server.ask(&key, &told(&large)).await;
    let message = api.messages(CHAT, 2).await.pop().unwrap();
    assert!(text(&message).contains(r#"{"text":"/start\u202e😀"#), "{message}");
    assert!(text(&message).contains("characters. Read the rest on the page"), "{message}");
    assert!(text(&message).contains(&asked.url) && text(&message).ends_with("/me"), "{message}");
    server.settled(&key, &asked.id).await;
    alex.approve(&server, &asked.id).await;
    api.until("it is changed", |api| text(&api.chat(CHAT)[1]).contains("It was approved.")).await;
    assert!(!text(&api.chat(CHAT)[1]).contains("/start"), "what has ended shows no payload");
}

#[tokio::test]
async fn a_code_serves_once_for_a_quarter_of_an_hour_and_the_old_contact_is_told() {
    let (setup, clock) = Setup::with_manual_clock();
    let (setup, mut post) = with_mail(setup, 4);
    let (setup, api) = with_telegram(setup).await;
    let server = setup.start().await;
    let alex = server.enrol_reachable("alex", &mut post).await;
    let me = server.sign_in(&alex.device).await;
    assert_eq!(me.page().await.channels, ["email", "telegram"]);

    let late = me.code(&alex.device).await;
    clock.advance(15 * 60 + 1);
    let me = server.sign_in(&alex.device).await;
    api.write(CHAT, &format!("/start {late}"));
    let replaced = me.code(&alex.device).await;
    let code = me.code(&alex.device).await;
    assert!(!String::from_utf8_lossy(&server.stored().concat_values()).contains(&code), "the store has its hash");
    api.write(CHAT, &format!("/start {replaced}"));
    // A code is for a private chat, for the bot alone, and opens no page.
    api.write_in(&json!({"id": -5, "type": "group", "title": "all"}), &format!("/start {code}"));
    api.write(CHAT, &format!("approve {code}"));
    server.post(&format!("/contact/{code}")).send().await.refused(404);
    server.post(&format!("/contact/{code}/options")).send().await.refused(404);
    api.write(CHAT, &format!("/start {code}"));
    api.messages(CHAT, 1).await;
    // There was mail alone: its owner hears that messages may go elsewhere now.
    let notice = post.takes().await;
    assert_eq!(notice.to, "alex@example.com");
    assert!(notice.words.subject.contains("Telegram chat was linked"), "{:?}", notice.words);
    assert!(!format!("{:?}", notice.words).contains(&CHAT.to_string()), "it learns nothing of the chat");
    let shown = me.page().await.contacts.into_iter().find(|contact| contact.channel == "telegram").unwrap();
    assert_eq!(shown.address, Some(format!("@user{CHAT} (chat {CHAT})")));

    // It was used; another chat takes the place of this one with a code of its own.
    api.write(CHAT + 1, &format!("/start {code}"));
    link(&server, &api, &alex, CHAT + 2).await;
    let told = api.messages(CHAT, 2).await.pop().unwrap();
    assert!(
        text(&told).contains("was replaced by another one") && !text(&told).contains(&(CHAT + 2).to_string()),
        "{told}"
    );
    assert!(api.chat(CHAT + 1).is_empty() && api.chat(-5).is_empty());

    me.send_telegram_change(false, &alex.device).await.expect(200);
    let told = api.messages(CHAT + 2, 2).await.pop().unwrap();
    assert!(text(&told).contains("was removed"), "{told}");
    let asked = request("alex", &json!({"notify": "telegram"}));
    let problem = server.try_ask(&server.requester().await, &asked).await.refused(422);
    assert!(problem.detail.contains("alex has no confirmed contact for telegram"), "{}", problem.detail);
    server.notifications("queued", 0).await;
    assert!(!String::from_utf8_lossy(&server.stored().concat_values()).contains(&(CHAT + 2).to_string()));
}

#[tokio::test]
async fn a_session_alone_links_no_chat() {
    let (setup, mut post) = with_mail(Setup::new(), 4);
    let (setup, _api) = with_telegram(setup).await;
    let server = setup.start().await;
    let (alex, sam) = (server.enrol_reachable("alex", &mut post).await, server.enrol("sam").await);
    let me = server.sign_in(&alex.device).await;
    let before = server.stored();
    let by_sam = sam.device.sign(&me.telegram_challenge(true).await).await;
    let reply = me.post("/me/contacts/telegram").json(&json!({"assertion": by_sam})).send().await;
    assert!(reply.refused_field(422).starts_with("assertion"));
    // What was signed for one channel changes no other.
    let by_alex = alex.device.sign(&me.telegram_challenge(true).await).await;
    let reply = me.post("/me/contacts/email").json(&json!({"assertion": by_alex})).send().await;
    assert!(reply.refusal(409).contains("begin again"));
    for (channel, body, field) in [
        ("telegram", json!({"address": "7"}), "address"),
        ("telegram", json!({"address": "7", "link": true}), "address"),
        ("email", json!({"link": true}), "link"),
        ("email", json!({"link": true, "address": "a@example.com"}), "link"),
    ] {
        let reply = me.post(&format!("/me/contacts/{channel}/options")).json(&body).send().await;
        assert_eq!(reply.refused_field(422), field, "{channel} {body}");
    }
    assert!(server.stored() == before, "a refusal left a trace");
}

#[tokio::test]
async fn nothing_is_decided_from_a_chat() {
    let (setup, api) = with_telegram(Setup::new()).await;
    let server = setup.start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    link(&server, &api, &alex, CHAT).await;
    let created = server.ask(&key, &told(&json!({}))).await;
    api.messages(CHAT, 2).await;
    server.settled(&key, &created.id).await;
    let before = server.stored();
    let asked = api.called("getUpdates");
    for words in
        ["yes", "/approve", &format!("/approve {}", created.id), "/start approve", "/start", &created.compare_code]
    {
        api.write(CHAT, words);
    }
    api.until("all of it is taken", |api| api.called("getUpdates") > asked).await;
    api.write(CHAT, "the last");
    let asked = api.called("getUpdates");
    api.until("all of it is taken", |api| api.called("getUpdates") > asked).await;
    assert!(server.stored() == before, "what was written to the bot changed something");
    assert_eq!(api.chat(CHAT).len(), 2, "and is not answered");
}

#[tokio::test]
async fn a_limit_is_kept_by_all_messages_and_a_lost_answer_is_tried_again() {
    let (setup, clock) = Setup::with_manual_clock();
    let (setup, api) = with_telegram(setup).await;
    let server = setup.start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    link(&server, &api, &alex, CHAT).await;
    let sent = api.called("sendMessage");
    api.limit("sendMessage", 40);
    let first = server.ask(&key, &told(&json!({}))).await;
    api.until("the limit is met", |api| api.called("sendMessage") > sent).await;
    let queued = soon(async {
        loop {
            let queued = server.notifications("queued", 1).await;
            if queued[0].attempts == 1 {
                return queued;
            }
        }
    })
    .await;
    assert!(queued[0].error.as_ref().unwrap().contains("retry after 40"), "{queued:?}");
    let second = server.ask(&key, &told(&json!({"action": "Restart"}))).await;
    clock.advance(39);
    assert_eq!(api.called("sendMessage"), sent + 1, "nothing is sent before");
    clock.advance(1);
    api.messages(CHAT, 3).await;
    for id in [&first.id, &second.id] {
        assert_eq!(server.settled(&key, id).await[0].1, "sent");
    }
    // An error of theirs, and an answer that is none.
    for (status, body) in
        [(500, json!({"ok": false, "error_code": 500, "description": "Internal"})), (502, json!("<html>"))]
    {
        api.prepare("sendMessage", Prepared::Answer(status, body));
        let created = server.ask(&key, &told(&json!({"action": format!("Answer {status}")}))).await;
        soon(async {
            while server.notifications_of(&created.id).await != 1 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        clock.advance(2);
        assert_eq!(server.settled(&key, &created.id).await[0].1, "sent");
    }
}

#[tokio::test]
async fn a_bot_that_was_blocked_lies_with_the_dead_letters_and_mail_takes_its_place() {
    let (setup, mut post) = with_mail(Setup::new(), 4);
    let (setup, api) = with_telegram(setup).await;
    let server = setup.start().await;
    let key = server.requester().await;
    let alex = server.enrol_reachable("alex", &mut post).await;
    let asked = |word: &str| request("alex", &json!({"notify": word, "action": format!("By {word}")}));
    // Without a chat: mail.
    server.ask(&key, &asked("telegram_or_email")).await;
    assert_eq!(post.takes().await.words.subject, "By telegram_or_email");
    let problem = server.try_ask(&key, &asked("all")).await.refused(422);
    assert!(problem.detail.contains("alex has no confirmed contact for telegram"), "{}", problem.detail);

    link(&server, &api, &alex, CHAT).await;
    post.takes().await;
    let first = server.ask(&key, &asked("telegram_or_email")).await;
    api.messages(CHAT, 2).await;
    assert_eq!(server.settled(&key, &first.id).await, [("alex".into(), "sent".into())]);
    server.ask(&key, &asked("all")).await;
    api.messages(CHAT, 3).await;
    assert_eq!(post.takes().await.words.subject, "By all");

    api.block(CHAT);
    let alone = server.ask(&key, &asked("telegram")).await;
    assert_eq!(server.settled(&key, &alone.id).await, [("alex".into(), "failed".into())]);
    let dead = server.notifications("failed", 1).await.remove(0);
    assert!(dead.error.as_ref().unwrap().contains("403") && dead.channel == "telegram", "{dead:?}");
    assert_eq!((dead.attempts, dead.confirmation.as_deref()), (1, Some(alone.id.as_str())));
    let either = server.ask(&key, &asked("telegram_or_email")).await;
    assert_eq!(post.takes().await.words.subject, "By telegram_or_email");
    server.settled(&key, &either.id).await;
    let notified = server.confirmation(&key, &either.id).await.notified;
    let states: Vec<_> = notified.iter().map(|one| (one.channel.as_str(), one.state.as_str())).collect();
    assert_eq!(states, [("email", "sent"), ("telegram", "failed")]);
    assert!(post.is_empty());
}

/// Telegram is away: after half of the time the other channel is tried.
#[tokio::test]
async fn mail_takes_the_place_while_there_is_still_time() {
    let (setup, clock) = Setup::with_manual_clock();
    let (setup, mut post) = with_mail(setup, 4);
    let (setup, api) = with_telegram(setup).await;
    let server = setup.start().await;
    let key = server.requester().await;
    let alex = server.enrol_reachable("alex", &mut post).await;
    link(&server, &api, &alex, CHAT).await;
    post.takes().await;
    api.limit("sendMessage", 100);
    let asked = request("alex", &json!({"notify": "telegram_or_email", "expiresIn": 300}));
    let first = server.ask(&key, &asked).await;
    soon(async {
        while server.notifications_of(&first.id).await != 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    api.limit("sendMessage", 100);
    clock.advance(100);
    assert_eq!(post.takes().await.words.subject, "Deploy api-gateway to production");
    server.settled(&key, &first.id).await;
    alex.approve(&server, &first.id).await;
}

#[tokio::test]
async fn a_call_to_this_server_needs_the_secret_that_telegram_was_told() {
    let api = BotApi::start().await;
    let couriers = Couriers::default().with_telegram(bot(&api, Receive::Webhook), 2);
    let server = Setup { couriers, ..Setup::new() }.start().await;
    let alex = server.enrol("alex").await;
    // The stand-in, like Telegram, calls nothing without TLS; the calls are made here in its place.
    api.until("it was said where to call", |api| api.called("setWebhook") > 0).await;
    assert!(api.webhook().is_none());
    let code = server.sign_in(&alex.device).await.code(&alex.device).await;
    let update = json!({"update_id": 1, "message": {"message_id": 1, "date": 1, "text": format!("/start {code}"),
        "chat": {"id": CHAT, "type": "private", "first_name": "Alex"}}});
    let call = |secret: &str| server.post("/telegram/updates").header("x-telegram-bot-api-secret-token", secret);
    let before = server.stored();
    server.post("/telegram/updates").json(&update).send().await.refused(404);
    for secret in ["", "a-secret_", "a-secret_2", "A-secret_1"] {
        call(secret).json(&update).send().await.refused(404);
    }
    for odd in [json!([]), json!({"message": 7}), json!({"update_id": 2, "callback_query": {"data": "approve"}})] {
        call("a-secret_1").json(&odd).send().await.expect(200);
    }
    call("a-secret_1").text("{").send().await.refused(400);
    assert!(server.stored() == before, "something was taken");
    call("a-secret_1").json(&update).send().await.expect(200);
    call("a-secret_1").json(&update).send().await.expect(200);
    api.messages(CHAT, 1).await;
    let polling = Server::new().await;
    polling
        .post("/telegram/updates")
        .header("x-telegram-bot-api-secret-token", "")
        .json(&update)
        .send()
        .await
        .refused(404);
}

/// Wherever the token could stand: what an admin, a requester or a caller reads.
#[tokio::test]
async fn the_token_stands_in_no_answer_and_no_error() {
    let (setup, api) = with_telegram(Setup::new()).await;
    let server = setup.start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    link(&server, &api, &alex, CHAT).await;
    let echo =
        json!({"ok": false, "error_code": 400, "description": format!("Bad Request: bot{TOKEN} \u{202e}said\nno")});
    api.prepare("sendMessage", Prepared::Answer(400, echo));
    let created = server.ask(&key, &told(&json!({}))).await;
    server.settled(&key, &created.id).await;
    let error = server.notifications("failed", 1).await.remove(0).error.unwrap();
    assert!(error.contains("botTOKEN [U+202E]said no"), "{error}");
    let stored = String::from_utf8_lossy(&server.stored().concat_values()).into_owned();
    assert!(!stored.contains(TOKEN));
}

#[tokio::test]
async fn nobody_waits_for_a_bot_api_that_never_answers() {
    let (setup, api) = with_telegram(Setup::new()).await;
    let server = setup.start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    link(&server, &api, &alex, CHAT).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        api.prepare("sendMessage", Prepared::Lost);
        ids.push(server.ask(&key, &told(&json!({"action": format!("Step {number}")}))).await.id);
    }
    api.until("it holds two", |api| api.chat(CHAT).len() == 3).await;
    for id in &ids {
        alex.approve(&server, id).await;
    }
    // And a stop does not wait either.
    let (_, ended) = server.stop().await;
    assert!(ended.is_ok());
}

trait ConcatValues {
    fn concat_values(&self) -> Vec<u8>;
}

impl ConcatValues for Vec<log_server::store::Pair> {
    fn concat_values(&self) -> Vec<u8> {
        self.iter().flat_map(|(key, value)| [key.as_slice(), value.as_slice()].concat()).collect()
    }
}

impl Server {
    /// How often the waiting message about a confirmation was tried.
    async fn notifications_of(&self, confirmation: &str) -> u32 {
        let reply = self.get("/api/notifications?state=queued").key(self.admin()).send().await.expect(200);
        let list: api::NotificationList = reply.json();
        let of =
            |one: &&api::Notification| one.confirmation.as_deref() == Some(confirmation) && one.about == "confirmation";
        list.notifications.iter().find(of).map_or(0, |one| one.attempts)
    }
}
