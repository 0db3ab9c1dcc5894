//! A person who reads: approves what is asked of alex as soon as they see it, rejects an action with the word "reject", and never
//! decides one with the word "never". For clients that have one server for all their requests.

use std::time::Duration;

use misbehaving::honest::{ALEX, Honest};

/// Looks at what is asked, over and over, as a person with a phone would.
pub(crate) async fn decides(honest: &Honest) {
    loop {
        for request in honest.pending(ALEX).await {
            if !request.action.contains("never") {
                let decision = if request.action.contains("reject") { "reject" } else { "approve" };
                honest.decide(&request.id, decision).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
