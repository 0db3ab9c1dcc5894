//! Which tools are held, and who is asked: a file of rules, or a few words on the command line.
//!
//! What no rule names is held. A tool passes only where the rules say so.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use verifier::document::{MAX_APPROVERS, WINDOW};
use verifier::names::{NameError, Username, check_action};

use super::message::folded;

/// The name of the rule for every tool that has none of its own.
const EVERY: &str = "*";

/// A file of rules, as it is written. An unknown key is an error.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesFile {
    /// How people call the server; the name of its program if left out.
    pub server: Option<String>,
    /// Whether a tool passes without approval because the server says that it only reads. That is a claim, not a promise.
    #[serde(default)]
    pub allow_read_only: bool,
    /// Who is asked where a tool's own rule does not say.
    pub approver: Option<String>,
    /// The same for several.
    pub approvers: Option<Vec<String>>,
    /// How many of them must approve.
    pub quorum: Option<u32>,
    /// The rules by the tool's exact name; `*` is for every tool that has none.
    #[serde(default)]
    pub tools: BTreeMap<String, RuleFile>,
}

/// One tool's rule, as it is written.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// Passes without approval. Nothing else may stand beside it.
    #[serde(default)]
    pub allow: bool,
    /// Who is asked.
    pub approver: Option<String>,
    /// The same for several.
    pub approvers: Option<Vec<String>>,
    /// How many of them must approve; must be given where there are several.
    pub quorum: Option<u32>,
    /// What the approver reads first.
    pub action: Option<String>,
    /// Seconds for the decision; as long as a call may wait if left out.
    pub expires_in: Option<u64>,
    /// Seconds after that for using the approval.
    pub use_within: Option<u64>,
}

/// Rules that were checked.
#[derive(Debug, Clone)]
pub struct Rules {
    pub(crate) server: String,
    allow_read_only: bool,
    tools: BTreeMap<String, Rule>,
    every: Rule,
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rule {
    /// It passes.
    Allow,
    /// It is held.
    Hold(Hold),
}

/// How a call is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) approvers: Vec<Username>,
    pub(crate) quorum: u32,
    pub(crate) action: Option<String>,
    pub(crate) expires_in: Option<u64>,
    pub(crate) use_within: Option<u64>,
}

/// Why rules are none.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Nobody is asked.
    #[error("nobody is named who approves {0}: give --approver, or approver in the rules")]
    Nobody(String),
    /// Two ways to say who is asked.
    #[error("{0} has both approver and approvers")]
    Both(String),
    /// No username.
    #[error("the approver {name:?}: {error}")]
    Name {
        /// What was given.
        name: String,
        /// What is wrong with it.
        error: NameError,
    },
    /// The same person twice, or more people than a request has.
    #[error("{0} names an approver twice, or more than {MAX_APPROVERS}")]
    Approvers(String),
    /// No quorum.
    #[error("{whose} has {approvers} approvers, so it must say a quorum of 1 to {approvers}")]
    Quorum {
        /// Whose rule.
        whose: String,
        /// How many may approve.
        approvers: usize,
    },
    /// No title.
    #[error("the action of {whose}: {error}")]
    Action {
        /// Whose rule, or the server's name.
        whose: String,
        /// What is wrong with it.
        error: NameError,
    },
    /// No time.
    #[error("{whose}: {field} is {given} seconds, and must be {} to {}", WINDOW.start(), WINDOW.end())]
    Window {
        /// Whose rule.
        whose: String,
        /// Which field.
        field: &'static str,
        /// What was given.
        given: u64,
    },
    /// A rule that no call can have.
    #[error(
        "{0:?} is not the name of a tool: names are exact, not empty, without spaces at the ends, and * stands alone"
    )]
    Tool(String),
    /// A rule that allows and asks.
    #[error("{0} is allowed, so nothing else may stand in its rule")]
    Allowed(String),
}

