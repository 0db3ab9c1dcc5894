//! Which addresses a webhook may have: those of the public internet, over HTTPS, written in the usual way. Whoever holds an API
//! key chooses the address, and the server must not become their way into networks that they cannot reach
//! (server-side request forgery). An operator may allow single origins that are inside.
//!
//! What a name stands for is checked when it is looked up, and exactly that is connected to: `webhook/lookup.rs`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// The longest address.
const MAX_URL: usize = 2000;

/// Why an address may not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressRefused {
    /// No URL, or not one as it is written elsewhere.
    #[error("{0}")]
    Form(&'static str),
    /// Not of the public internet.
    #[error("{0} is {1}, and only addresses of the public internet are called")]
    NotPublic(IpAddr, &'static str),
}

/// The origins that an operator allows whatever their addresses are: scheme, host and port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed(Vec<String>);

impl Allowed {
    /// Takes origins such as `http://10.0.0.5:9000`; an error names the one that is none.
    pub fn new(origins: &[String]) -> Result<Self, String> {
        let taken = origins.iter().map(|text| {
            let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            let origin = url.map(|url| url.origin().ascii_serialization()).filter(|origin| origin == text);
            origin.ok_or_else(|| text.clone())
        });
        Ok(Self(taken.collect::<Result<_, _>>()?))
    }

    /// Whether an address is at one of them.
    pub fn has(&self, url: &Url) -> bool {
        self.0.contains(&url.origin().ascii_serialization())
    }
}

/// Reads an address that may be called, as far as that can be said without looking its name up.
pub(crate) fn checked(text: &str, allowed: &Allowed) -> Result<Url, AddressRefused> {
    use AddressRefused::Form;
    if text.len() > MAX_URL || !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains('\\') {
        return Err(Form("give at most 2000 visible letters of ASCII"));
    }
    let url = Url::parse(text).map_err(|_| Form("is no URL such as https://example.com/hook"))?;
    if !url.username().is_empty() || url.password().is_some() || authority(text).contains('@') {
        return Err(Form("holds a name or a password, which would be sent along"));
    }
    if url.fragment().is_some() {
        return Err(Form("holds a fragment, which is never sent"));
    }
    let Some(host) = url.host_str() else { return Err(Form("has no host")) };
    // 0x7f.1, 2130706433 and 0177.0.0.1 all mean 127.0.0.1 to a URL parser; whoever writes so wants to hide something.
    let written = authority(text).to_ascii_lowercase();
    if !(written == host || written.strip_prefix(host).is_some_and(|port| port.starts_with(':'))) {
        return Err(Form("writes its host in an unusual way"));
    }
    if allowed.has(&url) {
        return Ok(url);
    }
    if url.scheme() != "https" {
        return Err(Form("is not https"));
    }
    if let Ok(address) = host.trim_matches(['[', ']']).parse() {
        require_public(address)?;
    }
    Ok(url)
}

/// What stands between the slashes and the path, as it was written.
fn authority(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Refuses every address that is not globally reachable by the registries of special addresses (RFC 6890).
pub(crate) fn require_public(address: IpAddr) -> Result<(), AddressRefused> {
    let special = match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    };
    special.map_or(Ok(()), |what| Err(AddressRefused::NotPublic(address, what)))
}

const V4: [(Ipv4Addr, u32, &str); 16] = [
    (Ipv4Addr::UNSPECIFIED, 8, "an address of this host"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by a provider's customers"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "this machine"),
    // A cloud's agent for its machines, in a public range.
    (Ipv4Addr::new(168, 63, 129, 16), 32, "a cloud's own service"),
    // The metadata of cloud machines is at 169.254.169.254.
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documents"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a relay of 6to4"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documents"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documents"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// Everything outside of 2000::/3 is special: loopback, unique local, link-local, multicast, and the forms that hold an
/// IPv4 address. These are so inside of it.
const V6: [(Ipv6Addr, u32, &str); 4] = [
    // With Teredo, which holds an IPv4 address.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "for protocols"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "for documents"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "of 6to4, which holds an IPv4 address"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "for documents"),
];

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let is_in = |network: Ipv4Addr, length: u32| {
        (address.to_bits() ^ network.to_bits()).checked_shr(32 - length).unwrap_or(0) == 0
    };
    V4.iter().find(|(network, length, _)| is_in(*network, *length)).map(|(_, _, what)| *what)
}

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    let is_in = |network: Ipv6Addr, length: u32| (address.to_bits() ^ network.to_bits()) >> (128 - length) == 0;
    if !is_in(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3) {
        return Some("not a global unicast address");
    }
    V6.iter().find(|(network, length, _)| is_in(*network, *length)).map(|(_, _, what)| *what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Row {
        url: String,
        /// None if it may be called.
        refused: Option<String>,
    }

    /// Addresses and ways to write them, each with what must be said of it.
    #[test]
    fn every_row_of_the_table_is_refused_or_not_as_it_says() {
        let rows: Vec<Row> = serde_json::from_str(include_str!("../../../../testdata/webhook-addresses.json")).unwrap();
        assert!(rows.len() >= 60, "{}", rows.len());
        for Row { url, refused } in rows {
            let found = checked(&url, &Allowed::default()).err().map(|error| error.to_string());
            match (&found, &refused) {
                (None, None) => {}
                (Some(found), Some(refused)) if found.contains(refused) => {}
                _ => panic!("{url}: {found:?}, the table says {refused:?}"),
            }
        }
    }

    #[test]
    fn an_operator_allows_single_origins() {
        let allowed = Allowed::new(&["http://10.0.0.5:9000".to_owned(), "https://hooks.internal".to_owned()]).unwrap();
        for url in ["http://10.0.0.5:9000/a?b", "https://hooks.internal/x"] {
            assert!(checked(url, &allowed).is_ok(), "{url}");
        }
        for url in [
            "http://10.0.0.5/",
            "http://10.0.0.5:9001/",
            "https://10.0.0.5:9000/",
            "http://hooks.internal/",
            "http://a@10.0.0.5:9000/",
        ] {
            assert!(checked(url, &allowed).is_err(), "{url}");
        }
        for origin in ["10.0.0.5", "http://10.0.0.5:9000/", "ftp://a", "http://a/path", "http://0x7f.1", ""] {
            assert_eq!(Allowed::new(&[origin.to_owned()]).err().as_deref(), Some(origin));
        }
    }
}
