//! The texts of all messages, in one place. A channel gives them its own form.
//!
//! Whatever comes from a requester is shown with hidden characters written out (`[U+202E]`), as the pages show it. No payload
//! and no metadata comes here, so none can leak into a subject or a notice on a locked screen.

use api::Status;
use verifier::document::Core;
use verifier::words::visible;

use super::Channel;

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

/// What became of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    /// It is none any more.
    Removed,
    /// Another one took its place.
    Replaced,
    /// A chat is a contact beside it.
    Added,
}

use Paragraph::{Code, Plain, Quoted};

impl Words {
    /// A request waits for this person.
    pub(crate) fn asked(core: &Core, username: &str, channel: Channel, approve_url: &str, public_url: &str) -> Self {
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
            after: after_asking(username, channel, public_url),
        }
    }

    /// The request has ended: what stands in the place of what asked for a decision.
    pub(crate) fn ended(core: &Core, username: &str, status: Status) -> Self {
        let outcome = match status {
            Status::Approved => "It was approved.",
            Status::Rejected => "It was rejected.",
            Status::Cancelled => "The requester cancelled it.",
            Status::Expired | Status::Pending => "It expired: nobody may decide it any more.",
        };
        Self {
            subject: visible(&core.action),
            before: vec![
                Plain(format!("{} asked you, {username}, to approve or to reject this:", visible(&core.requester))),
                Quoted(visible(&core.action)),
                Code("Compare code".to_owned(), core.compare_code()),
                Plain(outcome.to_owned()),
            ],
            link: None,
            after: Vec::new(),
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

    /// Told to the contact that was one until now, or that was the only one.
    pub(crate) fn contact_changed(username: &str, channel: Channel, what: Changed, public_url: &str) -> Self {
        let (this, kind) = match channel {
            Channel::Email => ("address", "e-mail"),
            Channel::Telegram => ("chat", "Telegram"),
        };
        let (subject, text) = match what {
            Changed::Added => (
                "A Telegram chat was linked to your approvals".to_owned(),
                format!(
                    "A Telegram chat is from now on a contact of {username} on {public_url} too, and messages may go there instead of to this {this}."
                ),
            ),
            Changed::Removed | Changed::Replaced => {
                let became = if what == Changed::Removed { "was removed" } else { "was replaced by another one" };
                (
                    format!("Your contact for approvals {became}"),
                    format!(
                        "This {this} was the {kind} contact of {username} on {public_url}. It {became}, and nothing more is sent to it."
                    ),
                )
            }
        };
        Self {
            subject,
            before: vec![Plain(text)],
            link: Some(("Look at your own page".to_owned(), format!("{public_url}/me"))),
            after: vec![Plain("If you know nothing of it, tell the operator of that server.".to_owned())],
        }
    }

    /// Told to a chat that is a contact from now on.
    pub(crate) fn chat_linked(username: &str, public_url: &str) -> Self {
        Self {
            subject: "This chat is linked".to_owned(),
            before: vec![Plain(format!(
                "From now on you are told here of what waits for {username} on {public_url}. Nothing can be decided in this chat, and whatever is written here changes nothing."
            ))],
            link: Some(("Look at your own page".to_owned(), format!("{public_url}/me"))),
            after: vec![Plain("If you know nothing of it, block this bot.".to_owned())],
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

fn after_asking(username: &str, channel: Channel, public_url: &str) -> Vec<Paragraph> {
    let decides = "Opening the link decides nothing: you decide on the page, with your passkey. The page and the requester show the same compare code.";
    let (own, this) = match channel {
        Channel::Email => (None, "address"),
        Channel::Telegram => (
            Some(
                "Open it in your browser: passkeys do not work in the window that Telegram opens, and in its menu is \"open in browser\".",
            ),
            "chat",
        ),
    };
    let why = format!("This {this} is the contact of {username}. Change or remove it on {public_url}/me");
    let texts = own.into_iter().chain([decides]).map(str::to_owned).chain([why]);
    texts.map(Plain).collect()
}