impl Rules {
    /// The rules of a file. `approver` is asked where the file does not say who.
    pub fn of_file(file: RulesFile, approver: Option<&str>, program: &str) -> Result<Self, RulesError> {
        let RulesFile { server, allow_read_only, mut approvers, approver: one, quorum, mut tools } = file;
        let mut one = one;
        if one.is_none() && approvers.is_none() {
            one = approver.map(str::to_owned);
        } else if one.is_some() && approvers.is_some() {
            return Err(RulesError::Both("the file".to_owned()));
        }
        approvers = approvers.or_else(|| one.map(|name| vec![name]));
        let asked = approvers.map(|names| (names, quorum));
        if let Some(name) = tools.keys().find(|name| *name != EVERY && !is_name(name)) {
            return Err(RulesError::Tool(name.clone()));
        }
        let every = Rule::of(EVERY, tools.remove(EVERY).unwrap_or_default(), asked.as_ref())?;
        let tools = tools.into_iter().map(|(name, rule)| Ok((name.clone(), Rule::of(&name, rule, asked.as_ref())?)));
        let rules = Self {
            server: server.unwrap_or_else(|| base_name(program).to_owned()),
            allow_read_only,
            tools: tools.collect::<Result<_, RulesError>>()?,
            every,
        };
        check_action(&rules.server)
            .map_err(|error| RulesError::Action { whose: "the server's name".to_owned(), error })?;
        Ok(rules)
    }

    /// The rules of a command line: these tools are held and the others pass; without any, every tool is held.
    pub fn of_tools(tools: &[String], approver: Option<&str>, program: &str) -> Result<Self, RulesError> {
        let mut file = RulesFile::default();
        if !tools.is_empty() {
            file.tools = tools.iter().map(|name| (name.clone(), RuleFile::default())).collect();
            let pass = RuleFile { allow: true, ..RuleFile::default() };
            file.tools.entry(EVERY.to_owned()).or_insert(pass);
        }
        Self::of_file(file, approver, program)
    }

    /// What happens to a call of a tool. `read_only` are the tools of which the server says that they only read.
    pub(crate) fn of(&self, tool: &str, read_only: &BTreeSet<String>) -> &Rule {
        // `*` is no tool's rule but that of the others, also where a server has a tool of that name.
        match self.tools.get(tool) {
            Some(rule) => rule,
            None if self.allow_read_only && read_only.contains(tool) => &Rule::Allow,
            None => &self.every,
        }
    }

    /// The tools that a rule of their own holds.
    pub(crate) fn held(&self) -> impl Iterator<Item = &str> {
        self.tools.iter().filter_map(|(name, rule)| matches!(rule, Rule::Hold(_)).then_some(name.as_str()))
    }

    /// The held tool that a generous server might take this name for, if no rule has the name itself.
    pub(crate) fn almost_held(&self, tool: &str) -> Option<&str> {
        let alike = folded(tool.trim());
        self.held().filter(|_| !self.tools.contains_key(tool)).find(|name| folded(name) == alike)
    }
}

impl Rule {
    fn of(name: &str, file: RuleFile, asked: Option<&(Vec<String>, Option<u32>)>) -> Result<Self, RulesError> {
        let whose = || if name == EVERY { "every other tool".to_owned() } else { format!("the tool {name:?}") };
        if file.allow {
            let alone = RuleFile { allow: true, ..RuleFile::default() };
            return if file == alone { Ok(Self::Allow) } else { Err(RulesError::Allowed(whose())) };
        }
        let RuleFile { allow: _, approver, approvers, quorum, action, expires_in, use_within } = file;
        let own = match (approver, approvers) {
            (Some(_), Some(_)) => return Err(RulesError::Both(whose())),
            (Some(one), None) => Some((vec![one], quorum)),
            (None, Some(names)) => Some((names, quorum)),
            (None, None) => asked.map(|(names, general)| (names.clone(), quorum.or(*general))),
        };
        let (names, quorum) = own.ok_or_else(|| RulesError::Nobody(whose()))?;
        let approvers = usernames(&names, whose)?;
        let quorum = check_quorum(quorum, approvers.len(), whose)?;
        if let Some(action) = &action {
            check_action(action).map_err(|error| RulesError::Action { whose: whose(), error })?;
        }
        for (field, given) in [("expires_in", expires_in), ("use_within", use_within)] {
            if let Some(given) = given.filter(|given| !WINDOW.contains(given)) {
                return Err(RulesError::Window { whose: whose(), field, given });
            }
        }
        Ok(Self::Hold(Hold { approvers, quorum, action, expires_in, use_within }))
    }
}

