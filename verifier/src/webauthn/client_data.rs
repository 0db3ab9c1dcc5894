//! Client data: what the browser says about a ceremony (WebAuthn Level 3 §5.8.1), read as JSON under one strict profile
//! so that no two verifiers read two actions from one signature.
//!
//! At most 4,096 bytes, valid UTF-8 without a byte order mark, one JSON object of depth at most 8, no repeated key at any
//! level, no lone surrogate. `type`, `challenge` and `origin` are strings; `crossOrigin` is absent or a boolean. Unknown
//! keys are ignored, because browsers add some; the order of keys and escapes in values are free.

use crate::encoding;
use crate::json::{self, Limits, Numbers, Object, Value};
use crate::words::{quoted, quoted_list};

use super::{Ceremony, RelyingParty};

/// Largest client data, in bytes.
pub const MAX_CLIENT_DATA: usize = 4096;

const LIMITS: Limits = Limits { max_bytes: MAX_CLIENT_DATA, max_depth: 8, numbers: Numbers::Any };

/// Decoded client data. Its shape is right; nothing is said yet about what it claims, see [`ClientData::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientData {
    /// The challenge that the authenticator signed: 32 bytes (registration, sign-in) or 64 (decisions, enrolments).
    pub challenge: Vec<u8>,
    /// The web origin of the page, as the browser wrote it.
    pub origin: String,
    pub(crate) ceremony_type: String,
    cross_origin: bool,
    has_top_origin: bool,
}

impl ClientData {
    /// Reads client data by the JSON profile; types of fields and the encoding of the challenge are part of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, ClientDataError> {
        if bytes.len() > MAX_CLIENT_DATA {
            return Err(ClientDataError::TooLong { found: bytes.len() });
        }
        let value = json::parse(bytes, LIMITS)?;
        let object = value.as_object().ok_or(ClientDataError::NotAnObject)?;
        Ok(Self {
            challenge: decode_challenge(required_string(object, "challenge")?)?,
            origin: required_string(object, "origin")?.to_owned(),
            ceremony_type: required_string(object, "type")?.to_owned(),
            cross_origin: match object.get("crossOrigin") {
                None => false,
                Some(Value::Bool(cross_origin)) => *cross_origin,
                Some(_) => return Err(ClientDataError::Field { name: "crossOrigin", expected: "a boolean" }),
            },
            has_top_origin: object.get("topOrigin").is_some(),
        })
    }

    /// Checks all that it claims but the challenge: the ceremony, the web origin, and that the page was not framed by
    /// another one.
    pub fn check(&self, ceremony: Ceremony, rp: &RelyingParty) -> Result<(), ClientDataError> {
        self.check_type(ceremony)?;
        self.check_origin(rp)?;
        self.check_framing()
    }

    /// Checks that it belongs to this ceremony and to no other (`payment.get` for example).
    pub fn check_type(&self, ceremony: Ceremony) -> Result<(), ClientDataError> {
        let expected = ceremony.client_data_type();
        if self.ceremony_type == expected {
            return Ok(());
        }
        Err(ClientDataError::Type { expected, found: self.ceremony_type.clone() })
    }

    /// Checks that the web origin is one of the relying party's, as an exact string.
    pub fn check_origin(&self, rp: &RelyingParty) -> Result<(), ClientDataError> {
        if rp.web_origins.contains(&self.origin) {
            return Ok(());
        }
        Err(ClientDataError::Origin { expected: rp.web_origins.clone(), found: self.origin.clone() })
    }

    /// Checks that the page was not framed. Any `topOrigin` is refused, even an equal one.
    pub fn check_framing(&self) -> Result<(), ClientDataError> {
        if self.cross_origin {
            return Err(ClientDataError::CrossOrigin);
        }
        if self.has_top_origin {
            return Err(ClientDataError::TopOrigin);
        }
        Ok(())
    }
}

