//! Every receipt, verified with the code that verifies receipts; and everything else that went wrong, in words.

use std::fmt;

use verifier::trust::Trust;
use verifier::verify::{Expectation, verify};
use verifier::webauthn::AwsLc;

/// How many failures are told in words; all are counted.
const TOLD: usize = 10;

/// The receipts of one confirmation, with the core that its requester was given.
pub(crate) struct Receipts {
    pub(crate) core: String,
    pub(crate) receipts: Vec<String>,
}

/// What was verified.
#[derive(Default)]
pub(crate) struct Evidence {
    good: u64,
    wrong: u64,
    told: Vec<String>,
}

impl Evidence {
    /// Verifies receipts: each must approve exactly what was asked. Those with the same bytes are verified once.
    pub(crate) fn add(&mut self, trust: &Trust, of_one: Receipts) {
        let Receipts { core, mut receipts } = of_one;
        let count = receipts.len();
        receipts.sort_unstable();
        receipts.dedup();
        let expectation = Expectation { core: Some(core), ..Expectation::default() };
        for receipt in &receipts {
            let report = verify(receipt.as_bytes(), trust, &expectation, &AwsLc);
            if !report.as_expected {
                self.fail(format!("a receipt does not verify: {:?}: {receipt}", report.failure()));
                return;
            }
        }
        self.good += count as u64;
    }

    /// Counts what has no receipt.
    pub(crate) fn fail(&mut self, words: String) {
        self.wrong += 1;
        self.told.push(words);
        self.told.truncate(TOLD);
    }

    /// Whether there were receipts and nothing went wrong.
    pub(crate) fn is_good(&self) -> bool {
        self.good > 0 && self.wrong == 0
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "receipts verified: {}; failures: {}", self.good, self.wrong)?;
        self.told.iter().try_for_each(|words| writeln!(f, "  {words}"))
    }
}
