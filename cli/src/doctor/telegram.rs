//! Whether the Bot API takes the token that the server would use.

use std::path::Path;

use super::Findings;
use crate::serve::telegram_settings;

const CHECK: &str = "telegram";

/// Asks who the bot is and says what came of it.
pub(super) fn look(config: Option<&Path>, findings: &mut Findings) {
    match ask(config) {
        Ok(words) => findings.ok(CHECK, words),
        Err(words) => findings.problem(CHECK, words),
    }
}

fn ask(config: Option<&Path>) -> Result<String, String> {
    let config = config.ok_or("name the configuration file with the table [telegram] with --config")?;
    let telegram = telegram_settings(config).map_err(|error| error.to_string())?;
    let telegram = telegram.ok_or_else(|| format!("{} has no table [telegram]", config.display()))?;
    let bot = telegram.bot().map_err(|error| format!("[telegram] {error}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the operating system refuses what is needed: {error}"))?;
    let name = runtime.block_on(bot.name()).map_err(|error| error.to_string())?;
    Ok(format!("the bot is @{name}; approvers link their chats to it on their own page, /me"))
}
