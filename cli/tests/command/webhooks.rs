//! Webhooks through the real command, to a receiver that checks them with the library of Standard Webhooks and with our SDK:
//! set up as the document says, and killed at each step.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::decisions::Deciding;
use super::runbook::{blocks, runs, shell};
use super::running::{Folder, MESSAGE_DEADLINE, countersign, kill, started, until, web};

/// A running receiver and its folder.
struct Receiver {
    child: Child,
    folder: PathBuf,
    port: u16,
}

/// A call, and what both sides that checked it say.
#[derive(Debug, Deserialize)]
struct Call {
    headers: Value,
    body: String,
    errors: Vec<String>,
    status: Option<String>,
    verdict: Option<String>,
}

impl Receiver {
    fn start(folder: &Folder, port: u16) -> Self {
        let calls = folder.path("calls");
        fs::create_dir_all(&calls).unwrap();
        _ = fs::remove_file(calls.join("port"));
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/webhooks");
        assert!(here.join("node_modules").exists(), "scripts/test.sh webhooks installs what the receiver needs");
        let mut command = Command::new("node");
        command.arg(here.join("receiver.mjs")).arg(&calls).arg(port.to_string());
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        let port = until("port of the receiver", || fs::read_to_string(calls.join("port")).ok()?.parse().ok());
        Self { child, folder: calls, port }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Waits until there are so many calls, and returns the last of these, which is in order.
    fn call(&self, many: usize) -> Call {
        let path = self.folder.join(format!("{}.json", many - 1));
        let text = until(&format!("{many} calls"), || fs::read_to_string(&path).ok());
        let call: Call = serde_json::from_str(&text).unwrap();
        assert_eq!(call.errors, [""; 0], "{call:?}");
        call
    }

    fn calls(&self) -> usize {
        (0_usize..1_000).take_while(|number| self.folder.join(format!("{number}.json")).exists()).count()
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.folder.join(name)).unwrap();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Call {
    fn id(&self) -> &str {
        self.headers["webhook-id"].as_str().unwrap()
    }

    fn confirmation(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        body["data"]["id"].as_str().unwrap().to_owned()
    }
}

/// Registers the receiver for a requester, and leaves it what it checks with.
async fn register(folder: &Folder, receiver: &Receiver, key: &str) {
    let call = web().put(format!("{}/api/webhook", folder.url())).header("X-Api-Key", key);
    let answer = call.json(&json!({"url": format!("{}/hook", receiver.url())})).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    receiver.put("webhook.json", &answer.text().await.unwrap());
    trust(folder);
}

fn trust(folder: &Folder) {
    runs(folder, &[], &format!("countersign trust --url {} > calls/trust.json", folder.url()));
}

/// Waits until a try is over, and says how it ended.
async fn settled(alex: &Deciding<'_>, id: &str) -> String {
    let since = Instant::now();
    loop {
        let told = &alex.confirmation(id).await["notified"][0];
        assert_eq!((&told["channel"], &told["approver"]), (&json!("webhook"), &Value::Null));
        let state = told["state"].as_str().unwrap();
        if state != "queued" {
            return state.to_owned();
        }
        assert!(since.elapsed() < MESSAGE_DEADLINE, "still {state}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Killed while the request waits, once it is decided and nobody can be called, when the receiver has it and we do not know,
/// and after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs what scripts/test.sh webhooks installs"]
async fn webhooks_survive_a_kill_at_each_step_of_the_outbox() {
    let folder = Folder::new();
    let receiver = Receiver::start(&folder, 0);
    fs::write(
        folder.path("countersign.toml"),
        format!("[webhooks]\nallow = ['{}']\ntimeout_seconds = 60\n", receiver.url()),
    )
    .unwrap();
    let server = started(&folder).await;
    let alex = Deciding::enrol(&folder).await;
    register(&folder, &receiver, alex.requester()).await;
    let page = |id: &str| format!("{}/approve/{id}", folder.url());

    // Asked, and not decided.
    let waiting = alex.ask("not decided yet", "none").await;
    kill(server);
    let server = started(&folder).await;
    alex.decide_on(&page(&waiting), "approve").await;
    assert_eq!(settled(&alex, &waiting).await, "sent");
    let call = receiver.call(1);
    assert_eq!((call.status.as_deref(), call.verdict.as_deref()), (Some("approved"), Some("approved")));
    assert_eq!(call.confirmation(), waiting);

    // Decided, and the receiver takes nothing.
    receiver.put("status", "500");
    let unsent = alex.ask("not taken yet", "none").await;
    alex.decide_on(&page(&unsent), "reject").await;
    receiver.call(2);
    kill(server);
    receiver.remove("status");
    let server = started(&folder).await;
    assert_eq!(settled(&alex, &unsent).await, "sent");
    // It was tried more than once, nobody knows how often.
    let so_far = receiver.calls();
    assert!(so_far > 2);
    let call = receiver.call(so_far);
    assert_eq!((call.status.as_deref(), call.confirmation()), (Some("rejected"), unsent));

    // The receiver has it, and we do not know.
    receiver.put("hold", "");
    let unknown = alex.ask("on its way", "none").await;
    alex.decide_on(&page(&unknown), "approve").await;
    let first = receiver.call(so_far + 1);
    kill(server);
    receiver.remove("hold");
    let server = started(&folder).await;
    assert_eq!(settled(&alex, &unknown).await, "sent");
    let again = receiver.call(so_far + 2);
    assert_eq!((again.id(), &again.body), (first.id(), &first.body), "whoever gets both can tell");

    // Taken and written down: never again. What comes after it shows that the outbox was gone through.
    kill(server);
    let server = started(&folder).await;
    let after = alex.decide("after all", "approve").await;
    assert_eq!(settled(&alex, &after).await, "sent");
    assert_eq!((receiver.call(so_far + 3).confirmation(), receiver.calls()), (after, so_far + 3));
    let ended = server.terminated();
    assert_eq!(ended.code, Some(0));
    assert!(!ended.stderr.contains("whsec_"));
}

/// A receiver that answers nothing for as long as it is asked to: nobody who asks or decides waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs what scripts/test.sh webhooks installs"]
async fn webhooks_that_stall_hold_nobody_who_decides() {
    let folder = Folder::new();
    let receiver = Receiver::start(&folder, 0);
    let table = format!("[webhooks]\nallow = ['{}']\nconnections = 1\ntimeout_seconds = 60\n", receiver.url());
    fs::write(folder.path("countersign.toml"), table).unwrap();
    let server = started(&folder).await;
    let alex = Deciding::enrol(&folder).await;
    register(&folder, &receiver, alex.requester()).await;
    receiver.put("hold", "");
    for number in 0..3 {
        let id = alex.decide(&format!("while it stalls {number}"), "approve").await;
        assert_eq!(alex.confirmation(&id).await["status"], "approved");
    }
    receiver.call(1);
    assert_eq!(receiver.calls(), 1, "one at a time, and that one is held");
    receiver.remove("hold");
    receiver.call(3);
    assert_eq!(server.terminated().code, Some(0));
}

#[test]
fn webhooks_that_are_set_up_wrongly_are_refused_with_the_reason() {
    let folder = Folder::new();
    for (table, reason) in [
        ("allow = ['10.0.0.5']", "10.0.0.5"),
        ("allow = ['http://10.0.0.5/hook']", "no origin"),
        ("timeout_seconds = 0", "1 to 60"),
        ("connections = 257", "1 to 256"),
        ("deny = []", "deny"),
    ] {
        fs::write(folder.path("countersign.toml"), format!("[webhooks]\n{table}\n")).unwrap();
        let ended = folder.start(folder.serve().args(["--config", "countersign.toml"])).ended();
        let (code, words) = ended.refusal();
        assert!(code == Some(78) && words.contains(reason), "{table}: {words}");
    }
    assert!(!folder.path("data").exists(), "a refused start leaves nothing behind");

    fs::write(folder.path("countersign.toml"), "[webhooks]\n").unwrap();
    for (url, reason) in [("https://127.0.0.1/", "this machine"), ("http://example.com/", "not https")] {
        let mut command = countersign();
        command.args(["doctor", "--webhook", url, "--config", "countersign.toml"]).current_dir(folder.path(""));
        let output = command.output().unwrap();
        let words = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.code() == Some(1) && words.contains(reason), "{words}");
    }
}

/// docs/notifications.md, the part about webhooks, followed command by command.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs what scripts/test.sh webhooks installs"]
async fn webhooks_are_set_up_as_the_document_says() {
    let (folder, free) = (Folder::new(), Folder::new());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = fs::read_to_string(root.join("docs/notifications.md")).unwrap();
    let part = document.split("## Set up webhooks").nth(1).unwrap().split("\n## ").next().unwrap();
    let sdk = root.join("sdk/typescript/src/index.js");
    let (url, receiver) = (folder.url(), format!("http://localhost:{}", free.port));
    let local = |block: &str| {
        let block = block.replace("https://approvals.example.com", &url).replace("/etc/countersign/", "");
        let block = block
            .replace("/var/lib/countersign", "data")
            .replace("from 'countersign'", &format!("from '{}'", sdk.display()));
        block.replace("http://hooks.internal:9000", &receiver).replace("listen(9000", &format!("listen({}", free.port))
    };
    let fenced = |kind: &str| local(part.split(&format!("```{kind}\n")).nth(1).unwrap().split("```").next().unwrap());
    let config = format!("public_url = '{url}'\ndata_dir = 'data'\nanchor = 'anchor'\n{}", fenced("toml"));
    fs::write(folder.path("countersign.toml"), config).unwrap();
    fs::write(folder.path("receive.mjs"), fenced("js")).unwrap();
    let commands: Vec<_> = blocks(part).iter().map(|block| local(block)).collect();
    let [serve, doctor, trust, register, receive, state, again] = &commands[..] else {
        panic!("the part has other blocks than this test knows")
    };
    let listen = [("COUNTERSIGN_LISTEN", format!("127.0.0.1:{}", folder.port))];
    let mut server = folder.start(&mut shell(&folder, &listen, &format!("exec {serve}")));
    server.ready(&url).await;
    let alex = Deciding::enrol(&folder).await;
    let key = ("COUNTERSIGN_API_KEY", alex.requester().to_owned());
    runs(&folder, &[], trust);
    runs(&folder, std::slice::from_ref(&key), register);
    let log = fs::File::create(folder.path("received")).unwrap();
    let mut receiving = shell(&folder, &[], &format!("exec {receive}")).stdout(log).spawn().unwrap();
    let answer = until("receiver", || {
        let output = shell(&folder, &[], doctor).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    });
    assert!(answer.starts_with("ok ") && answer.contains("answered 400"), "{answer}");
    let id = alex.decide("Deploy", "approve").await;
    let received = || fs::read_to_string(folder.path("received")).unwrap();
    let shown = until("webhook", || Some(received()).filter(|words| words.contains(&id)));
    assert!(shown.contains(&format!("approved {id}")), "{shown}");
    assert_eq!(settled(&alex, &id).await, "sent");
    let settings = [key, ("ID", id.clone())];
    let seen: Value = serde_json::from_str(&runs(&folder, &settings, state)).unwrap();
    assert_eq!(seen["notified"][0]["state"], "sent");
    runs(&folder, &settings, again);
    until("second call", || (received().matches(&id).count() == 2).then_some(()));
    receiving.kill().unwrap();
    receiving.wait().unwrap();
}
