//! Enrolling a passkey with an invite.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use api::{EnrolOptions, EnrolRequest, Enrolled};
use sha2::{Digest as _, Sha256};
use verifier::encoding::base64url;
use verifier::entry::{Authorisation, CredentialEntry, Entry};
use verifier::names::{Label, Username};
use verifier::time::Timestamp;
use verifier::webauthn::{ClientData, Registration, verify_registration};

use super::invites::code_hash;
use super::records::{ApproverRecord, CredentialRecord, InviteRecord};
use super::{Approvals, decide, username};
use crate::keyspace;
use crate::problem::Problem;
use crate::random::bytes32;
use crate::writer::{Command, Failed, NewEntry, Transaction};

/// How long a person may take to make a passkey, in seconds.
const CEREMONY: u64 = 300;
/// How many enrolments may be under way; beyond that the oldest are forgotten.
const MAX_CEREMONIES: usize = 10_000;

/// The challenges of enrolments under way: in bounded memory, each for one use, none for long.
#[derive(Debug, Default)]
pub struct Challenges(Mutex<HashMap<Vec<u8>, Ceremony>>);

/// What a challenge was made for.
#[derive(Debug, Clone)]
struct Ceremony {
    invite: String,
    username: Username,
    user_handle: String,
    expires_at: Timestamp,
}

/// A verified registration on its way into the log.
struct Enrol {
    ceremony: Ceremony,
    label: Label,
    rp_id: String,
    registration: Registration,
    transports: Vec<String>,
    attestation_object: Vec<u8>,
    client_data_json: Vec<u8>,
    secret: [u8; 32],
}

impl Approvals {
    /// What the enrol page needs: the invite's note and, once the name is known, the options for the authenticator.
    pub fn enrol_options(&self, code: &str, name: Option<&str>) -> Result<EnrolOptions, Problem> {
        let invite = self.usable_invite(code)?;
        let name = match (&invite.username, name) {
            (Some(fixed), Some(other)) if fixed != other => {
                return Err(Problem::invalid("username", format!("this invite is for {fixed}")));
            }
            (Some(fixed), _) => Some(username("username", fixed)?),
            (None, Some(name)) => Some(username("username", name)?),
            (None, None) => None,
        };
        let public_key = name.map(|name| self.begin(&invite, name)).transpose()?;
        Ok(EnrolOptions { note: invite.note, username: invite.username, public_key })
    }

    /// Enrols a passkey: verifies the registration and writes it into the log.
    pub async fn enrol(&self, code: &str, request: EnrolRequest) -> Result<Enrolled, Problem> {
        let invite = self.usable_invite(code)?;
        let sent = request.credential;
        let attestation_object =
            decide::bytes("credential.response.attestationObject", &sent.response.attestation_object)?;
        let client_data_json = decide::bytes("credential.response.clientDataJSON", &sent.response.client_data_json)?;
        let claimed = ClientData::decode(&client_data_json)
            .map_err(|error| Problem::invalid("credential.response.clientDataJSON", error))?;
        let ceremony = self.challenges.take(&claimed.challenge, self.time.now());
        let ceremony = ceremony.filter(|ceremony| ceremony.invite == invite.id);
        let Some(ceremony) = ceremony else {
            return Err(Problem::Conflict(
                "this enrolment took too long or was begun elsewhere; begin again".to_owned(),
            ));
        };
        let relying_party = &self.identity.relying_party;
        let registration = verify_registration(
            &attestation_object,
            &client_data_json,
            &claimed.challenge,
            relying_party,
            &*self.primitive,
        )
        .map_err(|error| {
            tracing::warn!(invite = invite.id, check = error.code(), %error, "an enrolment was refused");
            Problem::invalid("credential", error)
        })?;
        if sent.id != sent.raw_id || sent.id != base64url(&registration.credential_id) {
            return Err(Problem::invalid("credential.id", "is not the id that the authenticator signed"));
        }
        let command = Enrol {
            label: self.label(&ceremony.username),
            ceremony,
            rp_id: relying_party.rp_id.clone(),
            registration,
            transports: transports(sent.response.transports),
            attestation_object,
            client_data_json,
            secret: bytes32(&*self.random),
        };
        Ok(self.writer.submit(command).await?)
    }

