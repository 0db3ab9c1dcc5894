//! How approval is asked for: of whom, and for how long. The options that gate and hook share, and what they do when they are
//! told to stop.

use std::time::Duration;

use agent::Asked;
use agent::settings::{Patience, Settings};
use clap::Args;
use verifier::names::Username;

/// Seconds for the decision if nothing else is said, as the server has it.
const WINDOW: u64 = 300;

/// Whom to ask, and how long an approval lasts.
#[derive(Args, Clone)]
pub(crate) struct AskingArgs {
    /// Who must approve; may be given several times
    #[arg(long = "approver", value_name = "NAME", required = true, value_parser = Username::new)]
    approvers: Vec<Username>,
    /// How many of them are enough [default: all of them]
    #[arg(long, value_name = "N")]
    quorum: Option<u32>,
    /// Seconds for the decision, as the approver's page shows them [default: 300, or the timeout if that is longer]
    #[arg(long, value_name = "SECONDS")]
    expires_in: Option<u64>,
    /// Seconds after that in which the approval can be used [default: 3600]
    #[arg(long, value_name = "SECONDS")]
    use_within: Option<u64>,
}

impl AskingArgs {
    /// The first who is asked. The command line has one at least.
    pub(crate) fn first(&self) -> Option<Username> {
        self.approvers.first().cloned()
    }

    /// A request for one person, made one for all of them.
    pub(crate) fn ask_all(&self, asked: Asked, timeout: Option<Duration>) -> Asked {
        let window = timeout.map(|timeout| timeout.as_secs().max(WINDOW));
        Asked {
            quorum: self.quorum.unwrap_or_else(|| u32::try_from(self.approvers.len()).unwrap_or(u32::MAX)),
            approvers: self.approvers.clone(),
            expires_in: self.expires_in.or(window),
            use_within: self.use_within,
            ..asked
        }
    }

    /// The options again as words of a command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words: Vec<String> =
            self.approvers.iter().flat_map(|name| ["--approver".to_owned(), name.to_string()]).collect();
        let numbers = [
            ("--quorum", self.quorum.map(u64::from)),
            ("--expires-in", self.expires_in),
            ("--use-within", self.use_within),
        ];
        for (option, number) in numbers {
            if let Some(number) = number {
                words.extend([option.to_owned(), number.to_string()]);
            }
        }
        words
    }
}

/// The settings with no more patience for a silent server than this.
pub(crate) fn bounded(settings: Settings, at_most: Duration) -> Settings {
    let Patience { one_try, all_tries, .. } = settings.patience;
    let patience = Patience { one_try: one_try.min(at_most), all_tries: all_tries.min(at_most), ..settings.patience };
    Settings { patience, ..settings }
}

/// Ends when a signal asks this process to end. One that is ignored already stays so, as under `nohup`, also for a command
/// that takes this process's place.
#[cfg(unix)]
pub(crate) async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let ignored = ignored_signals();
    let listen = |kind: SignalKind| async move {
        if ignored & (1 << (kind.as_raw_value() - 1)) != 0 {
            return std::future::pending().await;
        }
        match signal(kind) {
            Ok(mut signals) => drop(signals.recv().await),
            // Then the signal ends the process as it always does.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = listen(SignalKind::interrupt()) => {}
        () = listen(SignalKind::terminate()) => {}
        () = listen(SignalKind::hangup()) => {}
    }
}

/// The signals that this process ignores, as Linux shows them; none where they are not shown.
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Ends when the user asks this process to end.
#[cfg(not(unix))]
pub(crate) async fn told_to_stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
