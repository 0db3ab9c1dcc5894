//! Every case of `testdata/doors.json`: did the server behind the proxy see the call, and what does the answer say.

use std::sync::Mutex;
use std::thread;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::host::{Folder, code};

/// How many cases run beside each other: most of them wait.
const AT_ONCE: usize = 6;

#[derive(Deserialize)]
struct Case {
    #[serde(rename = "case")]
    name: String,
    what: String,
    request: Value,
    timeout: Option<u64>,
    after_approval: bool,
    runs: bool,
    code: Option<String>,
}

#[test]
fn no_misbehaving_server_lets_a_call_through() {
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/doors.json");
    let cases: Vec<Case> = serde_json::from_str(&std::fs::read_to_string(table).unwrap()).unwrap();
    assert!(cases.len() > 30 && cases.iter().any(|case| case.runs), "the table is not what it was");
    let (queue, wrong) = (Mutex::new(cases), Mutex::new(Vec::new()));
    let work = || {
        while let Some(case) = { queue.lock().unwrap().pop() } {
            if let Err(words) = run(&case) {
                wrong.lock().unwrap().push(format!("{} ({}): {words}", case.name, case.what));
            }
        }
    };
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn run(case: &Case) -> Result<(), String> {
    let folder = Folder::new();
    if case.after_approval {
        // In a memory that has seen more of the log.
        for _ in 0..2 {
            let first = call(&folder, "approves", &rules(&json!({})), None);
            if code(&first).is_some() {
                return Err(format!("the approval before it: {first}"));
            }
        }
    }
    let before = folder.calls().len();
    let answer = call(&folder, &case.name, &rules(&case.request), case.timeout);
    let ran = folder.calls().len() - before;
    let expected = (usize::from(case.runs), case.code.as_deref(), !case.runs);
    let found = (ran, code(&answer), answer["result"]["isError"] == true);
    if found == expected { Ok(()) } else { Err(format!("{found:?} and not {expected:?}: {answer}")) }
}

/// The rules that ask as a case asks.
fn rules(request: &Value) -> Value {
    let mut every = json!({});
    let names = [("username", "approver"), ("approvers", "approvers"), ("quorum", "quorum")];
    for (given, name) in names.into_iter().chain([("expiresIn", "expires_in"), ("useWithin", "use_within")]) {
        if let Some(value) = request.get(given) {
            every[name] = value.clone();
        }
    }
    if request.get("username").or(request.get("approvers")).is_none() {
        every["approver"] = json!("alex");
    }
    json!({"tools": {"*": every}})
}

fn call(folder: &Folder, case: &str, rules: &Value, timeout: Option<u64>) -> Value {
    let rules = folder.rules("rules.json", &rules.to_string());
    let timeout = timeout.unwrap_or(50).to_string();
    let mut host = folder.start(case, &["--rules", &rules, "--timeout", &timeout]);
    host.call(1, "note", &json!({"text": "of the case"}));
    let answer = host.answer();
    host.hang_up();
    assert_eq!(host.ended().0, Some(0), "{case}");
    answer
}
