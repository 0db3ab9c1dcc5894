//! Receipts made a moment ago. Everybody who waits for a decision and the page that made it are told at the same time: their
//! receipt is made once.
//!
//! Once a confirmation is decided nothing that its receipt says changes any more but the checkpoint that it is under. A reader
//! never gets one under a smaller checkpoint than the published one: whoever has seen that would take it for a log that went
//! back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use merkle::TreeSize;

/// How many bytes of receipts are kept; the oldest are forgotten first.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The newest receipts.
#[derive(Debug, Default)]
pub struct MadeReceipts(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    receipts: VecDeque<Made>,
    bytes: usize,
}

#[derive(Debug)]
struct Made {
    id: String,
    /// Of the checkpoint that it is under.
    size: TreeSize,
    receipt: Arc<str>,
}

impl MadeReceipts {
    /// The receipt of a decided confirmation under a checkpoint of at least this size: what was made before, or what `make`
    /// makes under a checkpoint of this size.
    pub(super) fn get_or_make<E>(
        &self,
        id: &str,
        size: TreeSize,
        make: impl FnOnce() -> Result<String, E>,
    ) -> Result<Arc<str>, E> {
        if let Some(receipt) = self.find(id, size) {
            return Ok(receipt);
        }
        // Made without the lock: two may make the same, and nobody waits for another's.
        let receipt: Arc<str> = make()?.into();
        self.keep(Made { id: id.to_owned(), size, receipt: receipt.clone() });
        Ok(receipt)
    }

    fn find(&self, id: &str, size: TreeSize) -> Option<Arc<str>> {
        let kept = self.lock();
        let found = kept.receipts.iter().rev().find(|made| made.size >= size && made.id == id);
        found.map(|made| made.receipt.clone())
    }

    fn keep(&self, made: Made) {
        let mut kept = self.lock();
        kept.bytes += made.receipt.len();
        kept.receipts.push_back(made);
        while kept.bytes > MAX_BYTES {
            let Some(oldest) = kept.receipts.pop_front() else { break };
            kept.bytes -= oldest.receipt.len();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: TreeSize = TreeSize::new(7);

    fn get(made: &MadeReceipts, id: &str, text: &str) -> String {
        let receipt: Result<_, ()> = made.get_or_make(id, SIZE, || Ok(text.to_owned()));
        receipt.map(|receipt| receipt.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_receipt_is_made_once_for_each_confirmation() {
        let made = MadeReceipts::default();
        assert_eq!(get(&made, "a", "first"), "first");
        assert_eq!(get(&made, "a", "second"), "first");
        assert_eq!(get(&made, "b", "of b"), "of b");
        assert_eq!(get(&made, "a", "third"), "first");
    }

    #[test]
    fn a_receipt_under_a_smaller_checkpoint_is_made_again() {
        let made = MadeReceipts::default();
        assert_eq!(get(&made, "a", "first"), "first");
        let larger: Result<_, ()> = made.get_or_make("a", TreeSize::new(8), || Ok("second".to_owned()));
        assert_eq!(larger.as_deref(), Ok("second"));
        assert_eq!(get(&made, "a", "third"), "second", "under a larger one it proves the same");
    }

    #[test]
    fn a_failure_is_not_kept() {
        let made = MadeReceipts::default();
        assert_eq!(made.get_or_make("a", SIZE, || Err("no")), Err("no"));
        assert_eq!(get(&made, "a", "first"), "first");
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_go_first() {
        let made = MadeReceipts::default();
        let (large, too_large) = ("x".repeat(MAX_BYTES / 2), "x".repeat(MAX_BYTES + 1));
        get(&made, "a", "first");
        get(&made, "b", &large);
        get(&made, "c", &large);
        assert_eq!(get(&made, "a", "again"), "again");
        assert_eq!(get(&made, "c", "again"), large);
        assert_eq!(get(&made, "d", &too_large), too_large);
        assert!(made.lock().receipts.is_empty() && made.lock().bytes == 0);
    }
}
