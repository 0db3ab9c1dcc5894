//! The switch over tables of messages: what goes where, and what never reaches the server.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::unnecessary_wraps, reason = "as the switch is told it")]

use super::*;
use crate::proxy::rules::RulesFile;

const RULES: &str = r#"{"server":"files","approver":"alex","allow_read_only":true,
    "tools":{"list":{"allow":true},"pay":{"approvers":["alex","kim"],"quorum":2,"action":"Pay","expires_in":40}}}"#;

fn switch() -> Switch {
    let file: RulesFile = serde_json::from_str(RULES).unwrap();
    let rules = Rules::of_file(file, None, "files").unwrap();
    Switch::new(rules, vec!["files".to_owned(), "--root".to_owned(), "/srv".to_owned()], Duration::from_secs(50))
}

fn host(text: &str) -> Input {
    Input::Host(Line::Text(text.as_bytes().to_vec()))
}

fn server(text: &str) -> Input {
    Input::Server(Line::Text(text.as_bytes().to_vec()))
}

fn call(id: &str, tool: &str, arguments: &str) -> Input {
    host(&format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments},"_meta":{{"progressToken":"t{}"}}}}}}"#,
        id.trim_matches('"')
    ))
}

fn cleared(asked: &Asked) -> Result<Cleared, Denied> {
    Ok(Cleared::made(asked.payload.clone()))
}

/// Holds a call and gives what is asked.
fn held(switch: &mut Switch, input: Input) -> (Ticket, Asked) {
    match switch.step(input).as_slice() {
        [Output::Ask(ticket, asked)] => (*ticket, (**asked).clone()),
        other => panic!("not held: {other:?}"),
    }
}

fn to_server(outputs: &[Output]) -> Vec<&str> {
    outputs
        .iter()
        .filter_map(|output| if let Output::ToServer(line) = output { Some(line.as_str()) } else { None })
        .collect()
}

