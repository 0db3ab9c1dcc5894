//! The subset of CBOR (RFC 8949) that authenticators write: integers, byte strings, text, arrays, maps, booleans, null.
//!
//! Strict, so that two readers cannot see two values: definite lengths, shortest integers, no repeated map key, nothing
//! after the item. The order of map keys is free, because authenticators differ in it. Floats, tags and other simple
//! values are refused.

use std::collections::BTreeSet;

/// Deepest nesting; the outermost item is level 1. CTAP2 allows 4 levels, attestation statements add a few.
const MAX_DEPTH: usize = 8;

/// One decoded item; strings borrow from the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Major types 0 and 1, -2^64 to 2^64 - 1.
    Int(i128),
    Bytes(&'a [u8]),
    Text(&'a str),
    Array(Vec<Value<'a>>),
    /// In the order of the input.
    Map(Vec<(Value<'a>, Value<'a>)>),
    Bool(bool),
    Null,
}

impl<'a> Value<'a> {
    pub(crate) fn as_map(&self) -> Option<Map<'_, 'a>> {
        match self {
            Self::Map(entries) => Some(Map(entries)),
            _ => None,
        }
    }

    pub(crate) fn as_int(&self) -> Option<i128> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn as_bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The entries of a map, looked up by key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Map<'v, 'a>(&'v [(Value<'a>, Value<'a>)]);

impl<'v, 'a> Map<'v, 'a> {
    pub(crate) fn len(self) -> usize {
        self.0.len()
    }

    pub(crate) fn by_int(self, key: i128) -> Option<&'v Value<'a>> {
        self.find(&Value::Int(key))
    }

    pub(crate) fn by_text(self, key: &str) -> Option<&'v Value<'a>> {
        self.0.iter().find(|(found, _)| found.as_text() == Some(key)).map(|(_, value)| value)
    }

    fn find(self, key: &Value<'_>) -> Option<&'v Value<'a>> {
        self.0.iter().find(|(found, _)| found == key).map(|(_, value)| value)
    }
}

/// Why bytes are not CBOR of the accepted form. Offsets count from the start of the decoded item.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// The input ends inside an item.
    #[error("CBOR ends inside an item at byte {at}")]
    Truncated {
        /// Where more bytes were expected.
        at: usize,
    },
    /// Bytes follow the item.
    #[error("{extra} bytes follow the CBOR item")]
    Trailing {
        /// How many.
        extra: usize,
    },
    /// An indefinite length.
    #[error("CBOR of indefinite length at byte {at}")]
    Indefinite {
        /// Where the item begins.
        at: usize,
    },
    /// An integer or a length that is not written in its shortest form.
    #[error("CBOR integer at byte {at} is not in its shortest form")]
    NotShortest {
        /// Where the item begins.
        at: usize,
    },
    /// A tag, a float, or a simple value other than false, true and null.
    #[error("CBOR item of unsupported type 0x{initial:02x} at byte {at}")]
    Unsupported {
        /// Where the item begins.
        at: usize,
        /// Its first byte.
        initial: u8,
    },
    /// A text string that is not UTF-8.
    #[error("CBOR text at byte {at} is not UTF-8")]
    NotUtf8 {
        /// Where the text begins.
        at: usize,
    },
    /// A map key that is neither an integer nor text.
    #[error("CBOR map key at byte {at} is neither an integer nor text")]
    KeyType {
        /// Where the key begins.
        at: usize,
    },
    /// A map key that the same map already has.
    #[error("CBOR map key at byte {at} is repeated")]
    RepeatedKey {
        /// Where the second one begins.
        at: usize,
    },
    /// Nesting beyond the limit.
    #[error("CBOR nested deeper than {MAX_DEPTH} levels at byte {at}")]
    TooDeep {
        /// Where the item begins.
        at: usize,
    },
}

/// Decodes one item that is the whole input.
pub(crate) fn decode(bytes: &[u8]) -> Result<Value<'_>, CborError> {
    let (value, length) = decode_prefix(bytes)?;
    match bytes.len() - length {
        0 => Ok(value),
        extra => Err(CborError::Trailing { extra }),
    }
}

/// Decodes the item at the start of the input and says how long it is.
pub(crate) fn decode_prefix(bytes: &[u8]) -> Result<(Value<'_>, usize), CborError> {
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.item(1)?;
    Ok((value, reader.at))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn item(&mut self, depth: usize) -> Result<Value<'a>, CborError> {
        let at = self.at;
        if depth > MAX_DEPTH {
            return Err(CborError::TooDeep { at });
        }
        let initial = self.byte()?;
        match (initial >> 5, initial) {
            (0, _) => Ok(Value::Int(i128::from(self.argument(at, initial)?))),
            (1, _) => Ok(Value::Int(-1 - i128::from(self.argument(at, initial)?))),
            (2, _) => {
                let length = self.argument(at, initial)?;
                Ok(Value::Bytes(self.take(length)?))
            }
            (3, _) => {
                let length = self.argument(at, initial)?;
                let text = std::str::from_utf8(self.take(length)?).map_err(|_| CborError::NotUtf8 { at })?;
                Ok(Value::Text(text))
            }
            (4, _) => {
                let length = self.argument(at, initial)?;
                self.array(length, depth)
            }
            (5, _) => {
                let length = self.argument(at, initial)?;
                self.map(length, depth)
            }
            (_, 0xf4) => Ok(Value::Bool(false)),
            (_, 0xf5) => Ok(Value::Bool(true)),
            (_, 0xf6) => Ok(Value::Null),
            _ => Err(CborError::Unsupported { at, initial }),
        }
    }

    /// No room is reserved for a claimed length: each element takes at least one byte, so a lie ends at the input's end.
    fn array(&mut self, length: u64, depth: usize) -> Result<Value<'a>, CborError> {
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(self.item(depth + 1)?);
        }
        Ok(Value::Array(items))
    }

    fn map(&mut self, length: u64, depth: usize) -> Result<Value<'a>, CborError> {
        let mut entries = Vec::new();
        // Integers and text have exactly one accepted encoding, so equal keys have equal bytes.
        let mut seen = BTreeSet::new();
        for _ in 0..length {
            let at = self.at;
            let key = self.item(depth + 1)?;
            if !matches!(key, Value::Int(_) | Value::Text(_)) {
                return Err(CborError::KeyType { at });
            }
            if !seen.insert(&self.bytes[at..self.at]) {
                return Err(CborError::RepeatedKey { at });
            }
            entries.push((key, self.item(depth + 1)?));
        }
        Ok(Value::Map(entries))
    }

    /// The argument of an item's head: a value or a length, in the low five bits or in the 1, 2, 4 or 8 bytes after.
    fn argument(&mut self, at: usize, initial: u8) -> Result<u64, CborError> {
        let (width, least) = match initial & 0x1f {
            small @ 0..=23 => return Ok(u64::from(small)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            31 => return Err(CborError::Indefinite { at }),
            _ => return Err(CborError::Unsupported { at, initial }),
        };
        let value = self.take(width)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        if value < least {
            return Err(CborError::NotShortest { at });
        }
        Ok(value)
    }

    fn byte(&mut self) -> Result<u8, CborError> {
        Ok(self.take(1)?[0])
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], CborError> {
        let rest = &self.bytes[self.at..];
        let Some(taken) = usize::try_from(length).ok().and_then(|length| rest.get(..length)) else {
            return Err(CborError::Truncated { at: self.bytes.len() });
        };
        self.at += taken.len();
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_every_accepted_type() {
        let bytes = b"\xa6\x01\x20\x20\x18\x18\x61a\x42\x01\x02\x61b\x82\xf4\xf5\x61c\xf6\x61d\x1b\x00\x00\x00\x01\x00\x00\x00\x00";
        let value = decode(bytes).unwrap();
        let map = value.as_map().unwrap();
        assert_eq!(map.len(), 6);
        assert_eq!(map.by_int(1), Some(&Value::Int(-1)));
        assert_eq!(map.by_int(-1), Some(&Value::Int(24)));
        assert_eq!(map.by_text("a"), Some(&Value::Bytes(&[1, 2])));
        assert_eq!(map.by_text("b"), Some(&Value::Array(vec![Value::Bool(false), Value::Bool(true)])));
        assert_eq!(map.by_text("c"), Some(&Value::Null));
        assert_eq!(map.by_text("d"), Some(&Value::Int(1 << 32)));
        assert_eq!(map.by_text("e"), None);
    }

    #[test]
    fn reads_the_ends_of_the_integers() {
        assert_eq!(decode(&[0x1b, 255, 255, 255, 255, 255, 255, 255, 255]), Ok(Value::Int((1 << 64) - 1)));
        assert_eq!(decode(&[0x3b, 255, 255, 255, 255, 255, 255, 255, 255]), Ok(Value::Int(-(1 << 64))));
    }

    #[test]
    fn refuses_each_lax_form() {
        let cases: &[(&[u8], CborError)] = &[
            (b"", CborError::Truncated { at: 0 }),
            (b"\x42\x01", CborError::Truncated { at: 2 }),
            (b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", CborError::Truncated { at: 9 }),
            (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x00", CborError::Truncated { at: 10 }),
            (b"\xa1\x01", CborError::Truncated { at: 2 }),
            (b"\xa0\x00", CborError::Trailing { extra: 1 }),
            (b"\xbf\xff", CborError::Indefinite { at: 0 }),
            (b"\x5f\xff", CborError::Indefinite { at: 0 }),
            (b"\x9f\xff", CborError::Indefinite { at: 0 }),
            (b"\x18\x17", CborError::NotShortest { at: 0 }),
            (b"\x19\x00\xff", CborError::NotShortest { at: 0 }),
            (b"\x1a\x00\x00\xff\xff", CborError::NotShortest { at: 0 }),
            (b"\x1b\x00\x00\x00\x00\xff\xff\xff\xff", CborError::NotShortest { at: 0 }),
            (b"\x58\x01a", CborError::NotShortest { at: 0 }),
            (b"\x1c", CborError::Unsupported { at: 0, initial: 0x1c }),
            (b"\xc0\x00", CborError::Unsupported { at: 0, initial: 0xc0 }),
            (b"\xf7", CborError::Unsupported { at: 0, initial: 0xf7 }),
            (b"\xf9\x00\x00", CborError::Unsupported { at: 0, initial: 0xf9 }),
            (b"\xff", CborError::Unsupported { at: 0, initial: 0xff }),
            (b"\x61\xff", CborError::NotUtf8 { at: 0 }),
            (b"\xa1\x40\x00", CborError::KeyType { at: 1 }),
            (b"\xa2\x01\x00\x01\x00", CborError::RepeatedKey { at: 3 }),
            (b"\xa2\x61a\x00\x61a\x00", CborError::RepeatedKey { at: 4 }),
            (b"\x81\x81\x81\x81\x81\x81\x81\x81\x00", CborError::TooDeep { at: 8 }),
        ];
        for (bytes, error) in cases {
            assert_eq!(decode(bytes).as_ref(), Err(error), "{bytes:02x?}");
        }
        assert!(decode(b"\x81\x81\x81\x81\x81\x81\x81\x00").is_ok());
    }

    #[test]
    fn a_prefix_ends_where_its_item_ends() {
        assert_eq!(decode_prefix(b"\xa0\x01\x02"), Ok((Value::Map(vec![]), 1)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok((_, length)) = decode_prefix(&bytes) {
                prop_assert!(length <= bytes.len());
                prop_assert!(decode(&bytes[..length]).is_ok());
            }
        }
    }
}