impl Hold {
    /// Seconds for the decision: not longer than the call waits, unless the rule says so, so that nothing stays pending
    /// after a proxy that was killed.
    pub(crate) fn expires_in(&self, timeout: Duration) -> u64 {
        let waits = timeout.as_secs() + u64::from(timeout.subsec_nanos() > 0);
        self.expires_in.unwrap_or_else(|| waits.clamp(*WINDOW.start(), *WINDOW.end()))
    }
}

fn usernames(names: &[String], whose: impl Fn() -> String) -> Result<Vec<Username>, RulesError> {
    let parsed = names
        .iter()
        .map(|name| Username::new(name).map_err(|error| RulesError::Name { name: name.clone(), error }))
        .collect::<Result<Vec<_>, _>>()?;
    let different: BTreeSet<_> = names.iter().collect();
    if parsed.is_empty() {
        return Err(RulesError::Nobody(whose()));
    }
    if different.len() < names.len() || names.len() > MAX_APPROVERS {
        return Err(RulesError::Approvers(whose()));
    }
    Ok(parsed)
}

/// One of one goes without saying. With several people a quorum that nobody chose would be a guess.
fn check_quorum(given: Option<u32>, approvers: usize, whose: impl Fn() -> String) -> Result<u32, RulesError> {
    let quorum = if approvers == 1 { given.unwrap_or(1) } else { given.unwrap_or(0) };
    let enough = usize::try_from(quorum).is_ok_and(|quorum| (1..=approvers).contains(&quorum));
    if enough { Ok(quorum) } else { Err(RulesError::Quorum { whose: whose(), approvers }) }
}

/// Whether a rule of this name can be that of a tool. Elsewhere a final `*` stands for the rest of a name; here it would
/// hold nothing.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.trim() == name && !name.contains('*')
}

