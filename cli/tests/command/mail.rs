//! Mail through a real SMTP server: aiosmtpd, from the environment that scripts/test.sh makes. Its mails are parsed by
//! Python's standard library, and the links in them are followed as a browser would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::decisions::Deciding;
use super::runbook::{blocks, runs, shell};
use super::running::{Folder, MESSAGE_DEADLINE, Running, countersign, post, started, until, web};

const PASSWORD: &str = "correct horse";

/// A running SMTP server and its folder.
struct Smtp {
    child: Child,
    folder: PathBuf,
    port: u16,
}

/// A mail as the other side reads it.
#[derive(Debug, Deserialize)]
struct Received {
    headers: Vec<(String, String)>,
    #[serde(rename = "type")]
    kind: String,
    parts: std::collections::BTreeMap<String, String>,
    defects: Vec<String>,
}

fn python() -> String {
    std::env::var("COUNTERSIGN_SMTP_PYTHON").expect("scripts/test.sh mail sets it")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/smtp").join(name)
}

impl Smtp {
    /// Starts one on a free port, with these arguments.
    fn start(folder: &Folder, args: &[&str]) -> Self {
        Self::start_on(folder, 0, args)
    }

    fn start_on(folder: &Folder, port: u16, args: &[&str]) -> Self {
        let mails = folder.path("mails");
        fs::create_dir_all(&mails).unwrap();
        _ = fs::remove_file(mails.join("port"));
        let mut command = Command::new(python());
        command.arg(script("server.py")).arg(&mails).args(args).args(["--port", &port.to_string()]);
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        let port = until("port of the SMTP server", || fs::read_to_string(mails.join("port")).ok()?.parse().ok());
        Self { child, folder: mails, port }
    }

    /// Waits until it has a file, which says how far it is.
    fn reaches(&self, name: &str) {
        until(name, || self.folder.join(name).exists().then_some(()));
    }

    fn touch(&self, name: &str) {
        fs::write(self.folder.join(name), "").unwrap();
    }

    /// Waits until there are so many mails.
    fn mails(&self, many: usize) -> Vec<Received> {
        until(&format!("{many} mails"), || self.folder.join(format!("{}.eml", many - 1)).exists().then_some(()));
        let mails = self.all();
        assert_eq!(mails.len(), many, "{mails:#?}");
        mails
    }

    fn all(&self) -> Vec<Received> {
        let output = Command::new(python()).arg(script("mails.py")).arg(&self.folder).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Received {
    fn header(&self, name: &str) -> &str {
        let found: Vec<_> = self.headers.iter().filter(|(known, _)| known == name).collect();
        assert_eq!(found.len(), 1, "{name} in {:?}", self.headers);
        &found[0].1
    }

    fn text(&self) -> &str {
        &self.parts["text/plain"]
    }

    /// The one link that leads further, which both parts have.
    fn link(&self) -> String {
        let found: Vec<_> = self.text().lines().filter(|line| line.starts_with("http://")).collect();
        assert_eq!(found.len(), 1, "{}", self.text());
        assert!(self.parts["text/html"].contains(&format!("<a href=\"{}\">", found[0])), "{}", self.parts["text/html"]);
        found[0].to_owned()
    }
}

/// The configuration file, and a server that runs with it.
async fn serving(folder: &Folder, smtp: &Smtp, more: &str) -> Running {
    let host = if more.contains("host = ") { "" } else { "host = 'localhost'\n" };
    let text = format!("[mail]\n{host}port = {}\nfrom = 'Approvals <approvals@example.com>'\n{more}", smtp.port);
    fs::write(folder.path("countersign.toml"), text).unwrap();
    started(folder).await
}

/// A certificate authority, and a certificate for `localhost` by it.
fn certificates(folder: &Folder) {
    let script = "
        new='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
        openssl req -x509 $new -keyout ca.key -out ca.pem -days 2 -subj /CN=test
        openssl req $new -keyout smtp.key -out smtp.csr -subj /CN=localhost
        printf 'subjectAltName=DNS:localhost\\nbasicConstraints=CA:FALSE\\n' > extensions
        openssl x509 -req -in smtp.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out smtp.pem -extfile extensions
        printf '%s\\n' 'correct horse' > password
        chmod 600 password";
    runs(folder, &[], script);
}

/// alex, whose address is confirmed by the link that was sent to it.
async fn reachable<'a>(folder: &'a Folder, smtp: &Smtp, address: &str) -> Deciding<'a> {
    let before = smtp.all().len();
    let alex = Deciding::enrol_with(folder, Some(address)).await;
    let link = smtp.mails(before + 1).pop().unwrap();
    confirm(&link.link()).await;
    alex
}