fn to_host(outputs: &[Output]) -> Vec<serde_json::Value> {
    let lines = outputs.iter().filter_map(|output| if let Output::ToHost(line) = output { Some(line) } else { None });
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

#[test]
fn what_is_no_held_call_passes_both_ways() {
    let mut switch = switch();
    for line in [
        r#"{"id":1,"jsonrpc":"2.0","method":"initialize","params":{"protocolVersion":"2025-06-18"}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"id":"a","jsonrpc":"2.0","method":"tools/list"}"#,
        r#"{"id":2,"jsonrpc":"2.0","method":"tools/call","params":{"arguments":{"n":1.50},"name":"list"}}"#,
        r#"{"id":3,"jsonrpc":"2.0","method":"tasks/result","params":{"taskId":"x"}}"#,
        r#"{"id":7,"jsonrpc":"2.0","result":{"roots":[]}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#,
    ] {
        assert_eq!(switch.step(host(line)), [Output::ToServer(format!("{line}\n"))]);
    }
    for line in [
        r#"{"jsonrpc": "2.0", "id": 7, "method": "roots/list"}"#,
        r#"{"jsonrpc":"2.0","id":2,"result":{"b":1,"a":1}}"#,
        "a line of a careless server",
    ] {
        assert_eq!(switch.step(server(line)), [Output::ToHost(format!("{line}\n").into_bytes())], "untouched");
    }
    assert_eq!(switch.step(host("  \r")), []);
}

#[test]
fn a_call_is_held_until_it_is_approved_and_then_runs_once() {
    let mut switch = switch();
    let (ticket, asked) = held(&mut switch, call("\"c1\"", "delete", r#"{"path":"/srv/a","force":true,"n":1.0}"#));
    assert_eq!(asked.action, "Call delete of files");
    assert_eq!(
        Value::from(asked.payload.clone()).to_canonical(),
        r#"{"arguments":{"force":true,"n":1,"path":"/srv/a"},"server":["files","--root","/srv"],"tool":"delete"}"#
    );
    assert_eq!((asked.approvers.len(), asked.quorum, asked.expires_in()), (1, 1, 50));
    let outputs = switch.step(Input::Decided(ticket, cleared(&asked)));
    assert_eq!(
        to_server(&outputs),
        [concat!(
            r#"{"id":"c1","jsonrpc":"2.0","method":"tools/call","params":{"_meta":{"progressToken":"tc1"},"#,
            r#""arguments":{"force":true,"n":1,"path":"/srv/a"},"name":"delete"}}"#,
            "\n"
        )]
    );
    assert_eq!(switch.step(Input::Decided(ticket, cleared(&asked))), [], "a second yes finds nothing");
    let answer = r#"{"jsonrpc":"2.0","id":"c1","result":{"content":[]}}"#;
    assert_eq!(switch.step(server(answer)), [Output::ToHost(format!("{answer}\n").into_bytes())]);
}

#[test]
fn a_rule_says_whom_to_ask_and_what_they_read() {
    let (_, asked) = held(&mut switch(), call("1", "pay", "{}"));
    let names: Vec<_> = asked.approvers.iter().map(ToString::to_string).collect();
    assert_eq!(
        (names.join(" ").as_str(), asked.quorum, asked.action.as_str(), asked.expires_in()),
        ("alex kim", 2, "Pay", 40)
    );
}

#[test]
fn whatever_else_a_server_reads_is_shown_too() {
    let line = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete","task":{"ttl":1},"inputResponses":{"a":"yes"}}}"#;
    let mut switch = switch();
    let (ticket, asked) = held(&mut switch, host(line));
    let shown = Value::from(asked.payload.clone()).to_canonical();
    assert!(shown.contains(r#""arguments":{},"params":{"inputResponses":{"a":"yes"}}"#), "{shown}");
    let outputs = switch.step(Input::Decided(ticket, cleared(&asked)));
    assert!(to_server(&outputs)[0].contains(r#""inputResponses":{"a":"yes"},"name":"delete","task":{"ttl":1}"#));
}

#[test]
fn a_denied_call_is_answered_and_never_passed_on() {
    for code in [Code::Rejected, Code::TimedOut, Code::Unreachable, Code::NotVerified, Code::AlreadyConsumed] {
        let mut switch = switch();
        let (ticket, _) = held(&mut switch, call("5", "delete", "{}"));
        let outputs = switch.step(Input::Decided(ticket, Err(Denied::new(code, "for a reason"))));
        assert_eq!(to_server(&outputs), [""; 0]);
        let answer = &to_host(&outputs)[0];
        assert_eq!((&answer["id"], &answer["result"]["isError"]), (&5.into(), &true.into()));
        assert_eq!(answer["result"]["_meta"]["countersign/code"], code.as_str());
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.starts_with(&format!("delete was not called ({code}): for a reason.")), "{text}");
        assert_eq!(switch.step(Input::Decided(ticket, Ok(Cleared::made(Object::default())))), []);
    }
}

#[test]
fn an_approval_of_something_without_arguments_is_none() {
    let mut switch = switch();
    let (ticket, _) = held(&mut switch, call("5", "delete", "{}"));
    let outputs = switch.step(Input::Decided(ticket, Ok(Cleared::made(Object::default()))));
    assert_eq!((to_server(&outputs).len(), to_host(&outputs)[0]["result"]["isError"].as_bool()), (0, Some(true)));
}

#[test]
fn a_call_that_the_host_gave_up_does_not_run() {
    let mut switch = switch();
    let (first, asked) = held(&mut switch, call("5", "delete", "{}"));
    let (second, other) = held(&mut switch, call("\"5\"", "delete", "{}"));
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5,"reason":"timeout"}}"#;
    assert_eq!(switch.step(host(cancel)), [Output::Stop(first)], "the server never heard of it");
    assert_eq!(switch.step(Input::Decided(first, cleared(&asked))), []);
    assert_eq!(
        to_server(&switch.step(Input::Decided(second, cleared(&other)))).len(),
        1,
        "the other one was meant to run"
    );
    // Now it is the server's.
    let cancel = cancel.replace(":5,", r#":"5","#);
    assert_eq!(to_server(&switch.step(host(&cancel))).len(), 1);
}

#[test]
fn calls_wait_independently_and_only_so_many() {
    let mut switch = switch();
    let waiting: Vec<_> = (0..MAX_HELD).map(|id| held(&mut switch, call(&id.to_string(), "delete", "{}"))).collect();
    let outputs = switch.step(call("1000", "delete", "{}"));
    assert_eq!(to_host(&outputs)[0]["result"]["_meta"]["countersign/code"], "refused");
    assert_eq!(to_server(&switch.step(host(r#"{"jsonrpc":"2.0","id":1001,"method":"ping"}"#))).len(), 1);
    for (id, (ticket, asked)) in waiting.iter().enumerate().rev() {
        let outputs = switch.step(Input::Decided(*ticket, cleared(asked)));
        assert!(to_server(&outputs)[0].starts_with(&format!(r#"{{"id":{id},"#)));
    }
}

#[test]
fn two_requests_with_one_id_both_fail() {
    for second in
        [call("5", "list", "{}"), call("5", "delete", "{}"), host(r#"{"jsonrpc":"2.0","id":5,"method":"ping"}"#)]
    {
        let mut switch = switch();
        let (ticket, asked) = held(&mut switch, call("5", "delete", "{}"));
        let outputs = switch.step(second);
        assert_eq!((&outputs[0], to_server(&outputs).len()), (&Output::Stop(ticket), 0));
        assert_eq!(to_host(&outputs)[0]["error"]["code"], -32600);
        assert_eq!(switch.step(Input::Decided(ticket, cleared(&asked))), []);
    }
}

#[test]
fn a_server_cannot_answer_a_call_that_it_was_not_given() {
    let mut switch = switch();
    let (ticket, asked) = held(&mut switch, call("5", "delete", "{}"));
    assert_eq!(to_host(&switch.step(server(r#"{"jsonrpc":"2.0","id":5,"result":{"content":[]}}"#))).len(), 0);
    // Its own request of the same id is another matter.
    assert_eq!(to_host(&switch.step(server(r#"{"jsonrpc":"2.0","id":5,"method":"roots/list"}"#))).len(), 1);
    assert_eq!(to_server(&switch.step(Input::Decided(ticket, cleared(&asked)))).len(), 1);
}

#[test]
fn hints_count_as_the_newest_list_has_them() {
    let mut switch = switch();
    let look = || call("9", "look", "{}");
    let is_held = |switch: &mut Switch| match switch.step(look()).as_slice() {
        [Output::Ask(ticket, _)] => {
            let ticket = *ticket;
            switch.step(Input::Decided(ticket, Err(Denied::new(Code::Rejected, "no"))));
            true
        }
        outputs => to_server(outputs).is_empty(),
    };
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let tools = |tools: &str| server(&format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{tools}]}}}}"#));
    let reads = r#"{"name":"look","annotations":{"readOnlyHint":true}}"#;
    assert!(is_held(&mut switch), "nothing was listed");
    switch.step(tools(reads));
    assert!(is_held(&mut switch), "nobody asked for this list");
    switch.step(host(list));
    switch.step(tools(reads));
    assert!(!is_held(&mut switch));
    switch.step(server(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#));
    assert!(is_held(&mut switch), "it may have changed");
    switch.step(host(list));
    switch.step(server(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#));
    switch.step(tools(reads));
    assert!(is_held(&mut switch), "this list was on its way when it changed");
    let (plain, hidden) = (r#"{"name":"look"}"#, r#"{"name":"look","annotations":{"readOnlyHint":"true"}}"#);
    let twice = |first: &str, second: &str| format!("{first},{second}");
    let others = [twice(plain, plain), twice(reads, hidden), twice(hidden, reads)];
    for listed in [String::new(), plain.to_owned(), hidden.to_owned()].into_iter().chain(others) {
        switch.step(host(list));
        switch.step(tools(reads));
        assert!(!is_held(&mut switch), "before {listed}");
        switch.step(host(list));
        switch.step(tools(&listed));
        assert!(is_held(&mut switch), "after {listed}");
    }
    switch.step(host(list));
    switch.step(tools(reads));
    switch.step(server("a line that nobody can read"));
    assert!(is_held(&mut switch), "it may have been a list");
    // The later pages of a list add to it, and take away from it.
    let next_page = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"2"}}"#;
    for (page, held) in [(list, true), (next_page, false)] {
        switch.step(host(list));
        switch.step(tools(reads));
        switch.step(host(page));
        switch.step(tools(r#"{"name":"other"}"#));
        assert_eq!(is_held(&mut switch), held, "{page}");
    }
    switch.step(host(next_page));
    switch.step(tools(plain));
    assert!(is_held(&mut switch), "a later page says otherwise");
}

#[test]
fn a_rule_that_holds_nothing_is_named_when_the_list_is_complete() {
    let list = |params: &str| host(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list"{params}}}"#));
    let answer = |result: &str| server(&format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#));
    let said = |outputs: Vec<Output>| {
        outputs.into_iter().find_map(|output| if let Output::Say(words) = output { Some(words) } else { None })
    };
    let mut switch = switch();
    switch.step(list(""));
    let words = said(switch.step(answer(r#"{"tools":[{"name":"list"},{"name":"pays"}]}"#))).unwrap();
    assert!(words.contains(r#"the rules hold "pay", and the server's list has no such tool"#), "{words}");
    // The tool stands on a later page, or the list did not come.
    switch.step(list(""));
    assert_eq!(said(switch.step(answer(r#"{"tools":[{"name":"pays"}],"nextCursor":"2"}"#))), None);
    switch.step(list(r#","params":{"cursor":"2"}"#));
    assert_eq!(said(switch.step(answer(r#"{"tools":[{"name":"pay"}]}"#))), None);
    switch.step(list(""));
    assert_eq!(said(switch.step(server(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}"#))), None);
}

#[test]
fn almost_the_name_of_a_held_tool_is_refused() {
    let rules = r#"{"approver":"alex","tools":{"*":{"allow":true},"pay":{},"Read":{},"READ":{"allow":true}}}"#;
    let rules = Rules::of_file(serde_json::from_str(rules).unwrap(), None, "files").unwrap();
    let mut switch = Switch::new(rules, vec!["files".to_owned()], Duration::from_secs(50));
    for tool in ["Pay", " pay", "PAY\\n", "read", "p\\u0041y"] {
        let outputs = switch.step(call("1", tool, "{}"));
        assert_eq!(to_server(&outputs).len(), 0, "{tool}");
        assert_eq!(to_host(&outputs)[0]["result"]["_meta"]["countersign/code"], "refused", "{tool}");
    }
    for tool in ["READ", "pays", "list"] {
        assert_eq!(to_server(&switch.step(call("1", tool, "{}"))).len(), 1, "{tool}");
    }
    held(&mut switch, call("1", "pay", "{}"));
}

#[test]
fn a_host_with_a_token_hears_that_its_call_waits() {
    let mut switch = switch();
    let (ticket, _) = held(&mut switch, call("5", "delete", "{}"));
    let words = "waiting for alex at http://localhost (compare code x)";
    let told: Vec<_> = (0..3).flat_map(|_| to_host(&switch.step(Input::Waits(ticket, words.to_owned())))).collect();
    assert_eq!(told.len(), 3);
    for pair in told.windows(2) {
        assert!(pair[0]["params"]["progress"].as_f64() < pair[1]["params"]["progress"].as_f64());
    }
    let params = &told[0]["params"];
    assert_eq!((&params["progressToken"], &params["message"]), (&"t5".into(), &words.into()));
    let (without, _) =
        held(&mut switch, host(r#"{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"delete"}}"#));
    let outputs = switch.step(Input::Waits(without, words.to_owned()));
    assert!(to_host(&outputs).is_empty() && matches!(outputs.as_slice(), [Output::Say(said)] if said.contains(words)));
}

#[test]
fn what_cannot_be_asked_is_not_asked() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(40), "}".repeat(40));
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(300_000));
    for (tool, arguments, words) in [
        ("delete", r#"{"amount":0.1000000000000000000001}"#, "send it as a string"),
        ("delete", deep.as_str(), "nested deeper"),
        ("delete", large.as_str(), "bytes"),
        ("del\\u202eete", "{}", "cannot be shown"),
    ] {
        let mut switch = switch();
        let outputs = switch.step(call("5", tool, arguments));
        assert!(to_server(&outputs).is_empty());
        let answer = &to_host(&outputs)[0]["result"];
        assert_eq!(answer["_meta"]["countersign/code"], "refused");
        assert!(answer["content"][0]["text"].as_str().unwrap().contains(words), "{words}: {answer}");
    }
}

#[test]
fn what_is_refused_has_an_answer_and_notifications_have_none() {
    let mut switch = switch();
    let answer = to_host(&switch.step(host(r#"{"jsonrpc":"2.0","id":5,"method":"x","x":1}"#)));
    assert_eq!((&answer[0]["id"], &answer[0]["error"]["code"]), (&5.into(), &(-32600).into()));
    assert_eq!(to_host(&switch.step(host("{")))[0]["error"]["code"], -32700);
    assert_eq!(to_host(&switch.step(Input::Host(Line::TooLong)))[0]["id"], serde_json::Value::Null);
    let silent = switch.step(host(r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"delete"}}"#));
    assert!(to_host(&silent).is_empty() && to_server(&silent).is_empty());
}

#[test]
fn the_end_of_either_side_ends_what_waits() {
    let mut switch = switch();
    let (ticket, asked) = held(&mut switch, call("5", "delete", "{}"));
    assert_eq!(switch.step(Input::HostGone), [Output::Stop(ticket)]);
    assert_eq!(switch.step(Input::Decided(ticket, cleared(&asked))), []);
    assert_eq!(switch.step(call("6", "list", "{}")), []);

    let mut switch = self::switch();
    let (ticket, asked) = held(&mut switch, call("5", "delete", "{}"));
    let outputs = switch.step(Input::ServerGone);
    assert_eq!(outputs[0], Output::Stop(ticket));
    assert_eq!(to_host(&outputs)[0]["result"]["_meta"]["countersign/code"], "aborted");
    assert_eq!(switch.step(Input::Decided(ticket, cleared(&asked))), []);
}
