//! The texts of all messages, in one place. A channel gives them its own form.
//!
//! Whatever comes from a requester is shown with hidden characters written out (`[U+202E]`), as the pages show it. A payload
//! comes here only where the operator has turned that on, as text that begins at one place and goes nowhere else: no subject
//! holds any of it. No metadata comes here.

use api::Status;
use verifier::document::Core;
use verifier::json::Value;
use verifier::words::{escaped, visible};

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

/// The most characters of a payload that a message shows. A message is to be read at a glance, and Telegram takes 4,096.
const MAX_PAYLOAD: usize = 1000;

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

    /// With the payload of the request, behind what is said before the link.
    #[must_use]
    pub(crate) fn with_payload(mut self, core: &Core) -> Self {
        self.before.extend(payload(&Value::from(core.payload.clone()).to_canonical()));
        self
    }

    /// The request has ended: what stands in the place of what asked for a decision.
    pub(crate) fn ended(core: &Core, username: &str, status: Status) -> Self {
        let outcome = match status {
            Status::Approved => "It was approved.",
            Status::Rejected => "It was rejected.",
            Status::Cancelled => "The requester cancelled it, or its API key was revoked.",
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
            Channel::Telegram | Channel::Webhook => ("chat", "Telegram"),
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

/// A payload as JSON in which every hidden character is an escape, and how much of it this is.
fn payload(canonical: &str) -> [Paragraph; 2] {
    let mut shown = String::new();
    let (all, mut taken, mut room) = (canonical.chars().count(), 0, MAX_PAYLOAD);
    for character in canonical.chars() {
        // An escape is shown whole or not at all.
        let character = escaped(character.encode_utf8(&mut [0; 4]));
        let Some(left) = room.checked_sub(character.chars().count()) else { break };
        shown += &character;
        (taken, room) = (taken + 1, left);
    }
    let words = if taken == all {
        "The page shows the same field by field, and only what is there is signed.".to_owned()
    } else {
        format!(
            "These are the first {taken} of the payload's {all} characters. Read the rest on the page before you decide."
        )
    };
    [Code("Payload".to_owned(), shown), Plain(words)]
}

fn after_asking(username: &str, channel: Channel, public_url: &str) -> Vec<Paragraph> {
    let decides = "Opening the link decides nothing: you decide on the page, with your passkey. The page and the requester show the same compare code.";
    let (own, this) = match channel {
        Channel::Email => (None, "address"),
        Channel::Telegram | Channel::Webhook => (
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_shown_whole_with_what_is_hidden_as_escapes() {
        let [Code(name, shown), Plain(words)] = payload("{\"to\":\"a\u{202e}b\u{200b}\u{e0041} é\"}") else {
            unreachable!("a value and a sentence")
        };
        assert_eq!((name.as_str(), shown.as_str()), ("Payload", r#"{"to":"a\u202eb\u200b\udb40\udc41 é"}"#));
        assert!(!words.contains("first"), "{words}");
    }

    #[test]
    fn a_long_payload_is_cut_and_says_so() {
        for (character, taken) in [("x", 1000), ("\u{202e}", 166), ("😀", 1000)] {
            let [Code(_, shown), Plain(words)] = payload(&character.repeat(5231)) else {
                unreachable!("a value and a sentence")
            };
            assert_eq!(shown, escaped(&character.repeat(taken)));
            assert!(words.contains(&format!("the first {taken} of the payload's 5231 characters")), "{words}");
        }
        let [_, Plain(words)] = payload(&"x".repeat(1000)) else { unreachable!("a value and a sentence") };
        assert!(!words.contains("first"), "{words}");
    }
}
