//! Where each message goes: a state machine without clock, pipes or network. What goes to the server is a message that needs
//! no approval, or a call whose approval was used up for it; there is no third way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use verifier::json::{Object, Value};
use verifier::names::check_action;
use verifier::words::visible;

use super::answer;
use super::hold::Cleared;
use super::message::{Call, Id, Kind, MAX_MESSAGE, Message, Refused};
use super::rules::{Hold, Rule, Rules};
use crate::approval::{Asked, payload};
use crate::outcome::{Code, Denied};

/// How many calls wait at once. A person who is asked more often reads none of them.
const MAX_HELD: usize = 32;
/// How many lists are on their way at once, whose hints count.
const MAX_LISTINGS: usize = 64;

/// One held call. No two have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// One line, or that there was one that is too long to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// The line without its end.
    Text(Vec<u8>),
    /// Longer than any message may be.
    TooLong,
}

/// What comes in.
#[derive(Debug)]
pub(crate) enum Input {
    /// From the host.
    Host(Line),
    /// From the server.
    Server(Line),
    /// A person was asked, or is asked still.
    Waits(Ticket, String),
    /// How it ended.
    Decided(Ticket, Result<Cleared, Denied>),
    /// The server is gone.
    ServerGone,
    /// The host is gone, or the proxy is to stop.
    HostGone,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    /// A line to the host.
    ToHost(Vec<u8>),
    /// A line to the server.
    ToServer(String),
    /// A person is asked.
    Ask(Ticket, Box<Asked>),
    /// A person is asked no more: the request is cancelled.
    Stop(Ticket),
    /// Words for whoever looks after the proxy.
    Say(String),
}

/// The state.
pub(crate) struct Switch {
    rules: Rules,
    command: Vec<String>,
    timeout: Duration,
    held: BTreeMap<Ticket, Held>,
    tickets: u64,
    listings: BTreeMap<Id, Page>,
    read_only: BTreeSet<String>,
    unlisted: Option<BTreeSet<String>>,
    closed: bool,
}

struct Held {
    id: Id,
    call: Call,
    told: u32,
}

/// Whether a list is a new one, or goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Page {
    First,
    Later,
}

impl Switch {
    /// Before a server that was started by this command.
    pub(crate) fn new(rules: Rules, command: Vec<String>, timeout: Duration) -> Self {
        Self {
            rules,
            command,
            timeout,
            held: BTreeMap::new(),
            tickets: 0,
            listings: BTreeMap::new(),
            read_only: BTreeSet::new(),
            unlisted: None,
            closed: false,
        }
    }

    /// One step.
    pub(crate) fn step(&mut self, input: Input) -> Vec<Output> {
        match input {
            _ if self.closed => Vec::new(),
            Input::Host(Line::Text(line)) if line.trim_ascii().is_empty() => Vec::new(),
            Input::Host(Line::Text(line)) => match Message::parse(&line) {
                Ok(message) => self.host_says(&message),
                Err(refused) => refuse(&refused),
            },
            Input::Host(Line::TooLong) => {
                let words = format!("a message has at most {MAX_MESSAGE} bytes");
                refuse(&Refused { id: None, code: -32600, words, answered: true })
            }
            Input::Server(Line::Text(line)) => self.server_says(line),
            Input::Server(Line::TooLong) => {
                vec![say(format!("the server wrote more than {MAX_MESSAGE} bytes in a line"))]
            }
            Input::Waits(ticket, words) => self.waits(ticket, &words),
            Input::Decided(ticket, decided) => self.decided(ticket, decided),
            Input::ServerGone => {
                self.closed = true;
                let gone = Denied::new(Code::Aborted, "the server behind the proxy ended");
                std::mem::take(&mut self.held)
                    .into_iter()
                    .flat_map(|(ticket, held)| [Output::Stop(ticket), deny(&held.id, &held.call.tool, &gone)])
                    .collect()
            }
            Input::HostGone => {
                self.closed = true;
                std::mem::take(&mut self.held).into_keys().map(Output::Stop).collect()
            }
        }
    }

