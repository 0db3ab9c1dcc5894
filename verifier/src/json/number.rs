//! Numbers of RFC 8785 §3.2.2.3, and which literals denote exactly what their canonical form denotes.
//!
//! RFC 8785 writes numbers as ECMAScript does: the shortest digits that give the same double, laid out by
//! ECMA-262 §6.1.6.1.20. A literal is *exact* when the decimal value that was written and the decimal value of that form are
//! the same, so that `9007199254740993`, `1e400` and `0.1234567890123456789` are refused while `1.0` and `12.50` are fine.

/// The canonical text of a JSON number literal, or none when it would denote another decimal value.
///
/// The literal must follow the grammar of RFC 8259 §6.
pub(super) fn canonical(literal: &str) -> Option<String> {
    // Integers that every double holds exactly: the grammar leaves them one form.
    if literal.len() <= 15 && literal.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(literal.to_owned());
    }
    let double: f64 = literal.parse().ok()?;
    if !double.is_finite() {
        return None;
    }
    let text = ecmascript(double);
    (Decimal::of(literal) == Decimal::of(&text)).then_some(text)
}

/// `Number::toString` of ECMA-262 for a finite double.
fn ecmascript(double: f64) -> String {
    if double == 0.0 {
        return "0".to_owned();
    }
    let Decimal { digits, exponent, .. } = Decimal::of(&shortest(double.abs()));
    let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    // The value is 0.digits × 10^point.
    let point = exponent + count;
    let sign = if double < 0.0 { "-" } else { "" };
    let body = match point {
        _ if count <= point && point <= 21 => digits + &"0".repeat(distance(count, point)),
        1..=21 => {
            let (whole, fraction) = digits.split_at(distance(0, point));
            format!("{whole}.{fraction}")
        }
        -5..=0 => format!("0.{}{digits}", "0".repeat(distance(point, 0))),
        _ => {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            format!("{first}{dot}{rest}e{:+}", point - 1)
        }
    };
    format!("{sign}{body}")
}

/// The shortest digits that give the same double, and of several the closest, and of two as close the even ones, as
/// `d.ddde±x`. RFC 8785 §3.2.2.3 makes this note of ECMA-262 a rule: 2^50 + 1.25 and its like lie in the middle of two.
fn shortest(double: f64) -> String {
    // `{:e}` finds how many digits are needed, but rounds the middle up; with a precision it rounds it to even.
    let shortest = format!("{double:e}");
    let count = shortest.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    let rounded = format!("{double:.0$e}", count.saturating_sub(1));
    // Just below a power of two doubles lie closer together, and the closest digits may be those of another one.
    if rounded.parse() == Ok(double) { rounded } else { shortest }
}

fn distance(from: i64, to: i64) -> usize {
    usize::try_from(to - from).unwrap_or(0)
}

/// An exact decimal value: digits × 10^exponent, without zeros at either end. Zero has no digits, exponent 0, no sign.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn of(literal: &str) -> Self {
        let (negative, unsigned) = match literal.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, literal),
        };
        let (mantissa, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_end_matches('0');
        let dropped = all.len() - significant.len();
        let digits = significant.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Self { negative: false, digits, exponent: 0 };
        }
        let shift = i64::try_from(dropped).unwrap_or(0) - i64::try_from(fraction.len()).unwrap_or(0);
        Self { negative, digits, exponent: exponent_of(power).saturating_add(shift) }
    }
}

/// An exponent beyond 64 bits belongs to no finite double but zero, so its exact value does not matter.
fn exponent_of(power: &str) -> i64 {
    power.parse().unwrap_or(if power.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_follows_ecmascript() {
        for (literal, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.0e7", "0"),
            ("56.0", "56"),
            ("12.50", "12.5"),
            ("1e16", "10000000000000000"),
            ("1e20", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("1.5e300", "1.5e+300"),
            ("123456789012345680", "123456789012345680"),
            ("0.00001", "0.00001"),
            ("1e-6", "0.000001"),
            ("1E-7", "1e-7"),
            ("-1.25e-9", "-1.25e-9"),
            ("333333333.33333329", "333333333.3333333"),
            ("5e-324", "5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("0e99999999999999999999", "0"),
            ("-1359354577176609.25", "-1359354577176609.2"),
            ("1359354577176609.75", "1359354577176609.8"),
            ("5.684341886080802e-14", "5.684341886080802e-14"),
            ("9007199254740993", "9007199254740992"),
        ] {
            let text = literal.parse().map(ecmascript);
            assert_eq!(text.as_deref(), Ok(expected), "{literal}");
        }
    }

    #[test]
    fn only_exact_literals_have_a_canonical_form() {
        for exact in ["1.0", "12.50", "-0", "9007199254740992", "1e21", "0.1", "100e-2", "0e400"] {
            assert!(canonical(exact).is_some(), "{exact}");
        }
        for inexact in [
            "9007199254740993",
            "1e400",
            "-1e400",
            "1e-400",
            "0.1234567890123456789",
            "18446744073709551617",
            "333333333.33333329",
            "1359354577176609.3",
            "1e99999999999999999999",
            "1e-99999999999999999999",
        ] {
            assert_eq!(canonical(inexact), None, "{inexact}");
        }
    }
}
