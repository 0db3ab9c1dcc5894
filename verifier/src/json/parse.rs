//! The strict parser: bytes to [`Value`], or an error that names the place.

use super::{Number, Object, Value, canonical_escape, number, plain_length, utf16_order};
use crate::words::quoted;

/// What a text may be at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The text's size in bytes.
    pub max_bytes: usize,
    /// Arrays and objects inside each other, the outermost counted as 1; at most 64.
    pub max_depth: usize,
    /// Which numbers are accepted.
    pub numbers: Numbers,
}

/// Which number literals are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Those of at most 64 characters whose canonical form denotes exactly the same decimal value.
    Exact,
    /// Every literal of RFC 8259, kept as it stands: for parts of client data that nobody reads.
    Any,
}

/// Why a text was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {kind}", if path.is_empty() { "the top level" } else { path })]
pub struct Error {
    /// The place as a JSON pointer (RFC 6901); empty for the whole text.
    pub path: String,
    /// What is wrong there.
    pub kind: ErrorKind,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// Larger than the limit.
    #[error("{given} bytes, at most {limit} are allowed")]
    TooLarge {
        /// The text's size.
        given: usize,
        /// The limit.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("not UTF-8 at byte {0}")]
    NotUtf8(usize),
    /// Not JSON.
    #[error("not JSON at byte {offset}: expected {expected}")]
    Syntax {
        /// Where, in bytes from the start.
        offset: usize,
        /// What should have stood there.
        expected: &'static str,
    },
    /// Nested deeper than the limit.
    #[error("nested deeper than {0} levels")]
    TooDeep(usize),
    /// The same key twice.
    #[error("the key {} stands twice", quoted(.0))]
    DuplicateKey(String),
    /// A `\u` escape that is half of a surrogate pair.
    #[error("a lone surrogate, which no UTF-8 text can hold")]
    LoneSurrogate,
    /// A literal that the canonical form would change.
    #[error("the number {0} cannot be kept exactly; send it as a string")]
    InexactNumber(String),
    /// A literal of more than 64 characters.
    #[error("a number of {0} characters, at most {MAX_NUMBER} are allowed")]
    LongNumber(usize),
    /// Well formed, but not in canonical form (RFC 8785).
    #[error("not in canonical form (RFC 8785)")]
    NotCanonical,
}

/// Parses one JSON text strictly.
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, Error> {
    parse_text(bytes, limits).map(|(value, _)| value)
}

/// Parses a text that must already be in canonical form (RFC 8785). Any other error comes first.
pub fn parse_canonical(bytes: &[u8], limits: Limits) -> Result<Value, Error> {
    match parse_text(bytes, limits)? {
        (value, true) => Ok(value),
        (_, false) => Err(Error { path: String::new(), kind: ErrorKind::NotCanonical }),
    }
}

/// The value, and whether writing it gives the same text again.
fn parse_text(bytes: &[u8], limits: Limits) -> Result<(Value, bool), Error> {
    let top = |kind| Error { path: String::new(), kind };
    if bytes.len() > limits.max_bytes {
        return Err(top(ErrorKind::TooLarge { given: bytes.len(), limit: limits.max_bytes }));
    }
    let text = str::from_utf8(bytes).map_err(|error| top(ErrorKind::NotUtf8(error.valid_up_to())))?;
    let mut parser = Parser { text, at: 0, path: Vec::new(), limits, canonical: true, room: String::new() };
    parser.skip_white_space();
    let value = parser.value(0).map_err(|kind| parser.error(kind))?;
    parser.skip_white_space();
    if parser.at < text.len() {
        return Err(top(parser.expected("the end of the text")));
    }
    Ok((value, parser.canonical))
}

const MAX_NUMBER: usize = 64;

/// What a caller may ask for at most: the parser recurses once for each level.
const MAX_DEPTH: usize = 64;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    path: Vec<Segment>,
    limits: Limits,
    /// Whether all that was read so far stands as the canonical form writes it. There are four ways in which it may not:
    /// white space, the order of keys, escapes, numbers.
    canonical: bool,
    /// Where strings with escapes grow.
    room: String,
}

enum Segment {
    Key(String),
    Index(usize),
}

