//! One line of JSON-RPC, read so that the server behind the proxy cannot read it differently.
//!
//! Parsers differ where a text is odd: keys that stand twice, keys that differ in case only (which some take for the same),
//! half surrogates, batches. Such a line is refused, not passed. What is passed is written again from what was read.

use verifier::json::{self, Limits, Numbers, Object, Value};
use verifier::words::quoted;

/// The longest message in bytes.
pub(crate) const MAX_MESSAGE: usize = 32 << 20;
/// The longest id in bytes.
const MAX_ID: usize = 256;
const LIMITS: Limits = Limits { max_bytes: MAX_MESSAGE, max_depth: 64, numbers: Numbers::Any };

/// The members of a message. Others are refused: which one of two a server takes for `method` is not ours to guess.
const MEMBERS: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];
/// The members of a call's parameters that must not stand there in other letters too.
const CALL_MEMBERS: [&str; 4] = ["name", "arguments", "_meta", "task"];

/// What calls a tool.
pub(crate) const CALL: &str = "tools/call";

// The codes of JSON-RPC 2.0, section 5.1.
const NOT_JSON: i32 = -32700;
const NO_REQUEST: i32 = -32600;
const WRONG_PARAMS: i32 = -32602;

/// An id as JSON text, of which there is one for each value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(String);

/// A message that has one meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    whole: Object,
}

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A call of a tool.
    Call(Id, Call),
    /// Any other request.
    Request(Id, String),
    /// A message that nobody answers.
    Notification(String),
    /// The answer to a request; without an id where the other side could not read one.
    Response(Option<Id>),
}

/// What a call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// The tool.
    pub(crate) tool: String,
    /// Its arguments.
    pub(crate) arguments: Object,
    /// What else stands in the parameters.
    pub(crate) rest: Object,
}

/// A message that is not passed on, and the answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The id of what is refused, as far as it could be read.
    pub(crate) id: Option<Id>,
    /// A code of JSON-RPC.
    pub(crate) code: i32,
    /// Why, in words.
    pub(crate) words: String,
    /// Whether it has an answer: a notification has none.
    pub(crate) answered: bool,
}

impl Message {
    /// Reads a line.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, Refused> {
        let value = json::parse(line, LIMITS).map_err(|error| Refused::of(NOT_JSON, error.to_string()))?;
        let Value::Object(whole) = value else {
            return Err(Refused::of(NO_REQUEST, "batches are not passed, nor anything else but one object".to_owned()));
        };
        let id = Id::of(&whole);
        let has_method = whole.get("method").is_some();
        let refused = |words: String| Refused {
            id: id.clone().unwrap_or_default(),
            code: NO_REQUEST,
            words,
            answered: has_method && whole.get("id").is_some(),
        };
        if let Some((key, _)) = whole.iter().find(|(key, _)| !MEMBERS.contains(key)) {
            return Err(refused(format!("a message has no member {}", quoted(key))));
        }
        if whole.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(refused(r#"jsonrpc must be "2.0""#.to_owned()));
        }
        let id = id.clone().map_err(|()| refused("an id is a string or a whole number, and not long".to_owned()))?;
        let ends = usize::from(whole.get("result").is_some()) + usize::from(whole.get("error").is_some());
        let kind = match (whole.get("method"), id, ends) {
            (Some(Value::String(method)), id, 0) => Self::asked(method, id, whole.get("params"))?,
            (None, id, 1) if whole.get("id").is_some() => Kind::Response(id),
            _ => return Err(refused("this is neither a request nor a notification nor a response".to_owned())),
        };
        Ok(Self { kind, whole })
    }

    fn asked(method: &str, id: Option<Id>, params: Option<&Value>) -> Result<Kind, Refused> {
        match id {
            Some(id) if method == CALL => Call::of(params)
                .map(|call| Kind::Call(id.clone(), call))
                .map_err(|words| Refused { id: Some(id), code: WRONG_PARAMS, words, answered: true }),
            // A server that ran this without an answer, or that is generous with names, would have run a call.
            id if folded(method.trim()) == CALL => {
                let answered = id.is_some();
                let words = format!("{} is called by this name exactly, with an id", quoted(CALL));
                Err(Refused { id, code: NO_REQUEST, words, answered })
            }
            Some(id) => Ok(Kind::Request(id, method.to_owned())),
            None => Ok(Kind::Notification(method.to_owned())),
        }
    }

