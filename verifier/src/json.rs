//! Strict JSON (RFC 8259) and its canonical form (RFC 8785).
//!
//! One text, one meaning: a key that stands twice (compared after unescaping), a lone surrogate, a byte order mark or a
//! number that the canonical form would change are errors that name the place as a JSON pointer (RFC 6901). There is no
//! Unicode normalisation. Nesting and size are capped before anything is built.

mod number;
mod parse;

use std::cmp::Ordering;

pub use parse::{Error, ErrorKind, Limits, Numbers, parse, parse_canonical};

/// A JSON value. Objects are in canonical order and numbers in canonical form, so equal values have equal text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as text.
    Number(Number),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Object),
}

/// A number, kept as its RFC 8785 text. After [`Numbers::Any`] it is the literal as it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(String);

/// An object: its members without repeats, ascending by the UTF-16 code units of their keys (RFC 8785 §3.2.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object(Vec<(String, Value)>);

impl Value {
    /// The canonical text of RFC 8785.
    pub fn to_canonical(&self) -> String {
        let mut text = String::new();
        write_value(&mut text, self);
        text
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The number as an unsigned integer, if it is one of at most 2^53, where doubles are exact.
    pub fn as_u64(&self) -> Option<u64> {
        let Self::Number(number) = self else { return None };
        number.0.parse().ok().filter(|value| *value <= 1 << 53)
    }

    /// The elements, if it is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(elements) = self { Some(elements) } else { None }
    }

    /// The members, if it is an object.
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }
}

impl Number {
    /// The number as it stands in canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Object {
    /// Builds an object from members with distinct keys, in any order.
    ///
    /// # Panics
    /// When a key stands twice: that is a bug of the caller. Text from outside goes through [`parse`].
    pub fn new<K: Into<String>>(members: impl IntoIterator<Item = (K, Value)>) -> Self {
        match Self::from_members(members.into_iter().map(|(key, value)| (key.into(), value)).collect()) {
            Ok(object) => object,
            Err(key) => panic!("the key {key:?} stands twice in an object of ours"),
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.iter().find_map(|(name, value)| (name == key).then_some(value))
    }

    /// The members in canonical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This object without some of its members.
    #[must_use]
    pub fn without(mut self, keys: &[&str]) -> Self {
        self.0.retain(|(key, _)| !keys.contains(&key.as_str()));
        self
    }

    /// Sorts members; the error is a key that stands twice.
    fn from_members(mut members: Vec<(String, Value)>) -> Result<Self, String> {
        members.sort_by(|(a, _), (b, _)| utf16_order(a, b));
        match members.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(pair[0].0.clone()),
            None => Ok(Self(members)),
        }
    }
}

impl From<Object> for Value {
    fn from(members: Object) -> Self {
        Self::Object(members)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Number(Number(value.to_string()))
    }
}

impl TryFrom<u64> for Value {
    type Error = u64;

    /// Fails above 2^53, where RFC 8785 numbers stop being exact.
    fn try_from(value: u64) -> Result<Self, u64> {
        if value <= 1 << 53 { Ok(Self::Number(Number(value.to_string()))) } else { Err(value) }
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(elements: I) -> Self {
        Self::Array(elements.into_iter().collect())
    }
}

/// RFC 8785 §3.2.3 sorts keys by UTF-16 code units, which differs from code points beyond the basic plane. Keys are ASCII
/// nearly always, and then bytes have the same order.
fn utf16_order(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}

fn write_value(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => text.push_str(&number.0),
        Value::String(string) => write_string(text, string),
        Value::Array(elements) => {
            text.push('[');
            for (i, element) in elements.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                write_value(text, element);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (i, (key, member)) in members.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                write_string(text, key);
                text.push(':');
                write_value(text, member);
            }
            text.push('}');
        }
    }
}

fn write_string(text: &mut String, string: &str) {
    text.push('"');
    let mut rest = string;
    // What is escaped is one byte in UTF-8, so that the text between is copied as it is.
    while let Some(at) = plain_length(rest) {
        text.push_str(&rest[..at]);
        text.extend(canonical_escape(char::from(rest.as_bytes()[at])));
        rest = &rest[at + 1..];
    }
    text.push_str(rest);
    text.push('"');
}

