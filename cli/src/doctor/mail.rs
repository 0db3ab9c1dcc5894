//! A test mail, sent with the settings that the server would use.

use std::path::Path;

use log_server::identity::Identity;
use log_server::notifications::EmailAddress;
use log_server::random::{self, OsRandom};

use super::Findings;
use crate::serve::mail_settings;

const CHECK: &str = "mail";

/// Sends it and says what came of it.
pub(super) fn look(address: &str, config: Option<&Path>, findings: &mut Findings) {
    match send(address, config) {
        Ok(words) => findings.ok(CHECK, words),
        Err(words) => findings.problem(CHECK, words),
    }
}

fn send(address: &str, config: Option<&Path>) -> Result<String, String> {
    let to = EmailAddress::new(address).map_err(|error| format!("--mail: {address:?} {error}"))?;
    let config = config.ok_or("name the configuration file with the table [mail] with --config")?;
    let (mail, public_url) = mail_settings(config).map_err(|error| error.to_string())?;
    let mail = mail.ok_or_else(|| format!("{} has no table [mail]", config.display()))?;
    let identity = Identity::from_public_url(&public_url).map_err(|error| error.to_string())?;
    let mail = mail.mail(&identity).map_err(|error| format!("[mail] {error}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the operating system refuses what is needed: {error}"))?;
    let id = format!("<{}@{}>", random::id(&OsRandom, "test"), identity.relying_party.rp_id);
    let (host, port) = mail.server();
    runtime
        .block_on(mail.test(&to, id, crate::now()))
        .map_err(|error| format!("{host}:{port} did not take the test message: {error}"))?;
    Ok(format!("{host}:{port} took a test message to {to}; look whether it arrives"))
}
