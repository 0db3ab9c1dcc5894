//! A message as the Bot API takes it: text without a parse mode, so that nothing in it is markup. What others wrote is
//! marked as code by its place, because Telegram makes links and commands of what looks like them anywhere else.

use serde_json::{Value, json};

use crate::notifications::words::{Paragraph, Words};

/// The most that the API takes, in UTF-16 units, as it counts.
const MAX_TEXT: usize = 4096;

/// The body of `sendMessage`.
pub(super) fn body(chat: i64, words: &Words) -> Value {
    let mut text = Text::default();
    let repeated = words.before.iter().any(|one| matches!(one, Paragraph::Quoted(quoted) if *quoted == words.subject));
    if !repeated {
        text.plain(&words.subject);
    }
    words.before.iter().for_each(|paragraph| text.paragraph(paragraph));
    // Telegram makes no buttons for addresses of this machine.
    let button = words.link.as_ref().filter(|(_, url)| url.starts_with("https://"));
    if let Some((name, url)) = words.link.as_ref().filter(|_| button.is_none()) {
        text.plain(&format!("{name}:\n{url}"));
    }
    words.after.iter().for_each(|paragraph| text.paragraph(paragraph));
    let mut body = json!({
        "chat_id": chat,
        "text": text.letters,
        "entities": text.code,
        // Nobody but the approver should open the link.
        "link_preview_options": {"is_disabled": true},
    });
    if let Some((name, url)) = button {
        body["reply_markup"] = json!({"inline_keyboard": [[{"text": name, "url": url}]]});
    }
    body
}

#[derive(Default)]
struct Text {
    letters: String,
    /// The length of the text as the API counts.
    units: usize,
    code: Vec<Value>,
}

impl Text {
    fn paragraph(&mut self, paragraph: &Paragraph) {
        match paragraph {
            Paragraph::Plain(words) => self.plain(words),
            Paragraph::Quoted(words) => {
                self.gap();
                self.code(words);
            }
            Paragraph::Code(name, value) => {
                self.plain(&format!("{name}: "));
                self.code(value);
            }
        }
    }

    fn plain(&mut self, words: &str) {
        self.gap();
        self.push(words);
    }

    fn gap(&mut self) {
        if !self.letters.is_empty() {
            self.push("\n\n");
        }
    }

    fn code(&mut self, words: &str) {
        let offset = self.units;
        self.push(words);
        let length = self.units - offset;
        if length > 0 {
            self.code.push(json!({"type": "code", "offset": offset, "length": length}));
        }
    }

    /// As much as there is room for.
    fn push(&mut self, words: &str) {
        for symbol in words.chars() {
            if self.units + symbol.len_utf16() > MAX_TEXT {
                return;
            }
            self.units += symbol.len_utf16();
            self.letters.push(symbol);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn words(title: &str, url: &str) -> Words {
        Words {
            subject: title.to_owned(),
            before: vec![Paragraph::Plain("asks:".to_owned()), Paragraph::Quoted(title.to_owned())],
            link: Some(("Decide".to_owned(), url.to_owned())),
            after: vec![Paragraph::Code("Code".to_owned(), "abcd".to_owned())],
        }
    }

    #[test]
    fn what_others_wrote_is_no_markup_and_no_link() {
        let title = "*b* <b> @all https://x.example/ 😀 /start";
        let body = body(7, &words(title, "https://a.example/approve/x"));
        let text: Vec<u16> = body["text"].as_str().unwrap().encode_utf16().collect();
        let marked: Vec<_> = body["entities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entity| {
                let at = |name: &str| usize::try_from(entity[name].as_u64().unwrap()).unwrap();
                String::from_utf16(&text[at("offset")..at("offset") + at("length")]).unwrap()
            })
            .collect();
        assert_eq!(marked, [title, "abcd"]);
        assert!(body.get("parse_mode").is_none());
        assert_eq!(body["text"].as_str().unwrap().matches(title).count(), 1, "the subject is not said twice");
        assert_eq!(body["reply_markup"]["inline_keyboard"][0][0]["url"], "https://a.example/approve/x");
    }

    #[test]
    fn an_address_of_this_machine_stands_in_the_text() {
        let body = body(7, &words("Deploy", "http://localhost:8080/approve/x"));
        assert!(body.get("reply_markup").is_none());
        assert!(body["text"].as_str().unwrap().contains("Decide:\nhttp://localhost:8080/approve/x\n"));
    }

    #[test]
    fn a_text_is_cut_where_the_api_cuts() {
        let body = body(7, &words(&"😀".repeat(3000), "https://a.example/"));
        assert_eq!(body["text"].as_str().unwrap().encode_utf16().count(), MAX_TEXT);
    }
}
