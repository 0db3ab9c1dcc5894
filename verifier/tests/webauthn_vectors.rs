//! Third-party vectors: every ECDSA P-256 case and every RSA-2048 PKCS#1 v1.5 case of Wycheproof, by each signature
//! primitive, and every case of the WebAuthn Level 3 "Test Vectors" section with the verdict that our profile gives it.
//!
//! The tests named `…_by_aws_lc` are there with the feature `aws-lc`, which the whole workspace turns on.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;

use p256::ecdsa::Signature;
use serde_json::Value;
#[cfg(feature = "aws-lc")]
use verifier::webauthn::AwsLc;
use verifier::webauthn::{
    Assertion, Ceremony, ClientData, PublicKey, PureRust, RelyingParty, SignaturePrimitive, verify_assertion,
    verify_registration, verify_signature,
};

#[test]
#[ignore = "needs COUNTERSIGN_VECTORS"]
fn every_wycheproof_case_of_p256_has_its_verdict() {
    check_wycheproof_p256(&PureRust);
}

#[cfg(feature = "aws-lc")]
#[test]
#[ignore = "needs COUNTERSIGN_VECTORS"]
fn every_wycheproof_case_of_p256_has_its_verdict_by_aws_lc() {
    check_wycheproof_p256(&AwsLc);
}

fn check_wycheproof_p256(primitive: &dyn SignaturePrimitive) {
    let file = vectors("ecdsa_secp256r1_sha256_test.json");
    let (mut cases, mut valid) = (0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        let key = PublicKey::from_spki_der(&bytes(&group["publicKeyDer"])).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let expected = match test["result"].as_str().unwrap() {
                "valid" => true,
                "invalid" => false,
                other => panic!("case {} has an unknown verdict {other:?}", test["tcId"]),
            };
            let found = primitive.verify(&key, &bytes(&test["msg"]), &bytes(&test["sig"]));
            assert_eq!(found, expected, "case {}: {}", test["tcId"], test["comment"]);
            cases += 1;
            valid += u32::from(expected);
        }
    }
    assert_eq!((cases, valid), (484, 174));
}

/// These signatures are r ‖ s, which no authenticator sends: those with two numbers that can be a signature's are
/// written as DER first, the others are refused as they stand.
#[test]
#[ignore = "needs COUNTERSIGN_VECTORS"]
fn every_wycheproof_case_of_p256_as_two_numbers_has_its_verdict() {
    check_wycheproof_p1363(&PureRust);
}

#[cfg(feature = "aws-lc")]
#[test]
#[ignore = "needs COUNTERSIGN_VECTORS"]
fn every_wycheproof_case_of_p256_as_two_numbers_has_its_verdict_by_aws_lc() {
    check_wycheproof_p1363(&AwsLc);
}

fn check_wycheproof_p1363(primitive: &dyn SignaturePrimitive) {
    let file = vectors("ecdsa_secp256r1_sha256_p1363_test.json");
    let (mut cases, mut valid, mut as_der) = (0, 0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        let key = PublicKey::from_spki_der(&bytes(&group["publicKeyDer"])).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let (message, raw) = (bytes(&test["msg"]), bytes(&test["sig"]));
            assert!(!primitive.verify(&key, &message, &raw), "case {} as it stands", test["tcId"]);
            let found = Signature::from_slice(&raw).is_ok_and(|signature| {
                as_der += 1;
                primitive.verify(&key, &message, signature.to_der().as_bytes())
            });
            assert_eq!(found, test["result"] == "valid", "case {}: {}", test["tcId"], test["comment"]);
            cases += 1;
            valid += u32::from(found);
        }
    }
    assert_eq!((cases, valid, as_der), (262, 173, 191));
}

/// Two groups of one valid case each have keys with the exponent 3, which are refused before any signature. The one
/// case that others may accept leaves out the NULL in `DigestInfo`: we accept one encoding.
#[test]
#[ignore = "needs COUNTERSIGN_VECTORS"]
fn every_wycheproof_case_of_rsa_has_its_verdict() {
    check_wycheproof_rsa(&PureRust);
}

#[cfg(feature = "aws-lc")]
#[test]
#[ignore = "needs COUNTERSIGN_VECTORS"]
fn every_wycheproof_case_of_rsa_has_its_verdict_by_aws_lc() {
    check_wycheproof_rsa(&AwsLc);
}

