//! Reading an assertion as a page sends it.

use verifier::webauthn::{Assertion, ClientData};

use super::decide::bytes;
use crate::problem::Problem;

/// The three parts of an assertion.
pub(super) fn read(field: &str, sent: &api::Assertion) -> Result<Assertion, Problem> {
    let part = |name: &str, text: &str| bytes(&format!("{field}.response.{name}"), text);
    Ok(Assertion {
        authenticator_data: part("authenticatorData", &sent.response.authenticator_data)?,
        client_data_json: part("clientDataJSON", &sent.response.client_data_json)?,
        signature: part("signature", &sent.response.signature)?,
    })
}

/// Refuses an assertion whose names for the credential differ.
pub(super) fn check_ids(field: &str, sent: &api::Assertion) -> Result<(), Problem> {
    if sent.id == sent.raw_id && sent.kind == "public-key" {
        return Ok(());
    }
    Err(Problem::invalid(format!("{field}.rawId"), "must equal id, and type must be public-key"))
}

/// The challenge that was signed, if the signature holds: by it the ceremony is found that it answers.
pub(super) fn claimed_challenge(field: &str, assertion: &Assertion) -> Result<Vec<u8>, Problem> {
    let client_data = ClientData::decode(&assertion.client_data_json);
    let client_data =
        client_data.map_err(|error| Problem::invalid(format!("{field}.response.clientDataJSON"), error))?;
    Ok(client_data.challenge)
}
