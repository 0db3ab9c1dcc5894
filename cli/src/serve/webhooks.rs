//! The table `[webhooks]` of the configuration file, checked when the server starts.

use std::sync::Arc;
use std::time::Duration;

use log_server::notifications::{AllowedOrigins, Couriers, Webhooks, system_lookup};
use serde::Deserialize;

const TIMEOUT: std::ops::RangeInclusive<u64> = 1..=60;
const CONNECTIONS: std::ops::RangeInclusive<usize> = 1..=256;

/// What the file says about webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileWebhooks {
    /// Origins that may be called whatever their addresses are.
    #[serde(default)]
    allow: Vec<String>,
    timeout_seconds: Option<u64>,
    /// How many are called at a time.
    connections: Option<usize>,
}

impl FileWebhooks {
    /// What calls, if everything fits.
    pub(crate) fn webhooks(&self) -> Result<Webhooks, String> {
        let timeout = self.timeout_seconds.unwrap_or(15);
        if !TIMEOUT.contains(&timeout) {
            return Err(format!("timeout_seconds: {timeout}, {} to {} are allowed", TIMEOUT.start(), TIMEOUT.end()));
        }
        let allowed = AllowedOrigins::new(&self.allow);
        let allowed =
            allowed.map_err(|text| format!("allow: {text:?} is no origin such as https://hooks.example.com"))?;
        Webhooks::new(allowed, &system_lookup(), Duration::from_secs(timeout))
    }

    /// The channels with webhooks as one more.
    pub(super) fn add_to(&self, couriers: Couriers) -> Result<Couriers, String> {
        let connections = self.connections.unwrap_or(16);
        if !CONNECTIONS.contains(&connections) {
            let (least, most) = (CONNECTIONS.start(), CONNECTIONS.end());
            return Err(format!("connections: {connections}, {least} to {most} are allowed"));
        }
        Ok(couriers.with_webhooks(Arc::new(self.webhooks()?), connections))
    }
}