fn check_wycheproof_rsa(primitive: &dyn SignaturePrimitive) {
    let file = vectors("rsa_signature_2048_sha256_test.json");
    let (mut cases, mut valid, mut of_refused_keys) = (0, 0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        let tests = group["tests"].as_array().unwrap();
        cases += tests.len();
        let key = PublicKey::from_spki_der(&bytes(&group["publicKeyDer"]));
        if group["publicKey"]["publicExponent"] == "03" {
            assert!(key.is_err(), "a key with the exponent 3");
            of_refused_keys += tests.len();
            continue;
        }
        let key = key.unwrap();
        for test in tests {
            let expected = match test["result"].as_str().unwrap() {
                "valid" => true,
                "invalid" => false,
                "acceptable" if test["flags"] == serde_json::json!(["MissingNull"]) => false,
                other => panic!("case {} has an unknown verdict {other:?}", test["tcId"]),
            };
            let found = primitive.verify(&key, &bytes(&test["msg"]), &bytes(&test["sig"]));
            assert_eq!(found, expected, "case {}: {}", test["tcId"], test["comment"]);
            valid += usize::from(expected);
        }
    }
    assert_eq!((cases, valid, of_refused_keys), (259, 7, 2));
}

/// The verdicts of one case: the id of the check that refuses, or what is recorded when none does.
struct Expected {
    case: &'static str,
    registration: Result<&'static str, &'static str>,
    authentication: Result<(), &'static str>,
}

const EXPECTED: [Expected; 15] = [
    // User verification is missing.
    case("none-es256", Err("R13"), Err("A11")),
    case("packed-self-es256", Ok("self"), Err("A11")),
    case("none-es256-crossOrigin", Err("R7"), Err("A8")),
    // It has crossOrigin true as well, which is looked at first.
    case("none-es256-topOrigin", Err("R7"), Err("A8")),
    case("none-es256-long-credential-id", Err("R13"), Ok(())),
    case("packed-es256", Ok("unverified:packed"), Ok(())),
    // Algorithms that we do not ask for; the keys are refused before anything is verified with them.
    case("packed-es384", Err("R18"), Err("R18")),
    case("packed-es512", Err("R5"), Err("R18")),
    case("packed-rs256", Ok("unverified:packed"), Err("A11")),
    case("packed-eddsa", Err("R18"), Err("R18")),
    case("packed-ed448", Err("R18"), Err("R18")),
    case("tpm-es256", Ok("unverified:tpm"), Ok(())),
    case("android-key-es256", Ok("unverified:android-key"), Err("A11")),
    case("apple-es256", Err("R13"), Err("A11")),
    case("fido-u2f-es256", Err("R13"), Err("A11")),
];

const fn case(
    case: &'static str,
    registration: Result<&'static str, &'static str>,
    authentication: Result<(), &'static str>,
) -> Expected {
    Expected { case, registration, authentication }
}

#[test]
#[ignore = "needs COUNTERSIGN_VECTORS"]
fn every_webauthn_level_3_case_has_its_verdict() {
    let file = vectors("webauthn_l3.json");
    let rp = relying_party(&file);
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), EXPECTED.len());
    for (vector, expected) in cases.iter().zip(&EXPECTED) {
        assert_eq!(vector["anchor"], format!("sctn-test-vectors-{}", expected.case));
        let registration = register(&vector["registration"], &rp);
        assert_eq!(registration, expected.registration.map(str::to_owned), "registration of {}", expected.case);
        let authentication = authenticate(vector, &rp);
        assert_eq!(authentication, expected.authentication, "authentication of {}", expected.case);
    }
}

/// The signatures are good in every ES256 and RS256 case, also in those that the profile refuses: so it is the profile,
/// and not the signature check, that refuses them.
#[test]
#[ignore = "needs COUNTERSIGN_VECTORS"]
fn every_es256_and_rs256_signature_of_webauthn_level_3_verifies() {
    let file = vectors("webauthn_l3.json");
    let mut verified = 0;
    for vector in file["cases"].as_array().unwrap() {
        let Ok(key) = key(vector) else { continue };
        let mut assertion = assertion(&vector["authentication"]);
        let verify = |assertion: &Assertion| {
            let Assertion { authenticator_data, client_data_json, signature } = assertion;
            verify_signature(&key, authenticator_data, client_data_json, signature, &PureRust).is_ok()
        };
        assert!(verify(&assertion), "{}", vector["anchor"]);
        assertion.authenticator_data[36] ^= 1;
        assert!(!verify(&assertion), "{} with another counter", vector["anchor"]);
        verified += 1;
    }
    assert_eq!(verified, 11);
}

