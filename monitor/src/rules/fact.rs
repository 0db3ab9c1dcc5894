//! What a state remembers of an entry, and its bytes: a state is kept across runs as its facts, one after the other.
//!
//! ```text
//! kind (1)  index (8)  time (8)                            numbers are big-endian
//! 0  –                                                     only the time counts
//! 1  label (32)  0 | 1 ‖ invite (32)  length (2)  key      enrolment; the key is SPKI DER
//! 2  credential (32)                                       revocation
//! 3  label (32)  credential (32)  nonce (32)               approval
//! 4  label (32)  credential (32)  nonce (32)               rejection
//! 5  nonce (32)                                            consumption
//! ```

use merkle::LeafIndex;
use verifier::bundle::MAX_ENTRY;
use verifier::document::Decision;
use verifier::entry::CredentialHash;
use verifier::names::Label;
use verifier::time::Timestamp;

use super::event::Subject;

/// What one entry of ours changes for those after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The entry.
    pub index: LeafIndex,
    /// Its time.
    pub at: Timestamp,
    /// What it says.
    pub happened: Happened,
}

/// What an entry says, as far as later entries depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// Nothing that counts.
    Nothing,
    /// A key was enrolled.
    Enrolled {
        /// Whose key.
        label: Label,
        /// The invite that it used up.
        invite: Option<[u8; 32]>,
        /// The key as SPKI DER.
        public_key: Vec<u8>,
    },
    /// A key was revoked.
    Revoked(CredentialHash),
    /// Somebody decided.
    Decided {
        /// Who, with which key.
        subject: Subject,
        /// The confirmation.
        nonce: [u8; 32],
        /// What.
        decision: Decision,
    },
    /// An approval was used.
    Consumed([u8; 32]),
}

/// Why bytes are not facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FactError {
    /// They end inside a fact.
    #[error("the facts end inside one")]
    Truncated,
    /// No known kind of fact.
    #[error("a fact of the unknown kind {0}")]
    Kind(u8),
    /// A part that has another form.
    #[error("a fact with a malformed {0}")]
    Part(&'static str),
    /// Facts are in the order of the log, and all below the size that goes with them.
    #[error("a fact of entry {index} is out of order")]
    Order {
        /// The fact's entry.
        index: LeafIndex,
    },
}

impl Fact {
    /// Appends the fact's bytes.
    pub fn encode(&self, to: &mut Vec<u8>) {
        to.push(self.kind());
        to.extend_from_slice(&self.index.get().to_be_bytes());
        to.extend_from_slice(&self.at.unix().to_be_bytes());
        match &self.happened {
            Happened::Nothing => {}
            Happened::Enrolled { label, invite, public_key } => {
                to.extend_from_slice(&label.0);
                to.push(u8::from(invite.is_some()));
                to.extend_from_slice(invite.as_ref().map_or(&[], |invite| &invite[..]));
                let Ok(length) = u16::try_from(public_key.len()) else {
                    unreachable!("a key is part of an entry, which has at most {MAX_ENTRY} bytes")
                };
                to.extend_from_slice(&length.to_be_bytes());
                to.extend_from_slice(public_key);
            }
            Happened::Revoked(bytes) | Happened::Consumed(bytes) => to.extend_from_slice(bytes),
            Happened::Decided { subject, nonce, .. } => {
                to.extend_from_slice(&subject.label.0);
                to.extend_from_slice(&subject.credential);
                to.extend_from_slice(nonce);
            }
        }
    }

    /// The facts that were encoded one after the other. The first error ends them.
    pub fn decode_all(bytes: &[u8]) -> impl Iterator<Item = Result<Self, FactError>> {
        let mut rest = Some(bytes);
        std::iter::from_fn(move || {
            let mut bytes = rest.take().filter(|bytes| !bytes.is_empty())?;
            let fact = Self::decode(&mut bytes);
            rest = fact.is_ok().then_some(bytes);
            Some(fact)
        })
    }

