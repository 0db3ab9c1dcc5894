//! A new passkey, however it is allowed: its registration verified, its entry and its record.

use api::Enrolled;
use sha2::{Digest as _, Sha256};
use verifier::encoding::base64url;
use verifier::entry::{Authorisation, CredentialEntry, CredentialHash, Entry};
use verifier::names::{Label, Username};
use verifier::time::Timestamp;
use verifier::webauthn::{Assertion, ClientData, Registration, verify_registration};

use super::Approvals;
use super::ceremonies::CEREMONY;
use super::decide::bytes;
use super::records::{ApproverRecord, CredentialRecord};
use crate::keyspace;
use crate::problem::Problem;
use crate::writer::{Failed, NewEntry, Transaction, assertion_digest};

/// A verified registration, with all of it that is kept.
pub(super) struct NewKey {
    rp_id: String,
    registration: Registration,
    transports: Vec<String>,
    attestation_object: Vec<u8>,
    client_data_json: Vec<u8>,
}

/// Who allows a new key.
pub(super) enum AllowedBy {
    /// An invite: random bytes, whose hash the log shows.
    Invite { secret: [u8; 32] },
    /// An earlier key of the same person, by a verified assertion.
    Key { credential: CredentialHash, assertion: Assertion },
}

/// The challenge that a registration answers, if it verifies: by it the ceremony is found.
pub(super) fn claimed_challenge(sent: &api::Registration) -> Result<Vec<u8>, Problem> {
    const FIELD: &str = "credential.response.clientDataJSON";
    let client_data = bytes(FIELD, &sent.response.client_data_json)?;
    Ok(ClientData::decode(&client_data).map_err(|error| Problem::invalid(FIELD, error))?.challenge)
}

impl Approvals {
    /// The options for an authenticator that is to make a passkey, as the browser takes them.
    pub(super) fn registration_options(
        &self,
        challenge: &[u8],
        user_handle: &str,
        username: &Username,
        exclude: Vec<api::CredentialDescriptor>,
    ) -> serde_json::Value {
        let rp_id = &self.identity.relying_party.rp_id;
        let exclude = exclude
            .into_iter()
            .map(|known| serde_json::json!({"type": "public-key", "id": known.id, "transports": known.transports}));
        serde_json::json!({
            "rp": {"id": rp_id, "name": format!("Approvals on {rp_id}")},
            "user": {"id": user_handle, "name": username.as_str(), "displayName": username.as_str()},
            "challenge": base64url(challenge),
            "pubKeyCredParams": [{"type": "public-key", "alg": -7}, {"type": "public-key", "alg": -257}],
            "timeout": CEREMONY * 1000,
            "excludeCredentials": exclude.collect::<Vec<_>>(),
            "authenticatorSelection":
                {"residentKey": "required", "requireResidentKey": true, "userVerification": "required"},
            "attestation": "none",
        })
    }

    /// Verifies a registration over a challenge of ours.
    pub(super) fn verified_registration(&self, sent: api::Registration, challenge: &[u8]) -> Result<NewKey, Problem> {
        let attestation_object = bytes("credential.response.attestationObject", &sent.response.attestation_object)?;
        let client_data_json = bytes("credential.response.clientDataJSON", &sent.response.client_data_json)?;
        let relying_party = &self.identity.relying_party;
        let registration =
            verify_registration(&attestation_object, &client_data_json, challenge, relying_party, &*self.primitive);
        let registration = registration.map_err(|error| {
            tracing::warn!(check = error.code(), %error, "an enrolment was refused");
            Problem::invalid("credential", error)
        })?;
        if sent.id != sent.raw_id || sent.id != base64url(&registration.credential_id) {
            return Err(Problem::invalid("credential.id", "is not the id that the authenticator signed"));
        }
        Ok(NewKey {
            rp_id: relying_party.rp_id.clone(),
            registration,
            transports: transports(sent.response.transports),
            attestation_object,
            client_data_json,
        })
    }
}