fn base_name(program: &str) -> &str {
    program.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(program)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    #![allow(clippy::unnecessary_wraps, reason = "to be compared with what a rule says")]
    use super::*;

    fn file(json: &str) -> Result<Rules, String> {
        let file: RulesFile = serde_json::from_str(json).map_err(|error| error.to_string())?;
        Rules::of_file(file, None, "/usr/bin/files").map_err(|error| error.to_string())
    }

    fn held(rules: &Rules, tool: &str) -> Option<(Vec<String>, u32)> {
        match rules.of(tool, &BTreeSet::from(["look".to_owned()])) {
            Rule::Allow => None,
            Rule::Hold(hold) => Some((hold.approvers.iter().map(ToString::to_string).collect(), hold.quorum)),
        }
    }

    fn by(names: &[&str], quorum: u32) -> Option<(Vec<String>, u32)> {
        Some((names.iter().map(ToString::to_string).collect(), quorum))
    }

    #[test]
    fn what_no_rule_names_is_held() {
        let rules = file(
            r#"{"approver":"alex","tools":{"list":{"allow":true},"pay":{"approvers":["alex","kim"],"quorum":2}}}"#,
        )
        .unwrap();
        assert_eq!(rules.server, "files");
        assert_eq!(held(&rules, "list"), None);
        assert_eq!(held(&rules, "pay"), by(&["alex", "kim"], 2));
        for other in ["List", "list ", "look", "*", ""] {
            assert_eq!(held(&rules, other), by(&["alex"], 1), "{other:?}");
        }
    }

    #[test]
    fn the_star_is_for_the_others_and_a_hint_counts_only_if_the_rules_say_so() {
        let rules = file(r#"{"tools":{"*":{"allow":true},"pay":{"approver":"kim"}}}"#).unwrap();
        assert_eq!((held(&rules, "pay"), held(&rules, "look")), (by(&["kim"], 1), None));
        let rules = file(r#"{"approver":"alex","allow_read_only":true}"#).unwrap();
        assert_eq!((held(&rules, "look"), held(&rules, "pay")), (None, by(&["alex"], 1)));
        // A rule of its own is stronger than what the server says.
        let rules = file(r#"{"approver":"alex","allow_read_only":true,"tools":{"look":{}}}"#).unwrap();
        assert_eq!(held(&rules, "look"), by(&["alex"], 1));
    }

    #[test]
    fn a_command_line_names_what_is_held_or_holds_everything() {
        let all = Rules::of_tools(&[], Some("alex"), "s").unwrap();
        assert_eq!(held(&all, "anything"), by(&["alex"], 1));
        let some = Rules::of_tools(&["pay".to_owned()], Some("alex"), "s").unwrap();
        assert_eq!((held(&some, "pay"), held(&some, "list")), (by(&["alex"], 1), None));
        let star = Rules::of_tools(&["*".to_owned()], Some("alex"), "s").unwrap();
        assert_eq!(held(&star, "anything"), by(&["alex"], 1));
        assert!(matches!(Rules::of_tools(&[], None, "s"), Err(RulesError::Nobody(_))));
    }

    #[test]
    fn mistakes_are_named() {
        for (json, words) in [
            (r#"{"aprover":"alex"}"#, "unknown field `aprover`"),
            (r#"{"approver":"alex","tools":{"a":{"alow":true}}}"#, "unknown field `alow`"),
            (r#"{"approver":"alex","approver":"kim"}"#, "duplicate field"),
            ("{}", "nobody is named who approves every other tool"),
            (r#"{"tools":{"*":{"allow":true},"a":{}}}"#, r#"nobody is named who approves the tool "a""#),
            (r#"{"approver":"Alex"}"#, r#"the approver "Alex""#),
            (r#"{"approver":"alex","approvers":["kim"]}"#, "both approver and approvers"),
            (r#"{"approver":"alex","tools":{"a":{"approver":"a","approvers":["kim"]}}}"#, "both approver and"),
            (r#"{"approvers":["alex","kim"]}"#, "must say a quorum of 1 to 2"),
            (r#"{"approvers":["alex","kim"],"quorum":3}"#, "must say a quorum of 1 to 2"),
            (r#"{"approvers":["alex","alex"],"quorum":1}"#, "names an approver twice"),
            (r#"{"approver":"alex","quorum":0}"#, "must say a quorum"),
            (r#"{"approver":"alex","tools":{"a":{"allow":true,"approver":"kim"}}}"#, "is allowed, so nothing else"),
            (r#"{"approver":"alex","tools":{"a":{"action":" "}}}"#, "the action of"),
            (r#"{"approver":"alex","tools":{"a":{"expires_in":1}}}"#, "expires_in is 1 seconds"),
            (r#"{"approver":"alex","tools":{"":{}}}"#, r#""" is not the name of a tool"#),
            (r#"{"approver":"alex","tools":{"*":{"allow":true},"del*":{}}}"#, r#""del*" is not the name of a tool"#),
            (r#"{"approver":"alex","tools":{"**":{}}}"#, r#""**" is not the name of a tool"#),
            (r#"{"approver":"alex","tools":{"pay ":{"allow":true}}}"#, r#""pay " is not the name of a tool"#),
            (r#"{"approver":"alex","server":"a\u202eb"}"#, "the server's name"),
        ] {
            let error = file(json).unwrap_err();
            assert!(error.contains(words), "{json}: {error}");
        }
    }

    #[test]
    fn a_request_lasts_as_long_as_the_call_waits() {
        let Rule::Hold(hold) = file(r#"{"approver":"alex"}"#).unwrap().every else { panic!("it is held") };
        assert_eq!(hold.expires_in(Duration::from_secs(50)), 50);
        assert_eq!(hold.expires_in(Duration::from_millis(9500)), 10);
        assert_eq!(hold.expires_in(Duration::from_secs(2)), 5);
        assert_eq!(Hold { expires_in: Some(60), ..hold }.expires_in(Duration::from_secs(50)), 60);
    }
}
