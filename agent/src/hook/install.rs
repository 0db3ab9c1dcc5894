//! Putting the hook into the settings of Claude Code, and nothing else: what else stands in the file stays as it is written,
//! letter by letter, and a file that is not understood is refused.
//!
//! ```json
//! {"hooks": {"PreToolUse": [{"matcher": "*", "hooks": [
//!   {"type": "command", "command": "…", "timeout": 600, "onFailure": "block"}]}]}}
//! ```
//!
//! `onFailure` makes the host block a call whose hook crashes, hangs or is not there. Versions before [`FIRST_THAT_BLOCKS`]
//! do not know it.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use verifier::words::quoted;

use super::Tools;

/// The first version of the host with `onFailure`.
pub const FIRST_THAT_BLOCKS: (u32, u32, u32) = (2, 1, 295);
/// By this our hooks are told from those of others.
const OURS: &str = " hook claude-code ";
const EVENT: &str = "PreToolUse";

/// A hook as the settings have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// For which tools the host asks, in the host's own notation.
    pub matcher: String,
    /// The command line, for a shell.
    pub command: String,
    /// Seconds after which the host gives up.
    pub timeout: u64,
}

/// Why the settings are left alone.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Not JSON, or not of the form that the host reads.
    #[error("the settings are not understood and stay as they are: {0}")]
    Settings(String),
    /// The host runs no hooks.
    #[error("disableAllHooks is true there, so the host would run no hook; the settings stay as they are")]
    Disabled,
}

/// An object whose members stay in their order, each as it was written.
#[derive(Debug, Default)]
struct Members(Vec<(String, Box<RawValue>)>);

/// The settings with the hook in place of an earlier one of ours for the same matcher. None if it is there already.
pub fn install(settings: Option<&str>, hook: &Hook) -> Result<Option<String>, InstallError> {
    let text = settings.unwrap_or("{}");
    let text = if text.trim().is_empty() { "{}" } else { text };
    let mut settings: Members = read(text, "the settings")?;
    if settings.get("disableAllHooks").is_some_and(|raw| raw.get() == "true") {
        return Err(InstallError::Disabled);
    }
    let mut hooks: Members = settings.get("hooks").map_or(Ok(Members::default()), |raw| read(raw.get(), "hooks"))?;
    let groups: Vec<Box<RawValue>> = hooks.get(EVENT).map_or(Ok(Vec::new()), |raw| read(raw.get(), EVENT))?;
    let (wanted, before) = (hook.group()?, groups.len());
    let wanted_value: Value = read(wanted.get(), "our own hook")?;
    let mut kept = Vec::with_capacity(before + 1);
    let mut there = false;
    for group in groups {
        if !there && read::<Value>(group.get(), "a hook of PreToolUse")? == wanted_value {
            there = true;
            kept.push(group);
        } else if let Some(rest) = without_ours(group, &hook.matcher)? {
            kept.push(rest);
        }
    }
    if there && kept.len() == before {
        return Ok(None);
    }
    if !there {
        kept.push(wanted);
    }
    hooks.set(EVENT, array(&kept, 2)?);
    settings.set("hooks", hooks.to_raw(1)?);
    Ok(Some(format!("{}\n", settings.to_raw(0)?.get())))
}

impl Hook {
    /// What the hook comes to in the settings.
    fn group(&self) -> Result<Box<RawValue>, InstallError> {
        let text = |text: &str| plain(&Value::from(text));
        let handler = Members(vec![
            ("type".to_owned(), text("command")?),
            ("command".to_owned(), text(&self.command)?),
            ("timeout".to_owned(), plain(&Value::from(self.timeout))?),
            ("onFailure".to_owned(), text("block")?),
        ]);
        let handlers = array(&[handler.to_raw(5)?], 4)?;
        Members(vec![("matcher".to_owned(), text(&self.matcher)?), ("hooks".to_owned(), handlers)]).to_raw(3)
    }
}

