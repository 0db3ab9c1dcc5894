//! A tool call of an agent host behind the door: what Claude Code tells its hook before it runs a tool, and what the hook
//! answers (docs/claude-code.md).
//!
//! ```text
//! standard input    {"hook_event_name": "PreToolUse", "session_id", "tool_use_id", "cwd", "tool_name", "tool_input", …}
//! standard output   {"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "allow" | "deny",
//!                                           "permissionDecisionReason"}}
//! ```
//!
//! Nothing here talks to anybody, except [`decide`], which goes through the door. Writing the host's settings is in
//! [`install`].

pub mod install;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use verifier::document::parse_payload;
use verifier::encoding::base64url;
use verifier::json::{self, Limits, Numbers, Object, Value};
use verifier::names::Username;
use verifier::words::{quoted, visible};

use crate::approval::Asked;
use crate::client::{Client, Pending, Used};
use crate::outcome::Denied;

/// The most that is read from the host. A payload may have a quarter of a mebibyte.
pub const MAX_EVENT: usize = 4 << 20;
/// Levels of nesting: those of a payload, and the event around it.
const MAX_DEPTH: usize = 33;
const EVENT: &str = "PreToolUse";

/// A tool call that the host asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    tool: String,
    payload: Object,
    session: String,
    tool_use: String,
}

/// Why what the host says cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not JSON.
    #[error("what the host wrote to the hook is not acceptable: {0}")]
    Json(#[from] json::Error),
    /// Another event.
    #[error("the hook is for PreToolUse, and the host says {}", quoted(.0))]
    Event(String),
    /// A field is missing or something else.
    #[error("what the host wrote to the hook has no usable {0}")]
    Field(&'static str),
    /// Larger or deeper than what can be approved.
    #[error("the call cannot be shown to a person: {0}")]
    Payload(json::Error),
}

/// The calls that need approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tools {
    /// All of them.
    All,
    /// Those with these names; a name that ends in `*` stands for all that begin like it.
    Named(Vec<String>),
}

impl Tools {
    /// Reads `all`, or names with commas between them.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        let plain = |name: &str| {
            let name = name.strip_suffix('*').unwrap_or(name);
            name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | ':'))
        };
        match names.iter().find(|name| name.is_empty() || !plain(name)) {
            Some(name) => Err(format!("{} is not the name of a tool, or its beginning and *", quoted(name))),
            None => Ok(Self::Named(names)),
        }
    }

    /// Whether calls of this tool need approval.
    pub fn include(&self, tool: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|name| match name.strip_suffix('*') {
                Some(beginning) => tool.starts_with(beginning),
                None => tool == name,
            }),
        }
    }
}

impl fmt::Display for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Named(names) => f.write_str(&names.join(",")),
        }
    }
}

impl Call {
    /// Reads what the host says.
    pub fn parse(bytes: &[u8]) -> Result<Self, EventError> {
        let limits = Limits { max_bytes: MAX_EVENT, max_depth: MAX_DEPTH, numbers: Numbers::Exact };
        let event = json::parse(bytes, limits)?;
        let event = event.as_object().ok_or(EventError::Field("object"))?;
        let text = |field: &'static str| {
            let text = event.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or(EventError::Field(field))
        };
        let name = text("hook_event_name")?;
        if name != EVENT {
            return Err(EventError::Event(name));
        }
        let (tool, session, tool_use) = (text("tool_name")?, text("session_id")?, text("tool_use_id")?);
        let input = event.get("tool_input").filter(|input| input.as_object().is_some());
        let payload = Object::new([
            ("cwd", Value::String(text("cwd")?)),
            ("session_id", Value::String(session.clone())),
            ("tool_input", input.ok_or(EventError::Field("tool_input"))?.clone()),
            ("tool_name", Value::String(tool.clone())),
        ]);
        let canonical = Value::from(payload).to_canonical();
        let payload = parse_payload(canonical.as_bytes()).map_err(EventError::Payload)?;
        Ok(Self { tool, payload, session, tool_use })
    }

    /// The tool's name.
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// What is asked of one person.
    pub fn asked(&self, approver: Username) -> Asked {
        Asked::of(approver, format!("Claude Code: {}", visible(&self.tool)), self.payload.clone())
    }

    /// The same call has the same key, so that a hook that was killed finds its request when the host asks again.
    pub fn idempotency_key(&self) -> String {
        let call = Object::new([
            ("session_id", Value::String(self.session.clone())),
            ("tool_use_id", Value::String(self.tool_use.clone())),
        ]);
        let text = format!("countersign/hook/v1\n{}", Value::from(call).to_canonical());
        format!("claude-code-{}", base64url(&Sha256::digest(text)))
    }
}

