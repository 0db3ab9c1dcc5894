//! What a log and its site are called. All of it follows from the public URL and cannot change later.

use std::net::Ipv4Addr;

use verifier::trust::check_web_origin;
use verifier::webauthn::RelyingParty;

/// The public URL and the names that follow from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Scheme, host and port, as browsers write it: the web origin of the pages.
    pub public_url: String,
    /// Host, port unless it is the default, and `/log`: the name under which the log signs.
    pub log_origin: String,
    /// What passkeys are bound to: the host.
    pub relying_party: RelyingParty,
}

/// The public URL cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the public URL {url:?}: {reason}")]
pub struct PublicUrlError {
    url: String,
    reason: String,
}

impl Identity {
    /// Derives the names from a public URL: https, or http for localhost, with a host name and no path.
    pub fn from_public_url(url: &str) -> Result<Self, PublicUrlError> {
        let refuse = |reason: &str| Err(PublicUrlError { url: url.to_owned(), reason: reason.to_owned() });
        let public_url = url.strip_suffix('/').unwrap_or(url);
        let Some((_, authority)) = public_url.split_once("://") else {
            return refuse("it must begin with https:// (or http:// for localhost)");
        };
        if authority.contains(['/', '?', '#', '@']) {
            return refuse("it must be scheme, host and port alone, without a path");
        }
        let host = authority.split(':').next().unwrap_or_default();
        if host.parse::<Ipv4Addr>().is_ok() || authority.starts_with('[') {
            return refuse("passkeys need a host name, not an IP address; use localhost or a domain");
        }
        if let Err(error) = check_web_origin(public_url, host) {
            return refuse(&error.to_string());
        }
        Ok(Self {
            public_url: public_url.to_owned(),
            log_origin: format!("{authority}/log"),
            relying_party: RelyingParty { rp_id: host.to_owned(), web_origins: vec![public_url.to_owned()] },
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_follow_from_the_public_url() {
        let identity = Identity::from_public_url("https://approve.example.com/").unwrap();
        assert_eq!(identity.log_origin, "approve.example.com/log");
        assert_eq!(identity.relying_party.rp_id, "approve.example.com");
        let local = Identity::from_public_url("http://localhost:8080").unwrap();
        assert_eq!(local.log_origin, "localhost:8080/log");
        assert_eq!(local.relying_party.web_origins, ["http://localhost:8080"]);
    }

    #[test]
    fn other_urls_are_refused_with_a_reason() {
        for url in [
            "approve.example.com",
            "http://approve.example.com",
            "https://approve.example.com/approvals",
            "https://127.0.0.1",
            "http://127.0.0.1:8080",
            "https://[::1]",
            "https://example.com:443",
            "https://Example.com",
            "https://user@example.com",
            "https://",
            "ftp://example.com",
        ] {
            assert!(Identity::from_public_url(url).is_err(), "{url}");
        }
    }
}
