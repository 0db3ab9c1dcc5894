//! The rules over a log's entries, in order: what may stand in a log, and after what (docs/protocol.md).
//!
//! [`prepare`] parses one entry and hashes it, [`State::apply`] holds it against all entries before it, and
//! [`SignatureJob::check`] verifies its signature. What breaks a rule is a [`Finding`] with the entry's index; what people
//! want to hear of is an [`Event`]; what the state must remember is a [`Fact`], and facts written one after the other are
//! how a state is kept across runs.
//!
//! | entry | rules |
//! |---|---|
//! | all of ours | well formed; its time is not before that of an earlier entry |
//! | credential | the key is acceptable, fits `alg` and was never enrolled before; `rp_id` is the trust file's; an invite serves once; an earlier key that allows it is active, of the same label, and signed it |
//! | revocation | of an enrolled, active key of that label |
//! | decision | by an enrolled, active key of that label, signed by it for this site; one for each confirmation and label; none after a rejection or a use |
//! | consumption | one for each confirmation, which somebody approved and nobody rejected |
//!
//! If the trust file pins people, a decision by another key is a finding; if it lists a key as revoked, whatever that key
//! signs from that index on. An entry that does not begin with `countersign/` is somebody else's and may be anything.
//!
//! What entries cannot show: what a decision was about (its document is salted and not in the log), how many approvals a
//! confirmation needed, or whether it had expired. A receipt shows that.
//!
//! An entry that breaks a rule still counts for what it claims, so that one wrong entry is not found again in each entry
//! that builds on it.

mod event;
mod fact;
mod finding;
mod judge;
mod pins;
mod prepare;
mod signature;
mod state;

pub use event::{Authoriser, Event, Subject};
pub use fact::{Fact, FactError, Happened};
pub use finding::{Finding, Rule};
pub use judge::Applied;
pub use pins::Pins;
pub use prepare::{Prepared, prepare};
pub use signature::SignatureJob;
pub use state::State;

#[cfg(test)]
pub(crate) mod made;
#[cfg(test)]
mod tests;