/// Why client data is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientDataError {
    /// Larger than the limit (R3, A4).
    #[error("client data is {found} bytes, at most {MAX_CLIENT_DATA} are accepted")]
    TooLong {
        /// Its length.
        found: usize,
    },
    /// Not strict JSON (R3, A4).
    #[error("client data is not strict JSON: {0}")]
    Json(#[from] json::Error),
    /// JSON, but not an object (R3, A4).
    #[error("client data is not a JSON object")]
    NotAnObject,
    /// A field is missing or has another type (R3, A4).
    #[error("client data field {name} is missing or not {expected}")]
    Field {
        /// Which one.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The challenge is not strict base64url (R5, A6).
    #[error("client data field challenge is not strict base64url without padding")]
    ChallengeEncoding,
    /// The challenge has a length that we never use (R5, A6).
    #[error("client data field challenge is {found} bytes, expected 32 or 64")]
    ChallengeLength {
        /// Its decoded length.
        found: usize,
    },
    /// Of another ceremony (R4, A5).
    #[error("client data field type is {}, expected {}", quoted(.found), quoted(.expected))]
    Type {
        /// This ceremony's.
        expected: &'static str,
        /// What it says.
        found: String,
    },
    /// From a page of another web origin (R6, A7).
    #[error("client data field origin is {}, expected one of {}", quoted(.found), quoted_list(.expected))]
    Origin {
        /// The relying party's.
        expected: Vec<String>,
        /// What it says.
        found: String,
    },
    /// From a page inside another site's page (R7, A8).
    #[error("client data field crossOrigin is true")]
    CrossOrigin,
    /// From a page inside another page (R8, A8).
    #[error("client data has a field topOrigin")]
    TopOrigin,
}

impl ClientDataError {
    /// The id of the check in this ceremony, for logs.
    pub fn code(&self, ceremony: Ceremony) -> &'static str {
        match self {
            Self::TooLong { .. } | Self::Json(_) | Self::NotAnObject | Self::Field { .. } => ceremony.row("R3", "A4"),
            Self::ChallengeEncoding | Self::ChallengeLength { .. } => ceremony.row("R5", "A6"),
            Self::Type { .. } => ceremony.row("R4", "A5"),
            Self::Origin { .. } => ceremony.row("R6", "A7"),
            Self::CrossOrigin => ceremony.row("R7", "A8"),
            Self::TopOrigin => ceremony.row("R8", "A8"),
        }
    }
}

/// A challenge that is not the one this ceremony was started with (R5, A6). The expected one is not shown: it is compared
/// in constant time, so that neither answer times nor messages help whoever guesses at a pending ceremony.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("client data field challenge is {}, expected another one of {expected_length} bytes", quoted(.found))]
pub struct ChallengeMismatch {
    /// The length of the challenge that the ceremony was started with.
    pub expected_length: usize,
    /// What the client data says, as base64url.
    pub found: String,
}

pub(super) fn compare_challenge(expected: &[u8], found: &[u8]) -> Result<(), ChallengeMismatch> {
    let differences = expected.iter().zip(found).fold(0, |bits, (a, b)| bits | (a ^ b));
    if expected.len() == found.len() && differences == 0 {
        return Ok(());
    }
    Err(ChallengeMismatch { expected_length: expected.len(), found: encoding::base64url(found) })
}

fn required_string<'a>(object: &'a Object, name: &'static str) -> Result<&'a str, ClientDataError> {
    object.get(name).and_then(Value::as_str).ok_or(ClientDataError::Field { name, expected: "a string" })
}

