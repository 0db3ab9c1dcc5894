//! Payloads in which languages differ: numbers, order and names of keys, escapes. That of a document must be
//! canonical.

use verifier::verify::Step;

use super::genuine::with_payload;
use super::{Case, edited};
use crate::made::Stage;

pub(super) fn cases() -> Vec<Case> {
    [genuine(), numbers(), texts(), keys()].into_iter().flatten().collect()
}

fn genuine() -> Vec<Case> {
    [
        ("the key proto", r#"{"__proto__":{"admin":true},"a":1}"#),
        ("names that objects have", r#"{"constructor":1,"hasOwnProperty":2,"length":0,"toString":{},"valueOf":null}"#),
        ("an empty key", r#"{"":"","a":{"":[]}}"#),
        ("keys that are numbers", r#"{"1":"a","10":"b","2":"c","-1":"d","01":"e"}"#),
        (
            "keys beyond the basic plane before the private use area",
            "{\"\u{e000}\":1,\"\u{10000}\":2,\"\u{ffff}\":3,\"😀\":4,\"z\":5}",
        ),
        ("keys that normalisation would join", "{\"\u{e9}\":1,\"e\u{301}\":2,\"\u{212b}\":3,\"\u{c5}\":4}"),
        ("keys that differ in case", r#"{"A":1,"a":2,"ı":3,"I":4,"ß":5,"SS":6}"#),
        (
            "large numbers",
            r#"{"n":[1e21,1e20,123456789012345680000,9007199254740991,9007199254740992,
                9007199254740994,1e23,1.7976931348623157e308]}"#,
        ),
        ("small numbers", r#"{"n":[1e-7,0.000001,0.1,1e-6,5e-324,2.2250738585072014e-308,-1e-7]}"#),
        ("numbers that are written otherwise", r#"{"n":[12.50,-0,1.0,0.10,1E2,-0.0,0e9,100e-2]}"#),
        // Each is as near to its neighbour in the last digit: the even one is canonical.
        (
            "numbers in the middle of two short forms",
            r#"{"n":[1359354577176609.2,1359354577176609.8,-1359354577176609.2,1125899906842624.2]}"#,
        ),
        ("numbers of many digits", r#"{"n":[333333333.3333333,0.30000000000000004,4.35,-1.5,295147905179352830000]}"#),
        ("controls and their escapes", r#"{"s":"\u0000\u0001\b\t\n\u000b\f\r\u001f\"\\\/\u007f\u0080\u2028\u2029"}"#),
        ("characters of every width", "{\"s\":\"a\u{e9}\u{20ac}\u{1f4b6}\u{10ffff}\u{ffff}\u{fdd0}\u{feff}\"}"),
        ("hidden characters in a payload are shown by the page", "{\"\u{202e}\":\"\u{200b}\u{2066}\u{e0041}\"}"),
        ("a date and a number as texts", r#"{"at":"2026-02-30T25:00:00Z","n":"1e400","b":"true"}"#),
        ("nothing but literals", r#"{"a":null,"b":true,"c":false,"d":[],"e":{},"f":[null,[[]],{}]}"#),
    ]
    .map(|(name, json)| Case::genuine(name, &with_payload(json)))
    .into()
}

fn numbers() -> Vec<Case> {
    [
        ("a number with a fraction of zero", "3.0"),
        ("a number with a zero behind it", "12.50"),
        ("a number with an exponent of zero", "3e0"),
        ("a number with a zero before it", "03"),
        ("a number with a plus", "+3"),
        ("a number that ends in a point", "3."),
        ("a number that begins with a point", ".3"),
        ("minus zero", "-0"),
        ("1e21 without its plus", "1e21"),
        ("1e21 with a capital", "1E+21"),
        ("1e21 written out", "1000000000000000000000"),
        ("1e-7 with a zero more", "1e-07"),
        ("1e-7 written out", "0.0000001"),
        ("2 to the 53 and 1", "9007199254740993"),
        ("the odd one of two short forms", "1359354577176609.3"),
        ("2 to the 64", "18446744073709551616"),
        ("a number that is too large", "1e400"),
        ("a number that is too small", "1e-400"),
        ("half of the smallest number", "2e-324"),
        ("a number of too many digits", "0.1234567890123456789"),
        ("a number one bit beside its shortest form", "0.30000000000000003"),
        ("NaN", "NaN"),
        ("Infinity", "-Infinity"),
        ("a hexadecimal number", "0x3"),
        ("digits of another script", "３"),
    ]
    .map(|(name, number)| refused(name, "\"replicas\":3", &format!("\"replicas\":{number}")))
    .into()
}

fn texts() -> Vec<Case> {
    [
        ("an escape that is not needed", "\"\\u0070roduction\""),
        ("an escaped slash", "\"a\\/b\""),
        ("an escape with capitals", "\"\\u001B\""),
        ("a long escape for a short one", "\"\\u000a\""),
        ("a control character as it is", "\"a\tb\""),
        ("a zero byte as it is", "\"a\0b\""),
        ("an escape of delete", "\"\\u007f\""),
        ("an escaped pair of surrogates", "\"\\ud83d\\ude00\""),
        ("a lone high surrogate", "\"\\ud800\""),
        ("a lone low surrogate", "\"\\udc00\""),
        ("surrogates in the wrong order", "\"\\ude00\\ud83d\""),
        ("a high surrogate before a letter", "\"\\ud83dx\""),
        ("an unknown escape", "\"\\x70\""),
        ("an escape of too few digits", "\"\\u70\""),
        ("a text in single quotes", "'production'"),
        ("a literal with a capital", "True"),
        ("a text without quotes", "production"),
    ]
    .map(|(name, text)| refused(name, "\"env\":\"production\"", &format!("\"env\":{text}")))
    .into()
}

fn keys() -> Vec<Case> {
    let payload = "{\"env\":\"production\",\"replicas\":3,\"service\":\"api-gateway\"}";
    [
        ("a repeated key", "{\"a\":1,\"a\":1}"),
        ("a repeated key with another value", "{\"a\":1,\"a\":2}"),
        ("a repeated key by an escape", "{\"a\":1,\"\\u0061\":1}"),
        ("a repeated key proto", "{\"__proto__\":1,\"__proto__\":1}"),
        ("a repeated key deep inside", "{\"a\":[{\"b\":{\"c\":1,\"c\":1}}]}"),
        ("keys in another order", "{\"b\":1,\"a\":2}"),
        ("keys in the order of code points", "{\"\u{e000}\":1,\"\u{10000}\":2}"),
        ("keys without regard to case", "{\"a\":1,\"B\":2}"),
        ("an escaped key", "{\"\\u0061\":1}"),
        ("a key without quotes", "{a:1}"),
        ("a comma at the end", "{\"a\":1,}"),
        ("a comment", "{\"a\":1/**/}"),
        ("a space in an empty object", "{ }"),
        ("a payload that is an array", "[{}]"),
        ("a payload that is null", "null"),
        ("a payload that is a text", "\"{}\""),
        ("a payload that is nothing", ""),
    ]
    .map(|(name, json)| refused(name, payload, json))
    .into()
}

fn refused(name: &str, from: &str, to: &str) -> Case {
    edited(Step::Document, Stage::Document, &[(&format!("payload: {name}"), from, to)]).remove(0)
}