    fn host_says(&mut self, message: &Message) -> Vec<Output> {
        match &message.kind {
            Kind::Call(id, _) | Kind::Request(id, _) if self.ticket_of(id).is_some() => self.same_id_again(id),
            Kind::Call(id, call) if self.rules.almost_held(&call.tool).is_some() => self.almost_held(id, &call.tool),
            Kind::Call(id, call) => match self.rules.of(&call.tool, &self.read_only).clone() {
                Rule::Allow => vec![Output::ToServer(message.to_line())],
                Rule::Hold(hold) => self.hold(id, call, &hold),
            },
            Kind::Notification(method) if method == "notifications/cancelled" => {
                let id = message.params().and_then(|params| params.get("requestId")).and_then(Id::of_value);
                match id.and_then(|id| self.ticket_of(&id)) {
                    // The server never heard of it.
                    Some(ticket) => {
                        self.held.remove(&ticket);
                        vec![Output::Stop(ticket)]
                    }
                    None => vec![Output::ToServer(message.to_line())],
                }
            }
            Kind::Request(id, method) => {
                if method == "tools/list" && self.listings.len() < MAX_LISTINGS {
                    let goes_on = message.params().is_some_and(|params| params.get("cursor").is_some());
                    self.listings.insert(id.clone(), if goes_on { Page::Later } else { Page::First });
                }
                vec![Output::ToServer(message.to_line())]
            }
            Kind::Notification(_) | Kind::Response(_) => vec![Output::ToServer(message.to_line())],
        }
    }

    /// A server that does not tell capital letters from small ones would run a held tool.
    fn almost_held(&self, id: &Id, tool: &str) -> Vec<Output> {
        let name = self.rules.almost_held(tool).unwrap_or_default();
        let words = format!("the rules hold {name:?}, and tools are called by their exact names");
        let denied = Denied::new(Code::Refused, words);
        vec![say(format!("{} was not called: {denied}", visible(tool))), deny(id, tool, &denied)]
    }

    fn hold(&mut self, id: &Id, call: &Call, hold: &Hold) -> Vec<Output> {
        let asked = match self.asked(call, hold) {
            Ok(asked) if self.held.len() < MAX_HELD => asked,
            Ok(_) => {
                let denied = Denied::new(Code::Refused, format!("{MAX_HELD} calls wait for approval already"));
                return vec![deny(id, &call.tool, &denied)];
            }
            Err(denied) => return vec![deny(id, &call.tool, &denied)],
        };
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.held.insert(ticket, Held { id: id.clone(), call: call.clone(), told: 0 });
        vec![Output::Ask(ticket, Box::new(asked))]
    }

    /// What the approver is asked: everything that the server will read, but for what the host says about itself.
    fn asked(&self, call: &Call, hold: &Hold) -> Result<Asked, Denied> {
        let refused = |words: String| Denied::new(Code::Refused, words);
        let mut content = vec![
            ("server", self.command.iter().map(|part| Value::from(part.as_str())).collect()),
            ("tool", call.tool.as_str().into()),
            ("arguments", call.arguments.clone().into()),
        ];
        let more = call.rest.clone().without(&["_meta", "task"]);
        if !more.is_empty() {
            content.push(("params", more.into()));
        }
        let text = Value::from(Object::new(content)).to_canonical();
        let payload = payload(text.as_bytes()).map_err(|denied| refused(denied.detail))?;
        let action = match &hold.action {
            Some(action) => action.clone(),
            None => format!("Call {} of {}", call.tool, self.rules.server),
        };
        check_action(&action).map_err(|error| refused(format!("the tool's name cannot be shown: {error}")))?;
        Ok(Asked {
            approvers: hold.approvers.clone(),
            quorum: hold.quorum,
            action,
            payload,
            expires_in: Some(hold.expires_in(self.timeout)),
            use_within: hold.use_within,
            reveal: false,
            notify: None,
            requester: None,
        })
    }

    /// Two requests with one id cannot be told apart by their answers, so neither runs.
    fn same_id_again(&mut self, id: &Id) -> Vec<Output> {
        let Some(ticket) = self.ticket_of(id) else { return Vec::new() };
        self.held.remove(&ticket);
        let words = "the id is that of a call that waits; neither is passed on".to_owned();
        let mut outputs = vec![Output::Stop(ticket)];
        outputs.extend(refuse(&Refused { id: Some(id.clone()), code: -32600, words, answered: true }));
        outputs
    }

    fn waits(&mut self, ticket: Ticket, words: &str) -> Vec<Output> {
        let Some(held) = self.held.get_mut(&ticket) else { return Vec::new() };
        held.told += 1;
        let mut outputs = Vec::new();
        if held.told == 1 {
            outputs.push(say(format!("{} is {words}", visible(&held.call.tool))));
        }
        let token = held.call.rest.get("_meta").and_then(Value::as_object).and_then(|meta| meta.get("progressToken"));
        if let Some(token) = token.filter(|token| matches!(token, Value::String(_) | Value::Number(_))) {
            outputs.push(Output::ToHost(answer::progress(token, held.told, words).into_bytes()));
        }
        outputs
    }

