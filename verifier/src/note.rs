//! Signed notes (C2SP signed-note v1.0.0) with Ed25519 keys: what a log signs and what a verifier pins.
//!
//! ```text
//! text, ended by a newline
//!                                          an empty line
//! — <key name> <base64(4-byte key id ‖ signature)>
//! ```
//!
//! Lines of keys that the caller does not know are kept and ignored: anybody may add one.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::encoding;

/// The most bytes of a note that are looked at.
pub const MAX_NOTE: usize = 16 * 1024;

/// The most signature lines that are looked at. C2SP asks for at least 16.
const MAX_SIGNATURES: usize = 64;

/// The type byte of a log's Ed25519 signature.
const ED25519: u8 = 0x01;
/// The type byte of a witness's timestamped Ed25519 cosignature (C2SP tlog-cosignature).
const COSIGNATURE_V1: u8 = 0x04;

/// A parsed note. Nothing in it is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    pub(crate) name: String,
    pub(crate) key_id: u32,
    pub(crate) signature: Vec<u8>,
}

/// Why a note is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The bytes are not a signed note.
    #[error("malformed note: {0}")]
    Malformed(&'static str),
    /// No line of the key.
    #[error("no signature by {0}")]
    NotSigned(String),
    /// A line with the key's name and id that does not verify.
    #[error("the signature by {0} does not verify")]
    BadSignature(String),
}

impl Note {
    /// Parses a note of at most [`MAX_NOTE`] bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        use NoteError::Malformed;
        if bytes.len() > MAX_NOTE {
            return Err(Malformed("more than 16384 bytes"));
        }
        let all = str::from_utf8(bytes).map_err(|_| Malformed("not UTF-8"))?;
        if all.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(Malformed("a control character"));
        }
        // The text may hold empty lines itself, so the last one separates.
        let split = all.rfind("\n\n").ok_or(Malformed("no empty line before the signatures"))?;
        let (text, lines) = (&all[..=split], &all[split + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(Malformed("no newline at the end"))?;
        let lines: Vec<&str> = lines.split('\n').collect();
        if lines.len() > MAX_SIGNATURES {
            return Err(Malformed("more than 64 signatures"));
        }
        let signatures = lines.into_iter().map(NoteSignature::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The signed text, its final newline included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines as they stand, those of unknown keys too.
    pub(crate) fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Verifies the line of a log's key. C2SP: a line of a known (name, id) that fails spoils the note.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), NoteError> {
        let mut found = false;
        for signature in self.lines_of(key) {
            found = true;
            if !key.signs(self.text.as_bytes(), &signature.signature) {
                return Err(NoteError::BadSignature(key.name.clone()));
            }
        }
        if found { Ok(()) } else { Err(NoteError::NotSigned(key.name.clone())) }
    }

    /// Verifies the lines of a witness's key and returns the earliest time, in seconds since 1970 by the witness's clock.
    pub fn verify_cosignature(&self, key: &WitnessKey) -> Result<u64, NoteError> {
        let bad = || NoteError::BadSignature(key.0.name.clone());
        let times = self.lines_of(&key.0).map(|line| cosigned_at(&self.text, line, &key.0).ok_or_else(bad));
        let times: Vec<u64> = times.collect::<Result<_, _>>()?;
        times.into_iter().min().ok_or_else(|| NoteError::NotSigned(key.0.name.clone()))
    }

    fn lines_of<'a>(&'a self, key: &'a VerifierKey) -> impl Iterator<Item = &'a NoteSignature> {
        self.signatures.iter().filter(|line| line.is_of(key))
    }
}

/// C2SP tlog-cosignature: `u64 time ‖ signature` over `cosignature/v1`, the time and the note's text.
fn cosigned_at(text: &str, line: &NoteSignature, key: &VerifierKey) -> Option<u64> {
    let (time, signature) = line.signature.split_first_chunk::<8>()?;
    let time = u64::from_be_bytes(*time);
    let message = cosigned_text(text, time);
    (i64::try_from(time).is_ok() && key.signs(message.as_bytes(), signature)).then_some(time)
}

/// What a witness signs at a time (C2SP tlog-cosignature).
pub(crate) fn cosigned_text(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

impl NoteSignature {
    /// Whether name and key id are that key's.
    pub(crate) fn is_of(&self, key: &VerifierKey) -> bool {
        self.name == key.name && self.key_id == key.id
    }

    fn parse(line: &str) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed("a signature line that is not `— name base64`");
        let (name, encoded) =
            line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or_else(|| malformed.clone())?;
        let bytes = encoding::from_base64(encoded).map_err(|_| malformed.clone())?;
        let (id, signature) = bytes.split_first_chunk::<4>().ok_or_else(|| malformed.clone())?;
        if !is_key_name(name) || signature.is_empty() {
            return Err(malformed);
        }
        Ok(Self { name: name.to_owned(), key_id: u32::from_be_bytes(*id), signature: signature.to_vec() })
    }
}

/// C2SP signed-note: names are not empty and hold no Unicode space and no plus.
fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

fn key_id(name: &str, kind: u8, public_key: &[u8]) -> u32 {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', kind]).chain_update(public_key).finalize();
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// A log's public key as a verifier pins it: `<name>+<8 hex digits of the key id>+<base64(0x01 ‖ key)>`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: u8,
    id: u32,
    key: VerifyingKey,
}

/// The text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 note key: {0}")]
pub struct KeyError(&'static str);

impl VerifierKey {
    /// The key's name; for a log, its log origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key id: the first 4 bytes of a hash of name, type and key.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The bare public key.
    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    fn new(name: &str, kind: u8, key: VerifyingKey) -> Self {
        Self { id: key_id(name, kind, key.as_bytes()), name: name.to_owned(), kind, key }
    }

    fn signs(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = signature.try_into() else { return false };
        self.key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }

    fn parse(text: &str, kind: u8) -> Result<Self, KeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError("not name+id+key"));
        };
        if !is_key_name(name) {
            return Err(KeyError("an empty name, or a name with a space"));
        }
        let blob: [u8; 33] = encoding::array_from_base64(encoded).map_err(|_| KeyError("not base64 of 33 bytes"))?;
        let [first, public @ ..] = blob;
        if first != kind {
            return Err(KeyError("another signature type"));
        }
        let key = VerifyingKey::from_bytes(&public).map_err(|_| KeyError("not a point of the curve"))?;
        // RFC 8032 §5.1.3: one encoding for each point, and none of the few points that make every signature good.
        if key.is_weak() || key.to_edwards().compress().as_bytes() != &public {
            return Err(KeyError("not the one encoding of a point of large order"));
        }
        let parsed = Self::new(name, kind, key);
        if parsed.to_string() == text { Ok(parsed) } else { Err(KeyError("the key id is another key's")) }
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text, ED25519)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blob = [&[self.kind], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, encoding::base64(&blob))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// A witness's public key: as a log's, with type 0x04.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey(pub(crate) VerifierKey);

