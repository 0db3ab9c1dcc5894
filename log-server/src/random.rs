//! Randomness, passed in so that tests can repeat themselves; and the random texts that are made of it.

use verifier::document::ConfirmationId;
use verifier::encoding;

/// Where random bytes come from.
pub trait Random: Send + Sync + 'static {
    /// Fills the bytes with unpredictable ones.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's random bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    /// # Panics
    /// When the operating system has no random bytes: nothing safe could be made without them.
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            panic!("the operating system gives no random bytes: {error}");
        }
    }
}

/// 32 random bytes: a nonce, a salt, a challenge.
pub fn bytes32(random: &dyn Random) -> [u8; 32] {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    bytes
}

/// A typed id: a prefix and 26 symbols of base32, 130 random bits.
pub fn id(random: &dyn Random, prefix: &str) -> String {
    let symbols = encoding::base32(&bytes32(random));
    format!("{prefix}_{}", &symbols[..ConfirmationId::SYMBOLS])
}
