//! The second signature primitive: AWS-LC, in C and assembly. It accepts exactly the signatures that [`super::PureRust`]
//! accepts (tested in tests/primitives.rs), several times faster for RS256 and for ES256.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};

use super::public_key::{Algorithm, PublicKey};
use super::signature::SignaturePrimitive;

/// The primitive of AWS-LC, for whoever verifies many signatures and has a C compiler.
#[derive(Debug, Clone, Copy, Default)]
pub struct AwsLc;

impl SignaturePrimitive for AwsLc {
    /// A [`PublicKey`] is already an uncompressed point, or a modulus of 2048 to 4096 bits with the exponent 65537, so
    /// what else the library would take never reaches it.
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm = match key.algorithm() {
            Algorithm::Es256 => &ECDSA_P256_SHA256_ASN1,
            Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(algorithm, key.raw()).verify(message, signature).is_ok()
    }
}
