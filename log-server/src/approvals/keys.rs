//! API keys: making, listing, and finding the one that a request brings.

use api::{CreateKey, Key, KeyCreated, KeyList};
use verifier::names;

use super::{Approvals, shown, time_text, username};
use crate::api_keys::{ApiKey, KeyRecord, Scope};
use crate::keyspace::{self, Kind};
use crate::problem::Problem;
use crate::random;
use crate::writer::{Command, Failed, Transaction};

/// The most names that a key's list of approvers may have.
const MAX_ALLOWED: usize = 1000;

struct Create {
    record: KeyRecord,
    hash: [u8; 32],
}

impl Approvals {
    /// The record of an API key that is known and not revoked.
    pub fn authenticate(&self, key: &ApiKey) -> Result<KeyRecord, Problem> {
        let id = self.store.get(&keyspace::api_key_hash(&key.hash()))?.ok_or(Problem::NoKey)?;
        let id = String::from_utf8_lossy(&id).into_owned();
        let record: KeyRecord = self.record(&keyspace::api_key(&id))?.ok_or(Problem::NoKey)?;
        if record.revoked_at.is_some() { Err(Problem::NoKey) } else { Ok(record) }
    }

    /// Makes an API key, asked with the key that has the id `by`. Its text is told this once and kept as a hash.
    pub async fn create_key(&self, by: &str, request: CreateKey) -> Result<KeyCreated, Problem> {
        shown("name", &request.name, names::check_requester)?;
        let scopes = request.scopes.iter().map(|name| scope(name)).collect::<Result<Vec<_>, _>>()?;
        if scopes.is_empty() {
            return Err(Problem::invalid("scopes", "at least one of request, append, admin"));
        }
        if let Some(owner) = &request.owner {
            username("owner", owner)?;
        } else if request.separate {
            return Err(Problem::invalid("separate", "needs an owner"));
        }
        let allowed = request.approvers.as_deref().unwrap_or_default();
        if allowed.len() > MAX_ALLOWED {
            return Err(Problem::invalid("approvers", format!("{} names, at most {MAX_ALLOWED}", allowed.len())));
        }
        allowed.iter().try_for_each(|name| username("approvers", name).map(drop))?;
        let key = ApiKey::generate(&*self.random);
        let id = random::id(&*self.random, "key");
        let record = KeyRecord {
            owner: request.owner,
            separate: request.separate,
            approvers: request.approvers,
            ..key_record(id, request.name, scopes, &key)
        };
        let record = self.submit_by(by, Create { record, hash: key.hash() }).await?;
        Ok(KeyCreated { key: key.reveal().to_owned(), record: describe(record) })
    }

    /// All API keys, without their texts.
    pub fn keys(&self) -> Result<KeyList, Problem> {
        let records = self.records::<KeyRecord>(Kind::ApiKey)?;
        Ok(KeyList { keys: records.into_iter().map(describe).collect() })
    }
}

/// The record of a key that may do what its scopes say.
pub(crate) fn key_record(id: String, name: String, scopes: Vec<Scope>, key: &ApiKey) -> KeyRecord {
    let ends_with = key.ends_with().to_owned();
    KeyRecord {
        id,
        name,
        scopes,
        owner: None,
        separate: false,
        approvers: None,
        created_at: 0,
        revoked_at: None,
        ends_with,
    }
}

fn scope(name: &str) -> Result<Scope, Problem> {
    match name {
        "request" => Ok(Scope::Request),
        "append" => Ok(Scope::Append),
        "admin" => Ok(Scope::Admin),
        _ => Err(Problem::invalid("scopes", format!("{name:?} is none of request, append, admin"))),
    }
}

fn describe(record: KeyRecord) -> Key {
    let scopes = record.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    Key {
        id: record.id,
        name: record.name,
        scopes,
        owner: record.owner,
        separate: record.separate,
        approvers: record.approvers,
        created_at: time_text(record.created_at),
        ends_with: record.ends_with,
        revoked: record.revoked_at.is_some(),
    }
}

impl Command for Create {
    type Answer = KeyRecord;
    type Refusal = Problem;

    fn run(self, tx: &mut Transaction<'_>) -> Result<KeyRecord, Failed<Problem>> {
        let record = KeyRecord { created_at: tx.now().unix(), ..self.record };
        tx.put(keyspace::api_key(&record.id), &record);
        tx.put_bytes(keyspace::api_key_hash(&self.hash), record.id.clone().into_bytes());
        tracing::info!(event = "key", id = record.id);
        Ok(record)
    }
}
