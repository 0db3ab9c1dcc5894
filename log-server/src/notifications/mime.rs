//! A message as an e-mail (RFC 5322): a text and the same as HTML, with nothing that loads anything.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use super::words::{Paragraph, Words};
use super::{EmailAddress, Message};

/// Builds the e-mail. The address was checked when it was taken; a text that is none of ours is an error, not a header.
pub(super) fn email(from: &Mailbox, message: &Message) -> Result<lettre::Message, String> {
    let to = EmailAddress::new(&message.to).map_err(|error| format!("the address {error}"))?;
    let to = to.as_str().parse().map_err(|error| format!("the address: {error}"))?;
    // Newlines were refused where the title came in, and `visible` writes controls out: this is the last line of defence.
    if message.words.subject.chars().any(char::is_control) {
        return Err("the subject holds a control character".to_owned());
    }
    lettre::Message::builder()
        .message_id(Some(message.id.clone()))
        .date(SystemTime::UNIX_EPOCH + Duration::from_secs(message.at.unix()))
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .raw_header(subject(&message.words.subject))
        // No vacation notice answers this (RFC 3834).
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .multipart(MultiPart::alternative_plain_html(text(&message.words), html(&message.words)))
        .map_err(|error| error.to_string())
}

/// A subject that any reader decodes to these words. What looks like an encoded word (RFC 2047) would be taken for one, and
/// could hold what `visible` writes out: such a subject is encoded as a whole.
fn subject(words: &str) -> HeaderValue {
    /// Bytes in one encoded word, which may have 75 letters.
    const PIECE: usize = 42;
    let name = HeaderName::new_from_ascii_str("Subject");
    if !words.contains("=?") {
        return HeaderValue::new(name, words.to_owned());
    }
    let mut pieces = vec![String::new()];
    for letter in words.chars() {
        if pieces.last().is_some_and(|piece| piece.len() + letter.len_utf8() > PIECE) {
            pieces.push(String::new());
        }
        pieces.last_mut().into_iter().for_each(|piece| piece.push(letter));
    }
    let encoded: Vec<String> = pieces.iter().map(|piece| format!("=?utf-8?b?{}?=", STANDARD.encode(piece))).collect();
    HeaderValue::dangerous_new_pre_encoded(name, words.to_owned(), encoded.join("\r\n "))
}

fn text(words: &Words) -> String {
    let link = words.link.iter().map(|(label, url)| format!("{label}:\n{url}"));
    let parts: Vec<String> = words.before.iter().map(plain).chain(link).chain(words.after.iter().map(plain)).collect();
    parts.join("\n\n") + "\n"
}

fn plain(paragraph: &Paragraph) -> String {
    match paragraph {
        Paragraph::Plain(text) => text.clone(),
        Paragraph::Quoted(text) => format!("    {text}"),
        Paragraph::Code(name, value) => format!("{name}: {value}"),
    }
}

fn html(words: &Words) -> String {
    let link = words.link.iter().map(|(label, url)| {
        let (label, url) = (escaped(label), escaped(url));
        format!("<p><a href=\"{url}\">{label}</a><br><small>{url}</small></p>")
    });
    let parts = words.before.iter().map(rich).chain(link).chain(words.after.iter().map(rich));
    let body = parts.collect::<Vec<_>>().join("\n");
    format!("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"></head><body>\n{body}\n</body></html>\n")
}

fn rich(paragraph: &Paragraph) -> String {
    match paragraph {
        Paragraph::Plain(text) => format!("<p>{}</p>", escaped(text)),
        Paragraph::Quoted(text) => format!("<blockquote dir=\"auto\"><strong>{}</strong></blockquote>", escaped(text)),
        Paragraph::Code(name, value) => format!("<p>{}: <code>{}</code></p>", escaped(name), escaped(value)),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use verifier::time::Timestamp;

    use super::*;

    /// Readers decode encoded words; what a requester wrote so must come out as it was written.
    #[test]
    fn what_looks_encoded_is_encoded() {
        let title = "Deploy =?utf-8?q?=E2=80=AEgnp=2Eexe?= =?utf-8?q?_to_production?= – a title of many letters, é";
        let from: Mailbox = "log@example.com".parse().unwrap();
        let bytes = email(&from, &message(title, "x")).unwrap().formatted();
        let mail = String::from_utf8(bytes).unwrap();
        let header = mail.split("\r\nSubject: ").nth(1).unwrap();
        let mut lines = header.split("\r\n");
        let first = lines.next().unwrap();
        let words = [first].into_iter().chain(lines.map_while(|line| line.strip_prefix(' ')));
        let decoded: Vec<u8> = words
            .flat_map(|word| {
                assert!(word.len() <= 75, "{word}");
                STANDARD.decode(word.strip_prefix("=?utf-8?b?").unwrap().strip_suffix("?=").unwrap()).unwrap()
            })
            .collect();
        assert_eq!(String::from_utf8(decoded).unwrap(), title);
    }

    fn message(subject: &str, quoted: &str) -> Message {
        Message {
            id: "<abc@example.com>".to_owned(),
            to: "alex@example.com".to_owned(),
            at: Timestamp::from_unix(1_800_000_000),
            words: Words {
                subject: subject.to_owned(),
                before: vec![Paragraph::Quoted(quoted.to_owned())],
                link: Some(("Go on".to_owned(), "https://a.example/approve/x".to_owned())),
                after: Vec::new(),
            },
            replaces: None,
        }
    }

    fn sent(message: &Message) -> Result<String, String> {
        let from = "Countersign <approvals@example.com>".parse().unwrap();
        email(&from, message).map(|email| String::from_utf8(email.formatted()).unwrap())
    }

    #[test]
    fn the_headers_say_who_and_that_no_person_wrote_it() {
        let text = sent(&message("Deploy", "Deploy")).unwrap();
        for line in [
            "Message-ID: <abc@example.com>",
            "Date: Fri, 15 Jan 2027 08:00:00 +0000",
            "From: Countersign <approvals@example.com>",
            "To: alex@example.com",
            "Subject: Deploy",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
        }
        assert!(text.contains("multipart/alternative") && text.contains("text/plain") && text.contains("text/html"));
    }

    #[test]
    fn nothing_ends_a_header_line_or_becomes_markup() {
        for subject in ["a\r\nBcc: sam@example.com", "a\nb", "a\rb", "a\0b"] {
            assert!(sent(&message(subject, "")).is_err(), "{subject:?}");
        }
        let mut elsewhere = message("a", "b");
        elsewhere.to = "alex@example.com\r\nBcc: sam@example.com".to_owned();
        assert!(sent(&elsewhere).is_err());
        let text = sent(&message(&"é".repeat(300), "<img src=//x>&\"'")).unwrap();
        assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 998));
        assert!(text.contains("&lt;img src"), "{text}");
        assert_eq!(text.matches("<img").count(), 1, "in the plain part alone");
    }
}
