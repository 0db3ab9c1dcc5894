//! Inviting people, listing invites, revoking them.

use api::{CreateInvite, Invite, InviteCreated, InviteList};
use sha2::{Digest as _, Sha256};
use verifier::encoding::base64url;
use verifier::names;

use super::records::InviteRecord;
use super::{Approvals, seconds, shown, time_text, username};
use crate::keyspace::{self, Kind};
use crate::problem::Problem;
use crate::random::{self, bytes32};
use crate::writer::{Command, Failed, Transaction};

const USES: std::ops::RangeInclusive<u32> = 1..=1000;
const LIFE: std::ops::RangeInclusive<u64> = 60..=30 * 24 * 3600;
const DEFAULT_LIFE: u64 = 7 * 24 * 3600;

struct Create {
    record: InviteRecord,
    code_hash: [u8; 32],
    life: u64,
}

struct Revoke(String);

impl Approvals {
    /// Makes an invite, asked with the API key that has the id `by`. Its code is told this once and kept as a hash.
    pub async fn create_invite(&self, by: &str, request: CreateInvite) -> Result<InviteCreated, Problem> {
        shown("note", &request.note, names::check_action)?;
        let max_uses = request.max_uses.unwrap_or(1);
        if !USES.contains(&max_uses) {
            return Err(Problem::invalid("maxUses", format!("{max_uses}, 1 to 1000 are allowed")));
        }
        if let Some(name) = &request.username {
            username("username", name)?;
            if max_uses > 1 {
                return Err(Problem::invalid("maxUses", "an invite that fixes the username has one use"));
            }
        }
        if let Some(email) = &request.email {
            self.email_address("email", email)?;
            if max_uses > 1 {
                return Err(Problem::invalid("maxUses", "an invite that brings an address has one use"));
            }
        }
        let life = seconds("expiresIn", request.expires_in, LIFE, DEFAULT_LIFE)?;
        let code = base64url(&bytes32(&*self.random));
        let record = InviteRecord {
            id: random::id(&*self.random, "inv"),
            note: request.note,
            username: request.username,
            email: request.email,
            max_uses,
            used: 0,
            created_at: 0,
            expires_at: 0,
            revoked: false,
        };
        let record = self.submit_by(by, Create { record, code_hash: code_hash(&code), life }).await?;
        Ok(InviteCreated {
            register_url: format!("{}/enrol/{code}", self.identity.public_url),
            id: record.id,
            code,
            expires_at: time_text(record.expires_at),
        })
    }

    /// All invites, without their codes.
    pub fn invites(&self) -> Result<InviteList, Problem> {
        let invites = self.records::<InviteRecord>(Kind::Invite)?.into_iter().map(|record| Invite {
            expires_at: time_text(record.expires_at),
            id: record.id,
            note: record.note,
            username: record.username,
            email: record.email,
            max_uses: record.max_uses,
            used: record.used,
            revoked: record.revoked,
        });
        Ok(InviteList { invites: invites.collect() })
    }

    /// Revokes an invite.
    pub async fn revoke_invite(&self, by: &str, id: &str) -> Result<(), Problem> {
        self.submit_by(by, Revoke(id.to_owned())).await
    }
}

/// What the store knows a code by.
pub(super) fn code_hash(code: &str) -> [u8; 32] {
    Sha256::digest(code).into()
}

impl InviteRecord {
    pub(super) fn is_usable(&self, now: u64) -> bool {
        !self.revoked && self.used < self.max_uses && now <= self.expires_at
    }
}

impl Command for Create {
    type Answer = InviteRecord;
    type Refusal = Problem;

    fn run(self, tx: &mut Transaction<'_>) -> Result<InviteRecord, Failed<Problem>> {
        let created_at = tx.now();
        let expires_at = created_at.plus(self.life).unix();
        let record = InviteRecord { created_at: created_at.unix(), expires_at, ..self.record };
        tx.put(keyspace::invite(&record.id), &record);
        tx.put_bytes(keyspace::invite_hash(&self.code_hash), record.id.clone().into_bytes());
        tracing::info!(event = "invite", id = record.id);
        Ok(record)
    }
}

impl Command for Revoke {
    type Answer = ();
    type Refusal = Problem;

    fn run(self, tx: &mut Transaction<'_>) -> Result<(), Failed<Problem>> {
        let key = keyspace::invite(&self.0);
        let Some(record) = tx.get::<InviteRecord>(&key)? else { return Err(Failed::Refused(Problem::NotFound)) };
        tx.put(key, &InviteRecord { revoked: true, ..record });
        tracing::info!(event = "invite revoked", id = self.0);
        Ok(())
    }
}
