//! Client data of another ceremony, another web origin, or a framed page.

use verifier::verify::Step;

use super::{Case, edited};
use crate::made::{Stage, Story};

pub(super) fn cases() -> Vec<Case> {
    const SITE: &str = "https://approvals.example.com\"";
    let mut cases = edited(
        Step::ClientData,
        Stage::ClientData,
        &[
            ("a registration", "webauthn.get", "webauthn.create"),
            ("a payment", "webauthn.get", "payment.get"),
            ("a type with capitals", "webauthn.get", "WebAuthn.get"),
            ("a type with a space", "webauthn.get", "webauthn.get "),
            ("a type with a zero byte", "webauthn.get", "webauthn.get\\u0000"),
            ("another site", "//approvals", "//evil"),
            ("another scheme", "https:", "http:"),
            ("a scheme with capitals", "https:", "HTTPS:"),
            ("a host with capitals", "//approvals", "//Approvals"),
            ("another port", SITE, "https://approvals.example.com:8443\""),
            ("the default port", SITE, "https://approvals.example.com:443\""),
            ("a path", SITE, "https://approvals.example.com/\""),
            ("a dot at the end", SITE, "https://approvals.example.com.\""),
            ("a zero byte at the end", SITE, "https://approvals.example.com\\u0000\""),
            ("a site below", SITE, "https://a.approvals.example.com\""),
            ("the site above", SITE, "https://example.com\""),
            ("a site that begins so", SITE, "https://approvals.example.com.evil.example\""),
            ("a site that ends so", SITE, "https://evilapprovals.example.com\""),
            ("a user before the host", SITE, "https://approvals.example.com@evil.example\""),
            ("a letter of another script", SITE, "https://аpprovals.example.com\""),
            ("an opaque web origin", SITE, "null\""),
            ("an app on Android", SITE, "android:apk-key-hash:c29tZSBieXRlcw\""),
            ("an empty web origin", SITE, "\""),
            ("framed by another site", "\"crossOrigin\":false", "\"crossOrigin\":true"),
            ("framed by itself", "false}", "false,\"topOrigin\":\"https://approvals.example.com\"}"),
            ("topOrigin that is null", "false}", "false,\"topOrigin\":null}"),
            ("topOrigin that is empty", "false}", "false,\"topOrigin\":\"\"}"),
            ("topOrigin by an escape", "false}", "false,\"top\\u004frigin\":\"https://approvals.example.com\"}"),
        ],
    );
    let origins = |origin: &str| [("web_origins", [origin.into()].into_iter().collect())];
    cases.push(
        Case::fails(Step::ClientData, "trusted: a site below", &Story::one())
            .trusting(origins("https://a.approvals.example.com")),
    );
    cases.push(
        Case::fails(Step::ClientData, "trusted: another port", &Story::one())
            .trusting(origins("https://approvals.example.com:8443")),
    );
    cases
}