    fn usable_invite(&self, code: &str) -> Result<InviteRecord, Problem> {
        let id = self.store.get(&keyspace::invite_hash(&code_hash(code)))?.ok_or(Problem::NotFound)?;
        let record: InviteRecord =
            self.record(&keyspace::invite(&String::from_utf8_lossy(&id)))?.ok_or(Problem::NotFound)?;
        if record.is_usable(self.time.now().unix()) { Ok(record) } else { Err(Problem::NotFound) }
    }

    /// Refuses a name that is taken and makes the options for the authenticator.
    fn begin(&self, invite: &InviteRecord, username: Username) -> Result<serde_json::Value, Problem> {
        let person: Option<ApproverRecord> = self.record(&keyspace::approver(username.as_str()))?;
        if let Some(person) = &person {
            let active = self.credentials(person)?.iter().any(CredentialRecord::is_active);
            may_enrol(invite, &username, active)?;
        }
        let challenge = bytes32(&*self.random);
        // Stable for a name, so that a second try overwrites the first passkey and leaves no orphan behind.
        let handle =
            person.map_or_else(|| user_handle(&self.identity.log_origin, &invite.id, &username), |p| p.user_handle);
        let rp_id = &self.identity.relying_party.rp_id;
        let options = serde_json::json!({
            "rp": {"id": rp_id, "name": format!("Approvals on {rp_id}")},
            "user": {"id": handle, "name": username.as_str(), "displayName": username.as_str()},
            "challenge": base64url(&challenge),
            "pubKeyCredParams": [{"type": "public-key", "alg": -7}, {"type": "public-key", "alg": -257}],
            "timeout": CEREMONY * 1000,
            "excludeCredentials": [],
            "authenticatorSelection":
                {"residentKey": "required", "requireResidentKey": true, "userVerification": "required"},
            "attestation": "none",
        });
        let expires_at = self.time.now().plus(CEREMONY);
        let ceremony = Ceremony { invite: invite.id.clone(), username, user_handle: handle, expires_at };
        self.challenges.put(challenge.to_vec(), ceremony, self.time.now());
        Ok(options)
    }
}

/// A username is never given to another person: an open invite takes a free name, and only an invite that an admin made
/// for a name lets its owner enrol again, once no key of theirs is active.
fn may_enrol(invite: &InviteRecord, username: &Username, has_active_key: bool) -> Result<(), Problem> {
    if invite.username.as_deref() != Some(username.as_str()) {
        return Err(Problem::Conflict(format!("the name {username} is taken")));
    }
    if has_active_key {
        let words =
            format!("{username} has an active passkey; it must be revoked before another is enrolled by invite");
        return Err(Problem::Conflict(words));
    }
    Ok(())
}

fn user_handle(log_origin: &str, invite: &str, username: &Username) -> String {
    base64url(&Sha256::digest(format!("countersign/user/v1\n{log_origin}\n{invite}\n{username}")))
}

/// Hints for the browser; what is not one of the known words is dropped.
fn transports(given: Vec<String>) -> Vec<String> {
    const KNOWN: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];
    given.into_iter().filter(|transport| KNOWN.contains(&transport.as_str())).take(KNOWN.len()).collect()
}

impl Challenges {
    fn put(&self, challenge: Vec<u8>, ceremony: Ceremony, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_CEREMONIES {
            all.retain(|_, ceremony| ceremony.expires_at >= now);
        }
        if all.len() >= MAX_CEREMONIES {
            let oldest = all.iter().min_by_key(|(_, ceremony)| ceremony.expires_at).map(|(key, _)| key.clone());
            oldest.map(|key| all.remove(&key));
        }
        all.insert(challenge, ceremony);
    }