    /// A call that the host gave up is not held any more, so an approval that comes then finds nothing to run.
    fn decided(&mut self, ticket: Ticket, decided: Result<Cleared, Denied>) -> Vec<Output> {
        let Some(Held { id, call, .. }) = self.held.remove(&ticket) else { return Vec::new() };
        match decided.and_then(Cleared::arguments) {
            Ok(arguments) => vec![Output::ToServer(call.to_line(&id, arguments))],
            Err(denied) => {
                vec![say(format!("{} was not called: {denied}", visible(&call.tool))), deny(&id, &call.tool, &denied)]
            }
        }
    }

    /// What the server says passes as it is. An answer to a call that it was not given is none.
    fn server_says(&mut self, mut line: Vec<u8>) -> Vec<Output> {
        let mut outputs = Vec::new();
        match Message::parse(&line).map(|message| (message.kind.clone(), message)) {
            Ok((Kind::Response(Some(id)), _)) if self.ticket_of(&id).is_some() => {
                return vec![say("the server answered a call that it was not given; the answer is dropped".to_owned())];
            }
            Ok((Kind::Response(Some(id)), message)) => {
                if let Some(page) = self.listings.remove(&id) {
                    outputs.extend(self.listed(page, message.result()));
                }
            }
            Ok((Kind::Notification(method), _)) if method == "notifications/tools/list_changed" => self.forget_hints(),
            Ok(_) => {}
            // Whatever the host takes it for, it may have been a list.
            Err(_) => self.forget_hints(),
        }
        line.push(b'\n');
        outputs.push(Output::ToHost(line));
        outputs
    }

    /// The list that is known is no longer right, and neither is one that is on its way.
    fn forget_hints(&mut self) {
        self.read_only.clear();
        self.listings.clear();
        self.unlisted = None;
    }

    /// Takes the hints of a list. A tool that stands there twice only reads if both say so. At the list's end somebody
    /// hears of rules that hold what is not there: a name that is written wrong leaves the tool that was meant open.
    fn listed(&mut self, page: Page, result: Option<&Object>) -> Option<Output> {
        if page == Page::First {
            self.read_only.clear();
            self.unlisted = Some(self.rules.held().map(str::to_owned).collect());
        }
        let tools = result.and_then(|result| result.get("tools")).and_then(Value::as_array).unwrap_or_default();
        let mut others = BTreeSet::new();
        for tool in tools.iter().filter_map(Value::as_object) {
            let Some(name) = tool.get("name").and_then(Value::as_str) else { continue };
            if let Some(unlisted) = &mut self.unlisted {
                unlisted.remove(name);
            }
            let hints = tool.get("annotations").and_then(Value::as_object);
            match hints.and_then(|hints| hints.get("readOnlyHint")).and_then(Value::as_bool) {
                Some(true) => self.read_only.insert(name.to_owned()),
                _ => others.insert(name.to_owned()),
            };
        }
        self.read_only.retain(|name| !others.contains(name));
        let goes_on = result.is_none_or(|result| result.get("nextCursor").is_some_and(|next| *next != Value::Null));
        let unlisted = self.unlisted.take_if(|_| !goes_on).filter(|names| !names.is_empty())?;
        let names = unlisted.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        Some(say(format!("the rules hold {names}, and the server's list has no such tool: is the name right?")))
    }

    fn ticket_of(&self, id: &Id) -> Option<Ticket> {
        self.held.iter().find_map(|(ticket, held)| (held.id == *id).then_some(*ticket))
    }
}

fn refuse(refused: &Refused) -> Vec<Output> {
    let mut outputs = vec![say(format!("a message of the host is not passed on: {}", visible(&refused.words)))];
    if refused.answered {
        outputs.push(Output::ToHost(answer::refusal(refused).into_bytes()));
    }
    outputs
}

fn deny(id: &Id, tool: &str, denied: &Denied) -> Output {
    Output::ToHost(answer::denial(id, tool, denied).into_bytes())
}

fn say(words: String) -> Output {
    Output::Say(words)
}

#[cfg(test)]
#[path = "switch_tests.rs"]
mod tests;