fn decode_challenge(text: &str) -> Result<Vec<u8>, ClientDataError> {
    let challenge = encoding::from_base64url(text).map_err(|_| ClientDataError::ChallengeEncoding)?;
    match challenge.len() {
        32 | 64 => Ok(challenge),
        found => Err(ClientDataError::ChallengeLength { found }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::super::made;
    use super::*;
    use proptest::prelude::*;

    const C32: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

    fn client_data(rest: &str) -> String {
        format!(r#"{{"type":"webauthn.get","challenge":"{C32}","origin":"https://approve.example.com"{rest}}}"#)
    }

    fn check(text: &str) -> Result<(), ClientDataError> {
        ClientData::decode(text.as_bytes())?.check(Ceremony::Get, &made::relying_party())
    }

    #[test]
    fn accepts_the_shapes_that_clients_send() {
        let shapes = [
            client_data(""),
            client_data(r#","crossOrigin":false"#),
            client_data(r#","crossOrigin":false,"other_keys_can_be_added_here":"do not compare clientDataJSON""#),
            client_data(r#","tokenBinding":"unused""#),
            client_data(r#","tokenBinding":{"status":"supported"},"androidPackageName":"com.android.chrome""#),
            client_data(r#","clientExtensions":{},"hashAlgorithm":"SHA-256","n":[1e400,-0.1,null]"#),
            format!(r#"{{"origin":"https:\/\/approve.example.com","challenge":"{C32}","type":"webauthn.get"}}"#),
            format!(
                "{{\r\n\t\"typ\\u0065\": \"webauthn.get\",\r\n\t\"challenge\": \"{C32}\",\r\n\t\"origin\": \"https://approve.example.com\"\r\n}}\n"
            ),
        ];
        for shape in shapes {
            assert_eq!(check(&shape), Ok(()), "{shape}");
        }
    }

    #[test]
    fn gives_the_challenge_and_the_origin() {
        let data = ClientData::decode(client_data("").as_bytes()).unwrap();
        assert_eq!(data.challenge, [1; 32]);
        assert_eq!(data.origin, "https://approve.example.com");
        let long = client_data("").replace(C32, &encoding::base64url(&[7; 64]));
        assert_eq!(ClientData::decode(long.as_bytes()).unwrap().challenge, [7; 64]);
    }

    #[test]
    fn refuses_what_is_not_strict_json() {
        let good = client_data("");
        let deep = |levels: usize| client_data(&format!(r#","x":{}{}"#, "[".repeat(levels), "]".repeat(levels)));
        assert_eq!(check(&deep(7)), Ok(()));
        let texts = [
            String::new(),
            good[..good.len() - 1].to_owned(),
            format!("\u{feff}{good}"),
            format!("{good} x"),
            format!("{good}{good}"),
            client_data(r#","x":NaN"#),
            client_data(r#","x":"\ud800""#),
            client_data(r#","type":"webauthn.get""#),
            client_data(&format!(r#","chall\u0065nge":"{C32}""#)),
            client_data(r#","x":[{"a":1,"\u0061":2}]"#),
            deep(8),
        ];
        for text in texts {
            let error = check(&text).unwrap_err();
            assert!(matches!(error, ClientDataError::Json(_)), "{text}: {error}");
            assert_eq!((error.code(Ceremony::Create), error.code(Ceremony::Get)), ("R3", "A4"));
        }
        let latin = good.replace("webauthn", "w\u{e9}b").into_bytes();
        let broken: Vec<u8> = latin.into_iter().filter(|byte| *byte != 0xc3).collect();
        assert!(matches!(ClientData::decode(&broken), Err(ClientDataError::Json(_))));
        let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(matches!(ClientData::decode(&utf16), Err(ClientDataError::Json(_))));
        assert_eq!(check("[]"), Err(ClientDataError::NotAnObject));
    }

    #[test]
    fn refuses_what_is_too_long() {
        let padding = |length: usize| client_data(&format!(r#","x":"{}""#, "x".repeat(length)));
        let room = MAX_CLIENT_DATA - padding(0).len();
        assert_eq!(check(&padding(room)), Ok(()));
        let error = check(&padding(room + 1)).unwrap_err();
        assert_eq!(error, ClientDataError::TooLong { found: 4097 });
        assert_eq!((error.code(Ceremony::Create), error.code(Ceremony::Get)), ("R3", "A4"));
    }

    #[test]
    fn refuses_missing_fields_and_other_types() {
        let string = |name| ClientDataError::Field { name, expected: "a string" };
        let good = client_data("");
        let cases = [
            (good.replace("type", "typ"), string("type")),
            (good.replace("challenge", "Challenge"), string("challenge")),
            (good.replace("origin", "origine"), string("origin")),
            (good.replace(r#""webauthn.get""#, "null"), string("type")),
            (good.replace(&format!("\"{C32}\""), "[]"), string("challenge")),
            (
                client_data(r#","crossOrigin":null"#),
                ClientDataError::Field { name: "crossOrigin", expected: "a boolean" },
            ),
            (
                client_data(r#","crossOrigin":"false""#),
                ClientDataError::Field { name: "crossOrigin", expected: "a boolean" },
            ),
        ];
        for (text, error) in cases {
            assert_eq!(error.code(Ceremony::Get), "A4");
            assert_eq!(check(&text), Err(error), "{text}");
        }
    }

    #[test]
    fn refuses_lax_challenges() {
        let with = |challenge: &str| check(&client_data("").replace(C32, challenge)).unwrap_err();
        let spare_bits = format!("{}F", &C32[..42]);
        for text in [&format!("{C32}="), &spare_bits, &C32.replace('Q', "+"), "A!A", &format!("{C32} ")] {
            let error = with(text);
            assert_eq!(error, ClientDataError::ChallengeEncoding, "{text}");
            assert_eq!((error.code(Ceremony::Create), error.code(Ceremony::Get)), ("R5", "A6"));
        }
        for length in [0, 31, 33, 63, 65, 128] {
            let error = with(&encoding::base64url(&vec![1; length]));
            assert_eq!(error, ClientDataError::ChallengeLength { found: length });
            assert_eq!((error.code(Ceremony::Create), error.code(Ceremony::Get)), ("R5", "A6"));
        }
    }

    #[test]
    fn refuses_other_ceremonies() {
        for found in ["webauthn.create", "payment.get", "webauthn.get ", "WEBAUTHN.GET", ""] {
            let error = check(&client_data("").replace("webauthn.get", found)).unwrap_err();
            assert_eq!(error, ClientDataError::Type { expected: "webauthn.get", found: found.to_owned() });
            assert_eq!((error.code(Ceremony::Create), error.code(Ceremony::Get)), ("R4", "A5"));
        }
    }

    #[test]
    fn refuses_other_origins() {
        for found in [
            "https://approve.example.com/",
            "https://approve.example.com:443",
            "https://approve.example.com.evil.example",
            "https://evil.approve.example.com",
            "https://example.com",
            "http://approve.example.com",
            "HTTPS://approve.example.com",
            "android:apk-key-hash:AAAA",
            "",
        ] {
            let error = check(&client_data("").replace("https://approve.example.com", found)).unwrap_err();
            let expected = made::relying_party().web_origins;
            assert_eq!(error, ClientDataError::Origin { expected, found: found.to_owned() });
            assert_eq!((error.code(Ceremony::Create), error.code(Ceremony::Get)), ("R6", "A7"));
        }
    }

    #[test]
    fn refuses_framed_pages() {
        let error = check(&client_data(r#","crossOrigin":true"#)).unwrap_err();
        assert_eq!(error, ClientDataError::CrossOrigin);
        assert_eq!((error.code(Ceremony::Create), error.code(Ceremony::Get)), ("R7", "A8"));
        for value in [r#""https://approve.example.com""#, "null", "[]"] {
            let error = check(&client_data(&format!(r#","crossOrigin":false,"topOrigin":{value}"#))).unwrap_err();
            assert_eq!(error, ClientDataError::TopOrigin);
            assert_eq!((error.code(Ceremony::Create), error.code(Ceremony::Get)), ("R8", "A8"));
        }
    }

    #[test]
    fn compares_whole_challenges() {
        assert_eq!(compare_challenge(&[1; 64], &[1; 64]), Ok(()));
        for other in [&[1; 32][..], &[1; 63], &[2; 64], &[]] {
            let mismatch = ChallengeMismatch { expected_length: 64, found: encoding::base64url(other) };
            assert_eq!(compare_challenge(&[1; 64], other), Err(mismatch));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = ClientData::decode(&bytes);
        }

        #[test]
        fn no_change_of_client_data_panics(at: usize, byte: u8) {
            let mut bytes = client_data("").into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(data) = ClientData::decode(&bytes) {
                let _ = data.check(Ceremony::Get, &made::relying_party());
            }
        }
    }
}
