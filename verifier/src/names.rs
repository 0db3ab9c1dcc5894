//! The short texts that people read before they sign: usernames, the action's title, the requester's name.
//!
//! Such a text must look like what it is, so it holds no control, bidirectional or invisible character. Server and
//! verifiers apply the same rules: a hostile server may break them.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// An approver's name: 1 to 64 of `a-z 0-9 . _ - @`. Upper case is refused, never folded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);

/// Why a text cannot be a name or a title.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a username.
    #[error("a username is 1 to {MAX_USERNAME} of a-z 0-9 . _ - @")]
    Username,
    /// Empty or too long.
    #[error("{given} characters, 1 to {limit} are allowed")]
    Length {
        /// Unicode scalar values that were given.
        given: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Nothing but white space.
    #[error("nothing but white space")]
    Blank,
    /// A character that a reader cannot see, or that changes how others are seen.
    #[error("U+{:04X} is a control, bidirectional or invisible character", u32::from(*.0))]
    Hidden(char),
}

/// The most characters of a username.
pub const MAX_USERNAME: usize = 64;
/// The most Unicode scalar values of an action's title.
pub const MAX_ACTION: usize = 300;
/// The most Unicode scalar values of a requester's name.
pub const MAX_REQUESTER: usize = 64;

impl Username {
    /// Checks a username.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'@');
        if (1..=MAX_USERNAME).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Username)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it stands in the public log of a given log origin.
    pub fn label(&self, log_origin: &str) -> Label {
        Label(Sha256::digest(format!("countersign/approver/v1\n{log_origin}\n{}", self.0)).into())
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An approver in the public log: a hash of log origin and username, so whoever knows a name finds its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Label(pub [u8; 32]);

/// Checks an action's title: 1 to 300 characters, none of them hidden.
pub fn check_action(text: &str) -> Result<(), NameError> {
    check_shown(text, MAX_ACTION)
}

/// Checks a requester's name: 1 to 64 characters, none of them hidden.
pub fn check_requester(text: &str) -> Result<(), NameError> {
    check_shown(text, MAX_REQUESTER)
}

fn check_shown(text: &str, limit: usize) -> Result<(), NameError> {
    let given = text.chars().count();
    if !(1..=limit).contains(&given) {
        return Err(NameError::Length { given, limit });
    }
    if let Some(character) = text.chars().find(|c| is_hidden(*c)) {
        return Err(NameError::Hidden(character));
    }
    if text.trim().is_empty() { Err(NameError::Blank) } else { Ok(()) }
}

/// Whether a character is a control, changes the direction of text, or cannot be seen.
///
/// The ranges are those of Unicode's general categories Cc, Zl, Zp, of the noncharacters, and of the format, filler, variation
/// and tag characters that have been used to hide text (CVE-2021-42574); they are written out so that every verifier has the
/// same table. The last two code points of every plane are noncharacters too.
pub fn is_hidden(character: char) -> bool {
    let point = u32::from(character);
    if (0x20..0x7f).contains(&point) {
        return false;
    }
    point & 0xfffe == 0xfffe || HIDDEN.iter().any(|(first, last)| (*first..=*last).contains(&point))
}

const HIDDEN: &[(u32, u32)] = &[
    (0x0000, 0x001f),     // C0 controls
    (0x007f, 0x009f),     // delete and C1 controls
    (0x00ad, 0x00ad),     // soft hyphen
    (0x034f, 0x034f),     // combining grapheme joiner
    (0x061c, 0x061c),     // Arabic letter mark
    (0x115f, 0x1160),     // Hangul fillers
    (0x17b4, 0x17b5),     // Khmer inherent vowels
    (0x180b, 0x180f),     // Mongolian variation selectors and vowel separator
    (0x200b, 0x200f),     // zero width space, joiners, direction marks
    (0x2028, 0x202e),     // line and paragraph separator, directional embeddings and overrides
    (0x2060, 0x206f),     // word joiner, invisible operators, directional isolates, deprecated formats
    (0x2800, 0x2800),     // Braille blank
    (0x3164, 0x3164),     // Hangul filler
    (0xfdd0, 0xfdef),     // noncharacters
    (0xfe00, 0xfe0f),     // variation selectors
    (0xfeff, 0xfeff),     // zero width no-break space
    (0xffa0, 0xffa0),     // half-width Hangul filler
    (0xfff0, 0xfffb),     // unassigned and interlinear annotation
    (0x1_3430, 0x1_345f), // Egyptian hieroglyph format controls
    (0x1_bca0, 0x1_bca3), // shorthand format controls
    (0x1_d173, 0x1_d17a), // musical format controls
    (0xe_0000, 0xe_0fff), // tags and supplementary variation selectors
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn usernames() {
        for name in ["a", "alex", "a.b_c-d@example.com", &"x".repeat(64)] {
            assert_eq!(Username::new(name).unwrap().as_str(), name);
        }
        for name in ["", "Alex", "al ex", "älex", "a/b", "a\n", &"x".repeat(65)] {
            assert_eq!(Username::new(name), Err(NameError::Username), "{name:?}");
        }
    }

    #[test]
    fn titles_hold_nothing_hidden() {
        assert_eq!(check_action("Überweise 5 € 💶 an „Ω“"), Ok(()));
        assert_eq!(check_action(&"é".repeat(300)), Ok(()));
        assert_eq!(check_action(&"é".repeat(301)), Err(NameError::Length { given: 301, limit: 300 }));
        assert_eq!(check_action(" \u{a0}\u{2003}\u{3000}"), Err(NameError::Blank));
        assert_eq!(check_action(""), Err(NameError::Length { given: 0, limit: 300 }));
        for hidden in ['\0', '\n', '\u{7f}', '\u{85}', '\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}', '\u{e0041}'] {
            assert_eq!(check_action(&format!("pay{hidden}")), Err(NameError::Hidden(hidden)));
        }
    }

    #[test]
    fn noncharacters_are_hidden() {
        let ends = (0..=0x10).flat_map(|plane| [plane << 16 | 0xfffe, plane << 16 | 0xffff]);
        for point in (0xfdd0..=0xfdef).chain(ends) {
            assert!(is_hidden(char::from_u32(point).unwrap()), "U+{point:04X}");
        }
        for shown in ['\u{fdcf}', '\u{fdf0}', '\u{fffd}', '\u{1fffd}', '\u{20000}', '\u{10fffd}'] {
            assert!(!is_hidden(shown), "U+{:04X}", u32::from(shown));
        }
    }

    #[test]
    fn labels_depend_on_the_log() {
        let alex = Username::new("alex").unwrap();
        assert_ne!(alex.label("a/log"), alex.label("b/log"));
        assert_ne!(alex.label("a/log"), Username::new("sam").unwrap().label("a/log"));
    }
}
