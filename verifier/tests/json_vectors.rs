//! Third-party vectors of RFC 8785: input and output pairs of the json-canonicalization project. They are data of others,
//! so they lie outside this tree, in the folder that COUNTERSIGN_VECTORS names.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;

use verifier::json::{Error, ErrorKind, Limits, Numbers, Value, parse, parse_canonical};

const LIMITS: Limits = Limits { max_bytes: 1 << 20, max_depth: 32, numbers: Numbers::Exact };

/// Each case with the literal in it that is refused because its canonical form is another number, its place, and that form.
const CASES: [(&str, Option<Refused>); 6] = [
    ("arrays", None),
    ("french", None),
    ("structures", None),
    ("unicode", None),
    ("values", Some(Refused { literal: "333333333.33333329", path: "/numbers/0", written: "333333333.3333333" })),
    ("weird", None),
];

struct Refused {
    literal: &'static str,
    path: &'static str,
    written: &'static str,
}

#[test]
#[ignore = "needs COUNTERSIGN_VECTORS"]
fn every_input_has_its_output() {
    for (name, refused) in &CASES {
        let (mut input, output) = (read("input", name, "json"), read("output", name, "json"));
        if let Some(Refused { literal, path, written }) = refused {
            let kind = ErrorKind::InexactNumber((*literal).to_owned());
            assert_eq!(parse(input.as_bytes(), LIMITS), Err(Error { path: (*path).to_owned(), kind }), "{name}");
            input = input.replace(literal, written);
        }
        assert_eq!(canonical(&input).to_canonical(), output, "{name}");
    }
}

#[test]
#[ignore = "needs COUNTERSIGN_VECTORS"]
fn every_output_is_canonical() {
    for (name, _) in &CASES {
        let (output, hex) = (read("output", name, "json"), read("outhex", name, "txt"));
        let bytes: Vec<u8> = hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        assert_eq!(output.as_bytes(), bytes, "{name}: the two forms of the vector");
        assert_eq!(parse_canonical(&bytes, LIMITS), Ok(canonical(&output)), "{name}");
    }
}

/// No input is canonical already, so a verifier that compares bytes refuses each of them.
#[test]
#[ignore = "needs COUNTERSIGN_VECTORS"]
fn no_input_is_canonical() {
    for (name, _) in &CASES {
        assert!(parse_canonical(read("input", name, "json").as_bytes(), LIMITS).is_err(), "{name}");
    }
}

#[test]
#[ignore = "needs COUNTERSIGN_VECTORS"]
fn every_case_is_listed() {
    let names = std::fs::read_dir(folder().join("input")).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, CASES.map(|(name, _)| format!("{name}.json")));
}

fn canonical(text: &str) -> Value {
    parse(text.as_bytes(), LIMITS).unwrap()
}

fn read(kind: &str, name: &str, extension: &str) -> String {
    let path = folder().join(kind).join(format!("{name}.{extension}"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read the vector {}: {error}", path.display()))
}

fn folder() -> PathBuf {
    let Some(folder) = std::env::var_os("COUNTERSIGN_VECTORS") else {
        panic!("set COUNTERSIGN_VECTORS to the folder of third-party test vectors; this test cannot run without them");
    };
    PathBuf::from(folder).join("jcs")
}