/// Asks, waits, verifies and uses the approval, within a time. A host asks about a call once and at once, so a request of
/// some time ago is another one, although its key is the same.
pub async fn decide(
    client: &Client,
    call: &Call,
    asked: &Asked,
    within: Duration,
    stop: impl Future<Output = ()>,
    pending: impl FnOnce(&Pending),
) -> Result<Used, Denied> {
    let clock = client.clock();
    let (began, until) = (clock.wall(), clock.moment() + within);
    let made = client.ask(asked, Some(&call.idempotency_key()), Some(within)).await?;
    made.remembered().check_fresh(began)?;
    pending(&made);
    let left = || Some(clock.left(until));
    let approved = made.decision(left(), stop).await?;
    approved.consume(left()).await
}

/// The answer that lets the call run.
pub fn allow(used: &Used) -> String {
    let facts: Vec<String> = used.facts.decisions.iter().map(|decision| decision.approver.to_string()).collect();
    answer("allow", &format!("approved by {}, verified and used up for this call", facts.join(", ")))
}

/// The answer that keeps the call from running.
pub fn deny(reason: &str) -> String {
    answer("deny", &format!("Countersign did not let this call run: {}", visible(reason)))
}

fn answer(decision: &str, reason: &str) -> String {
    let output = serde_json::json!({"hookSpecificOutput": {
        "hookEventName": EVENT,
        "permissionDecision": decision,
        "permissionDecisionReason": reason,
    }});
    output.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    const CALL: &str = r#"{"session_id":"s1","transcript_path":"/t.jsonl","cwd":"/srv","permission_mode":"default",
        "hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"rm -rf build","timeout":5},
        "tool_use_id":"toolu_1"}"#;

    #[test]
    fn the_payload_is_the_call() {
        let call = Call::parse(CALL.as_bytes()).unwrap();
        let text = Value::from(call.payload.clone()).to_canonical();
        let payload = r#"{"cwd":"/srv","session_id":"s1","tool_input":{"command":"rm -rf build","timeout":5},"tool_name":"Bash"}"#;
        assert_eq!(text, payload);
        assert_eq!(call.asked(Username::new("alex").unwrap()).action, "Claude Code: Bash");
    }

    #[test]
    fn each_call_has_a_key_of_its_own() {
        let key = |from: &str, to: &str| Call::parse(CALL.replace(from, to).as_bytes()).unwrap().idempotency_key();
        let same = key("", "");
        assert_eq!(key("build", "dist"), same);
        assert_ne!(key("toolu_1", "toolu_2"), same);
        assert_ne!(key("s1", "s2"), same);
    }

    #[test]
    fn what_is_no_call_is_refused() {
        for (from, to, words) in [
            ("PreToolUse", "PostToolUse", "the hook is for PreToolUse, and the host says \"PostToolUse\""),
            ("\"Bash\"", "1", "no usable tool_name"),
            ("\"Bash\"", "\"\"", "no usable tool_name"),
            ("tool_use_id", "id", "no usable tool_use_id"),
            ("session_id", "session", "no usable session_id"),
            ("\"/srv\"", "null", "no usable cwd"),
            ("{\"command\":\"rm -rf build\",\"timeout\":5}", "\"rm\"", "no usable tool_input"),
            ("\"timeout\":5", "\"timeout\":0.10000000000000000001", "cannot be kept exactly"),
            ("\"timeout\":5", "\"command\":\"ls\"", "stands twice"),
            ("}}", "}", ""),
        ] {
            if CALL.contains(from) {
                let error = Call::parse(CALL.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
                assert!(error.contains(words), "{error}");
            }
        }
        for bytes in [&b""[..], b"[]", b"\xff", &[b'['; 5000]] {
            Call::parse(bytes).unwrap_err();
        }
        let large = CALL.replace("rm -rf build", &"x".repeat(300_000));
        assert!(matches!(Call::parse(large.as_bytes()), Err(EventError::Payload(_))));
    }

    #[test]
    fn tools_are_named_without_patterns() {
        assert_eq!(Tools::parse("all").unwrap(), Tools::All);
        let tools = Tools::parse("Bash, mcp__github__*").unwrap();
        assert!(tools.include("Bash") && tools.include("mcp__github__merge"));
        assert!(!tools.include("BashOutput") && !tools.include("mcp__gitlab__merge") && !tools.include("bash"));
        for wrong in ["", "Bash,", "Bash|Write", "a*b", "mcp__.*x"] {
            Tools::parse(wrong).unwrap_err();
        }
    }

    #[test]
    fn a_denial_says_why_and_hides_nothing() {
        let answer: serde_json::Value = serde_json::from_str(&deny("rejected: \u{202e}no")).unwrap();
        let output = &answer["hookSpecificOutput"];
        assert_eq!((&output["hookEventName"], &output["permissionDecision"]), (&"PreToolUse".into(), &"deny".into()));
        assert_eq!(output["permissionDecisionReason"], "Countersign did not let this call run: rejected: [U+202E]no");
    }
}