/// RFC 8785 §3.2.2.2: the two-letter escapes where they exist, `\u00xx` for other controls; none for what stands as it is.
fn canonical_escape(character: char) -> Option<&'static str> {
    match character {
        '"' => Some(r#"\""#),
        '\\' => Some(r"\\"),
        _ => CONTROLS.get(character as usize).copied(),
    }
}

#[rustfmt::skip]
const CONTROLS: [&str; 0x20] = [
    r"\u0000", r"\u0001", r"\u0002", r"\u0003", r"\u0004", r"\u0005", r"\u0006", r"\u0007",
    r"\b",     r"\t",     r"\n",     r"\u000b", r"\f",     r"\r",     r"\u000e", r"\u000f",
    r"\u0010", r"\u0011", r"\u0012", r"\u0013", r"\u0014", r"\u0015", r"\u0016", r"\u0017",
    r"\u0018", r"\u0019", r"\u001a", r"\u001b", r"\u001c", r"\u001d", r"\u001e", r"\u001f",
];

/// Where in a text the first byte is that may not stand for itself inside of a string: a quote, a backslash, a control
/// character.
fn plain_length(text: &str) -> Option<usize> {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let marks = marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return Some(i * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    Some(words.len() * 8 + at)
}

/// Marks the first of eight bytes that may not stand for itself by its highest bit; none if there is none. Marks above the
/// first mean nothing: a subtraction borrows from the next byte only where it has found something.
fn marks(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let below = |word: u64, limit: u8| word.wrapping_sub(EACH * u64::from(limit)) & !word & (EACH * 0x80);
    let is = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    below(word, 0x20) | is(b'"') | is(b'\\')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LIMITS: Limits = Limits { max_bytes: 4096, max_depth: 8, numbers: Numbers::Exact };

    fn canonical(text: &str) -> String {
        parse(text.as_bytes(), LIMITS).unwrap().to_canonical()
    }

    #[test]
    fn writes_the_canonical_form() {
        for (given, expected) in [
            (" { \"b\" : [ ] , \"a\" : null } ", r#"{"a":null,"b":[]}"#),
            (r#"["\u0041\/\u00e9\ud83d\ude00"]"#, r#"["A/é😀"]"#),
            (r#""\u0000\u001f\b\t\n\f\r\"\\""#, r#""\u0000\u001f\b\t\n\f\r\"\\""#),
            // U+FB33 sorts after U+1F600 by code units (0xFB33 against 0xD83D), before it by code points.
            ("{\"\u{fb33}\":1,\"\u{1f600}\":2}", "{\"\u{1f600}\":2,\"\u{fb33}\":1}"),
            (r#"{"__proto__":1,"":2}"#, r#"{"":2,"__proto__":1}"#),
        ] {
            assert_eq!(canonical(given), expected, "{given}");
        }
    }

    #[test]
    fn canonical_text_is_required_where_it_matters() {
        assert!(parse_canonical(br#"{"a":1,"b":2}"#, LIMITS).is_ok());
        for other in [r#"{"b":2,"a":1}"#, r#"{"a":1.0}"#, r#"{"a": 1}"#, "{\"a\":1}\n", r#"["\u0041"]"#] {
            let error = parse_canonical(other.as_bytes(), LIMITS).unwrap_err();
            assert_eq!(error.kind, ErrorKind::NotCanonical, "{other}");
        }
    }

    #[test]
    fn plain_text_ends_at_the_first_byte_that_must_be_escaped() {
        let must = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        for (at, byte) in (0..20).flat_map(|at| (0..0x80).map(move |byte| (at, byte))) {
            for others in ["!#[]\u{7f}", "é", "\u{80}\u{ff}\u{10ffff}"] {
                let plain: String = others.chars().cycle().take(at).collect();
                let text = format!("{plain}{}\"\n", char::from(byte));
                let expected = plain.len() + usize::from(!must(byte));
                assert_eq!(plain_length(&text), Some(expected), "{text:?}");
            }
        }
        assert_eq!(plain_length("never any of them"), None);
    }

    #[test]
    fn integers_stop_where_doubles_stop_being_exact() {
        assert_eq!(parse(b"9007199254740992", LIMITS).unwrap().as_u64(), Some(1 << 53));
        assert_eq!(parse(b"1e3", LIMITS).unwrap().as_u64(), Some(1000));
        assert_eq!(parse(b"-1", LIMITS).unwrap().as_u64(), None);
        assert!(Value::try_from((1u64 << 53) + 1).is_err());
    }
}
