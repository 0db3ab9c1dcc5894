//! Looking a webhook's name up: once for each connection, every answer checked, and exactly what was checked is connected to.
//! A name that is looked up again for the connection could stand for something else by then (DNS rebinding).

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::require_public;

/// What a name stands for, or why nobody knows.
pub type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
/// Looks a name up.
pub type Lookup = Arc<dyn Fn(String) -> Found + Send + Sync>;

/// Asks this machine's resolver.
pub fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// What the HTTP client connects to: it asks this and nothing else.
pub(super) struct Checked {
    pub(super) lookup: Lookup,
    /// Whether special addresses are refused: not for origins that the operator allows.
    pub(super) public_only: bool,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, public_only) = ((self.lookup)(name.as_str().to_owned()), self.public_only);
        Box::pin(async move {
            let found = found.await?;
            if public_only {
                // One special address among public ones is a trap, not a mistake.
                found.iter().try_for_each(|address| require_public(*address))?;
            }
            // The client puts the port of the address that it calls in the place of the zero.
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    async fn resolved(found: &[&str], public_only: bool) -> Result<Vec<SocketAddr>, String> {
        let found: Vec<IpAddr> = found.iter().map(|address| address.parse().unwrap()).collect();
        let lookup: Lookup = Arc::new(move |_| {
            let found = found.clone();
            Box::pin(async move { Ok(found) })
        });
        let checked = Checked { lookup, public_only };
        let addresses = checked.resolve("name.example".parse().unwrap()).await;
        addresses.map(Iterator::collect).map_err(|error| error.to_string())
    }

    /// Each look is checked for itself: nothing is remembered of an earlier one.
    #[tokio::test]
    async fn a_name_that_is_public_at_first_is_refused_once_it_is_not() {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let lookup: Lookup = Arc::new(move |_| {
            let first = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
            let found: IpAddr = if first { "8.8.8.8" } else { "127.0.0.1" }.parse().unwrap();
            Box::pin(async move { Ok(vec![found]) })
        });
        let checked = Checked { lookup, public_only: true };
        let found: Vec<_> = checked.resolve("name.example".parse().unwrap()).await.unwrap().collect();
        assert_eq!(found, ["8.8.8.8:0".parse().unwrap()]);
        assert!(checked.resolve("name.example".parse().unwrap()).await.is_err());
    }

    #[tokio::test]
    async fn one_special_address_among_public_ones_is_enough_to_refuse_a_name() {
        for special in [
            "127.0.0.1",
            "10.1.2.3",
            "172.20.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.1.1",
            "0.0.0.0",
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:0:7f00:1::",
            "ff02::1",
        ] {
            for found in [[special].as_slice(), &["8.8.8.8", special], &[special, "2606:4700:4700::1111"]] {
                let error = resolved(found, true).await.unwrap_err();
                assert!(error.contains("only addresses of the public internet"), "{found:?}: {error}");
                assert_eq!(resolved(found, false).await.unwrap().len(), found.len(), "what the operator allows");
            }
        }
        let public = ["8.8.8.8", "2606:4700:4700::1111"];
        let found = resolved(&public, true).await.unwrap();
        assert_eq!(found.iter().map(|found| found.ip().to_string()).collect::<Vec<_>>(), public);
    }
}
