//! What a monitor says: words for people and members for programs (docs/monitor.md has the table of members).
//!
//! The id of a report is made of the log, the entry and the kind alone, so that the same report has the same id whenever
//! and by whomever it is made: a monitor that was killed between a report and its state file says it again.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use verifier::encoding::{base64, base64url};

use super::evidence::Evidence;
use super::watch::Watched;
use crate::rules::{Authoriser, Event, Finding, Subject};
use crate::signed::SignedHead;

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The same for the same report, always.
    pub id: String,
    /// `enrolment`, `revocation`, `decision`, `consumption`, `finding`, `checkpoint` or `inconsistency`.
    pub event: String,
    /// Whether somebody has to look.
    pub alarm: bool,
    /// The log origin.
    pub log: String,
    /// The report in words, on one line.
    pub words: String,
    /// What belongs to this event.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

impl Report {
    /// One line of JSON, without its newline.
    pub fn to_json(&self) -> String {
        json!(self).to_string()
    }

    /// Whether it only says that all is well up to here.
    pub fn is_checkpoint(&self) -> bool {
        self.event == "checkpoint"
    }

    pub(super) fn of_finding(log: &str, finding: &Finding, ordinal: usize) -> Self {
        let index = finding.index;
        let rule = finding.rule.to_string();
        let words = format!("entry {index} breaks a rule: it {rule}");
        let members = json!({"index": index.get(), "rule": rule});
        Self::new(log, "finding", &format!("{index} {ordinal}"), true, words, members)
    }

    /// `findings` is how many rules the entry breaks.
    pub(super) fn of_event(log: &str, event: &Event, findings: usize, watched: &Watched) -> Self {
        let index = event.index();
        let (kind, mut words, mut members) = describe(event, watched);
        if findings > 0 {
            words.push_str("; the entry breaks a rule, so do not believe it");
        }
        members["index"] = index.get().into();
        members["findings"] = findings.into();
        Self::new(log, kind, &index.to_string(), event.is_alarm(), format!("entry {index}: {words}"), members)
    }

    /// Everything up to this head is checked.
    pub(super) fn of_checkpoint(head: &SignedHead, new_entries: u64) -> Self {
        let (size, root) = (head.checkpoint.size, base64(head.checkpoint.root.as_bytes()));
        let words =
            format!("checkpoint of size {size} is consistent, {new_entries} new entries are checked, root {root}");
        let members = json!({"size": size.get(), "root": root, "new_entries": new_entries, "checkpoint": head.note});
        Self::new(&head.checkpoint.log_origin, "checkpoint", &format!("{size} {root}"), false, words, members)
    }

    pub(super) fn of_inconsistency(evidence: &Evidence) -> Self {
        let Evidence { known, shown, why, proof, prefix } = evidence;
        let words = format!("THE LOG SHOWS TWO HISTORIES: {why}");
        let hashes: Vec<String> = proof.iter().map(|hash| base64(hash.as_bytes())).collect();
        let members = json!({
            "known": known.note,
            "shown": shown.note,
            "proof": hashes,
            "prefix_root": prefix.map(|root| base64(root.as_bytes())),
        });
        let which = format!("{}{}", known.checkpoint.to_text(), shown.checkpoint.to_text());
        Self::new(&known.checkpoint.log_origin, "inconsistency", &which, true, words, members)
    }

    fn new(log: &str, event: &str, which: &str, alarm: bool, words: String, members: Value) -> Self {
        let digest = Sha256::digest(format!("countersign/report/v1\n{log}\n{event}\n{which}"));
        let Value::Object(members) = members else { unreachable!("the members of a report are an object") };
        Self { id: base64url(&digest[..16]), event: event.to_owned(), alarm, log: log.to_owned(), words, members }
    }
}

fn describe(event: &Event, watched: &Watched) -> (&'static str, String, Value) {
    match event {
        Event::Enrolled { at, subject, authorised, earlier_keys, .. } => {
            let who = who(subject, watched);
            let (by, with) = match authorised {
                Authoriser::Invite => ("invite", None),
                Authoriser::Credential(key) => ("credential", Some(base64url(key))),
            };
            let how = match &with {
                None if event.is_alarm() => format!(
                    "by an invite, although there were {earlier_keys} keys and none of them authorised it; if that was not \
                     this person, somebody else has a key now"
                ),
                None => "by an invite, as the first key".to_owned(),
                Some(key) => format!("authorised by the earlier key {key}"),
            };
            let mut members = json_of(*subject, watched);
            members["at"] = at.to_string().into();
            members["authorised_by"] = by.into();
            members["authorised_with"] = with.into();
            members["earlier_keys"] = (*earlier_keys).into();
            ("enrolment", format!("{who} got a key at {at}, {how}"), members)
        }
        Event::Revoked { at, subject, reason, .. } => {
            let mut members = json_of(*subject, watched);
            members["at"] = at.to_string().into();
            members["reason"] = reason.as_str().into();
            let words = format!("a key of {} was revoked at {at}: {}", who(subject, watched), reason.as_str());
            ("revocation", words, members)
        }
        Event::Decided { at, subject, decision, nonce, .. } => {
            let mut members = json_of(*subject, watched);
            members["at"] = at.to_string().into();
            members["decision"] = decision.as_str().into();
            members["nonce"] = base64url(nonce).into();
            let (who, nonce) = (who(subject, watched), base64url(nonce));
            ("decision", format!("{who} decided at {at}: {decision}, confirmation {nonce}"), members)
        }
        Event::Consumed { at, nonce, deciders, .. } => {
            let whose: Vec<String> = deciders.iter().map(|subject| who(subject, watched)).collect();
            let listed: Value = deciders.iter().map(|subject| json_of(*subject, watched)).collect();
            let members = json!({"at": at.to_string(), "nonce": base64url(nonce), "deciders": listed});
            let words =
                format!("the approval by {} was used at {at}, confirmation {}", whose.join(" and "), base64url(nonce));
            ("consumption", words, members)
        }
    }
}

/// A name if it is watched by name, and always the key.
fn who(subject: &Subject, watched: &Watched) -> String {
    let key = base64url(&subject.credential);
    match watched.name(&subject.label) {
        Some(name) => format!("{name} (key {key})"),
        None => format!("the approver {} (key {key})", base64url(&subject.label.0)),
    }
}

fn json_of(subject: Subject, watched: &Watched) -> Value {
    json!({
        "approver": base64url(&subject.label.0),
        "name": watched.name(&subject.label),
        "credential": base64url(&subject.credential),
    })
}