impl<'a> Parser<'a> {
    fn value(&mut self, depth: usize) -> Result<Value, ErrorKind> {
        match self.peek() {
            Some(b'{') => self.object(self.deeper(depth)?),
            Some(b'[') => self.array(self.deeper(depth)?),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.expected("a value")),
        }
    }

    fn deeper(&self, depth: usize) -> Result<usize, ErrorKind> {
        let limit = self.limits.max_depth.min(MAX_DEPTH);
        if depth < limit { Ok(depth + 1) } else { Err(ErrorKind::TooDeep(limit)) }
    }

    fn object(&mut self, depth: usize) -> Result<Value, ErrorKind> {
        let mut members = Vec::new();
        self.at += 1;
        self.skip_white_space();
        if !self.take(b'}') {
            loop {
                if self.peek() != Some(b'"') {
                    return Err(self.expected("a key in quotes"));
                }
                let key = self.string()?;
                self.skip_white_space();
                self.require(b':', "a colon")?;
                self.skip_white_space();
                // The path keeps the key until its value is there: an error is to find it, and nothing is copied.
                self.path.push(Segment::Key(key));
                let value = self.value(depth)?;
                let Some(Segment::Key(key)) = self.path.pop() else { panic!("a value leaves the path as it was") };
                members.push((key, value));
                self.skip_white_space();
                if self.take(b'}') {
                    break;
                }
                self.require(b',', "a comma or the end of the object")?;
                self.skip_white_space();
            }
        }
        if members.is_sorted_by(|(a, _), (b, _)| utf16_order(a, b).is_lt()) {
            return Ok(Value::Object(Object(members)));
        }
        self.canonical = false;
        Object::from_members(members).map(Value::Object).map_err(ErrorKind::DuplicateKey)
    }

    fn array(&mut self, depth: usize) -> Result<Value, ErrorKind> {
        let mut elements = Vec::new();
        self.at += 1;
        self.skip_white_space();
        if !self.take(b']') {
            loop {
                self.path.push(Segment::Index(elements.len()));
                elements.push(self.value(depth)?);
                self.path.pop();
                self.skip_white_space();
                if self.take(b']') {
                    break;
                }
                self.require(b',', "a comma or the end of the array")?;
                self.skip_white_space();
            }
        }
        Ok(Value::Array(elements))
    }

    fn string(&mut self) -> Result<String, ErrorKind> {
        let first = self.plain_text(self.at + 1)?;
        if self.take(b'"') {
            return Ok(first.to_owned());
        }
        // A text in a text has many escapes: it grows where there is room, and is copied when its length is known.
        let mut string = std::mem::take(&mut self.room);
        string.clear();
        string.push_str(first);
        while !self.take(b'"') {
            if self.peek() != Some(b'\\') {
                return Err(self.expected("an escape in place of a control character"));
            }
            // What most escapes are: a character that stands for itself after the backslash, as what follows it does.
            if matches!(self.text.as_bytes().get(self.at + 1), Some(b'"' | b'\\')) {
                self.at += 2;
                string.push_str(self.plain_text(self.at - 1)?);
            } else {
                string.push(self.escape()?);
                string.push_str(self.plain_text(self.at)?);
            }
        }
        self.room = string;
        Ok(self.room.clone())
    }

    /// What stands for itself inside of a string, up to what does not. It begins at `start`, which stands for itself too
    /// if the parser is behind it.
    fn plain_text(&mut self, start: usize) -> Result<&'a str, ErrorKind> {
        self.at = self.at.max(start);
        let Some(length) = plain_length(&self.text[self.at..]) else {
            self.at = self.text.len();
            return Err(self.expected("a closing quote"));
        };
        self.at += length;
        Ok(&self.text[start..self.at])
    }

    fn escape(&mut self) -> Result<char, ErrorKind> {
        let start = self.at;
        let character = self.escaped()?;
        self.canonical &= canonical_escape(character) == Some(&self.text[start..self.at]);
        Ok(character)
    }

    fn escaped(&mut self) -> Result<char, ErrorKind> {
        self.at += 1;
        let simple = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.expected("an escape")),
        };
        self.at += 1;
        Ok(simple)
    }

    fn unicode_escape(&mut self) -> Result<char, ErrorKind> {
        let first = self.code_unit()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        if first >= 0xdc00 || !self.text[self.at..].starts_with("\\u") {
            return Err(ErrorKind::LoneSurrogate);
        }
        self.at += 1;
        let second = self.code_unit()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(ErrorKind::LoneSurrogate);
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(ErrorKind::LoneSurrogate)
    }

    /// The four hexadecimal digits after `u`, where the parser stands.
    fn code_unit(&mut self) -> Result<u32, ErrorKind> {
        self.at += 1;
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.expected("four hexadecimal digits"))?;
        self.at += 4;
        Ok(unit)
    }

    /// RFC 8259 §6: minus, an integer without leading zeros, a fraction, an exponent.
    fn number(&mut self) -> Result<Number, ErrorKind> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let literal = &self.text[start..self.at];
        if self.limits.numbers == Numbers::Any {
            return Ok(Number(literal.to_owned()));
        }
        if literal.len() > MAX_NUMBER {
            return Err(ErrorKind::LongNumber(literal.len()));
        }
        let text = number::canonical(literal).ok_or_else(|| ErrorKind::InexactNumber(literal.to_owned()))?;
        self.canonical &= text == literal;
        Ok(Number(text))
    }

    fn digits(&mut self) -> Result<(), ErrorKind> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.expected("a digit"));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, ErrorKind> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.expected(word));
        }
        self.at += word.len();
        Ok(value)
    }

    fn skip_white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
            self.canonical = false;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn require(&mut self, byte: u8, expected: &'static str) -> Result<(), ErrorKind> {
        if self.take(byte) { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expected(&self, expected: &'static str) -> ErrorKind {
        ErrorKind::Syntax { offset: self.at, expected }
    }

    fn error(&self, kind: ErrorKind) -> Error {
        let mut path = String::new();
        for segment in &self.path {
            path.push('/');
            match segment {
                Segment::Key(key) => path.push_str(&key.replace('~', "~0").replace('/', "~1")),
                Segment::Index(index) => path.push_str(&index.to_string()),
            }
        }
        Error { path, kind }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LIMITS: Limits = Limits { max_bytes: 1 << 16, max_depth: 32, numbers: Numbers::Exact };

    fn refusal(text: &str) -> (String, ErrorKind) {
        let Error { path, kind } = parse(text.as_bytes(), LIMITS).unwrap_err();
        (path, kind)
    }

    #[test]
    fn names_the_place() {
        assert_eq!(refusal(r#"{"a":{"b":[1,1e400]}}"#).0, "/a/b/1");
        assert_eq!(refusal(r#"{"a/b":{"c~d":{"e":1,"e":2}}}"#).0, "/a~1b/c~0d");
    }

    #[test]
    fn a_repeated_key_is_found_after_unescaping() {
        let (path, kind) = refusal(r#"{"amount":1,"\u0061mount":1000}"#);
        assert_eq!((path.as_str(), kind), ("", ErrorKind::DuplicateKey("amount".into())));
    }

    #[test]
    fn lone_surrogates_are_refused() {
        for text in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\ud800""#, r#""\ud800x""#, r#""\ud800\n""#] {
            assert_eq!(refusal(text).1, ErrorKind::LoneSurrogate, "{text}");
        }
    }

    #[test]
    fn depth_is_counted_from_one() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(nested(32).as_bytes(), LIMITS).is_ok());
        for depth in [33, 127, 128, 129, 30_000] {
            assert_eq!(refusal(&nested(depth)).1, ErrorKind::TooDeep(32), "{depth}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            " ",
            "\u{feff}1",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "NaN",
            "Infinity",
            "tru",
            "nul",
            "{",
            "[",
            "\"",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{\"a\":1,}",
            "[1,]",
            "[1 2]",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u12",
            "\"\n\"",
            "\"\u{0}\"",
            "1 2",
            "'a'",
            "[1]]",
            "/* */1",
            "\"\\u00é9\"",
            "{,}",
            "[,]",
            "\"\\",
        ] {
            assert!(matches!(refusal(text).1, ErrorKind::Syntax { .. }), "{text:?}");
        }
        assert!(matches!(parse(b"\"\xff\"", LIMITS).unwrap_err().kind, ErrorKind::NotUtf8(1)));
    }

    #[test]
    fn limits_are_named() {
        let limits = Limits { max_bytes: 3, ..LIMITS };
        assert_eq!(parse(b"1234", limits).unwrap_err().kind, ErrorKind::TooLarge { given: 4, limit: 3 });
        let long = "1".to_owned() + &"0".repeat(64);
        assert_eq!(refusal(&long).1, ErrorKind::LongNumber(65));
        let any = Limits { numbers: Numbers::Any, ..LIMITS };
        assert!(parse(long.as_bytes(), any).is_ok());
    }
}
