//! Golden tests of `countersign-verify`: what it prints, byte for byte, and its exit codes.
//!
//! Each golden file holds the command, the exit code and both outputs. After an intended change of the words run the tests
//! with UPDATE_GOLDEN=1 and read the difference.

#![allow(clippy::unwrap_used, clippy::expect_used)]

// The tests of the library use more of it.
#[allow(dead_code)]
mod made;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use made::{Changes, Story, TPM, Witness, approves, invited, log};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use verifier::time::Timestamp;

/// A folder of its own for a test, with a trust file and receipts in it.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("command_line-{test}"));
        std::fs::create_dir_all(&folder).unwrap();
        let folder = Self(folder);
        folder.write("trust.json", &Story::trust().to_json());
        folder.write("approved.receipt.json", &Story::two_of_three().text());
        folder.write("rejected.receipt.json", &Story::rejected().text());
        folder.write("changed.receipt.json", &Story::one().text().replace("deploy-bot", "deploy-bat"));
        folder
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.0.join(file), text).unwrap();
    }

    /// Runs the command in the folder; its arguments are separated by spaces.
    fn run(&self, arguments: &str, input: &str) -> Run {
        self.run_with(&arguments.split(' ').collect::<Vec<_>>(), input)
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Run {
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign-verify"))
            .args(arguments)
            .current_dir(&self.0)
            .env_remove("COUNTERSIGN_TRUST")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that does not read its input may be gone before it is written.
        let writer = std::thread::spawn({
            let input = input.to_owned();
            move || drop(stdin.write_all(input.as_bytes()))
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Run::new(arguments, &output)
    }
}

struct Run {
    arguments: String,
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    fn new(arguments: &[&str], output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            arguments: arguments.join(" "),
            code: output.status.code().expect("an exit code, not a signal"),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Compares with the golden file of that name.
    fn assert_golden(&self, name: &str) {
        let Self { arguments, code, stdout, stderr } = self;
        let found = format!(
            "$ countersign-verify {arguments}\nexit code {code}\n== standard output\n{stdout}== standard error\n{stderr}"
        );
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
            std::fs::write(&path, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == expected,
            "{} is not what the command prints now; if the change is intended, run with UPDATE_GOLDEN=1 and read the \
             difference\n--- expected\n{expected}\n--- found\n{found}",
            path.display()
        );
    }
}

#[test]
fn approved() {
    let run = Folder::new("approved").run("approved.receipt.json --trust trust.json", "");
    assert_eq!(run.code, 0);
    run.assert_golden("approved");
}

#[test]
fn approved_with_every_expectation_that_has_no_clock() {
    let folder = Folder::new("expected");
    folder.write("payload.json", "{ \"service\": \"api-gateway\", \"env\": \"production\", \"replicas\": 3 }\n");
    let run = folder.run(
        "approved.receipt.json --trust trust.json --payload payload.json --approvers sam,kim,alex --quorum 2 \
         --id cnf_4k2m6p3q7a5b2c4d6e3f5g7h2j --requester deploy-bot",
        "",
    );
    assert_eq!(run.code, 0);
    run.assert_golden("expected");
}

/// Names alone mean a quorum of exactly 1: two of these three had to approve.
#[test]
fn approvers_without_a_quorum() {
    let folder = Folder::new("no-quorum");
    let run = folder.run("approved.receipt.json --trust trust.json --approvers alex,kim,sam", "");
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("the quorum is 2, expected 1"), "{}", run.stdout);
    folder.write("one.receipt.json", &Story::one().text());
    assert_eq!(folder.run("one.receipt.json --trust trust.json --approvers alex", "").code, 0);
}

/// The same receipts are in testdata/, for the commands of the other languages.
#[test]
fn witnesses() {
    const A: Witness = Witness { name: "a.example/w", seed: 0x31, time: 0 };
    const B: Witness = Witness { name: "b.example/w", seed: 0x32, time: 0 };
    const C: Witness = Witness { name: "c.example/w", seed: 0x33, time: 0 };
    const UNKNOWN: Witness = Witness { name: "unknown.example/w", seed: 0x34, time: 1 };
    let folder = Folder::new("witnesses");
    let keys = [A, B, C].map(|witness| format!("\"{}\"", witness.key_text())).join(",");
    let trust = Story::trust().to_json();
    let asking = format!("\"witness_quorum\":2,\"witnesses\":[{keys}]}}");
    folder.write("witnesses.json", &format!("{},{asking}", &trust[..trust.len() - 1]));
    let cosigned = |witnesses: &[Witness]| Story { witnesses: witnesses.to_vec(), ..Story::one() }.text();
    folder.write("after.receipt.json", &cosigned(&[A.after(70), B.after(40), C.after(50), UNKNOWN]));
    folder.write("before.receipt.json", &cosigned(&[A.after(10), B.after(70), C.after(29)]));
    let run = folder.run("after.receipt.json before.receipt.json --trust witnesses.json", "");
    run.assert_golden("witnesses");
    let run = folder.run("after.receipt.json before.receipt.json --trust witnesses.json --json", "");
    run.assert_golden("witnesses-json");
}

#[test]
fn the_title() {
    let folder = Folder::new("title");
    for (action, code) in [("Deploy api-gateway to production", 0), ("Deploy api-gateway", 1), ("", 1)] {
        let arguments = ["approved.receipt.json", "--trust", "trust.json", "--action", action];
        assert_eq!(folder.run_with(&arguments, "").code, code, "{action:?}");
    }
}

/// A receipt may have come with its name.
#[test]
fn a_file_name_does_not_act_on_the_terminal() {
    let folder = Folder::new("file-name");
    let name = "\u{1b}[31m\u{202e}.receipt.json";
    let missing = folder.run(&format!("{name} --trust trust.json"), "");
    folder.write(name, &Story::one().text());
    let found = folder.run(&format!("{name} --trust trust.json"), "");
    assert_eq!((missing.code, found.code), (2, 0));
    for output in [missing.stderr, found.stdout] {
        assert!(output.contains("[U+001B][31m[U+202E].receipt.json"), "{output:?}");
        assert!(!output.contains(ACTIVE), "{output:?}");
    }
    std::fs::remove_file(folder.0.join(name)).unwrap();
}

#[test]
fn rejected() {
    let folder = Folder::new("rejected");
    let run = folder.run("rejected.receipt.json --trust trust.json", "");
    assert_eq!(run.code, 1);
    run.assert_golden("rejected");
    let run = folder.run("rejected.receipt.json --trust trust.json --decision reject", "");
    assert_eq!(run.code, 0);
    run.assert_golden("rejected-as-expected");
}

#[test]
fn not_verified() {
    let folder = Folder::new("not-verified");
    let run = folder.run("changed.receipt.json --trust trust.json", "");
    assert_eq!(run.code, 1);
    run.assert_golden("not-verified");
    folder.write("payload.json", "{\"env\":\"staging\"}");
    let run = folder.run("approved.receipt.json --trust trust.json --payload payload.json", "");
    assert_eq!(run.code, 1);
    run.assert_golden("another-payload");
}

#[test]
fn several_receipts() {
    let folder = Folder::new("several");
    let run = folder.run("approved.receipt.json changed.receipt.json rejected.receipt.json --trust trust.json", "");
    assert_eq!(run.code, 1);
    run.assert_golden("several");
    let run = folder.run("approved.receipt.json approved.receipt.json --trust trust.json", "");
    assert_eq!(run.code, 0);
    assert!(run.stdout.ends_with("\n2 of 2 receipts as expected\n"));
}

#[test]
fn an_unreadable_receipt_keeps_none_of_the_others_from_its_report() {
    let folder = Folder::new("unreadable");
    let files = "gone.receipt.json approved.receipt.json gone-too.receipt.json rejected.receipt.json";
    let run = folder.run(&format!("{files} --trust trust.json"), "");
    assert_eq!(run.code, 2);
    let verdicts: Vec<_> = run.stdout.lines().filter(|line| line.starts_with(char::is_uppercase)).collect();
    let words = ["UNREADABLE", "APPROVED", "What", "UNREADABLE", "NOT AS"];
    assert_eq!(verdicts.len(), words.len(), "{}", run.stdout);
    assert!(verdicts.iter().zip(words).all(|(line, words)| line.starts_with(words)), "{}", run.stdout);
    assert!(run.stdout.ends_with("\n1 of 4 receipts as expected, 2 unreadable\n"), "{}", run.stdout);
    assert!(run.stderr.contains("gone.receipt.json") && run.stderr.contains("gone-too.receipt.json"), "{}", run.stderr);
    let run = folder.run(&format!("{files} --trust trust.json --json"), "");
    assert_eq!((run.code, run.stdout.lines().count()), (2, 2), "{}", run.stdout);
}

#[test]
fn standard_input() {
    let folder = Folder::new("standard-input");
    let run = folder.run("- --trust trust.json", &Story::two_of_three().text());
    assert_eq!(run.code, 0);
    run.assert_golden("standard-input");
    assert_eq!(folder.run("- --trust trust.json", "").code, 1);
}

#[test]
fn json() {
    let folder = Folder::new("json");
    let run =
        folder.run("approved.receipt.json rejected.receipt.json changed.receipt.json --trust trust.json --json", "");
    assert_eq!(run.code, 1);
    run.assert_golden("json");
    let reports: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let members = ["as_expected", "facts", "failed_step", "not_stated", "receipt", "steps", "type", "verdict"];
    for report in &reports {
        assert!(report.as_object().unwrap().keys().eq(members), "{report}");
        assert_eq!(report["steps"].as_array().unwrap().len(), 12);
    }
    let verdicts: Vec<_> = reports.iter().map(|report| report["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["approved", "rejected", "not verified"]);
    assert_eq!(reports[0]["failed_step"], Value::Null);
    assert_eq!(reports[0]["facts"]["core"], Story::two_of_three().core.to_canonical());
    assert_eq!(reports[1]["failed_step"], "expectation");
    assert_eq!((&reports[2]["failed_step"], &reports[2]["facts"]), (&"challenge".into(), &Value::Null));
}

#[test]
fn the_clock() {
    let folder = Folder::new("clock");
    let mut story = Story::one();
    // Asked a minute ago, decided half a minute ago.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    story.core.issued_at = Timestamp::from_unix(now - 60);
    story.core.expires_at = story.core.issued_at.plus(300);
    story.core.use_by = story.core.expires_at.plus(3600);
    folder.write("fresh.receipt.json", &story.text());
    for (arguments, code) in [
        ("fresh.receipt.json --trust trust.json --usable --max-age 600", 0),
        ("fresh.receipt.json --trust trust.json --max-age 20", 1),
        ("approved.receipt.json --trust trust.json --usable", 1),
        ("approved.receipt.json --trust trust.json --max-age 600", 1),
        ("approved.receipt.json --trust trust.json --max-age 18446744073709551615", 0),
    ] {
        let run = folder.run(arguments, "");
        assert_eq!(run.code, code, "{arguments}: {}", run.stdout);
        assert_eq!(run.stdout.contains("NOT VERIFIED: the step expectation failed"), code == 1, "{}", run.stdout);
    }
}

#[test]
fn wrong_calls() {
    let folder = Folder::new("wrong-calls");
    let trust = Story::trust().to_json();
    folder.write("unknown.json", &trust.replacen('{', "{\"aprovers\":{},", 1));
    folder.write("empty.json", "");
    folder.write("array.json", "[]");
    folder.write("repeated.json", "{\"a\":1,\"a\":2}");
    for (name, arguments) in [
        ("missing-receipt", "approved.receipt.json missing.receipt.json --trust trust.json"),
        ("missing-trust", "approved.receipt.json --trust missing.json"),
        ("missing-payload", "approved.receipt.json --trust trust.json --payload missing.json"),
        ("unknown-trust-field", "approved.receipt.json --trust unknown.json"),
        ("empty-trust", "approved.receipt.json --trust empty.json"),
        ("payload-not-an-object", "approved.receipt.json --trust trust.json --payload array.json"),
        ("payload-with-a-repeated-key", "approved.receipt.json --trust trust.json --payload repeated.json"),
    ] {
        let run = folder.run(arguments, "");
        assert_eq!(run.code, 2, "{name}: {}", run.stderr);
        run.assert_golden(name);
    }
    for (arguments, word) in [
        ("--trust trust.json", "RECEIPT"),
        ("approved.receipt.json", "--trust"),
        ("approved.receipt.json --trust trust.json --decision maybe", "approve or reject"),
        ("approved.receipt.json --trust trust.json --approvers Alex", "a-z"),
        ("approved.receipt.json --trust trust.json --quorum 2", "--approvers"),
        ("approved.receipt.json --trust trust.json --max-age -1", "-1"),
        ("approved.receipt.json --trust trust.json --max-age +5", "not a whole number"),
        ("approved.receipt.json --trust trust.json --approvers alex --quorum +1", "not a whole number"),
        ("approved.receipt.json --trust trust.json --approvers alex --quorum 4294967296", "too large"),
        ("approved.receipt.json --trust trust.json --approvers alex --quorum=", "--quorum"),
        ("approved.receipt.json --trust trust.json --action a --action b", "--action"),
        ("approved.receipt.json --trust trust.json --unknown", "--unknown"),
    ] {
        let run = folder.run(arguments, "");
        assert_eq!(run.code, 2, "{arguments}: {}", run.stderr);
        assert!(run.stderr.contains(word), "{arguments}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{arguments}");
    }
}

/// Characters that act on a terminal, or change how others are read.
const ACTIVE: [char; 6] = ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{200b}'];

#[test]
fn nothing_in_a_receipt_acts_on_the_terminal() {
    let folder = Folder::new("terminal");
    let active: String = ACTIVE.iter().collect();
    let payload =
        format!("{{\"k{active}\":\"{active}[31mred\"}}").replace('\u{1b}', "\\u001b").replace('\u{7}', "\\u0007");
    let mut story = Story::one();
    story.core.payload = verifier::document::parse_payload(payload.as_bytes()).unwrap();
    folder.write("active.receipt.json", &story.text());
    folder.write("payload.json", &payload);
    folder.write("other.json", &payload.replace("red", "blue"));
    let active_title = |document: String| document.replace("Deploy", "\u{202e}Deploy");
    folder.write(
        "title.receipt.json",
        &story.clone().with(Changes { document: active_title, ..Changes::default() }).text(),
    );
    let active_log = |note: String| note.replace("approvals.example.com/log\n2", "\u{9b}31m\u{202e}\n2");
    folder.write("log.receipt.json", &story.with(Changes { note: active_log, ..Changes::default() }).text());
    let active_site = |text: String| text.replace("https://", "https://\u{202e}\u{9b}31m");
    folder.write(
        "site.receipt.json",
        &Story::one().with(Changes { client_data: active_site, ..Changes::default() }).text(),
    );
    folder.write("repeated.json", "{\"\\u001b[31m\u{202e}\u{9b}\":{\"\u{202e}\":1,\"\u{202e}\":2}}");
    folder.write("unknown.json", &Story::trust().to_json().replacen('{', "{\"\\u001b[31m\u{202e}\u{9b}\":{},", 1));
    for (arguments, code) in [
        ("active.receipt.json --trust trust.json", 0),
        ("active.receipt.json --trust trust.json --json", 0),
        ("active.receipt.json --trust trust.json --payload payload.json", 0),
        ("active.receipt.json --trust trust.json --payload other.json", 1),
        ("active.receipt.json --trust trust.json --payload other.json --json", 1),
        ("title.receipt.json --trust trust.json", 1),
        ("log.receipt.json --trust trust.json", 1),
        ("log.receipt.json --trust trust.json --json", 1),
        ("active.receipt.json --trust trust.json --explain", 0),
        ("site.receipt.json --trust trust.json --explain", 1),
        ("site.receipt.json --trust trust.json --explain --json", 1),
        ("log.receipt.json --trust trust.json --explain", 1),
        ("log.receipt.json --trust trust.json --explain --json", 1),
        ("active.receipt.json --trust trust.json --payload repeated.json", 2),
        ("active.receipt.json --trust unknown.json", 2),
    ] {
        let run = folder.run(arguments, "");
        assert_eq!(run.code, code, "{arguments}: {}{}", run.stdout, run.stderr);
        for output in [&run.stdout, &run.stderr] {
            assert!(!output.contains(ACTIVE), "{arguments}: {output:?}");
        }
    }
    let run = folder.run("active.receipt.json --trust trust.json --json", "");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let core: Value = serde_json::from_str(report["facts"]["core"].as_str().unwrap()).unwrap();
    assert_eq!(core["payload"][format!("k{active}")], format!("{active}[31mred"), "what is written out is not lost");
    folder.run("active.receipt.json --trust trust.json", "").assert_golden("active-payload");
}

/// With --explain the values behind each step stand under it.
#[test]
fn explained() {
    let folder = Folder::new("explained");
    folder.write("one.receipt.json", &Story::one().text());
    let tpm = Story { enrolments: vec![invited("alex", TPM)], votes: vec![approves("alex", TPM, 30)], ..Story::one() };
    folder.write("tpm.receipt.json", &tpm.text());
    folder.write("second-key.receipt.json", &Story::second_key().text());
    let receipt = |mut it: verifier::receipt::Receipt| (it.decisions[1].logged.hashes[0] = merkle::EMPTY_ROOT, it).1;
    folder.write(
        "other-hash.receipt.json",
        &Story::two_of_three().with(Changes { receipt, ..Changes::default() }).text(),
    );
    let receipt = |mut it: verifier::receipt::Receipt| (it.decisions[0].logged.hashes.pop(), it).1;
    folder.write("short.receipt.json", &Story::one().with(Changes { receipt, ..Changes::default() }).text());
    let witnesses = [
        Witness { name: "witness.example/w", seed: 0x31, time: 1_772_366_460 },
        Witness { name: "nobody.example/w", seed: 0x32, time: 1_772_366_461 },
    ];
    let pinned = format!("{{\"witness_quorum\":1,\"witnesses\":[\"{}\"],", witnesses[0].key_text());
    folder.write("witnesses.json", &Story::trust().to_json().replacen('{', &pinned, 1));
    folder.write("cosigned.receipt.json", &Story { witnesses: witnesses.to_vec(), ..Story::one() }.text());
    folder.write("cut.receipt.json", &Story::one().text()[..100]);
    folder.write("payload.json", "{\"env\":\"staging\"}");
    for (name, arguments, code) in [
        ("approved", "one.receipt.json --trust trust.json", 0),
        ("quorum", "approved.receipt.json --trust trust.json", 0),
        ("rs256", "tpm.receipt.json --trust trust.json", 0),
        ("second-key", "second-key.receipt.json --trust trust.json", 0),
        ("witnesses", "cosigned.receipt.json --trust witnesses.json", 0),
        ("fails-at-receipt", "cut.receipt.json --trust trust.json", 1),
        ("fails-at-challenge", "changed.receipt.json --trust trust.json", 1),
        ("fails-at-inclusion", "other-hash.receipt.json --trust trust.json", 1),
        ("proof-too-short", "short.receipt.json --trust trust.json", 1),
        ("another-payload", "one.receipt.json --trust trust.json --payload payload.json", 1),
        ("json", "one.receipt.json changed.receipt.json --trust trust.json --json", 1),
    ] {
        let run = folder.run(&format!("{arguments} --explain"), "");
        assert_eq!(run.code, code, "{name}: {}{}", run.stdout, run.stderr);
        run.assert_golden(&format!("explain/{name}"));
    }
}

/// Without the values, the report is the one that everybody gets.
#[test]
fn an_explained_report_is_the_report_and_values() {
    let folder = Folder::new("explained-report");
    let files = "approved.receipt.json changed.receipt.json rejected.receipt.json --trust trust.json";
    let (plain, explained) = (folder.run(files, ""), folder.run(&format!("{files} --explain"), ""));
    let without_values = explained.stdout.lines().filter(|line| !line.starts_with("      "));
    let without_values: Vec<_> = without_values.filter(|line| !line.contains("under each step")).collect();
    assert_eq!(without_values, plain.stdout.lines().collect::<Vec<_>>());

    let (plain, explained) =
        (folder.run(&format!("{files} --json"), ""), folder.run(&format!("{files} --json --explain"), ""));
    for (plain, explained) in plain.stdout.lines().zip(explained.stdout.lines()) {
        let mut report: Value = serde_json::from_str(explained).unwrap();
        report.as_object_mut().unwrap().remove("explain").expect("a member explain");
        assert_eq!(report, serde_json::from_str::<Value>(plain).unwrap());
    }
}

/// The values, computed again from the receipt's JSON with nothing but SHA-256.
#[test]
fn explained_values_can_be_computed_again() {
    let folder = Folder::new("explained-values");
    let receipt = Story::two_of_three().text();
    let run = folder.run("approved.receipt.json --trust trust.json --json --explain", "");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let sha256 = |bytes: &[u8]| Sha256::digest(bytes).to_vec();
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap();
    let hex = |bytes: &[u8]| bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect::<String>();
    let value = |step: &str, part: &str, name: &str| value_of(&report, step, part, name);
    assert_eq!(value("receipt", "", "size in bytes"), receipt.len().to_string());
    assert_eq!(value("receipt", "", "SHA-256 of the file"), hex(&sha256(receipt.as_bytes())));

    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    let root = receipt["checkpoint"].as_str().unwrap().lines().nth(2).unwrap();
    let root = hex(&verifier::encoding::from_base64(root).unwrap());
    assert_eq!(value("checkpoint", "", "root hash"), root);
    let decoded = |value: &Value| verifier::encoding::from_base64url(value.as_str().unwrap()).unwrap();
    for (n, decision) in receipt["decisions"].as_array().unwrap().iter().enumerate() {
        let part = format!("decisions[{n}]");
        let value = |step: &str, name: &str| value(step, &part, name);
        let (document, logged) = (decision["document"].as_str().unwrap(), decision["entry"].as_str().unwrap());
        let entry: Value = serde_json::from_str(logged.split_once('\n').unwrap().1).unwrap();
        let document_hash = sha256(document.as_bytes());
        assert_eq!(value("document", "document hash"), hex(&document_hash));
        assert_eq!(value("challenge", "challenge as signed"), hex(&[&[0x0a; 32][..], &document_hash].concat()));
        let payload = "{\"env\":\"production\",\"replicas\":3,\"service\":\"api-gateway\"}";
        assert_eq!(value("document", "payload hash"), hex(&sha256(payload.as_bytes())));
        let client_data_hash = sha256(&decoded(&entry["client_data_json"]));
        assert_eq!(value("client-data", "client data hash"), hex(&client_data_hash));
        let message = [decoded(&entry["authenticator_data"]), client_data_hash].concat();
        assert_eq!(value("signature", "signed message"), hex(&message));
        assert_eq!(value("signature", "signed message hash"), hex(&sha256(&message)));

        let mut node = sha256(&[b"\0", logged.as_bytes()].concat());
        assert_eq!(value("entry", "leaf hash"), hex(&node));
        // Decisions stand at 6 and 7 of 10: the bits of the index say on which side the others are.
        for (level, hash) in decision["hashes"].as_array().unwrap().iter().enumerate() {
            let left = decision["index"].as_u64().unwrap() >> level & 1 == 1;
            let hash = decoded(hash);
            let side = if left { "left" } else { "right" };
            assert_eq!(value("inclusion", &format!("hashes[{level}], on the {side}")), hex(&hash));
            let (first, second) = if left { (hash, node) } else { (node, hash) };
            node = sha256(&[vec![1], first, second].concat());
        }
        assert_eq!((value("inclusion", "computed root"), &hex(&node)), (root.clone(), &root));
    }
}

/// The one value of that name, in the JSON report.
fn value_of(report: &Value, step: &str, part: &str, name: &str) -> String {
    let steps = report["explain"].as_array().unwrap();
    let values = steps.iter().filter(|it| it["id"] == step).flat_map(|it| it["values"].as_array().unwrap());
    let found: Vec<_> = values.filter(|it| it["part"] == part && it["name"] == name).collect();
    let [found] = &found[..] else { panic!("{step} {part} {name}: {found:?}") };
    found["value"].as_str().unwrap().to_owned()
}

/// A key that is not the log's says so by name; nothing else of the receipt is shown.
#[test]
fn another_log_s_key() {
    let folder = Folder::new("another-log");
    let key = log::log_key(made::LOG, 0x55).verifier_key();
    let trust = verifier::trust::Trust::of_server(key, Story::trust().relying_party);
    folder.write("other.json", &trust.to_json());
    let run = folder.run("approved.receipt.json --trust other.json", "");
    assert_eq!(run.code, 1);
    run.assert_golden("another-log-key");
}
