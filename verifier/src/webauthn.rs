//! WebAuthn Level 3 for approvals: the checks of a registration (§7.1) and of an assertion (§7.2) under one strict
//! profile, the same for the server and for every offline verifier.
//!
//! User verification is always required, web origins are compared as exact strings, framed ceremonies are refused, DER
//! is strict while high-S is accepted, and the key comes from the enrolment. Each refusal has the id of one check
//! (`R1`.. for registration, `A1`.. for assertions), which [`RegistrationError::code`] and [`AssertionError::code`]
//! return for logs.
//!
//! Out of scope: pending challenges, lookup of credentials and counters (the server's state), and chains of attestation
//! certificates, which are recorded and never trusted.

mod assertion;
mod authenticator_data;
#[cfg(feature = "aws-lc")]
mod aws_lc;
mod cbor;
mod client_data;
mod public_key;
mod registration;
mod rs256;
mod signature;

#[cfg(test)]
mod made;

pub use assertion::{Assertion, AssertionError, verify_assertion};
pub use authenticator_data::{
    AttestedCredential, AuthenticatorData, AuthenticatorDataError, Flags, MAX_AUTHENTICATOR_DATA, MAX_CREDENTIAL_ID,
};
#[cfg(feature = "aws-lc")]
pub use aws_lc::AwsLc;
pub use cbor::CborError;
pub use client_data::{ChallengeMismatch, ClientData, ClientDataError, MAX_CLIENT_DATA};
pub use public_key::{Algorithm, PublicKey, PublicKeyError, UnknownAlgorithm};
pub use registration::{MAX_ATTESTATION_OBJECT, Registration, RegistrationError, verify_registration};
pub(crate) use signature::es256_numbers;
pub use signature::{PureRust, SignatureError, SignaturePrimitive, signed_message, verify_signature};

/// What a verifier pins about the site on which people approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelyingParty {
    /// The relying party id, for example `approve.example.com`.
    pub rp_id: String,
    /// The web origins (scheme, host, port) on which a ceremony may happen, compared as exact strings.
    pub web_origins: Vec<String>,
}

/// The two ceremonies. Client data says which one it belongs to, so that neither passes for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ceremony {
    /// Registration: `navigator.credentials.create`.
    Create,
    /// Authentication: `navigator.credentials.get`.
    Get,
}

impl Ceremony {
    /// The `type` of its client data.
    pub fn client_data_type(self) -> &'static str {
        match self {
            Self::Create => "webauthn.create",
            Self::Get => "webauthn.get",
        }
    }

    /// The id of one check: the same check has one number in the list of each ceremony.
    const fn row(self, create: &'static str, get: &'static str) -> &'static str {
        match self {
            Self::Create => create,
            Self::Get => get,
        }
    }
}
