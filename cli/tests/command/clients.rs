//! The client commands: `trust`, `keygen`, `verify`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use verifier::note::{SignerKey, VerifierKey};
use verifier::trust::Trust;

use super::running::{Folder, countersign};

#[tokio::test]
async fn trust_prints_what_a_verifier_pins() {
    let folder = Folder::new();
    let _server = folder.started().await;
    let output = countersign().arg("trust").env("COUNTERSIGN_URL", folder.url()).output().unwrap();
    assert!(output.status.success());
    let trust = Trust::parse(&output.stdout).unwrap();
    assert_eq!(trust.relying_party.web_origins, [folder.url()]);
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(words, format!("compare this log key over another channel: {}\n", trust.logs[0]));
    // A final slash is the same server.
    let output = countersign().args(["trust", "--url", &format!("{}/", folder.url())]).output().unwrap();
    assert_eq!(Trust::parse(&output.stdout).unwrap(), trust);
}

#[test]
fn trust_without_a_server_says_so() {
    let folder = Folder::new();
    for url in [folder.url(), "localhost:8080".to_owned()] {
        let ended = folder.start(countersign().args(["trust", "--url", &url])).ended();
        let (code, sentence) = ended.refusal();
        assert_eq!((code, ended.stdout.as_str()), (Some(1), ""), "{sentence}");
        assert!(sentence.contains(&url), "{sentence}");
    }
}

#[test]
fn keygen_keeps_the_two_halves_apart() {
    let folder = Folder::new();
    let printed = countersign().args(["keygen", "example.com/log"]).output().unwrap();
    let secret = String::from_utf8(printed.stdout).unwrap();
    let key = SignerKey::from_secret_text(secret.trim_end()).unwrap().verifier_key();
    let shown: VerifierKey = String::from_utf8(printed.stderr).unwrap().trim_end().parse().unwrap();
    assert_eq!((&shown, shown.name()), (&key, "example.com/log"));

    let path = folder.path("log.key");
    let make = || countersign().args(["keygen", "example.com/log", "--out"]).arg(&path).output().unwrap();
    let made = make();
    assert!(made.status.success() && made.stdout.is_empty());
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    let secret = fs::read_to_string(&path).unwrap();
    let key = SignerKey::from_secret_text(secret.trim_end()).unwrap().verifier_key();
    assert_eq!(String::from_utf8(made.stderr).unwrap(), format!("{key}\n"));

    let again = make();
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8(again.stderr).unwrap().contains("is not overwritten"));
    assert_eq!(fs::read_to_string(&path).unwrap(), secret);
    let wrong = countersign().args(["keygen", "two words"]).output().unwrap();
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(2), 0));
}

#[test]
fn a_wrong_call_of_verify_is_told_apart_from_a_bad_receipt() {
    let folder = Folder::new();
    let verify = |arguments: &[&str]| {
        countersign().current_dir(folder.path("")).arg("verify").args(arguments).output().unwrap().status.code()
    };
    assert_eq!(verify(&["none.receipt.json", "--trust", "none.json"]), Some(2));
    assert_eq!(verify(&[]), Some(2));
    let key = SignerKey::from_seed("example.com/log", &[7; 32]).unwrap().verifier_key();
    let trust = format!(
        r#"{{"logs":["{key}"],"rp_id":"example.com","type":"countersign/trust/v1","web_origins":["https://example.com"]}}"#
    );
    fs::write(folder.path("trust.json"), trust).unwrap();
    fs::write(folder.path("bad.receipt.json"), "{}").unwrap();
    assert_eq!(verify(&["bad.receipt.json", "--trust", "trust.json"]), Some(1));
}
