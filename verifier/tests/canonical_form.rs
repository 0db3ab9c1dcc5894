//! The canonical form of RFC 8785 is noticed while a text is parsed. The law, on texts that are canonical, nearly so, or
//! anything: `parse_canonical` says exactly what parsing, writing again and comparing bytes would say.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use verifier::json::{Error, ErrorKind, Limits, Numbers, Value, parse, parse_canonical};

const EXACT: Limits = Limits { max_bytes: 1 << 16, max_depth: 6, numbers: Numbers::Exact };
const ANY: Limits = Limits { numbers: Numbers::Any, ..EXACT };

/// The definition: what is canonical stays the same when it is written again.
fn by_writing_again(bytes: &[u8], limits: Limits) -> Result<Value, Error> {
    let value = parse(bytes, limits)?;
    let same = value.to_canonical().as_bytes() == bytes;
    if same { Ok(value) } else { Err(Error { path: String::new(), kind: ErrorKind::NotCanonical }) }
}

fn assert_law(bytes: &[u8]) {
    for limits in [EXACT, ANY] {
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(parse_canonical(bytes, limits), by_writing_again(bytes, limits), "{text}");
    }
}

/// A text of one value with, here and there, white space, keys in any order, escapes and numbers in other forms.
fn texts() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![numbers(), strings(), select(vec!["null", "true", "false"]).prop_map(str::to_owned)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let element =
            (space(), inner.clone(), space()).prop_map(|(before, value, after)| before + &value + &after).boxed();
        let member = (space(), strings(), space(), element.clone())
            .prop_map(|(before, key, after, value)| format!("{before}{key}{after}:{value}"));
        prop_oneof![
            (space(), vec(element, 0..4)).prop_map(|(space, all)| format!("[{}{space}]", all.join(","))),
            (space(), vec(member, 0..4)).prop_map(|(space, all)| format!("{{{}{space}}}", all.join(","))),
        ]
    })
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![60 => Just(""), 1 => select(vec![" ", "\n", "\t", "\r", "  ", "\u{a0}"])].prop_map(str::to_owned)
}

fn numbers() -> impl Strategy<Value = String> {
    let written = select(vec![
        "0",
        "-0",
        "1.0",
        "1E2",
        "1e2",
        "100",
        "1e21",
        "1e+21",
        "1000000000000000000000",
        "0.000001",
        "1e-6",
        "1e-7",
        "-1.5",
        "12.50",
        "9007199254740993",
        "1e400",
        "01",
        "-",
        "999999999999999",
        "1000000000000000",
        "5e-324",
    ]);
    prop_oneof![
        written.prop_map(str::to_owned),
        any::<u32>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("JSON has no others", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
    ]
}

fn strings() -> impl Strategy<Value = String> {
    vec(characters(), 0..4).prop_map(|all| format!("\"{}\"", all.concat()))
}

/// One character of a string in one of the forms that it may have, or nearly.
fn characters() -> impl Strategy<Value = String> {
    let special = select("\"\\/\u{7f}\u{2028}é\u{fb33}\u{1f600}\u{10ffff}ab".chars().collect::<Vec<_>>());
    let character = prop_oneof![4 => special, 3 => (0..0x20u8).prop_map(char::from), 1 => any::<char>()];
    (character, 0..12).prop_map(|(character, form)| match form {
        0 => units(character, |unit| format!("\\u{unit:04x}")),
        1 => units(character, |unit| format!("\\u{unit:04X}")),
        2 => character.to_string(),
        3 => format!("\\{character}"),
        _ => {
            let string = Value::from(character.to_string()).to_canonical();
            string[1..string.len() - 1].to_owned()
        }
    })
}

fn units(character: char, write: impl Fn(&u16) -> String) -> String {
    character.encode_utf16(&mut [0; 2]).iter().map(write).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn texts_in_every_form(before in space(), text in texts(), after in space()) {
        assert_law(format!("{before}{text}{after}").as_bytes());
    }

    #[test]
    fn what_was_written_is_canonical_and_its_neighbours_obey_the_law(
        text in texts(),
        at in any::<prop::sample::Index>(),
        byte in prop_oneof![select(b" \n\"\\/{}[],:0.-+eEun".to_vec()), any::<u8>()],
    ) {
        let Ok(value) = parse(text.as_bytes(), EXACT) else { return Ok(()) };
        let canonical = value.to_canonical().into_bytes();
        prop_assert_eq!(parse_canonical(&canonical, EXACT), Ok(value));
        let at = at.index(canonical.len());
        for with in [&[][..], &[byte], &[canonical[at], byte], &[canonical[at], canonical[at]]] {
            assert_law(&[&canonical[..at], with, &canonical[at + 1..]].concat());
        }
    }

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..40)) {
        assert_law(&bytes);
    }
}

/// Every character below 256 as a string of its own, in each form; among them are the letters of the two-letter escapes.
#[test]
fn every_escape() {
    for code in 0..=0xff_u8 {
        let character = char::from(code);
        let forms =
            [character.to_string(), format!("\\{character}"), format!("\\u{code:04x}"), format!("\\u{code:04X}")];
        for form in forms {
            assert_law(format!("\"{form}\"").as_bytes());
            assert_law(format!("{{\"{form}\":[]}}").as_bytes());
        }
    }
}
