//! Each field of a receipt, a document, a decision and an enrolment: left out, and of another type.

use verifier::json::{Limits, Numbers, Object, Value, parse};
use verifier::verify::Step;

use super::Case;
use crate::made::{Stage, Story};

pub(super) fn cases() -> Vec<Case> {
    let receipt = Story::one().receipt();
    let text = receipt.to_canonical();
    let json = |entry: &str| entry.split_once('\n').unwrap().1.to_owned();
    let (decision, enrolment) = (&receipt.decisions[0], &receipt.enrolments[0]);
    let inside = |object: &Object, field| {
        let first = object.get(field).and_then(Value::as_array).and_then(<[Value]>::first);
        first.unwrap().to_canonical()
    };
    let whole = object(&text);
    [
        each(Step::Receipt, Stage::Receipt, "receipt", &text),
        each(Step::Receipt, Stage::Receipt, "decision of the receipt", &inside(&whole, "decisions")),
        each(Step::Receipt, Stage::Receipt, "enrolment of the receipt", &inside(&whole, "enrolments")),
        each(Step::Document, Stage::Document, "document", &decision.document),
        each(Step::Entry, Stage::Decision, "entry", &json(&decision.logged.entry)),
        each(Step::Enrolment, Stage::Enrolment, "enrolment", &json(&enrolment.entry)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn each(step: Step, stage: Stage, what: &str, text: &str) -> Vec<Case> {
    let members = object(text);
    let mut cases = Vec::new();
    for (field, value) in members.iter() {
        let mut case = |how: &str, changed: Object| {
            let to = Value::from(changed).to_canonical();
            let story = Story::one().edit(stage, text, &to);
            cases.push(Case::fails(step, &format!("{what}: {field} {how}"), &story));
        };
        let others = || members.iter().filter(|(name, _)| *name != field).map(|(name, value)| (name, value.clone()));
        let with = |value: Value| Object::new(others().chain([(field, value)]));
        case("left out", Object::new(others()));
        case("is of another type", with(of_another_type(value)));
    }
    cases
}

/// What a careless comparison may take for the value.
fn of_another_type(value: &Value) -> Value {
    match value {
        Value::Bool(value) => value.to_string().into(),
        Value::Array(values) => Object::new(values.first().map(|first| ("0", first.clone()))).into(),
        other => [other.clone()].into_iter().collect(),
    }
}

fn object(text: &str) -> Object {
    let limits = Limits { max_bytes: 1 << 20, max_depth: 8, numbers: Numbers::Exact };
    let Value::Object(members) = parse(text.as_bytes(), limits).unwrap() else { panic!("{text}") };
    members
}