/// Hints for the browser; what is not one of the known words is dropped.
fn transports(given: Vec<String>) -> Vec<String> {
    const KNOWN: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];
    given.into_iter().filter(|transport| KNOWN.contains(&transport.as_str())).take(KNOWN.len()).collect()
}

impl NewKey {
    /// The entry that would enrol it.
    pub(super) fn entry(&self, label: Label, now: Timestamp, authorised_by: Authorisation) -> CredentialEntry {
        let key = &self.registration.public_key;
        CredentialEntry {
            approver: label,
            alg: key.algorithm().as_str().to_owned(),
            public_key: key.spki_der().to_vec(),
            rp_id: self.rp_id.clone(),
            backup_eligible: self.registration.backup_eligible,
            enrolled_at: now,
            authorised_by,
        }
    }

    /// Appends the enrolment and writes the records.
    ///
    /// Neither key nor credential id was ever enrolled, under any name: otherwise one person's passkey could be registered
    /// by another, and its decisions would count for both.
    pub(super) fn enrol(
        self,
        tx: &mut Transaction<'_>,
        person: ApproverRecord,
        label: Label,
        allowed_by: AllowedBy,
    ) -> Result<Enrolled, Failed<Problem>> {
        let credential = self.registration.public_key.credential();
        let id_key = keyspace::credential_id(&Sha256::digest(&self.registration.credential_id).into());
        let credential_key = keyspace::credential(&credential);
        if tx.get_bytes(&credential_key)?.is_some() || tx.get_bytes(&id_key)?.is_some() {
            return Err(Failed::Refused(Problem::Conflict("this passkey was enrolled before".to_owned())));
        }
        let (secret, earlier, digest) = match &allowed_by {
            AllowedBy::Invite { secret } => (base64url(secret), None, None),
            AllowedBy::Key { credential, assertion } => {
                (String::new(), Some(base64url(credential)), Some(assertion_digest(assertion)))
            }
        };
        let entry = self.entry(label, tx.now(), authorisation(allowed_by));
        let entry = NewEntry { assertion_digest: digest, ..NewEntry::of(&Entry::Credential(entry)) };
        let index = tx.append(entry).get();
        let record = self.record(&person.username, tx.now(), index, secret, earlier);
        let (name, username) = (record.credential.clone(), person.username.clone());
        tx.put(credential_key, &record);
        tx.put_bytes(id_key, credential.to_vec());
        let credentials = person.credentials.into_iter().chain([name.clone()]).collect();
        tx.put(keyspace::approver(&username), &ApproverRecord { credentials, ..person });
        tracing::info!(event = "enrolment", credential = name, index);
        Ok(Enrolled { username, approver: base64url(&label.0), credential: name, log_index: index })
    }

    fn record(
        self,
        username: &str,
        now: Timestamp,
        index: u64,
        secret: String,
        authorised_by: Option<String>,
    ) -> CredentialRecord {
        let key = &self.registration.public_key;
        CredentialRecord {
            credential: base64url(&key.credential()),
            username: username.to_owned(),
            credential_id: base64url(&self.registration.credential_id),
            alg: key.algorithm().as_str().to_owned(),
            public_key: base64url(key.spki_der()),
            transports: self.transports,
            sign_count: self.registration.sign_count,
            backup_eligible: self.registration.backup_eligible,
            backed_up: self.registration.backed_up,
            enrolled_at: now.unix(),
            index,
            revoked: None,
            attestation_object: base64url(&self.attestation_object),
            client_data_json: base64url(&self.client_data_json),
            attestation_format: self.registration.attestation_format,
            aaguid: base64url(&self.registration.aaguid),
            authorised_by_secret: secret,
            authorised_by,
            last_signed_at: None,
        }
    }
}

fn authorisation(allowed_by: AllowedBy) -> Authorisation {
    match allowed_by {
        AllowedBy::Invite { secret } => {
            let hash = Sha256::new().chain_update("countersign/invite/v1\n").chain_update(secret).finalize();
            Authorisation::Invite(hash.into())
        }
        AllowedBy::Key { credential, assertion } => Authorisation::Credential { credential, assertion },
    }
}
