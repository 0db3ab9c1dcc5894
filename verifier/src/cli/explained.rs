//! The values behind the steps, under each step's line and as a member of the JSON report.

use super::report::visible;
use crate::json::{Object, Value};
use crate::verify::{Line, Step};

/// A step with its values.
pub(super) type Explained = (Step, Vec<Line>);

/// Says once how bytes are written.
pub(super) const NOTE: &str = "  under each step its values; hashes and bytes in hexadecimal, as sha256sum prints them";

/// The lines under the line of a step, each part of the receipt with a line of its own before its values.
pub(super) fn to_text(step: Step, explained: &[Explained]) -> Vec<String> {
    let mut text = Vec::new();
    let mut part = "";
    for line in explained.iter().filter(|(of, _)| *of == step).flat_map(|(_, lines)| lines) {
        if line.part != part {
            part = &line.part;
            text.push(format!("      {part}"));
        }
        let (name, value) = (&line.name, visible(&line.value));
        let indent = if part.is_empty() { "      " } else { "        " };
        // Values stand below each other, whether their names are indented or not.
        text.push(format!("{indent}{name:<width$}  {value}", width = 36 - indent.len()));
    }
    text
}

pub(super) fn to_json(explained: &[Explained]) -> Value {
    let line = |line: &Line| {
        Value::from(Object::new([
            ("name", line.name.as_str().into()),
            ("part", line.part.as_str().into()),
            ("value", line.value.as_str().into()),
        ]))
    };
    let step = |(step, lines): &Explained| {
        Value::from(Object::new([("id", step.id().into()), ("values", lines.iter().map(line).collect())]))
    };
    explained.iter().map(step).collect()
}
