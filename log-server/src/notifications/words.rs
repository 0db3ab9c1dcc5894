//! The texts of all messages, in one place. A channel gives them its own form.
//!
//! Whatever comes from a requester is shown with hidden characters written out (`[U+202E]`), as the pages show it. No payload
//! and no metadata comes here, so none can leak into a subject or a notice on a locked screen.

use verifier::document::Core;
use verifier::words::visible;

/// What a message says: a subject, paragraphs, and one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// One line.
    pub subject: String,
    /// What stands in front of the link.
    pub before: Vec<Paragraph>,
    /// Where to go on: what it is called, and its address.
    pub link: Option<(String, String)>,
    /// What stands behind it.
    pub after: Vec<Paragraph>,
}

/// One paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paragraph {
    /// In our words.
    Plain(String),
    /// In somebody else's: told apart, and in a direction of its own.
    Quoted(String),
    /// A name and a value in letters of one width.
    Code(String, String),
}

use Paragraph::{Code, Plain, Quoted};

impl Words {
    /// A request waits for this person.
    pub(crate) fn asked(core: &Core, username: &str, approve_url: &str, public_url: &str) -> Self {
        let requester = visible(&core.requester);
        let whose = if core.approvers.len() == 1 {
            format!("{requester} asks you, {username}, to approve or to reject this:")
        } else {
            let (quorum, of) = (core.quorum, core.approvers.len());
            format!(
                "{requester} asks you, {username}, and others ({quorum} of {of} must approve) to approve or to reject this:"
            )
        };
        Self {
            subject: visible(&core.action),
            before: vec![
                Plain(whose),
                Quoted(visible(&core.action)),
                Code("Compare code".to_owned(), core.compare_code()),
                Plain(format!("It can be decided until {} (UTC).", core.expires_at)),
            ],
            link: Some(("See all of it, and decide".to_owned(), approve_url.to_owned())),
            after: vec![
                Plain(
                    "Opening the link decides nothing: you decide on the page, with your passkey. The page and the requester show the same compare code."
                        .to_owned(),
                ),
                why(username, public_url),
            ],
        }
    }

    /// Somebody said that this is this person's address.
    pub(crate) fn confirm_address(username: &str, confirm_url: &str, public_url: &str) -> Self {
        Self {
            subject: "Confirm this address for your approvals".to_owned(),
            before: vec![Plain(format!(
                "{username} is an approver on {public_url}, and this address was given to tell them of what waits for them."
            ))],
            link: Some(("Confirm this address".to_owned(), confirm_url.to_owned())),
            after: vec![Plain(
                "Opening the link changes nothing: press the button on the page. If this is not you, do nothing, and no more mail comes."
                    .to_owned(),
            )],
        }
    }

    /// Told to the address that was the contact until now.
    pub(crate) fn address_changed(username: &str, channel: &str, removed: bool, public_url: &str) -> Self {
        let what = if removed { "was removed" } else { "was replaced by another one" };
        Self {
            subject: format!("Your contact for approvals {what}"),
            before: vec![Plain(format!(
                "This address was the {channel} contact of {username} on {public_url}. It {what}, and nothing more is sent to it."
            ))],
            link: Some(("Look at your own page".to_owned(), format!("{public_url}/me"))),
            after: vec![Plain("If you know nothing of it, tell the operator of that server.".to_owned())],
        }
    }

    /// What `countersign doctor --mail` sends.
    pub(crate) fn test(public_url: &str) -> Self {
        Self {
            subject: "A test of Countersign".to_owned(),
            before: vec![Plain(format!("This server can send mail: {public_url}"))],
            link: None,
            after: vec![Plain("Nothing is asked of you.".to_owned())],
        }
    }
}

fn why(username: &str, public_url: &str) -> Paragraph {
    Plain(format!("This address is the contact of {username}. Change or remove it on {public_url}/me"))
}
