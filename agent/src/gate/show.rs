//! What people see while a gate waits: who is asked for what, where they decide, the compare code, and the link as a QR code.

use qrcode::{Color, EcLevel, QrCode};
use verifier::words::{quoted, visible};

use crate::approval::Asked;
use crate::client::Pending;

/// The lines for a terminal. All texts from outside have their hidden characters written out.
pub fn lines(asked: &Asked, pending: &Pending, with_qr: bool) -> String {
    let names: Vec<&str> = asked.approvers.iter().map(verifier::names::Username::as_str).collect();
    let who = match names.as_slice() {
        [name] => (*name).to_owned(),
        names => format!("{} of {}", asked.quorum, names.join(", ")),
    };
    let link = visible(pending.url());
    let mut lines = format!(
        "countersign: asking {who}: {}\n  decide here   {link}\n  compare code  {}\n  until         {}",
        quoted(&asked.action),
        pending.compare_code(),
        pending.remembered().core.expires_at,
    );
    if let Some(code) = qr(pending.url()).filter(|_| with_qr) {
        lines.push('\n');
        lines.push_str(&code);
    }
    lines
}

/// A text as a QR code, two rows of modules in one line of text, with a border of four modules. None if it is too long.
/// Light modules are drawn, for a dark terminal; scanners read it the other way round too.
pub fn qr(text: &str) -> Option<String> {
    const BORDER: usize = 4;
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let width = code.width();
    let light = |x: usize, y: usize| {
        let (Some(x), Some(y)) = (x.checked_sub(BORDER), y.checked_sub(BORDER)) else { return true };
        x >= width || y >= width || code[(x, y)] == Color::Light
    };
    let side = width + 2 * BORDER;
    let rows = (0..side).step_by(2).map(|y| {
        let block = |x| match (light(x, y), y + 1 >= side || light(x, y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        };
        (0..side).map(block).collect::<String>()
    });
    Some(rows.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    use super::*;

    #[test]
    fn a_code_has_its_border_and_its_finders() {
        let code = qr("https://approvals.example.com/approve/cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap();
        let rows: Vec<Vec<char>> = code.lines().map(|line| line.chars().collect()).collect();
        assert!(rows.iter().all(|row| row.len() == rows[0].len()));
        assert_eq!(rows.len(), rows[0].len().div_ceil(2));
        assert!(rows[..2].iter().flatten().all(|block| *block == '█'), "the border is light");
        // The first rows of a finder: seven dark modules, then a dark, five light, a dark.
        assert_eq!(rows[2][4..11].iter().collect::<String>(), " ▄▄▄▄▄ ");
        assert!(qr(&"x".repeat(5000)).is_none());
    }
}