    /// The parameters, if they are an object.
    pub(crate) fn params(&self) -> Option<&Object> {
        self.whole.get("params").and_then(Value::as_object)
    }

    /// The result of a response, if it is an object.
    pub(crate) fn result(&self) -> Option<&Object> {
        self.whole.get("result").and_then(Value::as_object)
    }

    /// The message as one line.
    pub(crate) fn to_line(&self) -> String {
        line(&self.whole.clone().into())
    }
}

impl Call {
    fn of(params: Option<&Value>) -> Result<Self, String> {
        let Some(Value::Object(params)) = params else { return Err("params must be an object".to_owned()) };
        let alike = params.iter().find(|(key, _)| {
            let folded = folded(key);
            CALL_MEMBERS.contains(&folded.as_str()) && folded != **key
        });
        if let Some((key, _)) = alike {
            return Err(format!("params has {}, which some servers take for another member", quoted(key)));
        }
        let Some(tool) = params.get("name").and_then(Value::as_str) else {
            return Err("name must be a string".to_owned());
        };
        let arguments = match params.get("arguments") {
            None => Object::default(),
            Some(Value::Object(arguments)) => arguments.clone(),
            Some(_) => return Err("arguments must be an object".to_owned()),
        };
        Ok(Self { tool: tool.to_owned(), arguments, rest: params.clone().without(&["name", "arguments"]) })
    }

    /// The line that calls the tool, with these arguments.
    pub(crate) fn to_line(&self, id: &Id, arguments: Object) -> String {
        let mut params: Vec<(String, Value)> =
            self.rest.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect();
        params.push(("name".to_owned(), self.tool.as_str().into()));
        params.push(("arguments".to_owned(), arguments.into()));
        line(&Value::from(Object::new([
            ("id", id.to_value()),
            ("jsonrpc", "2.0".into()),
            ("method", CALL.into()),
            ("params", Object::new(params).into()),
        ])))
    }
}

impl Id {
    /// The id of a message; none if it has none or if it is null.
    fn of(whole: &Object) -> Result<Option<Self>, ()> {
        match whole.get("id") {
            None => Ok(None),
            Some(Value::Null) if whole.get("method").is_none() => Ok(None),
            Some(value) => Self::of_value(value).map(Some).ok_or(()),
        }
    }

    /// A string, or a whole number as it is written in the one usual way, so that equal ids have equal text.
    pub(crate) fn of_value(value: &Value) -> Option<Self> {
        let text = value.to_canonical();
        let plain = match value {
            Value::String(_) => true,
            Value::Number(_) => text.parse::<i64>().is_ok_and(|number| number.to_string() == text),
            _ => false,
        };
        (plain && text.len() <= MAX_ID).then_some(Self(text))
    }

    fn to_value(&self) -> Value {
        json::parse(self.0.as_bytes(), LIMITS).unwrap_or(Value::Null)
    }

    /// The JSON text.
    pub(crate) fn as_json(&self) -> &str {
        &self.0
    }
}

impl Refused {
    fn of(code: i32, words: String) -> Self {
        Self { id: None, code, words, answered: true }
    }
}

/// A value as one line for everybody. Some take other characters for the end of a line too; inside of a string, where alone
/// they can stand, they have an escape that means the same.
pub(crate) fn line(value: &Value) -> String {
    let mut text = value.to_canonical();
    for (character, escape) in [('\u{85}', r"\u0085"), ('\u{2028}', r"\u2028"), ('\u{2029}', r"\u2029")] {
        if text.contains(character) {
            text = text.replace(character, escape);
        }
    }
    text.push('\n');
    text
}