impl WitnessKey {
    /// The witness's name.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The bare public key, so that one key under two names counts once.
    pub fn public_key(&self) -> &[u8; 32] {
        self.0.key.as_bytes()
    }
}

impl FromStr for WitnessKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        VerifierKey::parse(text, COSIGNATURE_V1).map(Self)
    }
}

/// A log's private key: `PRIVATE+KEY+<name>+<key id>+<base64(0x01 ‖ seed)>`. Wiped from memory when dropped.
pub struct SignerKey {
    name: String,
    key: SigningKey,
}

impl SignerKey {
    /// Makes a key from 32 secret random bytes.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError("an empty name, or a name with a space or a plus"));
        }
        Ok(Self { name: name.to_owned(), key: SigningKey::from_bytes(seed) })
    }

    /// The text of the private key, for a file that only its owner can read.
    pub fn to_secret_text(&self) -> String {
        let blob = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        let VerifierKey { name, id, .. } = self.verifier_key();
        format!("PRIVATE+KEY+{name}+{id:08x}+{}", encoding::base64(&blob))
    }

    /// Reads the text of a private key. A flipped bit shows in the key id.
    pub fn from_secret_text(text: &str) -> Result<Self, KeyError> {
        let rest = text.strip_prefix("PRIVATE+KEY+").ok_or(KeyError("no PRIVATE+KEY+ at the start"))?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(_id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError("not PRIVATE+KEY+name+id+key"));
        };
        let blob: [u8; 33] = encoding::array_from_base64(encoded).map_err(|_| KeyError("not base64 of 33 bytes"))?;
        let [kind, seed @ ..] = blob;
        if kind != ED25519 {
            return Err(KeyError("another signature type"));
        }
        let key = Self::from_seed(name, &seed)?;
        if key.to_secret_text() == text { Ok(key) } else { Err(KeyError("the key id is another key's")) }
    }

    /// The public half, as verifiers pin it.
    pub fn verifier_key(&self) -> VerifierKey {
        VerifierKey::new(&self.name, ED25519, self.key.verifying_key())
    }

    /// Signs a text that ends in a newline. Ed25519 is deterministic: the same text gives the same note.
    pub fn sign(&self, text: &str) -> String {
        assert!(text.ends_with('\n'), "a note's text ends in a newline");
        let signature = self.key.sign(text.as_bytes());
        let line = [self.verifier_key().id.to_be_bytes().as_slice(), &signature.to_bytes()].concat();
        format!("{text}\n— {} {}\n", self.name, encoding::base64(&line))
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({}, secret)", self.name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The examples of C2SP signed-note and tlog-cosignature, and the test pair of Go's x/mod.
    const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    const PETER_SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn verifies_the_specification_s_example() {
        let key: VerifierKey = KEY.parse().unwrap();
        assert_eq!(key.id(), 0x530d_903a);
        assert_eq!(Note::parse(NOTE.as_bytes()).unwrap().verify(&key), Ok(()));
    }

    #[test]
    fn signs_what_its_verifier_key_verifies() {
        let signer = SignerKey::from_secret_text(PETER_SECRET).unwrap();
        assert_eq!(signer.to_secret_text(), PETER_SECRET);
        assert_eq!(signer.verifier_key().to_string(), PETER);
        let note = signer.sign("a\n\nb\n");
        assert_eq!(note, signer.sign("a\n\nb\n"));
        let parsed = Note::parse(note.as_bytes()).unwrap();
        assert_eq!(parsed.text(), "a\n\nb\n");
        assert_eq!(parsed.verify(&PETER.parse().unwrap()), Ok(()));
        assert_eq!(parsed.verify(&KEY.parse().unwrap()), Err(NoteError::NotSigned("example.com/foo".into())));
    }

    #[test]
    fn a_line_of_an_unknown_key_is_ignored_and_one_of_a_known_key_must_verify() {
        let key: VerifierKey = KEY.parse().unwrap();
        let unknown = format!("{NOTE}— somebody AAAAAAA=\n");
        assert_eq!(Note::parse(unknown.as_bytes()).unwrap().verify(&key), Ok(()));
        let spoiled = NOTE.replace("example message", "eXample message");
        let refusal = Note::parse(spoiled.as_bytes()).unwrap().verify(&key);
        assert_eq!(refusal, Err(NoteError::BadSignature("example.com/foo".into())));
        let second = format!("{NOTE}— example.com/foo Uw2QOgAAAAA=\n");
        assert!(matches!(Note::parse(second.as_bytes()).unwrap().verify(&key), Err(NoteError::BadSignature(_))));
    }

    #[test]
    fn a_cosignature_binds_its_time() {
        let seed = [7; 32];
        let key = SigningKey::from_bytes(&seed);
        let witness = WitnessKey(VerifierKey::new("witness.example/w", COSIGNATURE_V1, key.verifying_key()));
        let text = "log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
        let cosign = |time: u64, claimed: u64| {
            let signature = key.sign(format!("cosignature/v1\ntime {time}\n{text}").as_bytes());
            let id = witness.0.id.to_be_bytes();
            let line = [id.as_slice(), &claimed.to_be_bytes(), &signature.to_bytes()].concat();
            Note::parse(format!("{text}\n— witness.example/w {}\n", encoding::base64(&line)).as_bytes()).unwrap()
        };
        assert_eq!(cosign(5, 5).verify_cosignature(&witness), Ok(5));
        assert!(matches!(cosign(5, 6).verify_cosignature(&witness), Err(NoteError::BadSignature(_))));
        assert_eq!(witness.0.to_string().parse(), Ok(witness));
    }

    #[test]
    fn malformed_notes_are_refused() {
        let line = "— example.com/foo Uw2QOkn8srU=";
        for note in [
            String::new(),
            "text\n".into(),
            format!("text\n{line}\n"),
            format!("text\n\n{line}"),
            format!("text\n\n{line}\r\n"),
            "text\n\n- example.com/foo Uw2QOkn8srU=\n".into(),
            "text\n\n— example.com/foo  Uw2QOkn8srU=\n".into(),
            "text\n\n— example+com Uw2QOkn8srU=\n".into(),
            "text\n\n—  Uw2QOkn8srU=\n".into(),
            "text\n\n— a Uw2QOg==\n".into(),
            "text\n\n— a Uw2QOkn8srU\n".into(),
            format!("te\u{1}xt\n\n{line}\n"),
            format!("text\n\n{}", format!("{line}\n").repeat(65)),
            format!("{}\n\n{line}\n", "x".repeat(MAX_NOTE)),
        ] {
            assert!(matches!(Note::parse(note.as_bytes()), Err(NoteError::Malformed(_))), "{note:?}");
        }
        assert!(Note::parse(b"\xff\n\n").is_err());
    }

    #[test]
    fn keys_with_another_id_type_or_form_are_refused() {
        for key in [
            "",
            "example.com/foo",
            "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2",
            "example.com foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            // y is the prime plus 18, which stands for another y.
            "a/log+c8b58d29+Af////////////////////////////////////////9/",
        ] {
            assert!(key.parse::<VerifierKey>().is_err(), "{key}");
        }
        let flipped = PETER_SECRET.replace("AYEK", "AYEL");
        assert!(SignerKey::from_secret_text(&flipped).is_err());
    }
}
