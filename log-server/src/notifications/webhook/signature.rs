//! The signatures of a webhook by the Standard Webhooks specification: over the message's id, the time of the try and the body,
//! with a secret that both sides know (`v1`, HMAC-SHA256) and with a key whose public half the receiver has (`v1a`, Ed25519).
//!
//! ```text
//! signed = id ‖ "." ‖ seconds since 1970 ‖ "." ‖ body
//! webhook-signature: v1,<base64 of the HMAC> v1a,<base64 of the signature>
//! ```
//!
//! Whoever signs must know the secret, so the store cannot keep a hash of it. It keeps a salt alone, and the keys are computed
//! from that and the log's key, which is in a file of its own and in no backup: a copy of the database signs nothing.
//!
//! ```text
//! root   = HMAC(text of the log's private key, "countersign/webhooks/v1")
//! secret = HMAC(root, "v1\n" ‖ salt)        seed = HMAC(root, "v1a\n" ‖ salt)
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use verifier::note::SignerKey;
use zeroize::Zeroizing;

const PURPOSE: &str = "countersign/webhooks/v1";

/// What the keys of all webhooks of a server are computed from.
pub struct WebhookRoot(Zeroizing<[u8; 32]>);

/// What one webhook is signed with.
pub(crate) struct WebhookKeys {
    secret: Zeroizing<[u8; 32]>,
    seed: SigningKey,
}

impl WebhookRoot {
    /// The root that belongs to a log.
    pub fn of(log: &SignerKey) -> Self {
        let text = Zeroizing::new(log.to_secret_text());
        Self(Zeroizing::new(hmac(text.as_bytes(), &[PURPOSE.as_bytes()])))
    }

    /// The keys of one webhook.
    pub(crate) fn keys(&self, salt: &str) -> WebhookKeys {
        let derived = |kind: &[u8]| Zeroizing::new(hmac(self.0.as_slice(), &[kind, salt.as_bytes()]));
        WebhookKeys { secret: derived(b"v1\n"), seed: SigningKey::from_bytes(&derived(b"v1a\n")) }
    }
}

impl WebhookKeys {
    /// What the receiver checks `v1` with. Whoever has it can sign.
    pub(crate) fn secret(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.secret.as_slice()))
    }

    /// What the receiver checks `v1a` with. Nobody can sign with it.
    pub(crate) fn public_key(&self) -> String {
        format!("whpk_{}", STANDARD.encode(self.seed.verifying_key().as_bytes()))
    }

    /// The header `webhook-signature`.
    pub(crate) fn sign(&self, id: &str, seconds: u64, body: &[u8]) -> String {
        let signed = [format!("{id}.{seconds}.").as_bytes(), body].concat();
        let code = STANDARD.encode(hmac(self.secret.as_slice(), &[&signed]));
        let signature = STANDARD.encode(self.seed.sign(&signed).to_bytes());
        format!("v1,{code} v1a,{signature}")
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!("HMAC takes keys of any length") };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn keys(seed: u8, salt: &str) -> WebhookKeys {
        WebhookRoot::of(&SignerKey::from_seed("example.com/log", &[seed; 32]).unwrap()).keys(salt)
    }

    #[test]
    fn keys_stay_with_log_and_salt_and_no_two_are_the_same() {
        let (one, again) = (keys(7, "salt"), keys(7, "salt"));
        assert_eq!((one.secret(), one.public_key()), (again.secret(), again.public_key()));
        for other in [keys(8, "salt"), keys(7, "salt2")] {
            assert_ne!(one.secret(), other.secret());
            assert_ne!(one.public_key(), other.public_key());
        }
        assert_ne!(one.secret.as_slice(), one.seed.as_bytes());
    }

    /// The example of the specification's own libraries.
    #[test]
    fn a_known_message_has_the_known_signature() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let code = hmac(&secret, &[b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.", body]);
        assert_eq!(STANDARD.encode(code), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
