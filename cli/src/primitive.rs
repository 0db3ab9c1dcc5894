//! Who verifies the signatures of a whole log: AWS-LC, several times as fast, where the server brings it; pure Rust in the
//! small client. Both have one verdict.

use verifier::webauthn::SignaturePrimitive;

/// The fastest primitive of this build.
#[cfg(feature = "server")]
pub(crate) const FASTEST: &(dyn SignaturePrimitive + Sync) = &verifier::webauthn::AwsLc;
/// The fastest primitive of this build.
#[cfg(not(feature = "server"))]
pub(crate) const FASTEST: &(dyn SignaturePrimitive + Sync) = &verifier::webauthn::PureRust;
