//! Text forms of bytes, one accepted form each: base64url without padding (RFC 4648 §5) in documents, entries and
//! receipts; standard base64 with padding (RFC 4648 §4) in notes and under `/log`; lower-case base32 (RFC 4648 §6, without
//! padding) in ids and compare codes.
//!
//! Decoding accepts only what encodes back to the same text: no white space, no other alphabet, spare bits zero.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE_NO_PAD};

/// Why a text is not the encoding of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not base64url without padding, or not the one encoding of its bytes.
    #[error("not base64url without padding")]
    Base64Url,
    /// Not padded standard base64, or not the one encoding of its bytes.
    #[error("not padded standard base64")]
    Base64,
    /// The right encoding of the wrong number of bytes.
    #[error("{given} bytes where {needed} are needed")]
    Length {
        /// How many bytes were encoded.
        given: usize,
        /// How many there must be.
        needed: usize,
    },
}

/// Encodes as base64url without padding.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64url without padding; spare bits must be zero.
pub fn from_base64url(text: &str) -> Result<Vec<u8>, Error> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::Base64Url)
}

/// Decodes base64url without padding into exactly `N` bytes.
pub fn array_from_base64url<const N: usize>(text: &str) -> Result<[u8; N], Error> {
    array(&URL_SAFE_NO_PAD, text).map_or_else(|| exactly(from_base64url(text)?), Ok)
}

/// Encodes as standard base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes standard base64 with padding; spare bits must be zero.
pub fn from_base64(text: &str) -> Result<Vec<u8>, Error> {
    STANDARD.decode(text).map_err(|_| Error::Base64)
}

/// Decodes standard base64 with padding into exactly `N` bytes.
pub fn array_from_base64<const N: usize>(text: &str) -> Result<[u8; N], Error> {
    array(&STANDARD, text).map_or_else(|| exactly(from_base64(text)?), Ok)
}

/// Encodes as lower-case base32 without padding.
pub fn base32(bytes: &[u8]) -> String {
    bytes
        .chunks(5)
        .flat_map(|chunk| {
            let mut block = [0; 8];
            block[3..3 + chunk.len()].copy_from_slice(chunk);
            let bits = u64::from_be_bytes(block);
            let symbols = (chunk.len() * 8).div_ceil(5);
            (0..symbols).map(move |i| char::from(BASE32[(bits >> (35 - 5 * i) & 31) as usize]))
        })
        .collect()
}

/// Whether a text consists of lower-case base32 symbols alone.
pub fn is_base32(text: &str) -> bool {
    text.bytes().all(|byte| BASE32.contains(&byte))
}

const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Exactly `N` bytes, without a vector on the way. None says that something is wrong, not what.
fn array<const N: usize>(engine: &GeneralPurpose, text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    (engine.decode_slice(text, &mut bytes) == Ok(N)).then_some(bytes)
}

fn exactly<const N: usize>(bytes: Vec<u8>) -> Result<[u8; N], Error> {
    let given = bytes.len();
    bytes.try_into().map_err(|_| Error::Length { given, needed: N })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_has_one_form() {
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
        assert_eq!(from_base64url("-_8"), Ok(vec![0xfb, 0xff]));
        for other in ["-_8=", "+/8", "-_9", "-_8\n", "-_ 8", "-", "A!A"] {
            assert_eq!(from_base64url(other), Err(Error::Base64Url), "{other:?}");
        }
    }

    #[test]
    fn base64_has_one_form() {
        assert_eq!(from_base64("+/8="), Ok(vec![0xfb, 0xff]));
        for other in ["+/8", "-_8=", "+/9=", "+/8=\n", "+/8=="] {
            assert_eq!(from_base64(other), Err(Error::Base64), "{other:?}");
        }
    }

    #[test]
    fn arrays_name_the_length() {
        assert_eq!(array_from_base64url::<3>("AAAA"), Ok([0; 3]));
        assert_eq!(array_from_base64url::<4>("AAAA"), Err(Error::Length { given: 3, needed: 4 }));
    }

    #[test]
    fn base32_follows_rfc_4648_section_10() {
        for (bytes, text) in
            [("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foob", "mzxw6yq"), ("fooba", "mzxw6ytb")]
        {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }
}
