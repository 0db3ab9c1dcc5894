//! What browsers and authenticators do write, and what must pass however odd it looks.

use super::genuine::edited;
use super::rs256::by;
use super::{Case, changed, none};
use crate::made::{Changes, Stage, TPM};

pub(super) fn cases() -> Vec<Case> {
    [client_data(), client_data_as_a_whole(), authenticator_data(), short_signatures()].into_iter().flatten().collect()
}

fn client_data() -> Vec<Case> {
    const END: &str = "\"crossOrigin\":false}";
    edited(
        Stage::ClientData,
        &[
            ("no crossOrigin", ",\"crossOrigin\":false", ""),
            (
                "a junk key of Chromium",
                END,
                "\"crossOrigin\":false,\"other_keys_can_be_added_here\":\"do not compare clientDataJSON\"}",
            ),
            ("tokenBinding as a text", END, "\"crossOrigin\":false,\"tokenBinding\":\"unused\"}"),
            ("tokenBinding as an object", END, "\"tokenBinding\":{\"status\":\"supported\"}}"),
            ("androidPackageName", END, "\"crossOrigin\":false,\"androidPackageName\":\"com.android.chrome\"}"),
            (
                "keys of old browsers",
                END,
                "\"crossOrigin\":false,\"clientExtensions\":{},\"hashAlgorithm\":\"SHA-256\"}",
            ),
            ("an escaped slash in the web origin", "https://", "https:\\/\\/"),
            ("unicode escapes in the web origin", "https://approvals", "\\u0068ttps://\\u0061pprovals"),
            ("unicode escapes in a key", "\"type\"", "\"typ\\u0065\""),
            (
                "numbers of every kind under a junk key",
                END,
                "\"n\":[1e400,-0.0,1E5,123456789012345678901234567890,0.1234567890123456789]}",
            ),
            (
                "a prototype that is framed",
                END,
                "\"crossOrigin\":false,\"__proto__\":{\"topOrigin\":\"https://evil.example\",\"crossOrigin\":true}}",
            ),
            (
                "a prototype without crossOrigin",
                END,
                "\"__proto__\":{\"topOrigin\":\"https://evil.example\",\"crossOrigin\":true}}",
            ),
            ("keys that objects have", END, "\"constructor\":1,\"toString\":2,\"hasOwnProperty\":null,\"\":[]}"),
            ("crossOrigin in another case", END, "\"crossorigin\":true,\"TopOrigin\":\"x\"}"),
            ("a junk key at the greatest depth", END, "\"x\":[[[[[[[]]]]]]]}"),
            ("an escaped pair of surrogates", END, "\"x\":\"\\ud83d\\ude00\",\"y\":\"😀\"}"),
            ("a byte order mark inside of a text", END, "\"x\":\"\u{feff}\"}"),
            ("a newline at the end", END, "\"crossOrigin\":false}\n"),
        ],
    )
}

fn client_data_as_a_whole() -> Vec<Case> {
    let client_data = |client_data| changed(Changes { client_data, ..none() });
    vec![
        Case::genuine("client data of 4096 bytes", &client_data(|text| format!("{text:4096}"))),
        Case::genuine(
            "keys in another order",
            &client_data(|text| members(&text).map_or_else(String::new, |it| braces(&it.join(",")))),
        ),
        Case::genuine(
            "pretty-printed with CRLF and tabs",
            &client_data(|text| {
                let lines = members(&text).map(|it| it.join(",\r\n\t").replace("\":", "\" : "));
                lines.map_or(text, |lines| format!("{{\r\n\t{lines}\r\n}}\r\n"))
            }),
        ),
        Case::genuine(
            "spaces around everything",
            &client_data(|text| text.replace('{', " { ").replace(',', " , ").replace('}', " } ")),
        ),
    ]
}

/// The members of client data, last to first.
fn members(text: &str) -> Option<Vec<&str>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    Some(inner.rsplit(',').collect())
}

fn braces(inner: &str) -> String {
    format!("{{{inner}}}")
}

fn authenticator_data() -> Vec<Case> {
    let data = |authenticator_data| changed(Changes { authenticator_data, ..none() });
    vec![
        Case::genuine("a synced key", &data(|mut it| (it[32] = 0x1d, it).1)),
        Case::genuine("a key that may be synced", &data(|mut it| (it[32] = 0x0d, it).1)),
        Case::genuine("reserved flags", &data(|mut it| (it[32] = 0x27, it).1)),
        Case::genuine("a counter of 0", &data(|mut it| (it[36] = 0, it).1)),
        Case::genuine("the largest counter", &data(|mut it| (it[33..].fill(0xff), it).1)),
        Case::genuine("an empty extension map", &data(|it| with_extensions(it, &[0xa0]))),
        Case::genuine("an extension map", &data(|it| with_extensions(it, b"\xa1\x68credBlob\x43abc"))),
        Case::genuine(
            "an extension map that is not sorted",
            &data(|it| with_extensions(it, b"\xa2\x62bb\xf5\x61a\x83\x01\x20\xf6")),
        ),
        Case::genuine(
            "authenticator data of 1024 bytes",
            &data(|it| with_extensions(it, &[b"\xa1\x61x\x59\x03\xd5", &[7; 981][..]].concat())),
        ),
    ]
}

fn with_extensions(mut data: Vec<u8>, extensions: &[u8]) -> Vec<u8> {
    data[32] |= 0x80;
    [data, extensions.to_vec()].concat()
}

/// Signatures whose numbers begin with zero bytes, which a careless decoder strips or pads. The counters were searched
/// for.
fn short_signatures() -> Vec<Case> {
    let es256 = |name, authenticator_data| Case::genuine(name, &changed(Changes { authenticator_data, ..none() }));
    let begins_with_zero = Changes {
        authenticator_data: |it| counted(it, 30),
        signature: |it| (assert_eq!(it[0], 0, "it begins with a zero byte"), it).1,
        ..none()
    };
    vec![
        es256("a signature of two positive numbers of 33 bytes", |it| counted(it, 6)),
        es256("a signature with r of 31 bytes", |it| counted(it, 149)),
        es256("a signature with r of 30 bytes", |it| counted(it, 11_221)),
        es256("a signature with s of 31 bytes", |it| counted(it, 188)),
        Case::genuine("a signature of RS256 that begins with a zero byte", &by(TPM).with(begins_with_zero)),
    ]
}

fn counted(mut data: Vec<u8>, counter: u32) -> Vec<u8> {
    data[33..].copy_from_slice(&counter.to_be_bytes());
    data
}
