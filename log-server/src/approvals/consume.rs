//! Using an approval, once.

use api::{Consumed, InclusionProof, Status};
use merkle::LeafIndex;
use verifier::encoding::base64url;
use verifier::entry::{ConsumptionEntry, Entry};

use super::create::IdempotencyKey;
use super::records::{ConfirmationRecord, ConsumedRecord};
use super::{Approvals, time_text};
use crate::keyspace;
use crate::problem::Problem;
use crate::writer::{Command, Failed, NewEntry, Transaction};

struct Consume {
    id: String,
    key_id: String,
    idempotency: Option<IdempotencyKey>,
}

impl Approvals {
    /// Marks an approval as used. The same idempotency key again gets the same answer, anybody else a conflict.
    pub async fn consume(
        &self,
        key_id: &str,
        id: &str,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Consumed, Problem> {
        let command = Consume { id: id.to_owned(), key_id: key_id.to_owned(), idempotency };
        let ConsumedRecord { at, index, .. } = self.submit_by(key_id, command).await?;
        let published = self.writer.published();
        let hashes = self.inclusion(LeafIndex::new(index), &published)?;
        Ok(Consumed {
            consumed_at: time_text(at),
            log_index: index,
            proof: InclusionProof {
                hashes: hashes.iter().map(|hash| base64url(hash.as_bytes())).collect(),
                size: published.head.size.get(),
                checkpoint: published.checkpoint.to_string(),
            },
        })
    }
}

impl Command for Consume {
    type Answer = ConsumedRecord;
    type Refusal = Problem;

    fn run(self, tx: &mut Transaction<'_>) -> Result<ConsumedRecord, Failed<Problem>> {
        let refused = |words: String| Err(Failed::Refused(Problem::Conflict(words)));
        let key = keyspace::confirmation(&self.id);
        let record = tx.get::<ConfirmationRecord>(&key)?.filter(|record| record.key_id == self.key_id);
        let Some(mut record) = record else { return Err(Failed::Refused(Problem::NotFound)) };
        let idempotency = self.idempotency.map(IdempotencyKey::text);
        if let Some(consumed) = record.consumed {
            return match idempotency {
                Some(_) if consumed.idempotency == idempotency => Ok(consumed),
                _ => refused(format!("this approval was used at {}", time_text(consumed.at))),
            };
        }
        match record.status_in_writer(tx.now()) {
            Status::Approved => {}
            status => return refused(format!("this confirmation is {}, not approved", status.as_str())),
        }
        if tx.now().unix() > record.use_by {
            return refused(format!("this approval could be used until {}", time_text(record.use_by)));
        }
        let consumed_at = tx.now();
        let entry = Entry::Consumption(ConsumptionEntry { nonce: record.parsed_core()?.nonce, consumed_at });
        let index = tx.append(NewEntry::of(&entry)).get();
        let consumed = ConsumedRecord { at: consumed_at.unix(), index, idempotency };
        record.consumed = Some(consumed.clone());
        tx.put(key, &record);
        tracing::info!(event = "consumption", confirmation = self.id, index);
        Ok(consumed)
    }
}