    /// Takes one fact off the beginning of the bytes.
    pub fn decode(bytes: &mut &[u8]) -> Result<Self, FactError> {
        let [kind] = take(bytes)?;
        let index = LeafIndex::new(u64::from_be_bytes(take(bytes)?));
        let seconds = u64::from_be_bytes(take(bytes)?);
        let at = Timestamp::from_unix(seconds);
        if at.unix() != seconds {
            return Err(FactError::Part("time"));
        }
        let happened = match kind {
            0 => Happened::Nothing,
            1 => decode_enrolment(bytes)?,
            2 => Happened::Revoked(take(bytes)?),
            3 | 4 => {
                let subject = Subject { label: Label(take(bytes)?), credential: take(bytes)? };
                let decision = if kind == 3 { Decision::Approve } else { Decision::Reject };
                Happened::Decided { subject, nonce: take(bytes)?, decision }
            }
            5 => Happened::Consumed(take(bytes)?),
            unknown => return Err(FactError::Kind(unknown)),
        };
        Ok(Self { index, at, happened })
    }

    fn kind(&self) -> u8 {
        match &self.happened {
            Happened::Nothing => 0,
            Happened::Enrolled { .. } => 1,
            Happened::Revoked(_) => 2,
            Happened::Decided { decision: Decision::Approve, .. } => 3,
            Happened::Decided { decision: Decision::Reject, .. } => 4,
            Happened::Consumed(_) => 5,
        }
    }
}

fn decode_enrolment(bytes: &mut &[u8]) -> Result<Happened, FactError> {
    let label = Label(take(bytes)?);
    let invite = match take(bytes)? {
        [0] => None,
        [1] => Some(take(bytes)?),
        [_] => return Err(FactError::Part("invite")),
    };
    let length = usize::from(u16::from_be_bytes(take(bytes)?));
    let (public_key, rest) = bytes.split_at_checked(length).ok_or(FactError::Truncated)?;
    *bytes = rest;
    Ok(Happened::Enrolled { label, invite, public_key: public_key.to_vec() })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], FactError> {
    let (taken, rest) = bytes.split_first_chunk::<N>().ok_or(FactError::Truncated)?;
    *bytes = rest;
    Ok(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples() -> Vec<Fact> {
        let subject = Subject { label: Label([1; 32]), credential: [2; 32] };
        let decided = |decision| Happened::Decided { subject, nonce: [3; 32], decision };
        let enrolled = |invite| Happened::Enrolled { label: Label([1; 32]), invite, public_key: vec![4; 91] };
        let all = [
            Happened::Nothing,
            enrolled(None),
            enrolled(Some([5; 32])),
            Happened::Revoked([2; 32]),
            decided(Decision::Approve),
            decided(Decision::Reject),
            Happened::Consumed([3; 32]),
        ];
        let fact = |(n, happened)| Fact { index: LeafIndex::new(n), at: Timestamp::from_unix(n + 7), happened };
        (0..).zip(all).map(fact).collect()
    }

    #[test]
    fn facts_round_trip() {
        let mut bytes = Vec::new();
        for fact in examples() {
            fact.encode(&mut bytes);
        }
        assert_eq!(Fact::decode_all(&bytes).collect::<Result<Vec<_>, _>>(), Ok(examples()));
    }

    #[test]
    fn every_truncation_and_every_unknown_part_is_an_error() {
        for fact in examples() {
            let mut bytes = Vec::new();
            fact.encode(&mut bytes);
            for end in 1..bytes.len() {
                let cut: Vec<_> = Fact::decode_all(&bytes[..end]).collect();
                assert_eq!(cut, [Err(FactError::Truncated)], "{fact:?} cut at {end}");
            }
        }
        assert_eq!(Fact::decode(&mut &[&[6][..], &[0; 16]].concat()[..]), Err(FactError::Kind(6)));
        assert_eq!(Fact::decode(&mut &[&[0][..], &[0xff; 16]].concat()[..]), Err(FactError::Part("time")));
    }
}
