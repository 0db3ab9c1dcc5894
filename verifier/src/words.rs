//! Texts from outside in the words of a report (docs/protocol.md section 14): what cannot be seen is written out.
//!
//! Which characters a language escapes by itself depends on its version of Unicode. Here only the table of hidden
//! characters counts, so that every verifier writes the same words.

use std::fmt::Write as _;

use crate::names::is_hidden;

/// A text for a terminal or a page: each hidden character as `[U+XXXX]`.
pub fn visible(text: &str) -> String {
    text.chars().fold(String::new(), |mut shown, character| {
        if is_hidden(character) {
            let written = write!(shown, "[U+{:04X}]", u32::from(character));
            debug_assert!(written.is_ok(), "writing to a String cannot fail");
        } else {
            shown.push(character);
        }
        shown
    })
}

/// A text in double quotes: `"` and `\` with a backslash before them, hidden characters as `[U+XXXX]`, the rest as it is.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", visible(&text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// JSON that may be read on a terminal: hidden characters as `\uXXXX`, which means the same. The canonical form escapes only
/// those below U+0020.
pub fn escaped(json: &str) -> String {
    json.chars().fold(String::new(), |mut text, character| {
        if is_hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let written = write!(text, "\\u{unit:04x}");
                debug_assert!(written.is_ok(), "writing to a String cannot fail");
            }
        } else {
            text.push(character);
        }
        text
    })
}

/// An error with its causes, which is where HTTP libraries say what happened.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Several texts in quotes, `["a", "b"]`.
pub(crate) fn quoted_list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_escape_themselves_and_what_is_hidden() {
        assert_eq!(quoted("a \"b\" \\ é 😀"), "\"a \\\"b\\\" \\\\ é 😀\"");
        assert_eq!(quoted("\0\t\u{a0}\u{202e}\u{301}"), "\"[U+0000][U+0009]\u{a0}[U+202E]\u{301}\"");
        assert_eq!(quoted("\u{e0041}\u{10fffd}\u{378}"), "\"[U+E0041]\u{10fffd}\u{378}\"");
        assert_eq!(quoted_list(&["a".into(), "\"".into()]), "[\"a\", \"\\\"\"]");
    }

    #[test]
    fn an_error_says_what_caused_it() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot connect")]
        struct Outer(#[source] std::io::Error);
        assert_eq!(chain(&Outer(std::io::Error::other("refused"))), "cannot connect: refused");
    }
}
