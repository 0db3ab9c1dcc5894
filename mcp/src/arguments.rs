//! The arguments of a call, checked: a wrong one is an error that names it, for the model to correct.

use rmcp::model::JsonObject;
use serde_json::Value;
use verifier::document::parse_payload;
use verifier::json::Object;
use verifier::names::Username;

use crate::desk::Trouble;
use crate::tools::MAX_WAIT;

/// The arguments of one call.
pub(crate) struct Arguments(JsonObject);

impl Arguments {
    /// Takes what was sent, if there is nothing that this tool does not know.
    pub(crate) fn new(given: Option<JsonObject>, known: &[&str]) -> Result<Self, Trouble> {
        let given = given.unwrap_or_default();
        match given.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(wrong(name, format!("is not known; there are {}", known.join(", ")))),
            None => Ok(Self(given)),
        }
    }

    /// A text that must be there.
    pub(crate) fn text(&self, name: &str) -> Result<&str, Trouble> {
        self.optional_text(name)?.ok_or_else(|| wrong(name, "is missing"))
    }

    /// A text that may be there.
    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<&str>, Trouble> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "must be a string")),
        }
    }

    /// A username that must be there.
    pub(crate) fn username(&self, name: &str) -> Result<Username, Trouble> {
        self.optional_username(name)?.ok_or_else(|| wrong(name, "is missing"))
    }

    /// A username that may be there.
    pub(crate) fn optional_username(&self, name: &str) -> Result<Option<Username>, Trouble> {
        self.optional_text(name)?.map(|text| Username::new(text).map_err(|error| wrong(name, error))).transpose()
    }

    /// A payload that must be there.
    pub(crate) fn payload(&self, name: &str) -> Result<Object, Trouble> {
        self.optional_payload(name)?.ok_or_else(|| wrong(name, "is missing"))
    }

    /// A payload that may be there, by the rules of a document.
    pub(crate) fn optional_payload(&self, name: &str) -> Result<Option<Object>, Trouble> {
        match self.given(name) {
            None => Ok(None),
            Some(value @ Value::Object(_)) => {
                let parsed = parse_payload(value.to_string().as_bytes());
                parsed.map(Some).map_err(|error| wrong(&format!("{name}{}", error.path), error.kind))
            }
            Some(_) => Err(wrong(name, "must be an object")),
        }
    }

    /// A number of seconds, or a default.
    pub(crate) fn seconds(&self, name: &str, default: u64) -> Result<u64, Trouble> {
        match self.given(name) {
            None => Ok(default),
            Some(value) => whole(value).ok_or_else(|| wrong(name, "must be a whole number of seconds")),
        }
    }

    /// How long to wait: never longer than a host will.
    pub(crate) fn wait(&self, name: &str, default: u64) -> Result<u64, Trouble> {
        Ok(self.seconds(name, default)?.min(MAX_WAIT))
    }

    /// Null is as good as nothing: some hosts send it for what a model left out.
    fn given(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

/// A whole number, also as `30.0`, which JavaScript does not tell from `30`.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..1e9).contains(number))?;
        format!("{number:.0}").parse().ok()
    })
}

pub(crate) fn wrong(name: &str, reason: impl std::fmt::Display) -> Trouble {
    Trouble::new("invalid", format!("{name} {reason}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use serde_json::json;

    fn arguments(value: Value) -> Arguments {
        let Value::Object(members) = value else { panic!("an object") };
        Arguments::new(Some(members), &["a", "b"]).unwrap_or_else(|trouble| panic!("{}", trouble.words))
    }

    #[test]
    fn what_is_wrong_is_named() {
        let given = arguments(json!({"a": 7, "b": null}));
        assert_eq!(given.text("a").unwrap_err().words, "a must be a string");
        assert_eq!(given.text("b").unwrap_err().words, "b is missing");
        assert_eq!(given.payload("a").unwrap_err().words, "a must be an object");
        let unknown = Arguments::new(json!({"c": 1}).as_object().cloned(), &["a", "b"]);
        assert_eq!(unknown.err().unwrap().words, "c is not known; there are a, b");
        let large = arguments(json!({"a": {"amount": 9_007_199_254_740_993_u64}}));
        assert!(large.payload("a").unwrap_err().words.starts_with("a/amount "));
    }

    #[test]
    fn waits_are_bounded() {
        for (given, expected) in [(json!(0), 0), (json!(30.0), 30), (json!(3600), 50), (json!(null), 45)] {
            assert_eq!(arguments(json!({"a": given})).wait("a", 45).unwrap(), expected);
        }
        for wrong in [json!(-1), json!(1.5), json!("30"), json!(1e300)] {
            assert!(arguments(json!({"a": wrong})).wait("a", 45).is_err());
        }
    }
}