/// An accepted case is refused as soon as another challenge, another site or the other ceremony is expected.
#[test]
#[ignore = "needs COUNTERSIGN_VECTORS"]
fn every_accepted_case_has_a_refused_twin() {
    let file = vectors("webauthn_l3.json");
    let rp = relying_party(&file);
    let mut twins = 0;
    for (vector, expected) in file["cases"].as_array().unwrap().iter().zip(&EXPECTED) {
        if expected.authentication.is_err() {
            continue;
        }
        let (key, assertion) = (key(vector).unwrap(), assertion(&vector["authentication"]));
        let refusal = |challenge: &[u8], rp: &RelyingParty| {
            verify_assertion(&assertion, challenge, rp, &key, &PureRust).unwrap_err().code()
        };
        let challenge = bytes(&vector["authentication"]["challenge"]);
        assert_eq!(refusal(&[0; 32], &rp), "A6");
        assert_eq!(refusal(&challenge, &RelyingParty { rp_id: "example.com".into(), ..rp.clone() }), "A9");
        assert_eq!(refusal(&challenge, &RelyingParty { web_origins: vec![], ..rp.clone() }), "A7");
        let client_data = ClientData::decode(&assertion.client_data_json).unwrap();
        assert_eq!(client_data.check(Ceremony::Create, &rp).unwrap_err().code(Ceremony::Create), "R4");
        twins += 1;
    }
    assert_eq!(twins, 3);
}

fn register(vector: &Value, rp: &RelyingParty) -> Result<String, &'static str> {
    let object = bytes(&vector["attestationObject"]);
    let client_data = bytes(&vector["clientDataJSON"]);
    let registration = verify_registration(&object, &client_data, &bytes(&vector["challenge"]), rp, &PureRust)
        .map_err(|error| error.code())?;
    assert_eq!(registration.credential_id, bytes(&vector["credential_id"]));
    assert_eq!(registration.aaguid.to_vec(), bytes(&vector["aaguid"]));
    assert_eq!(registration.sign_count, 0);
    Ok(registration.attestation_format)
}

fn authenticate(vector: &Value, rp: &RelyingParty) -> Result<(), &'static str> {
    let key = key(vector)?;
    let authentication = &vector["authentication"];
    verify_assertion(&assertion(authentication), &bytes(&authentication["challenge"]), rp, &key, &PureRust)
        .map(|data| assert_eq!(data.sign_count, 0))
        .map_err(|error| error.code())
}

/// The key by way of COSE and of SPKI, which must be the same.
fn key(vector: &Value) -> Result<PublicKey, &'static str> {
    let cose_key = bytes(&vector["registration"]["_decoded"]["credentialPublicKeyCose"]);
    let key = PublicKey::from_cose(&cose_key).map_err(|error| error.code())?;
    assert_eq!(PublicKey::from_spki_der(key.spki_der()).unwrap(), key);
    Ok(key)
}

fn assertion(authentication: &Value) -> Assertion {
    Assertion {
        authenticator_data: bytes(&authentication["authenticatorData"]),
        client_data_json: bytes(&authentication["clientDataJSON"]),
        signature: bytes(&authentication["signature"]),
    }
}

fn relying_party(file: &Value) -> RelyingParty {
    let text = |key: &str| file[key].as_str().unwrap().to_owned();
    RelyingParty { rp_id: text("rp_id"), web_origins: vec![text("origin")] }
}

fn vectors(name: &str) -> Value {
    let folder = std::env::var_os("COUNTERSIGN_VECTORS")
        .expect("COUNTERSIGN_VECTORS is not set: it must name the folder with the third-party test vectors");
    let path = PathBuf::from(folder).join(name);
    let text =
        std::fs::read(&path).unwrap_or_else(|error| panic!("cannot read the vectors {}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().expect("a hexadecimal string");
    assert!(hex.len().is_multiple_of(2), "an odd number of hexadecimal digits");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
