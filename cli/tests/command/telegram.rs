//! Telegram through the real command, against a stand-in for its API: set up as the document says, and killed at each step.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use verifier::encoding::{base64url, from_base64url};

use super::authenticator::{CREDENTIAL_ID, sign};
use super::bot_api::{BOT, BotApi, Prepared, TOKEN};
use super::decisions::Deciding;
use super::runbook::{blocks, runs, shell};
use super::running::{Folder, MESSAGE_DEADLINE, countersign, kill, started, web};

const CHAT: i64 = 7_000_000_001;

/// What a passkey says to a challenge of our own page.
fn assertion(folder: &Folder, alex: &Deciding<'_>, options: &Value) -> Value {
    let challenge = from_base64url(options["challenge"].as_str().unwrap()).unwrap();
    let (data, client_data, signature) = sign(&challenge, &folder.url());
    let id = base64url(&CREDENTIAL_ID);
    json!({"assertion": {"id": id, "rawId": id, "type": "public-key", "response": {
        "authenticatorData": base64url(&data), "clientDataJSON": base64url(&client_data),
        "signature": base64url(&signature), "userHandle": alex.user_handle()}}})
}

/// A POST of our own page.
async fn own(folder: &Folder, path: &str, cookie: &str, body: &Value) -> (Value, String) {
    let url = folder.url();
    let call = web().post(format!("{url}{path}")).header("origin", &url).header("sec-fetch-site", "same-origin");
    let answer = call.header("cookie", cookie).json(body).send().await.unwrap();
    let cookie = answer.headers().get("set-cookie").map_or("", |set| set.to_str().unwrap()).to_owned();
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    (answer.json().await.unwrap(), cookie.split(';').next().unwrap().to_owned())
}

/// alex signs in, makes a code, and sends it to the bot.
async fn link(folder: &Folder, api: &BotApi, alex: &Deciding<'_>) {
    let (options, _) = own(folder, "/me/options", "", &json!({})).await;
    let (_, cookie) = own(folder, "/me/session", "", &assertion(folder, alex, &options)).await;
    let path = "/me/contacts/telegram";
    let (options, _) = own(folder, &format!("{path}/options"), &cookie, &json!({"link": true})).await;
    let (contacts, _) = own(folder, path, &cookie, &assertion(folder, alex, &options)).await;
    let link = contacts[0]["link"].as_str().unwrap();
    let code = link.strip_prefix(&format!("https://t.me/{BOT}?start=")).unwrap();
    api.write(CHAT, &format!("/start {code}"));
    api.messages(CHAT, 1).await;
}