async fn confirm(link: &str) {
    let _: Value = post(link, "", &json!({})).await;
}

/// The state of the one message about a confirmation, once it is not the one given.
async fn state_after(alex: &Deciding<'_>, id: &str, not: &str) -> String {
    let since = Instant::now();
    loop {
        let state = alex.confirmation(id).await["notified"][0]["state"].as_str().unwrap().to_owned();
        if state != not {
            return state;
        }
        assert!(since.elapsed() < MESSAGE_DEADLINE, "still {state}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn listed(folder: &Folder, state: &str) -> Vec<Value> {
    let url = format!("{}/api/notifications?state={state}", folder.url());
    let answer = web().get(url).header("X-Api-Key", folder.admin_key()).send().await.unwrap();
    let list: Value = answer.json().await.unwrap();
    list["notifications"].as_array().unwrap().clone()
}

const STARTTLS: &str = "ca_file = 'ca.pem'\nusername = 'countersign'\npassword_file = 'password'\n";
const STARTTLS_SERVER: [&str; 5] = ["--starttls", "--user", "countersign", "--password", PASSWORD];

fn with_certificate(folder: &Folder, args: &[&str]) -> Vec<String> {
    let file = |name| folder.path(name).display().to_string();
    let certificate = ["--certificate".to_owned(), file("smtp.pem"), "--key".to_owned(), file("smtp.key")];
    args.iter().map(|arg| (*arg).to_owned()).chain(certificate).collect()
}

fn secured(folder: &Folder, args: &[&str]) -> Smtp {
    certificates(folder);
    let args = with_certificate(folder, args);
    Smtp::start(folder, &args.iter().map(String::as_str).collect::<Vec<_>>())
}

#[tokio::test]
#[ignore = "needs COUNTERSIGN_SMTP_PYTHON"]
async fn mail_over_starttls_with_authentication_leads_to_an_approval() {
    let folder = Folder::new();
    let smtp = secured(&folder, &STARTTLS_SERVER);
    let server = serving(&folder, &smtp, STARTTLS).await;
    let alex = reachable(&folder, &smtp, "alex@example.com").await;
    let action = "Déployer <api> & \"gateway\" \u{5d0}\u{5d1} — a title of some length, so that the header is folded";
    let id = alex.ask(action, "email").await;
    let mail = smtp.mails(2).pop().unwrap();
    assert_eq!(mail.header("subject"), action);
    assert_eq!(mail.header("from"), "Approvals <approvals@example.com>");
    assert_eq!((mail.header("to"), mail.header("x-envelope-to")), ("alex@example.com", "alex@example.com"));
    assert_eq!(mail.header("x-envelope-from"), "approvals@example.com");
    assert_eq!((mail.header("auto-submitted"), mail.kind.as_str()), ("auto-generated", "multipart/alternative"));
    assert!(mail.header("message-id").ends_with("@localhost>") && !mail.header("date").is_empty());
    assert_eq!(mail.parts.keys().collect::<Vec<_>>(), ["text/html", "text/plain"]);
    assert!(mail.defects.is_empty(), "{:?}", mail.defects);
    let confirmation = alex.confirmation(&id).await;
    let code = confirmation["compareCode"].as_str().unwrap();
    assert!(mail.text().contains(code) && mail.parts["text/html"].contains(code));
    assert!(mail.parts["text/html"].contains("D\u{e9}ployer &lt;api&gt; &amp; &quot;gateway&quot;"));
    assert!(!format!("{mail:?}").contains("PAYLOAD"), "{mail:?}");

    let link = mail.link();
    assert_eq!(link, format!("{}/approve/{id}", folder.url()));
    // A scanner that opens the link decides nothing.
    assert!(web().get(&link).send().await.unwrap().status().is_success());
    assert_eq!(alex.confirmation(&id).await["status"], "pending");
    alex.decide_on(&link, "approve").await;
    let decided = alex.confirmation(&id).await;
    assert_eq!(decided["status"], "approved");
    assert_eq!(
        (&decided["notified"][0]["state"], &decided["notified"][0]["channel"]),
        (&json!("sent"), &json!("email"))
    );
    assert_eq!(server.terminated().code, Some(0));
}

#[tokio::test]
#[ignore = "needs COUNTERSIGN_SMTP_PYTHON"]
async fn mail_over_tls_from_the_first_byte() {
    let folder = Folder::new();
    let smtp = secured(&folder, &["--tls", "--user", "countersign", "--password", PASSWORD]);
    let _server = serving(&folder, &smtp, &format!("security = 'tls'\n{STARTTLS}")).await;
    let alex = reachable(&folder, &smtp, "alex@example.com").await;
    let id = alex.ask("Deploy", "email").await;
    assert_eq!(smtp.mails(2)[1].link(), format!("{}/approve/{id}", folder.url()));
}

/// Whoever stands between, or a mistake in the settings: nothing is sent, and it is said why.
#[tokio::test]
#[ignore = "needs COUNTERSIGN_SMTP_PYTHON"]
async fn mail_is_not_sent_without_the_protection_that_was_asked_for() {
    let folder = Folder::new();
    let tls = secured(&folder, &STARTTLS_SERVER);
    let plain_folder = Folder::new();
    let plain = Smtp::start(&plain_folder, &[]);
    let doctor = |smtp: &Smtp, more: &str| {
        let text = format!("[mail]\nhost = 'localhost'\nport = {}\nfrom = 'a@example.com'\n{more}", smtp.port);
        fs::write(folder.path("mail.toml"), text).unwrap();
        let mut command = countersign();
        command.args(["doctor", "--mail", "alex@example.com", "--config", "mail.toml"]);
        let output = command.current_dir(folder.path("")).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, words) = doctor(&tls, STARTTLS);
    assert!(code == Some(0) && words.starts_with("ok "), "{words}");
    assert!(tls.mails(1)[0].header("subject").contains("test"));
    fs::write(folder.path("other-password"), "battery staple\n").unwrap();
    runs(
        &folder,
        &[],
        "chmod 600 other-password && mv ca.pem kept.pem && openssl req -x509 -newkey ec -pkeyopt \
        ec_paramgen_curve:prime256v1 -nodes -keyout x.key -out other.pem -days 2 -subj /CN=other && cp kept.pem ca.pem",
    );
    let login = "username = 'countersign'\npassword_file = 'password'\n";
    for (smtp, more, reason) in [
        (&plain, "ca_file = 'ca.pem'\n", "STARTTLS is not supported"),
        (&plain, "ca_file = 'ca.pem'\nsecurity = 'tls'\n", "did not take the test message"),
        (&tls, &*format!("ca_file = 'other.pem'\n{login}"), "certificate"),
        (&tls, login, "certificate"),
        (&tls, &*format!("host_is = 1\n{login}"), "unknown field"),
        (&tls, "ca_file = 'ca.pem'\nusername = 'countersign'\npassword_file = 'other-password'\n", "535"),
        (&tls, "ca_file = 'ca.pem'\n", "530"),
        (&tls, "ca_file = 'ca.pem'\nusername = 'countersign'\n", "go together"),
        (&tls, "security = 'plain'\n", "530"),
        (&tls, "ca_file = 'password'\n", "no certificate"),
    ] {
        let (code, words) = doctor(smtp, more);
        assert!(code == Some(1) && words.starts_with("problem ") && words.contains(reason), "{more}: {words}");
    }
    // The name in the certificate is checked.
    let text = fs::read_to_string(folder.path("mail.toml")).unwrap();
    let text = text.replace("'localhost'", "'127.0.0.1'").replace("ca_file = 'password'", STARTTLS);
    fs::write(folder.path("mail.toml"), text).unwrap();
    let mut command = countersign();
    command.args(["doctor", "--json", "--mail", "alex@example.com", "--config", "mail.toml"]);
    let output = command.current_dir(folder.path("")).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["healthy"] == false && report["checks"][0]["words"].as_str().unwrap().contains("certificate"));
    assert_eq!((tls.all().len(), plain.all().len()), (1, 0));

    let refused = |more: &str| {
        fs::write(folder.path("countersign.toml"), format!("[mail]\nfrom = 'a@example.com'\n{more}")).unwrap();
        let ended = folder.start(folder.serve().args(["--config", "countersign.toml"])).ended();
        let (code, words) = ended.refusal();
        assert_eq!(code, Some(78), "{words}");
        words.to_owned()
    };
    assert!(refused("host = 'mail.example.com'\nsecurity = 'plain'\n").contains("on this machine"));
    assert!(refused("host = 'localhost'\nsecurity = 'none'\n").contains("none"));
    assert!(!folder.path("data").exists(), "a refused start leaves nothing behind");
}

#[tokio::test]
#[ignore = "needs COUNTERSIGN_SMTP_PYTHON"]
async fn mail_to_a_recipient_who_is_refused_lies_with_the_dead_letters() {
    let folder = Folder::new();
    let smtp = Smtp::start(&folder, &[]);
    let _server = serving(&folder, &smtp, "security = 'plain'\n").await;
    let alex = Deciding::enrol_with(&folder, Some("refused@example.com")).await;
    let since = Instant::now();
    while listed(&folder, "failed").await.is_empty() {
        assert!(since.elapsed() < MESSAGE_DEADLINE, "no dead letter");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let dead = listed(&folder, "failed").await.remove(0);
    assert_eq!(
        (&dead["about"], &dead["attempts"], &dead["approver"]),
        (&json!("verification"), &json!(1), &json!("alex"))
    );
    assert!(dead["error"].as_str().unwrap().contains("550"), "{dead}");
    // Nobody was told, so nobody can be asked as if they were.
    let asked = json!({"username": "alex", "action": "Deploy", "payload": {}, "notify": "email"});
    let url = format!("{}/api/confirmations", folder.url());
    let answer = web().post(url).header("X-Api-Key", alex.requester()).json(&asked).send().await.unwrap();
    assert_eq!(answer.status(), 422);
}

#[tokio::test]
#[ignore = "needs COUNTERSIGN_SMTP_PYTHON"]
async fn mail_that_a_server_does_not_take_now_comes_later_and_a_stalled_one_holds_nobody() {
    let folder = Folder::new();
    let smtp = Smtp::start(&folder, &[]);
    smtp.touch("free");
    let _server = serving(&folder, &smtp, "security = 'plain'\ntimeout_seconds = 1\nconnections = 1\n").await;
    let alex = reachable(&folder, &smtp, "busy@example.com").await;
    fs::remove_file(smtp.folder.join("free")).unwrap();
    let id = alex.ask("Deploy", "email").await;
    smtp.reaches("was-busy");
    let since = Instant::now();
    while listed(&folder, "queued").await[0]["attempts"] == 0 {
        assert!(since.elapsed() < MESSAGE_DEADLINE, "the try is not counted");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(listed(&folder, "queued").await[0]["error"].as_str().unwrap().contains("451"));
    smtp.touch("free");
    assert_eq!(state_after(&alex, &id, "queued").await, "sent");
    assert_eq!(smtp.mails(2)[1].link(), format!("{}/approve/{id}", folder.url()));

    let other = Folder::new();
    let smtp = Smtp::start(&other, &[]);
    let _other = serving(&other, &smtp, "security = 'plain'\ntimeout_seconds = 1\nconnections = 1\n").await;
    let sam = Deciding::enrol_with(&other, Some("stalled@example.com")).await;
    smtp.reaches("stalls");
    let since = Instant::now();
    sam.decide("while it stalls", "approve").await;
    assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
    let since = Instant::now();
    while listed(&other, "queued").await[0]["error"].is_null() {
        assert!(since.elapsed() < MESSAGE_DEADLINE, "the stalled try does not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let words = listed(&other, "queued").await[0]["error"].as_str().unwrap().to_owned();
    assert!(words.contains("within 1 seconds"), "{words}");
}

/// Killed before the server of the mails is reached, while it has the mail and has not said so, and after.
#[tokio::test]
#[ignore = "needs COUNTERSIGN_SMTP_PYTHON"]
async fn mail_survives_a_kill_at_each_step_of_the_outbox() {
    let folder = Folder::new();
    let smtp = Smtp::start(&folder, &[]);
    smtp.touch("go");
    let server = serving(&folder, &smtp, "security = 'plain'\n").await;
    let alex = reachable(&folder, &smtp, "slow@example.com").await;
    let port = smtp.port;
    let kill = |server: Running| {
        server.signal(Signal::KILL);
        drop(server.ended());
    };

    // Written down, and nobody to send it to.
    drop(smtp);
    let unsent = alex.ask("not sent yet", "email").await;
    kill(server);
    let smtp = Smtp::start_on(&folder, port, &[]);
    let server = started(&folder).await;
    assert_eq!(state_after(&alex, &unsent, "queued").await, "sent");
    assert_eq!(smtp.mails(2)[1].link(), format!("{}/approve/{unsent}", folder.url()));

    // The server of the mails has it, and we do not know.
    fs::remove_file(smtp.folder.join("go")).unwrap();
    let unknown = alex.ask("on its way", "email").await;
    let first = smtp.mails(3).pop().unwrap();
    kill(server);
    smtp.touch("go");
    let server = started(&folder).await;
    assert_eq!(state_after(&alex, &unknown, "queued").await, "sent");
    let again = smtp.mails(4).pop().unwrap();
    assert_eq!(again.header("message-id"), first.header("message-id"), "whoever gets both can tell");
    assert_eq!(again.header("date"), first.header("date"));
    assert_eq!(again.link(), first.link());

    // Sent and written down: never again. What comes after it shows that the outbox was gone through.
    kill(server);
    let _server = started(&folder).await;
    let after = alex.ask("after all", "email").await;
    assert_eq!(state_after(&alex, &after, "queued").await, "sent");
    assert_eq!(smtp.mails(5)[4].link(), format!("{}/approve/{after}", folder.url()));
}

/// docs/notifications.md, followed command by command.
#[tokio::test]
#[ignore = "needs COUNTERSIGN_SMTP_PYTHON"]
async fn mail_is_set_up_as_the_document_says() {
    let folder = Folder::new();
    let smtp = secured(&folder, &["--starttls", "--user", "approvals@example.com", "--password", PASSWORD]);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/notifications.md");
    let document = fs::read_to_string(path).unwrap();
    let config = document.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let url = folder.url();
    let local = |block: &str| {
        let block = block.replace("https://approvals.example.com", &url);
        block.replace("/etc/countersign/", "").replace("/var/lib/countersign", "data")
    };
    // What differs here is where the servers are, and that this one's certificate is by an authority of its own.
    let config = local(config).replace("smtp.example.com", "localhost").replace("587", &smtp.port.to_string());
    fs::write(folder.path("countersign.toml"), config + "ca_file = 'ca.pem'\n").unwrap();
    // The parts about Telegram and webhooks have tests of their own.
    let (document, _) = document.split_once("\n## Set up webhooks").unwrap();
    let (before, telegram) = document.split_once("## Set up Telegram").unwrap();
    let commands = blocks(&[before, telegram.split_once("\n## ").unwrap().1].concat());
    let [password, test, serve, invite, ask, dead] = &commands[..] else {
        panic!("the document has other blocks than this test knows")
    };
    fs::remove_file(folder.path("password")).unwrap();
    runs(&folder, &[("PASSWORD", PASSWORD.to_owned())], &local(password));
    assert!(runs(&folder, &[], &local(test)).starts_with("ok "));
    let listen = format!("127.0.0.1:{}", folder.port);
    let settings = [("COUNTERSIGN_LISTEN", listen), ("COUNTERSIGN_ANCHOR", "anchor".to_owned())];
    let mut server = folder.start(&mut shell(&folder, &settings, &format!("exec {}", local(serve))));
    server.ready(&url).await;

    // The invite of the document, used as its page does.
    let alex = Deciding::enrol_by(&folder, &runs(&folder, &[], &local(invite))).await;
    confirm(&smtp.mails(2)[1].link()).await;
    let key = [("COUNTERSIGN_API_KEY", alex.requester().to_owned())];
    let created: Value = serde_json::from_str(&runs(&folder, &key, &local(ask))).unwrap();
    assert_eq!(smtp.mails(3)[2].link(), created["url"].as_str().unwrap());
    let list: Value = serde_json::from_str(&runs(&folder, &[], &local(dead))).unwrap();
    assert_eq!(list["notifications"], json!([]));
}