/// A group of hooks without those of ours, if it is for the same matcher; none if nothing is left of it.
fn without_ours(group: Box<RawValue>, matcher: &str) -> Result<Option<Box<RawValue>>, InstallError> {
    let mut members: Members = read(group.get(), "a hook of PreToolUse")?;
    let same = members.get("matcher").is_some_and(|raw| raw.get().parse::<Value>().is_ok_and(|found| found == matcher));
    let Some(handlers) = members.get("hooks").filter(|_| same) else { return Ok(Some(group)) };
    let handlers: Vec<Box<RawValue>> = read(handlers.get(), "the hooks of a matcher")?;
    let before = handlers.len();
    let others: Vec<_> = handlers.into_iter().filter(|handler| !is_ours(handler)).collect();
    match others.len() {
        0 => Ok(None),
        left if left == before => Ok(Some(group)),
        _ => {
            members.set("hooks", array(&others, 4)?);
            members.to_raw(3).map(Some)
        }
    }
}

/// What an installer wrote: its program as one word, and what only it is called with.
fn is_ours(handler: &RawValue) -> bool {
    let handler: Value = handler.get().parse().unwrap_or_default();
    let program = handler["command"].as_str().and_then(|command| command.split_once(OURS)).map(|(program, _)| program);
    program
        .and_then(shell_word)
        .is_some_and(|program| program.rsplit(['/', '\\']).next().is_some_and(|name| name.starts_with("countersign")))
}

/// What keeps an installed hook from asking anybody, or lets it ask twice, in words. `settings` are those that it stands in.
pub fn warnings(settings: &str, hook: &Hook, tools: &Tools) -> Vec<String> {
    let settings: Value = settings.parse().unwrap_or_default();
    let groups = settings["hooks"][EVENT].as_array().map(Vec::as_slice).unwrap_or_default();
    let handlers = groups.iter().flat_map(|group| {
        let matcher = group["matcher"].as_str().unwrap_or("*");
        let handlers = group["hooks"].as_array().map(Vec::as_slice).unwrap_or_default();
        handlers.iter().filter_map(move |handler| Some((matcher, handler["command"].as_str()?)))
    });
    let others = handlers.filter(|(matcher, command)| {
        let another = *matcher != hook.matcher || *command != hook.command;
        another && command.contains("countersign") && command.contains(OURS) && overlap(matcher, &hook.matcher)
    });
    let mut warnings: Vec<String> = others
        .map(|(matcher, _)| {
            format!(
                "another hook of ours stands there for {}: a call that both are asked about is approved once and then denied",
                quoted(matcher)
            )
        })
        .collect();
    let Tools::Named(named) = tools else { return warnings };
    if plain_names(&hook.matcher).is_some_and(|names| !names.iter().any(|name| tools.include(name))) {
        warnings.push(format!("{} has none of the tools {tools}, so the hook would ask nobody", quoted(&hook.matcher)));
    }
    let small =
        |name: &&String| name.starts_with(|first: char| first.is_ascii_lowercase()) && !name.starts_with("mcp__");
    warnings.extend(named.iter().filter(small).filter(|name| !name.ends_with('*')).map(|name| {
        format!("{} is no tool of the host: its own begin with a capital letter, others with mcp__", quoted(name))
    }));
    warnings
}

/// Whether the host might ask two hooks about one call. Of patterns nobody knows.
fn overlap(one: &str, other: &str) -> bool {
    match (plain_names(one), plain_names(other)) {
        (Some(one), Some(other)) => !one.is_disjoint(&other),
        _ => true,
    }
}

/// The names in a matcher that is nothing but names.
fn plain_names(matcher: &str) -> Option<BTreeSet<&str>> {
    let plain = |name: &&str| {
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'))
    };
    let names: Vec<&str> = matcher.split('|').collect();
    names.iter().all(plain).then(|| names.into_iter().collect())
}

/// A text that is one word as [`shell_line`] writes it.
fn shell_word(text: &str) -> Option<String> {
    let inner = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let word = inner.map_or_else(|| text.to_owned(), |inner| inner.replace("'\\''", "'"));
    (shell_line([word.as_str()]) == text).then_some(word)
}

impl Members {
    fn get(&self, key: &str) -> Option<&RawValue> {
        self.0.iter().find_map(|(name, value)| (name == key).then_some(value.as_ref()))
    }