/// A key as those read it who do not tell capital letters from small ones.
pub(crate) fn folded(key: &str) -> String {
    key.to_uppercase().to_lowercase()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    fn refused(line: &str) -> (Option<String>, i32, String) {
        match Message::parse(line.as_bytes()) {
            Err(Refused { id, code, words, .. }) => (id.map(|id| id.0), code, words),
            Ok(message) => panic!("{line} is read as {message:?}"),
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        #[rustfmt::skip]
        let lines = [
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#, "stands twice"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","m\u0065thod":"tools/call"}"#, "stands twice"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}"#, "no member"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#, "stands twice"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}"#, "another member"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","argument\u017f":{}}}"#, "another member"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":1,"x":2}}}"#, "stands twice"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["a",{}]}"#, "params must be an object"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, "params must be an object"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1}}"#, "name must be a string"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":[1]}}"#, "arguments must be an object"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"Tools/Call","params":{"name":"a"}}"#, "by this name exactly"),
            (r#"{"jsonrpc":"2.0","id":1,"method":" tools/call ","params":{"name":"a"}}"#, "by this name exactly"),
            (r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#, "by this name exactly"),
            (r#"{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"a"}}"#, "an id is"),
            (r#"{"jsonrpc":"2.0","id":1.0,"method":"ping"}"#, "an id is"),
            (r#"{"jsonrpc":"2.0","id":-0,"method":"ping"}"#, "an id is"),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, "an id is"),
            (r#"{"id":1,"method":"ping"}"#, "jsonrpc"),
            (r#"{"jsonrpc":"2.0","id":1}"#, "neither"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#, "neither"),
            (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, "neither"),
            (r#"{"jsonrpc":"2.0","id":1,"method":["tools/call"]}"#, "neither"),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, "batches"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\ud800"}}"#, "surrogate"),
            ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}}", "not JSON"),
            ("\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", "not JSON"),
            ("Content-Length: 10", "not JSON"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":NaN}"#, "not JSON"),
        ];
        for (line, words) in lines {
            let (_, _, said) = refused(line);
            assert!(said.contains(words), "{line}: {said}");
        }
        let deep = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{}1{}}}"#, "[".repeat(64), "]".repeat(64));
        assert!(refused(&deep).2.contains("nested deeper"));
    }

    #[test]
    fn a_refusal_answers_the_request_that_it_is_about() {
        let call = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":1}}}}"#);
        assert_eq!(refused(&call("7")).0.as_deref(), Some("7"));
        assert_eq!(refused(&call(r#""7""#)).0.as_deref(), Some(r#""7""#));
        assert_eq!(refused("{").0, None);
        assert_eq!((refused("{").1, refused("[]").1, refused(&call("7")).1), (NOT_JSON, NO_REQUEST, WRONG_PARAMS));
    }

    #[test]
    fn what_passes_is_written_again_and_means_the_same() {
        for (given, written) in [
            (
                "{ \"jsonrpc\" : \"2.0\", \"method\":\"x\", \"params\":{\"b\":1.50,\"a\":1e400} }\r",
                "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":{\"a\":1e400,\"b\":1.50}}\n",
            ),
            (
                "{\"jsonrpc\":\"2.0\",\"id\":\"\\u2028\",\"method\":\"x\",\"params\":{\"a\":\"\u{85}\u{2029}\"}}",
                "{\"id\":\"\\u2028\",\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":{\"a\":\"\\u0085\\u2029\"}}\n",
            ),
        ] {
            assert_eq!(Message::parse(given.as_bytes()).unwrap().to_line(), written);
        }
    }

    #[test]
    fn kinds_are_told_apart() {
        let kind = |line: &str| Message::parse(line.as_bytes()).unwrap().kind;
        let id = |text: &str| Id(text.to_owned());
        assert_eq!(
            kind(r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#),
            Kind::Request(id("\"a\""), "ping".to_owned())
        );
        assert_eq!(kind(r#"{"jsonrpc":"2.0","method":"n"}"#), Kind::Notification("n".to_owned()));
        assert_eq!(kind(r#"{"jsonrpc":"2.0","id":3,"result":{}}"#), Kind::Response(Some(id("3"))));
        assert_eq!(kind(r#"{"jsonrpc":"2.0","id":null,"error":{}}"#), Kind::Response(None));
        let call = kind(r#"{"jsonrpc":"2.0","id":-1,"method":"tools/call","params":{"name":"a","_meta":{}}}"#);
        let Kind::Call(call_id, call) = call else { panic!("{call:?}") };
        assert_eq!((call_id.as_json(), call.tool.as_str(), call.arguments.len(), call.rest.len()), ("-1", "a", 0, 1));
    }
}
