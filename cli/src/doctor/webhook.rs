//! Whether an address can be called as a webhook, with the settings that the server would use.

use std::path::Path;

use log_server::notifications::WebhookRoot;
use log_server::random::{OsRandom, bytes32};
use verifier::note::SignerKey;

use super::Findings;
use crate::serve::webhook_settings;

const CHECK: &str = "webhook";

/// Calls it once and says what came of it.
pub(super) fn look(url: &str, config: Option<&Path>, findings: &mut Findings) {
    match call(url, config) {
        Ok(words) => findings.ok(CHECK, words),
        Err(words) => findings.problem(CHECK, words),
    }
}

fn call(url: &str, config: Option<&Path>) -> Result<String, String> {
    let config = config.ok_or("name the configuration file with the table [webhooks] with --config")?;
    let webhooks = webhook_settings(config).map_err(|error| error.to_string())?;
    let webhooks = webhooks.ok_or_else(|| format!("{} has no table [webhooks]", config.display()))?;
    let webhooks = webhooks.webhooks().map_err(|error| format!("[webhooks] {error}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the operating system refuses what is needed: {error}"))?;
    let key = SignerKey::from_seed("doctor", &bytes32(&OsRandom)).map_err(|error| error.to_string())?;
    let root = WebhookRoot::of(&key);
    let reached = webhooks.reach(url, &root, crate::now().unix());
    let status = runtime.block_on(reached).map_err(|error| format!("{url}: {error}"))?;
    Ok(format!("{url} can be called, and answered {status} to a test that a receiver which checks signatures refuses"))
}