    /// Takes a challenge out, so that it serves once.
    fn take(&self, challenge: &[u8], now: Timestamp) -> Option<Ceremony> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(challenge).filter(|ceremony| ceremony.expires_at >= now)
    }
}

impl Command for Enrol {
    type Answer = Enrolled;
    type Refusal = Problem;

    fn run(self, tx: &mut Transaction<'_>) -> Result<Enrolled, Failed<Problem>> {
        let username = self.ceremony.username.clone();
        let invite_key = keyspace::invite(&self.ceremony.invite);
        let invite = tx.get::<InviteRecord>(&invite_key)?.filter(|invite| invite.is_usable(tx.now().unix()));
        let Some(invite) = invite else { return Err(Failed::Refused(Problem::NotFound)) };
        let person_key = keyspace::approver(username.as_str());
        let person = self.person(tx, &invite, &person_key)?;

        // Neither key nor credential id was ever enrolled, under any name: otherwise one person's passkey could be
        // registered by another, and its decisions would count for both.
        let credential = self.registration.public_key.credential();
        let id_key = keyspace::credential_id(&Sha256::digest(&self.registration.credential_id).into());
        let credential_key = keyspace::credential(&credential);
        if tx.get_bytes(&credential_key)?.is_some() || tx.get_bytes(&id_key)?.is_some() {
            return Err(Failed::Refused(Problem::Conflict("this passkey was enrolled before".to_owned())));
        }

        let entry = self.entry(tx.now());
        let index = tx.append(NewEntry::of(&Entry::Credential(entry))).get();
        let label = self.label;
        let record = self.record(tx.now(), index);
        let name = record.credential.clone();
        tx.put(credential_key, &record);
        tx.put_bytes(id_key, credential.to_vec());
        let credentials = person.credentials.into_iter().chain([name.clone()]).collect();
        tx.put(person_key, &ApproverRecord { credentials, ..person });
        tx.put(invite_key, &InviteRecord { used: invite.used + 1, ..invite });
        tracing::info!(event = "enrolment", credential = name, index);
        Ok(Enrolled {
            username: username.to_string(),
            approver: base64url(&label.0),
            credential: name,
            log_index: index,
        })
    }
}

impl Enrol {
    /// The record of a new person, or of one who may enrol again.
    fn person(
        &self,
        tx: &Transaction<'_>,
        invite: &InviteRecord,
        key: &[u8],
    ) -> Result<ApproverRecord, Failed<Problem>> {
        let Ceremony { username, user_handle, .. } = &self.ceremony;
        let Some(person) = tx.get::<ApproverRecord>(key)? else {
            let (username, user_handle) = (username.to_string(), user_handle.clone());
            return Ok(ApproverRecord { username, user_handle, credentials: Vec::new() });
        };
        may_enrol(invite, username, person.has_active_key(tx)?).map_err(Failed::Refused)?;
        Ok(person)
    }

    fn entry(&self, now: Timestamp) -> CredentialEntry {
        let invite = Sha256::new().chain_update("countersign/invite/v1\n").chain_update(self.secret).finalize();
        CredentialEntry {
            approver: self.label,
            alg: self.registration.public_key.algorithm().as_str().to_owned(),
            public_key: self.registration.public_key.spki_der().to_vec(),
            rp_id: self.rp_id.clone(),
            backup_eligible: self.registration.backup_eligible,
            enrolled_at: now,
            authorised_by: Authorisation::Invite(invite.into()),
        }
    }

    fn record(self, now: Timestamp, index: u64) -> CredentialRecord {
        let key = &self.registration.public_key;
        CredentialRecord {
            credential: base64url(&key.credential()),
            username: self.ceremony.username.to_string(),
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
            authorised_by_secret: base64url(&self.secret),
        }
    }
}
