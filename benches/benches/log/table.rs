//! The one table of the benchmark: what was measured, its bound, their ratio, and the aim.

use std::fmt;
use std::time::Duration;

/// What a figure should be.
#[derive(Clone, Copy)]
pub(crate) enum Aim {
    None,
    /// This part of the bound.
    AtLeast(f64),
    /// Faster than this.
    Below(Duration),
    /// Not more than this.
    AtMost(f64),
}

#[derive(Default)]
pub(crate) struct Table(Vec<[String; 6]>);

impl Table {
    /// A row of rates; its aim is a part of the bound.
    pub(crate) fn rate(&mut self, what: &str, ours: f64, bound_is: &str, bound: f64, aim: Aim) {
        let (shown, aim) = (format!("{:.2}", ours / bound), verdict(aim, ours, ours / bound));
        self.add([what.to_owned(), format!("{ours:.0}/s"), bound_is.to_owned(), format!("{bound:.0}/s"), shown, aim]);
    }

    /// A row of latencies over HTTP, in microseconds.
    pub(crate) fn latency(&mut self, what: &str, ours: f64, bound: f64, aim: Aim) {
        self.compared_latency(what, ours, "a handler that does nothing", bound, aim);
    }

    /// A row of times in microseconds.
    pub(crate) fn compared_latency(&mut self, what: &str, ours: f64, bound_is: &str, bound: f64, aim: Aim) {
        let (shown, aim) = (format!("{:.1}", ours / bound), verdict(aim, ours, ours / bound));
        self.add([what.to_owned(), millis(ours), bound_is.to_owned(), millis(bound), shown, aim]);
    }

    /// A row of bytes, which has no bound but its aim.
    pub(crate) fn bytes(&mut self, what: &str, ours: f64, aim: Aim) {
        let none = String::new;
        self.add([what.to_owned(), format!("{ours:.1}"), none(), none(), none(), verdict(aim, ours, ours)]);
    }

    /// Shown at once as well, because the whole takes minutes.
    fn add(&mut self, row: [String; 6]) {
        eprintln!("{}", row.join("  "));
        self.0.push(row);
    }
}

fn verdict(aim: Aim, ours: f64, ratio: f64) -> String {
    let (met, words) = match aim {
        Aim::None => return String::new(),
        Aim::AtLeast(part) => (ratio >= part, format!("at least {part:.2}")),
        Aim::Below(time) => (ours < time.as_micros() as f64, format!("below {} ms", time.as_millis())),
        Aim::AtMost(most) => (ours <= most, format!("at most {most:.0}")),
    };
    format!("{words}: {}", if met { "met" } else { "MISSED" })
}

fn millis(micros: f64) -> String {
    format!("{:.2} ms", micros / 1000.0)
}

impl fmt::Display for Table {
    /// Markdown, so that it can be pasted into a document.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| measured | figure | bound | figure | ratio | aim |\n|---|---|---|---|---|---|")?;
        self.0.iter().try_for_each(|row| writeln!(f, "| {} |", row.join(" | ")))
    }
}
