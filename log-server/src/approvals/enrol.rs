//! Enrolling a passkey with an invite.

use api::{EnrolOptions, EnrolRequest, Enrolled};
use sha2::{Digest as _, Sha256};
use verifier::encoding::base64url;
use verifier::names::{Label, Username};

use super::contacts::{self, Draft};
use super::invites::code_hash;
use super::new_key::{AllowedBy, NewKey};
use super::records::{ApproverRecord, CredentialRecord, InviteRecord};
use super::{Approvals, new_key, username};
use crate::keyspace;
use crate::notifications::Channel;
use crate::problem::Problem;
use crate::random::bytes32;
use crate::writer::{Command, Failed, Transaction};

/// An enrolment under way.
#[derive(Debug, Clone)]
pub(super) struct Enrolment {
    invite: String,
    username: Username,
    user_handle: String,
}

/// A verified registration on its way into the log.
struct Enrol {
    enrolment: Enrolment,
    label: Label,
    key: NewKey,
    secret: [u8; 32],
    contact: Draft,
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
        let challenge = new_key::claimed_challenge(&sent)?;
        let enrolment = self.ceremonies.enrolments.take(&challenge, self.time.now());
        let Some(enrolment) = enrolment.filter(|enrolment| enrolment.invite == invite.id) else {
            return Err(Problem::Conflict(
                "this enrolment took too long or was begun elsewhere; begin again".to_owned(),
            ));
        };
        let command = Enrol {
            label: self.label(&enrolment.username),
            key: self.verified_registration(sent, &challenge)?,
            enrolment,
            secret: bytes32(&*self.random),
            contact: self.draft(),
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
        let options = self.registration_options(&challenge, &handle, &username, Vec::new());
        let enrolment = Enrolment { invite: invite.id.clone(), username, user_handle: handle };
        self.ceremonies.enrolments.put(&challenge, enrolment, self.time.now());
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

impl Command for Enrol {
    type Answer = Enrolled;
    type Refusal = Problem;

    fn run(self, tx: &mut Transaction<'_>) -> Result<Enrolled, Failed<Problem>> {
        let invite_key = keyspace::invite(&self.enrolment.invite);
        let invite = tx.get::<InviteRecord>(&invite_key)?.filter(|invite| invite.is_usable(tx.now().unix()));
        let Some(invite) = invite else { return Err(Failed::Refused(Problem::NotFound)) };
        let person = self.person(tx, &invite)?;
        let enrolled = self.key.enrol(tx, person, self.label, AllowedBy::Invite { secret: self.secret })?;
        if let Some(email) = &invite.email {
            contacts::propose(tx, &enrolled.username, Channel::Email, email.clone(), self.contact)?;
        }
        tx.put(invite_key, &InviteRecord { used: invite.used + 1, ..invite });
        Ok(enrolled)
    }
}

impl Enrol {
    /// The record of a new person, or of one who may enrol again.
    fn person(&self, tx: &Transaction<'_>, invite: &InviteRecord) -> Result<ApproverRecord, Failed<Problem>> {
        let Enrolment { username, user_handle, .. } = &self.enrolment;
        let Some(person) = tx.get::<ApproverRecord>(&keyspace::approver(username.as_str()))? else {
            let (username, user_handle) = (username.to_string(), user_handle.clone());
            return Ok(ApproverRecord { username, user_handle, credentials: Vec::new() });
        };
        may_enrol(invite, username, person.has_active_key(tx)?).map_err(Failed::Refused)?;
        Ok(person)
    }
}
