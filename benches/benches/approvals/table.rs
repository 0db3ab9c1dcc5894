//! The one table of the benchmark: what was measured, the aim, and whether it was reached.

use std::fmt;

/// What a figure should be.
#[derive(Clone, Copy)]
pub(crate) enum Aim {
    None,
    AtLeast(f64),
    Below(f64),
}

#[derive(Default)]
pub(crate) struct Table(Vec<[String; 3]>);

impl Table {
    /// A row: a figure with its unit, and its aim in the same unit. Shown at once as well, because the whole takes minutes.
    pub(crate) fn add(&mut self, what: &str, figure: f64, unit: &str, aim: Aim) {
        let (met, words) = match aim {
            Aim::None => (true, String::new()),
            Aim::AtLeast(least) => (figure >= least, format!("at least {least:.0} {unit}: ")),
            Aim::Below(most) => (figure < most, format!("below {most:.0} {unit}: ")),
        };
        let verdict = match (words.is_empty(), met) {
            (true, _) => "",
            (false, true) => "met",
            (false, false) => "MISSED",
        };
        let shown = if figure < 10.0 { format!("{figure:.3} {unit}") } else { format!("{figure:.1} {unit}") };
        let row = [what.to_owned(), shown, words + verdict];
        eprintln!("{}", row.join("  "));
        self.0.push(row);
    }
}

impl fmt::Display for Table {
    /// Markdown, so that it can be pasted into a document.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| measured | figure | aim |\n|---|---|---|")?;
        self.0.iter().try_for_each(|row| writeln!(f, "| {} |", row.join(" | ")))
    }
}
