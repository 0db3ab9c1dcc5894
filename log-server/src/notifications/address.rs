//! E-mail addresses, in the part of RFC 5321 §4.1.2 that every server takes: a dot-string, `@`, a domain. Quoted local
//! parts, address literals and anything beyond ASCII are refused, so that nothing in an address can end a header line.

use std::fmt;

/// An address that may stand in an envelope and in a header as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

/// It is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an e-mail address such as alex@example.com (ASCII, at most 254 characters)")]
pub struct AddressError;

impl EmailAddress {
    /// Takes an address.
    pub fn new(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError)?;
        let local_ok = local.len() <= 64 && local.split('.').all(is_atom);
        let domain_ok = domain.len() <= 253 && domain.split('.').all(is_label);
        // A longer path than 256 with its angle brackets is refused by servers (RFC 5321 §4.5.3.1.3).
        if text.len() <= 254 && local_ok && domain_ok { Ok(Self(text.to_owned())) } else { Err(AddressError) }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_atom(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for text in ["alex@example.com", "a.b+c@mail.example.co", "root@localhost", "o'neil_1@x-y.example"] {
            assert_eq!(EmailAddress::new(text).as_ref().map(EmailAddress::as_str), Ok(text));
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for text in [
            "",
            "alex",
            "@example.com",
            "alex@",
            "alex@-x.example",
            "alex@x..example",
            ".a@example.com",
            "a..b@example.com",
            "alex@example.com\r\nBcc: sam@example.com",
            "alex@example.com\n",
            " alex@example.com",
            "al ex@example.com",
            "\"alex\"@example.com",
            "alex@[127.0.0.1]",
            "älex@example.com",
            "alex@exämple.com",
            "alex@example.com,sam@example.com",
            "<alex@example.com>",
            "alex@sam@example.com",
            "alex\0@example.com",
            &long,
        ] {
            assert_eq!(EmailAddress::new(text), Err(AddressError), "{text:?}");
        }
    }
}
