//! What bounds a decision: the verification of one ES256 signature and nothing else, on one core.

use std::time::{Duration, Instant};

use benches::passkey::Passkey;
use sha2::{Digest as _, Sha256};
use verifier::encoding::from_base64url;
use verifier::webauthn::{AwsLc, PublicKey, RelyingParty, SignaturePrimitive as _, verify_registration};

/// A key, a message and its signature.
pub(crate) struct Bare {
    key: PublicKey,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Bare {
    pub(crate) fn new(site: &RelyingParty) -> Self {
        let passkey = Passkey::new(&site.rp_id, &site.web_origins[0]).expect("a key");
        let made = passkey.register(&[1; 32]).response;
        let bytes = |text: &str| from_base64url(text).expect("base64url");
        let (object, client_data) = (bytes(&made.attestation_object), bytes(&made.client_data_json));
        let registered = verify_registration(&object, &client_data, &[1; 32], site, &AwsLc).expect("a registration");
        let signed = passkey.sign(&[2; 64]).expect("a signature").response;
        let client_data = Sha256::digest(bytes(&signed.client_data_json));
        Self {
            key: registered.public_key,
            message: [bytes(&signed.authenticator_data), client_data.to_vec()].concat(),
            signature: bytes(&signed.signature),
        }
    }

    /// How many signatures one core verifies in a second.
    pub(crate) fn per_second(&self, time: Duration) -> f64 {
        let (begun, mut verified) = (Instant::now(), 0_u32);
        while begun.elapsed() < time {
            assert!(AwsLc.verify(&self.key, &self.message, &self.signature), "the signature is good");
            verified += 1;
        }
        f64::from(verified) / begun.elapsed().as_secs_f64()
    }
}