async fn settled(alex: &Deciding<'_>, id: &str) -> String {
    let since = Instant::now();
    loop {
        let state = alex.confirmation(id).await["notified"][0]["state"].as_str().unwrap().to_owned();
        if state != "queued" {
            return state;
        }
        assert!(since.elapsed() < MESSAGE_DEADLINE, "still {state}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn text(message: &Value) -> &str {
    message["text"].as_str().unwrap()
}

/// Killed before the API takes the message, when it has it and we do not know, after, and before the message is changed.
#[tokio::test]
async fn telegram_survives_a_kill_at_each_step_of_the_outbox() {
    let (folder, api) = (Folder::new(), BotApi::start().await);
    fs::write(folder.path("token"), format!("{TOKEN}\n")).unwrap();
    runs(&folder, &[], "chmod 600 token");
    fs::write(folder.path("countersign.toml"), format!("[telegram]\ntoken_file = 'token'\napi = '{}'\n", api.url()))
        .unwrap();
    let server = started(&folder).await;
    let alex = Deciding::enrol(&folder).await;
    link(&folder, &api, &alex).await;

    for _ in 0..3 {
        api.prepare("sendMessage", Prepared::Answer(502, json!("bad gateway")));
    }
    let sent = api.called("sendMessage");
    let unsent = alex.ask("not sent yet", "telegram").await;
    api.until("it is tried", |api| api.called("sendMessage") > sent).await;
    kill(server);
    let server = started(&folder).await;
    assert!(text(&api.messages(CHAT, 2).await[1]).contains("not sent yet"));
    assert_eq!(settled(&alex, &unsent).await, "sent");

    api.prepare("sendMessage", Prepared::Lost);
    let unknown = alex.ask("on its way", "telegram").await;
    api.messages(CHAT, 3).await;
    kill(server);
    let server = started(&folder).await;
    assert_eq!(settled(&alex, &unknown).await, "sent");
    assert_eq!(text(&api.messages(CHAT, 4).await[3]), text(&api.chat(CHAT)[2]), "it comes twice, and says the same");

    // Sent and written down: never again. How it ended is written down too.
    kill(server);
    let server = started(&folder).await;
    api.prepare("editMessageText", Prepared::Answer(502, json!("bad gateway")));
    alex.decide_on(&format!("{}/approve/{unknown}", folder.url()), "approve").await;
    api.until("the change is tried", |api| api.called("editMessageText") > 0).await;
    kill(server);
    let server = started(&folder).await;
    api.until("it is changed", |api| text(&api.chat(CHAT)[3]).contains("It was approved.")).await;
    assert!(text(&api.chat(CHAT)[1]).contains("not sent yet") && api.chat(CHAT).len() == 4);
    let ended = server.terminated();
    assert_eq!(ended.code, Some(0));
    assert!(!ended.stderr.contains(TOKEN) && !ended.stdout.contains(TOKEN), "the token is in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn telegram_that_is_set_up_wrongly_is_refused_with_the_reason_and_without_the_token() {
    let (folder, api) = (Folder::new(), BotApi::start().await);
    fs::write(folder.path("open"), TOKEN).unwrap();
    fs::write(folder.path("wrong"), "12:WRONG/token").unwrap();
    fs::write(folder.path("token"), TOKEN).unwrap();
    fs::write(folder.path("unknown"), "12:SECRET").unwrap();
    runs(&folder, &[], "chmod 600 wrong token unknown; chmod 644 open");
    let local = format!("api = '{}'\n", api.url());
    for (table, environment, reason) in [
        ("token_file = 'open'", "", "can be read by others"),
        ("token_file = 'wrong'", "", "BotFather"),
        ("token_file = 'nowhere'", "", "is not there"),
        ("token_file = 'token'", "1:SECRET", "given twice"),
        ("", "", "COUNTERSIGN_TELEGRAM_TOKEN"),
        ("token_file = 'token'\napi = 'http://api.telegram.org'", "", "http is for this machine"),
        ("token_file = 'token'\nreceive = 'both'", "", "both"),
        ("token_file = 'token'\ntimeout_seconds = 0", "", "1 to 300"),
        ("token_file = 'token'\nconnections = 65", "", "1 to 64"),
    ] {
        fs::write(folder.path("countersign.toml"), format!("[telegram]\n{table}\n")).unwrap();
        let mut serve = folder.serve();
        serve.args(["--config", "countersign.toml"]);
        if !environment.is_empty() {
            serve.env("COUNTERSIGN_TELEGRAM_TOKEN", environment);
        }
        let ended = folder.start(&mut serve).ended();
        let (code, words) = ended.refusal();
        assert!(code == Some(78) && words.contains(reason), "{table}: {words}");
        assert!(!words.contains("SECRET") && !words.contains("WRONG") && !words.contains(TOKEN), "{words}");
    }
    assert!(!folder.path("data").exists(), "a refused start leaves nothing behind");

    let doctor = |table: &str, environment: &str| {
        fs::write(folder.path("countersign.toml"), format!("[telegram]\n{table}\n{local}")).unwrap();
        let mut command = countersign();
        command.args(["doctor", "--telegram", "--config", "countersign.toml"]).current_dir(folder.path(""));
        if !environment.is_empty() {
            command.env("COUNTERSIGN_TELEGRAM_TOKEN", environment);
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let doctor = |table: String, environment: String| tokio::task::block_in_place(|| doctor(&table, &environment));
    for (table, environment) in [("token_file = 'token'", ""), ("", TOKEN)] {
        let (code, words) = doctor(table.to_owned(), environment.to_owned());
        assert!(code == Some(0) && words.contains(&format!("@{BOT}")), "{words}");
    }
    let (code, words) = doctor("token_file = 'unknown'".to_owned(), String::new());
    assert!(code == Some(1) && words.contains("401") && !words.contains("SECRET"), "{words}");
}

/// docs/notifications.md, the part about Telegram, followed command by command.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn telegram_is_set_up_as_the_document_says() {
    let (folder, api) = (Folder::new(), BotApi::start().await);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/notifications.md");
    let document = fs::read_to_string(path).unwrap();
    let part = document.split("## Set up Telegram").nth(1).unwrap().split("\n## ").next().unwrap();
    let url = folder.url();
    let local = |block: &str| block.replace("/etc/countersign/", "").replace("/var/lib/countersign", "data");
    let table = local(part.split("```toml\n").nth(1).unwrap().split("```").next().unwrap());
    // What differs here is where the servers are.
    let config = format!("public_url = '{url}'\ndata_dir = 'data'\nanchor = 'anchor'\n{table}api = '{}'\n", api.url());
    fs::write(folder.path("countersign.toml"), config).unwrap();
    let commands = blocks(part);
    let [token, test, serve] = &commands[..] else { panic!("the part has other blocks than this test knows") };
    runs(&folder, &[("TOKEN", TOKEN.to_owned())], &local(token));
    let answer = tokio::task::block_in_place(|| runs(&folder, &[], &local(test)));
    assert!(answer.starts_with("ok ") && answer.contains(BOT), "{answer}");
    let listen = [("COUNTERSIGN_LISTEN", format!("127.0.0.1:{}", folder.port))];
    let mut server = folder.start(&mut shell(&folder, &listen, &format!("exec {}", local(serve))));
    server.ready(&url).await;
    let alex = Deciding::enrol(&folder).await;
    link(&folder, &api, &alex).await;
    let id = alex.ask("Deploy", "telegram").await;
    assert!(text(&api.messages(CHAT, 2).await[1]).contains(&format!("{url}/approve/{id}")));
}
