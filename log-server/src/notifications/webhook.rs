//! Webhooks to requesters in the form of Standard Webhooks: a POST of JSON, signed, over HTTPS, to an address that is checked
//! when it is registered and again whenever it is called. No redirect is followed, and nothing of an answer but its status
//! is looked at, so that nobody reads through this server what only it can reach.

pub(crate) mod address;
pub(crate) mod lookup;
pub(crate) mod signature;

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};

use address::{AddressRefused, Allowed};
use lookup::{Checked, Lookup};

use signature::{WebhookKeys, WebhookRoot};

/// How webhooks are delivered.
pub struct Webhooks {
    allowed: Allowed,
    /// For the public internet, and for what the operator allows.
    public: Client,
    inside: Client,
    timeout: Duration,
}

/// One call that is to be made.
pub(crate) struct Event {
    /// Which registration it is of, so that an answer of its receiver ends no later one.
    pub(crate) salt: String,
    /// The same for every try.
    pub(crate) id: String,
    /// The time of this one, in seconds since 1970.
    pub(crate) seconds: u64,
    pub(crate) url: String,
    pub(crate) body: Vec<u8>,
    pub(crate) keys: WebhookKeys,
}

/// Why a call was not taken.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// The receiver is gone for good (410).
    Gone,
    /// Anything else, which a later try may find otherwise.
    Later(String),
}

impl Webhooks {
    /// Calls the public internet and the origins that are allowed; names are looked up like this.
    pub fn new(allowed: Allowed, lookup: &Lookup, timeout: Duration) -> Result<Self, String> {
        let client = |public_only| {
            let builder = Client::builder()
                .redirect(Policy::none())
                .no_proxy()
                .dns_resolver(std::sync::Arc::new(Checked { lookup: lookup.clone(), public_only }))
                // Each try looks the name up, and checks it.
                .pool_max_idle_per_host(0)
                .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")));
            builder.build().map_err(|error| error.to_string())
        };
        Ok(Self { public: client(true)?, inside: client(false)?, allowed, timeout })
    }

    /// Reads an address that may be called.
    pub(crate) fn checked(&self, url: &str) -> Result<Url, AddressRefused> {
        address::checked(url, &self.allowed)
    }

    /// Calls an address once with a test that is signed with keys of its own, and tells the status that came back.
    pub async fn reach(&self, url: &str, root: &WebhookRoot, seconds: u64) -> Result<u16, String> {
        let event = Event {
            id: "msg_test".to_owned(),
            seconds,
            url: url.to_owned(),
            body: br#"{"type":"test","data":{}}"#.to_vec(),
            salt: String::new(),
            keys: root.keys(""),
        };
        Ok(self.post(&event).await?.as_u16())
    }

    /// Calls once.
    pub(crate) async fn call(&self, event: &Event) -> Result<(), NotTaken> {
        match self.post(event).await.map_err(NotTaken::Later)? {
            status if status.is_success() => Ok(()),
            StatusCode::GONE => Err(NotTaken::Gone),
            status => Err(NotTaken::Later(format!("the receiver answered {}", status.as_u16()))),
        }
    }

    async fn post(&self, event: &Event) -> Result<StatusCode, String> {
        // Again, because the operator may allow less now, and more again after the next start.
        let url = self.checked(&event.url).map_err(|error| error.to_string())?;
        let client = if self.allowed.has(&url) { &self.inside } else { &self.public };
        let call = client
            .post(url)
            .timeout(self.timeout)
            .header("content-type", "application/json")
            .header("webhook-id", &event.id)
            .header("webhook-timestamp", event.seconds)
            .header("webhook-signature", event.keys.sign(&event.id, event.seconds, &event.body))
            .body(event.body.clone());
        let answer = call.send().await.map_err(|error| described(&error, self.timeout))?;
        Ok(answer.status())
    }
}

/// An error with its causes and without the address, in which a receiver may have put a secret.
fn described(error: &reqwest::Error, timeout: Duration) -> String {
    if error.is_timeout() {
        return format!("the receiver did not answer within {} seconds", timeout.as_secs());
    }
    let mut words = "the receiver cannot be reached".to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(one) = cause {
        words = format!("{words}: {one}");
        cause = one.source();
    }
    verifier::words::visible(&words).chars().take(300).collect()
}