    fn set(&mut self, key: &str, value: Box<RawValue>) {
        match self.0.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    /// The object as text, so deep in the file.
    fn to_raw(&self, depth: usize) -> Result<Box<RawValue>, InstallError> {
        let members = self.0.iter().map(|(key, value)| format!("{}: {}", Value::from(key.as_str()), value.get()));
        between('{', &members.collect::<Vec<_>>(), '}', depth)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if members.get(&key).is_some() {
                        return Err(serde::de::Error::custom(format!("{key:?} stands twice")));
                    }
                    members.0.push((key, value));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str, what: &str) -> Result<T, InstallError> {
    serde_json::from_str(text).map_err(|error| InstallError::Settings(format!("{what}: {error}")))
}

fn array(items: &[Box<RawValue>], depth: usize) -> Result<Box<RawValue>, InstallError> {
    between('[', &items.iter().map(|item| item.get().to_owned()).collect::<Vec<_>>(), ']', depth)
}

/// Each item on lines of its own, two spaces for each level.
fn between(open: char, items: &[String], close: char, depth: usize) -> Result<Box<RawValue>, InstallError> {
    let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
    let items = items.join(&format!(",\n{inner}"));
    let text = format!("{open}\n{inner}{items}\n{outer}{close}");
    RawValue::from_string(text).map_err(|error| not_understood(&error))
}

fn plain(value: &Value) -> Result<Box<RawValue>, InstallError> {
    RawValue::from_string(value.to_string()).map_err(|error| not_understood(&error))
}

fn not_understood(error: &serde_json::Error) -> InstallError {
    InstallError::Settings(error.to_string())
}

/// The version in what `claude --version` prints.
pub fn version(text: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = text.split_whitespace().next()?.trim_start_matches('v').split(['.', '-']).map(str::parse);
    match (numbers.next()?, numbers.next()?, numbers.next()?) {
        (Ok(major), Ok(minor), Ok(patch)) => Some((major, minor, patch)),
        _ => None,
    }
}

/// A command line for a shell: words that hold more than plain characters stand in single quotes.
pub fn shell_line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-=:@,+".contains(letter);
    let quote = |word: &str| {
        if !word.is_empty() && word.chars().all(plain) {
            word.to_owned()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    words.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;
    use serde_json::json;

    fn hook(matcher: &str) -> Hook {
        let command = "/usr/bin/countersign hook claude-code --approver alex".to_owned();
        Hook { matcher: matcher.to_owned(), command, timeout: 600 }
    }

    fn parsed(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn an_empty_file_gets_the_hook_and_then_has_it() {
        for before in [None, Some(""), Some("{}\n")] {
            let text = install(before, &hook("*")).unwrap().unwrap();
            let handler =
                json!({"type": "command", "command": hook("*").command, "timeout": 600, "onFailure": "block"});
            let expected = json!({"hooks": {"PreToolUse": [{"matcher": "*", "hooks": [handler]}]}});
            assert_eq!(parsed(&text), expected);
            assert_eq!(install(Some(&text), &hook("*")).unwrap(), None);
        }
    }

    #[test]
    fn what_else_stands_there_stays_as_it_is_written() {
        let before = "{\"zeta\": 1.50e1, \"hooks\": {\"Stop\": [ {\"hooks\":[]} ], \"PreToolUse\": [\n {\"matcher\": \"Bash\", \
                      \"new\": [1,  2], \"hooks\": [{\"type\":\"command\",\"command\":\"mine.sh\"}]}]}, \"alpha\": {\"b\":1,\"a\":2}}";
        let after = install(Some(before), &hook("*")).unwrap().unwrap();
        for kept in ["\"zeta\": 1.50e1", "[ {\"hooks\":[]} ]", "\"new\": [1,  2]", "{\"b\":1,\"a\":2}"] {
            assert!(after.contains(kept), "{kept} is not in {after}");
        }
        assert!(after.find("zeta") < after.find("alpha"), "the order stays");
        assert_eq!(parsed(&after)["hooks"]["PreToolUse"].as_array().unwrap().len(), 2);
        assert_eq!(install(Some(&after), &hook("*")).unwrap(), None);
    }

    #[test]
    fn an_earlier_hook_of_ours_is_replaced_and_those_beside_it_stay() {
        let mut both = parsed(&install(None, &hook("*")).unwrap().unwrap());
        both["hooks"]["PreToolUse"][0]["hooks"]
            .as_array_mut()
            .unwrap()
            .push(json!({"type": "command", "command": "x"}));
        let other = Hook { timeout: 90, ..hook("*") };
        let after = parsed(&install(Some(&both.to_string()), &other).unwrap().unwrap());
        let groups = after["hooks"]["PreToolUse"].as_array().unwrap();
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0]["hooks"], json!([{"type": "command", "command": "x"}]));
        assert_eq!(groups[1]["hooks"][0]["timeout"], 90);
        // Another matcher is another hook.
        let two = install(Some(&after.to_string()), &hook("Bash")).unwrap().unwrap();
        assert_eq!(parsed(&two)["hooks"]["PreToolUse"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn a_command_of_others_that_looks_like_ours_stays() {
        let with = |command: &str| {
            let handler = json!({"type": "command", "command": command});
            let before = json!({"hooks": {"PreToolUse": [{"matcher": "*", "hooks": [handler]}]}});
            install(Some(&before.to_string()), &hook("*")).unwrap().unwrap().contains(&Value::from(command).to_string())
        };
        for others in [
            "logger hook claude-code x",
            "logger countersign hook claude-code x",
            "echo; /usr/bin/countersign hook claude-code --approver kim",
        ] {
            assert!(with(others), "{others}");
        }
        for ours in
            ["/opt/countersign hook claude-code --approver kim", "'/o p/it'\\''s/countersign' hook claude-code x"]
        {
            assert!(!with(ours), "{ours}");
        }
    }

    #[test]
    fn a_host_that_runs_no_hooks_is_refused() {
        let off = r#"{"disableAllHooks": true}"#;
        assert!(matches!(install(Some(off), &hook("*")), Err(InstallError::Disabled)));
        assert!(install(Some(r#"{"disableAllHooks": false}"#), &hook("*")).unwrap().is_some());
    }

    #[test]
    fn hooks_that_ask_nobody_or_twice_are_named() {
        let warned =
            |matcher: &str, tools: &str| warnings("{}", &hook(matcher), &Tools::parse(tools).unwrap()).join("; ");
        assert!(warned("Bash", "Write").contains("would ask nobody"));
        assert!(warned("*", "bash").contains("\"bash\" is no tool of the host"));
        for (matcher, tools) in [
            ("Bash|Write", "Write"),
            ("Bash", "B*"),
            ("Bash.*", "Write"),
            ("*", "mcp__github__*,Bash"),
            ("Bash", "all"),
        ] {
            assert_eq!(warned(matcher, tools), "", "{matcher} {tools}");
        }
        let both = |first: &str, second: &str| {
            let settings = install(None, &hook(first)).unwrap().unwrap();
            let settings = install(Some(&settings), &hook(second)).unwrap().unwrap_or(settings);
            warnings(&settings, &hook(second), &Tools::All).len()
        };
        assert_eq!((both("*", "Bash"), both("Bash|Edit", "Edit"), both("Ba.*", "Edit")), (1, 1, 1));
        assert_eq!((both("*", "*"), both("Bash", "Edit|Write")), (0, 0));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "{",
            "[]",
            "null",
            "{} {}",
            "// comment\n{}",
            "{\"hooks\": []}",
            "{\"hooks\": {\"PreToolUse\": {}}}",
            "{\"hooks\": {}, \"hooks\": {}}",
        ] {
            assert!(matches!(install(Some(text), &hook("*")), Err(InstallError::Settings(_))), "{text}");
        }
    }

    #[test]
    fn versions_and_command_lines() {
        assert_eq!(version("2.1.295 (Claude Code)\n"), Some((2, 1, 295)));
        assert_eq!(version("v2.2.0-beta"), Some((2, 2, 0)));
        assert_eq!(version("claude: not found"), None);
        assert!((2, 1, 294) < FIRST_THAT_BLOCKS);
        assert_eq!(shell_line(["/a b/c", "--x", "it's", ""]), "'/a b/c' --x 'it'\\''s' ''");
    }
}
