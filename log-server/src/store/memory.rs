//! A store in memory, for tests: it forgets everything at the end of the process.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::{Batch, Store, StoreError};

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(RwLock<BTreeMap<Vec<u8>, Vec<u8>>>);

impl MemoryStore {
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read().get(key).cloned())
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let map = self.read();
        Ok(map.range(from.to_vec()..to.to_vec()).take(limit).map(|(k, v)| (k.clone(), v.clone())).collect())
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in batch.changes() {
            match value {
                Some(value) => _ = map.insert(key.to_vec(), value.to_vec()),
                None => _ = map.remove(key),
            }
        }
        Ok(())
    }
}
