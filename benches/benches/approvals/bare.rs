//! What bounds a decision: the verification of one ES256 signature and nothing else. In processor time, so that who else
//! uses the machine matters little.

use benches::passkey::Passkey;
use sha2::{Digest as _, Sha256};
use verifier::encoding::from_base64url;
use verifier::webauthn::{AwsLc, PublicKey, RelyingParty, SignaturePrimitive as _, verify_registration};

use crate::process::Process;

/// How often: some 100 ms, because Linux counts a running thread's time in steps of a few.
const TIMES: u32 = 2000;

/// A key, a message and its signature.
pub(crate) struct Bare {
    passkey: Passkey,
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
        let (auth_data, signature) = (bytes(&signed.authenticator_data), bytes(&signed.signature));
        Self { passkey, key: registered.public_key, message: [auth_data, client_data.to_vec()].concat(), signature }
    }

    /// The processor time that verifying it takes, and that making another takes, in milliseconds.
    pub(crate) fn verifying_and_signing(&self) -> (f64, f64) {
        let verify = || assert!(AwsLc.verify(&self.key, &self.message, &self.signature), "the signature is good");
        (millis(verify), millis(|| _ = self.passkey.sign(&[2; 64]).expect("a signature")))
    }
}

fn millis(work: impl Fn()) -> f64 {
    let begun = Process::of_this_thread();
    (0..TIMES).for_each(|_| work());
    Process::of_this_thread().saturating_sub(begun).as_secs_f64() * 1000.0 / f64::from(TIMES)
}
